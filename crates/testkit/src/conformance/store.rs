//! The laws of a store.

use super::{Replies, visitors_of_one_shard};
use std::collections::BTreeSet;
use tzeva_commit::Marker;
use tzeva_commit::port::{
    Apply, ApplyResult, ScanPage, ShardRead, Store, StoreReply, Ticket, Write,
};
use tzeva_model::{Epoch, Incarnation, LogOffset, Partition, Seq, Shard, UnixMillis, VisitorId};

/// A store under test, asked one thing at a time.
pub(super) struct Asked<'a> {
    pub(super) store: &'a mut dyn Store,
    pub(super) replies: &'a mut Replies<StoreReply>,
    pub(super) partition: Partition,
}

/// Runs all laws of a store on an empty one; `count` is its number of partitions.
///
/// # Panics
/// At the first law that is broken.
pub fn store_laws(store: &mut dyn Store, replies: &mut Replies<StoreReply>, count: u16) {
    let (shard, visitors) = visitors_of_one_shard(1_500);
    let mut asked = Asked { store, replies, partition: shard.partition(count) };
    the_guard_lets_in_what_follows(&mut asked, shard, &visitors);
    what_the_guard_keeps_out_leaves_no_trace(&mut asked, shard, &visitors);
    requests_are_carried_out_in_order(&mut asked, shard, &visitors);
    due_sets_hold_what_was_added(&mut asked, shard, &visitors);
    a_walk_meets_every_profile(&mut asked, shard, &visitors);
    shards_are_read_in_the_order_asked(&mut asked, shard, count);
}

/// Checks that no read sees a step half done, and that profiles and marker belong together; `writer` and `reader` are
/// two ports on one empty store.
///
/// # Panics
/// If one does.
pub fn reads_are_atomic(
    (writer, applied): (&mut dyn Store, &mut Replies<StoreReply>),
    (reader, read): (&mut dyn Store, &mut Replies<StoreReply>),
    count: u16,
) {
    let (shard, visitors) = visitors_of_one_shard(40);
    let partition = shard.partition(count);
    for seq in 1..=200 {
        let value = seq.to_string().into_bytes();
        let writes = visitors.iter().map(|visitor| write(visitor, Some(&value))).collect();
        let step = Apply { writes, ..step(shard, seq - 1, seq) };
        writer.apply(partition, Ticket(seq), vec![step]);
        reader.read(partition, Ticket(seq), vec![(shard, visitors.clone())]);
    }
    for _ in 1..=200 {
        let StoreReply::Read(_, _, Ok(mut shards)) = read.wait() else {
            panic!("a read failed while a step was applied");
        };
        let seen = shards.remove(0);
        let expected = seen.marker.map(|marker| marker.seq.get().to_string().into_bytes());
        assert!(
            seen.profiles.iter().all(|profile| *profile == expected),
            "marker {:?} beside profiles of another step",
            seen.marker
        );
    }
    for _ in 1..=200 {
        let StoreReply::Applied(_, _, results) = applied.wait() else { panic!("no apply") };
        assert_eq!(results, [(shard, ApplyResult::Applied)]);
    }
}

fn the_guard_lets_in_what_follows(asked: &mut Asked<'_>, shard: Shard, visitors: &[VisitorId]) {
    let (a, b) = (&visitors[0], &visitors[1]);
    assert_eq!(asked.marker(shard), None, "the store is empty");
    assert_eq!(asked.profiles(shard, std::slice::from_ref(a)), [None]);

    let first = Apply { writes: vec![write(a, Some(b"a3"))], ..step(shard, 0, 3) };
    assert_eq!(asked.apply(first.clone()), ApplyResult::Applied);
    assert_eq!(asked.marker(shard), Some(first.marker));
    assert_eq!(asked.apply(first.clone()), ApplyResult::Already(first.marker), "twice is once");

    // The marker is in [prev, seq): at its lower end, then inside.
    let second = Apply { writes: vec![write(b, Some(b"b5"))], ..step(shard, 3, 5) };
    assert_eq!(asked.apply(second), ApplyResult::Applied);
    let third = Apply { writes: vec![write(a, None), write(b, Some(b""))], ..step(shard, 2, 9) };
    assert_eq!(asked.apply(third.clone()), ApplyResult::Applied);
    let both = [a.clone(), b.clone()];
    assert_eq!(asked.profiles(shard, &both), [None, Some(vec![])], "removed; empty is not removed");
    assert_eq!(asked.marker(shard), Some(third.marker), "all five fields come back");

    let idle = step(shard, 9, 12);
    assert_eq!(asked.apply(idle.clone()), ApplyResult::Applied, "a marker moves up by itself");
    assert_eq!(asked.marker(shard), Some(idle.marker));
}

fn what_the_guard_keeps_out_leaves_no_trace(
    asked: &mut Asked<'_>,
    shard: Shard,
    visitors: &[VisitorId],
) {
    let visitor = &visitors[2];
    let there = asked.marker(shard);
    let bucket = UnixMillis::new(600_000);
    let with_writes = |step: Apply| Apply {
        writes: vec![write(visitor, Some(b"never"))],
        due: vec![(bucket, visitor.clone())],
        ..step
    };
    let ahead = with_writes(step(shard, 13, 20));
    assert_eq!(asked.apply(ahead), ApplyResult::Behind(there), "12 is not in [13, 20)");
    let Some(marker) = there else { panic!("the shard has a marker by now") };
    let past = with_writes(step(shard, 3, 12));
    assert_eq!(asked.apply(past), ApplyResult::Already(marker));
    let mut foreign = with_writes(step(shard, 12, 20));
    foreign.marker.incarnation = Incarnation::new(marker.incarnation.get() + 1);
    assert_eq!(asked.apply(foreign), ApplyResult::Behind(there), "another life of the log");
    // Numbers beyond what a double holds exactly.
    let mut huge = with_writes(step(shard, (1 << 53) + 1, (1 << 53) + 2));
    assert_eq!(asked.apply(huge.clone()), ApplyResult::Behind(there));
    huge.marker.incarnation = Incarnation::new(marker.incarnation.get() ^ (1 << 63));
    assert_eq!(asked.apply(huge), ApplyResult::Behind(there));

    let (empty, strangers) = other_shard(shard);
    let follows = Apply { writes: vec![write(&strangers[0], Some(b"never"))], ..step(empty, 1, 2) };
    assert_eq!(asked.apply(follows), ApplyResult::Behind(None), "the store went back to nothing");
    assert_eq!(asked.marker(empty), None);
    assert_eq!(asked.profiles(shard, std::slice::from_ref(visitor)), [None]);
    assert_eq!(asked.due(shard, bucket), BTreeSet::new());
}

fn requests_are_carried_out_in_order(asked: &mut Asked<'_>, shard: Shard, visitors: &[VisitorId]) {
    let partition = asked.partition;
    for seq in 13..=40 {
        let value = seq.to_string().into_bytes();
        let writes = vec![write(&visitors[3], Some(&value))];
        asked.store.apply(
            partition,
            Ticket(seq),
            vec![Apply { writes, ..step(shard, seq - 1, seq) }],
        );
        let wanted = vec![(shard, vec![visitors[3].clone()])];
        asked.store.read(partition, Ticket(1_000 + seq), wanted);
    }
    for seq in 13..=40 {
        match asked.replies.wait() {
            StoreReply::Applied(_, Ticket(ticket), results) if ticket == seq => {
                assert_eq!(results, [(shard, ApplyResult::Applied)]);
            }
            other => panic!("apply {seq} was answered {other:?}"),
        }
        match asked.replies.wait() {
            StoreReply::Read(_, Ticket(ticket), Ok(shards)) if ticket == 1_000 + seq => {
                let marker = shards[0].marker.map(|marker| marker.seq);
                assert_eq!(marker, Some(Seq::new(seq)), "a read sees the apply before it");
                assert_eq!(shards[0].profiles, [Some(seq.to_string().into_bytes())]);
            }
            other => panic!("read {seq} was answered {other:?}"),
        }
    }
}

fn due_sets_hold_what_was_added(asked: &mut Asked<'_>, shard: Shard, visitors: &[VisitorId]) {
    let [early, late] = [600_000, 1_200_000].map(UnixMillis::new);
    let due = vec![
        (early, visitors[0].clone()),
        (late, visitors[1].clone()),
        (early, visitors[2].clone()),
    ];
    assert_eq!(asked.apply(Apply { due, ..step(shard, 40, 41) }), ApplyResult::Applied);
    let due = vec![(early, visitors[0].clone()), (early, visitors[4].clone())];
    assert_eq!(asked.apply(Apply { due, ..step(shard, 41, 42) }), ApplyResult::Applied);
    let of = |places: &[usize]| places.iter().map(|&p| visitors[p].clone()).collect();
    assert_eq!(asked.due(shard, early), of(&[0, 2, 4]));
    assert_eq!(asked.due(shard, late), of(&[1]));
    assert_eq!(asked.due(shard, UnixMillis::new(0)), BTreeSet::new());
    assert_eq!(asked.due(other_shard(shard).0, early), BTreeSet::new(), "sets are a shard's own");
    asked.store.forget_due(asked.partition, shard, early);
    assert_eq!(asked.due(shard, early), BTreeSet::new());
    assert_eq!(asked.due(shard, late), of(&[1]), "the other set is not past");
}

fn a_walk_meets_every_profile(asked: &mut Asked<'_>, shard: Shard, visitors: &[VisitorId]) {
    // More than 1,000 at once: a step takes all, however many.
    let (staying, fleeting) = visitors.split_at(1_200);
    let all = visitors.iter().map(|visitor| write(visitor, Some(visitor.as_str().as_bytes())));
    let step_1 = Apply { writes: all.collect(), ..step(shard, 42, 43) };
    assert_eq!(asked.apply(step_1), ApplyResult::Applied);
    let mut met = BTreeSet::new();
    let mut cursor = 0;
    for seq in 44.. {
        let page = asked.scan(shard, cursor);
        for (visitor, profile) in page.profiles {
            assert_eq!(profile, visitor.as_str().as_bytes(), "the profile of {visitor}");
            met.insert(visitor);
        }
        // Others come and go meanwhile.
        let writes = fleeting.iter().enumerate().map(|(place, visitor)| {
            let there = (place as u64 + seq).is_multiple_of(3);
            write(visitor, there.then_some(visitor.as_str().as_bytes()))
        });
        let step = Apply { writes: writes.collect(), ..step(shard, seq - 1, seq) };
        assert_eq!(asked.apply(step), ApplyResult::Applied);
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    let missed: Vec<_> = staying.iter().filter(|visitor| !met.contains(visitor)).collect();
    assert_eq!(missed, Vec::<&VisitorId>::new(), "profiles that the walk did not meet");
}

fn shards_are_read_in_the_order_asked(asked: &mut Asked<'_>, shard: Shard, count: u16) {
    // Shards of the same partition, the one in use among them.
    let mut shards: Vec<Shard> = asked.partition.shards(count).take(30).collect();
    shards.retain(|other| *other != shard);
    shards.insert(shards.len() / 2, shard);
    let wanted: Vec<_> = shards.iter().map(|shard| (*shard, Vec::new())).collect();
    let read = asked.read(wanted);
    assert_eq!(read.iter().map(|read| read.shard).collect::<Vec<_>>(), shards);
    for one in read {
        assert_eq!(one.marker.is_some(), one.shard == shard);
    }
}

// === impl Asked ===

impl Asked<'_> {
    pub(super) fn read(&mut self, wanted: Vec<(Shard, Vec<VisitorId>)>) -> Vec<ShardRead> {
        self.store.read(self.partition, Ticket(1), wanted);
        match self.replies.wait() {
            StoreReply::Read(at, Ticket(1), Ok(shards)) if at == self.partition => shards,
            other => panic!("a read was answered {other:?}"),
        }
    }

    pub(super) fn marker(&mut self, shard: Shard) -> Option<Marker> {
        self.read(vec![(shard, Vec::new())])[0].marker
    }

    pub(super) fn profiles(
        &mut self,
        shard: Shard,
        visitors: &[VisitorId],
    ) -> Vec<Option<Vec<u8>>> {
        self.read(vec![(shard, visitors.to_vec())]).remove(0).profiles
    }

    pub(super) fn apply(&mut self, step: Apply) -> ApplyResult {
        let shard = step.shard;
        self.store.apply(self.partition, Ticket(2), vec![step]);
        match self.replies.wait() {
            StoreReply::Applied(at, Ticket(2), mut results) if at == self.partition => {
                assert_eq!((results.len(), results[0].0), (1, shard));
                results.remove(0).1
            }
            other => panic!("an apply was answered {other:?}"),
        }
    }

    pub(super) fn scan(&mut self, shard: Shard, cursor: u64) -> ScanPage {
        self.store.scan(self.partition, Ticket(3), shard, cursor);
        match self.replies.wait() {
            StoreReply::Scanned(_, Ticket(3), Ok(page)) if page.shard == shard => page,
            other => panic!("a scan was answered {other:?}"),
        }
    }

    pub(super) fn due(&mut self, shard: Shard, bucket: UnixMillis) -> BTreeSet<VisitorId> {
        self.store.due(self.partition, Ticket(4), shard, bucket);
        match self.replies.wait() {
            StoreReply::Due(_, Ticket(4), Ok(visitors)) => visitors.into_iter().collect(),
            other => panic!("a due set was answered {other:?}"),
        }
    }
}

/// A step without writes for the commits (prev, seq].
pub(super) fn step(shard: Shard, prev: u64, seq: u64) -> Apply {
    let number = seq.cast_signed();
    let marker = Marker {
        incarnation: Incarnation::new(u64::MAX - 6),
        offset: LogOffset::new(2 * number),
        epoch: Epoch::new(number / 3),
        seq: Seq::new(seq),
        filed_until: UnixMillis::new(1_795_341_600_000 + number),
    };
    Apply { shard, prev: Seq::new(prev), marker, writes: Vec::new(), due: Vec::new() }
}

pub(super) fn write(visitor: &VisitorId, profile: Option<&[u8]>) -> Write {
    Write { visitor: visitor.clone(), profile: profile.map(<[u8]>::to_vec) }
}

/// A shard that is another, and visitors of it.
fn other_shard(shard: Shard) -> (Shard, Vec<VisitorId>) {
    let visitor = (0..)
        .filter_map(|number| VisitorId::try_new(&format!("stranger-{number}")).ok())
        .find(|visitor| visitor.shard() != shard);
    let Some(visitor) = visitor else { panic!("all strangers live in one shard") };
    (visitor.shard(), vec![visitor])
}
