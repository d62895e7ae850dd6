use super::*;
use crate::samples::{anchor, anchor_of, claim, commit, offset};
use crate::{DeadLetter, InputRange, ShardLink};
use proptest::prelude::*;
use tzeva_model::{
    Change, Direction, Epoch, Incarnation, NameId, Origin, Place, Reason, ReasonKind,
    RejectionCode, TopicIndex, VisitorId,
};
use tzeva_profile::{Delta, Op};

fn expected() -> Expected {
    Expected { partitions: 4, topics: vec!["visits".into()] }
}

fn visitor(number: u64) -> VisitorId {
    VisitorId::try_new(&format!("v-{number}")).unwrap()
}

fn change(number: u64) -> Change {
    Change {
        visitor: visitor(number),
        audience: NameId::new(1),
        audience_version: 2,
        direction: Direction::Entered,
        effective_at: UnixMillis::new(1_000),
        origin: Origin::Live,
        reason: Reason {
            kind: ReasonKind::Event,
            place: Place::Enter,
            exact: true,
            evidence: Vec::new(),
            cause: None,
        },
    }
}

/// A commit that writes visitor `v-<seq>`, makes a change of it, and has published all but the last.
fn writing(epoch: i64, seq: u64) -> Commit {
    let delta = Delta { visitor: visitor(seq), ops: vec![Op::Forget] };
    Commit {
        shards: vec![ShardLink { shard: delta.visitor.shard(), prev: Seq::new(0) }],
        deltas: vec![delta],
        changes_from: ChangeNumber::new(seq),
        changes: vec![change(seq)],
        projected: ChangeNumber::new(seq.saturating_sub(2)),
        ..commit(epoch, seq)
    }
}

fn record(commit: Commit) -> LogRecord {
    LogRecord::Commit(Box::new(commit))
}

fn marker(at: usize, epoch: i64, seq: u64) -> Marker {
    Marker {
        incarnation: Incarnation::new(1),
        offset: offset(at),
        epoch: Epoch::new(epoch),
        seq: Seq::new(seq),
        filed_until: UnixMillis::new(5),
    }
}

/// Four commits of two owners, a dead one among them.
fn log() -> Vec<LogRecord> {
    vec![
        anchor(),
        claim(1),
        record(writing(1, 1)),
        record(writing(1, 2)),
        claim(2),
        record(writing(1, 3)),
        record(writing(4, 3)),
        record(writing(4, 4)),
        claim(3),
    ]
}

fn begun(
    markers: &[(Shard, Option<Marker>)],
    log: &[LogRecord],
    head: usize,
) -> Result<Recovery, Refusal> {
    let head = log.get(head).map(|record| (offset(head), record));
    Recovery::begin(expected(), markers.iter().copied(), head)
}

fn fed(mut recovery: Recovery, log: &[LogRecord]) -> Result<(Recovery, Recovered), Refusal> {
    let start = usize::try_from(recovery.start().get()).unwrap();
    for (at, record) in log.iter().enumerate().skip(start) {
        recovery.feed(offset(at), record.clone())?;
    }
    let stands = recovery.finish()?;
    Ok((recovery, stands))
}

fn shard(seq: u64) -> Shard {
    visitor(seq).shard()
}

#[test]
fn an_empty_store_gets_all_that_counts() {
    let markers: Vec<_> = (1..=4).map(|seq| (shard(seq), None)).collect();
    let (mut recovery, stands) = fed(begun(&markers, &log(), 0).unwrap(), &log()).unwrap();
    let lacking: Vec<_> = recovery.take_lacking().iter().map(|one| one.seq.get()).collect();
    assert_eq!(lacking, [1, 2, 3, 4]);
    assert_eq!(stands.seq, Seq::new(4));
    assert_eq!(stands.n, ChangeNumber::new(4));
    assert_eq!(stands.until, UnixMillis::new(1_004));
    assert_eq!(stands.clock, UnixMillis::new(2_004));
    assert_eq!(stands.inputs, [SourceOffset::new(4)]);
    assert_eq!(stands.epoch, Some(Epoch::new(8)));
    assert_eq!(recovery.touched(shard(3)), Seq::new(3));
    let effects: Vec<_> = recovery.take_effects().iter().map(|one| one.seq.get()).collect();
    assert_eq!(effects, [3, 4], "the log knows change 2 to be published");
    assert_eq!(stands.publish_from(Some(ChangeNumber::new(3))), Ok(ChangeNumber::new(4)));
    assert_eq!(recovery.position().unwrap().seq, Seq::new(4));
}

#[test]
fn each_shard_gets_what_lies_behind_its_own_marker() {
    let markers = [
        (shard(1), Some(marker(3, 1, 2))),
        (shard(2), Some(marker(3, 1, 2))),
        (shard(3), Some(marker(6, 4, 3))),
        (shard(4), Some(marker(6, 4, 3))),
    ];
    let recovery = begun(&markers, &log(), 0).unwrap();
    assert_eq!(recovery.start(), offset(3));
    let (mut recovery, stands) = fed(recovery, &log()).unwrap();
    let lacking: Vec<_> = recovery.take_lacking().iter().map(|one| one.seq.get()).collect();
    assert_eq!(lacking, [4]);
    assert_eq!(stands.inputs, [SourceOffset::new(4)]);
    assert_eq!(stands.publish_from(None), Ok(ChangeNumber::new(3)));
}

#[test]
fn a_marker_at_the_end_of_the_log_is_enough() {
    let log = &log()[..8];
    let (recovery, stands) =
        fed(begun(&[(shard(1), Some(marker(7, 4, 4)))], log, 0).unwrap(), log).unwrap();
    assert_eq!((stands.seq, stands.until), (Seq::new(4), UnixMillis::new(1_004)));
    assert_eq!(recovery.position(), Some(marker(7, 4, 4)));
}

#[test]
fn what_cannot_be_recovered_is_refused() {
    let refused = |markers: &[(Shard, Option<Marker>)], head: usize| {
        let log = log();
        begun(markers, &log, head).and_then(|recovery| fed(recovery, &log)).map(drop).unwrap_err()
    };
    let one = shard(1);
    let at = |at, epoch, seq| Some(marker(at, epoch, seq));
    assert_eq!(refused(&[(one, None)], 9), Refusal::Empty);
    let behind = Refusal::Truncated { shard: one, begin: offset(3), start: None };
    assert_eq!(refused(&[(one, None)], 3), behind);
    let behind = Refusal::Truncated { shard: one, begin: offset(3), start: Some(offset(2)) };
    assert_eq!(refused(&[(one, at(2, 1, 1))], 3), behind);
    let ahead = Refusal::StoreAhead { marker: marker(9, 8, 5), seq: None };
    assert_eq!(refused(&[(one, at(9, 8, 5))], 0), ahead);
    let ahead = Refusal::StoreAhead { marker: marker(9, 8, 5), seq: Some(Seq::new(4)) };
    assert_eq!(refused(&[(one, at(9, 8, 5)), (shard(2), at(3, 1, 2))], 0), ahead);
    let foreign = Refusal::Foreign { marker: marker(5, 1, 3), offset: offset(6) };
    assert_eq!(refused(&[(one, at(5, 1, 3)), (shard(2), at(3, 1, 2))], 0), foreign);
    let foreign = Refusal::Foreign { marker: marker(4, 1, 2), offset: offset(4) };
    assert_eq!(refused(&[(one, at(4, 1, 2))], 0), foreign);
    let other = Marker { incarnation: Incarnation::new(2), ..marker(2, 1, 1) };
    assert!(matches!(refused(&[(one, Some(other)), (shard(2), None)], 0), Refusal::Foreign { .. }));
    let other = Marker { seq: Seq::new(9), ..other };
    let life = Refusal::Incarnation { shard: one, marker: other, log: Incarnation::new(1) };
    assert_eq!(refused(&[(one, Some(other)), (shard(2), None)], 0), life);
}

#[test]
fn a_log_opened_for_other_topics_is_refused() {
    let head = anchor();
    let begin = |expected| Recovery::begin(expected, [], Some((offset(0), &head))).unwrap_err();
    let partitions = Refusal::Partitions { anchor: 4, here: 8 };
    assert_eq!(begin(Expected { partitions: 8, ..expected() }), partitions);
    let topics = vec!["purchases".into()];
    assert!(matches!(begin(Expected { topics, ..expected() }), Refusal::Topics { .. }));
    let two = Commit { inputs: vec![commit(1, 1).inputs[0]; 2], ..commit(1, 1) };
    let log = [anchor(), claim(1), record(two)];
    let refused = fed(begun(&[], &log, 0).unwrap(), &log).map(drop);
    assert_eq!(refused, Err(Refusal::Sources { seq: Seq::new(1), commit: 2, here: 1 }));
}

#[test]
fn an_unrestored_shard_is_refused() {
    let restore = LogRecord::Anchor(anchor_of(AnchorCause::Restore, 2, 9));
    let unrestored = Refusal::Unrestored { shard: shard(1), offset: offset(0) };
    let begun = begun(&[(shard(1), None)], &[restore], 0).map(drop);
    assert_eq!(begun, Err(unrestored));
}

#[test]
fn changes_that_nobody_can_publish_any_more_are_refused() {
    let mut log = log();
    if let LogRecord::Commit(commit) = &mut log[7] {
        commit.projected = ChangeNumber::new(0);
    }
    let (_, stands) =
        fed(begun(&[(shard(1), Some(marker(7, 4, 4)))], &log, 0).unwrap(), &log).unwrap();
    let lost = Refusal::Unpublished { next: ChangeNumber::new(2), readable: ChangeNumber::new(4) };
    assert_eq!(stands.publish_from(Some(ChangeNumber::new(1))), Err(lost));
    assert_eq!(stands.publish_from(Some(ChangeNumber::new(3))), Ok(ChangeNumber::new(4)));
}

#[test]
fn a_group_cut_off_by_a_claim_leaves_no_trace() {
    let part = Commit { more: true, ..writing(1, 1) };
    let log = [anchor(), claim(1), record(part), claim(2), record(writing(3, 1))];
    let (mut recovery, stands) = fed(begun(&[(shard(1), None)], &log, 0).unwrap(), &log).unwrap();
    assert_eq!(recovery.take_lacking().len(), 1);
    assert_eq!(recovery.take_effects().len(), 1);
    assert_eq!(stands.n, ChangeNumber::new(1));
}

#[test]
fn dead_letters_behind_a_marker_are_published_already() {
    let letter = DeadLetter {
        topic: TopicIndex::new(0),
        offset: SourceOffset::new(1),
        code: RejectionCode::BadValue,
        error: "no".into(),
        head: [1].into(),
    };
    let with = |seq| Commit { dead_letters: vec![letter.clone()], ..commit(1, seq) };
    let log = [anchor(), claim(1), record(with(1)), record(with(2)), record(with(3))];
    let markers = [(shard(1), Some(marker(2, 1, 1))), (shard(2), Some(marker(3, 1, 2)))];
    let (mut recovery, _) = fed(begun(&markers, &log, 0).unwrap(), &log).unwrap();
    let effects: Vec<_> = recovery.take_effects().iter().map(|one| one.seq.get()).collect();
    assert_eq!(effects, [3]);
}

proptest! {
    /// Wherever each shard of the store stands: what it holds and what it lacks make up the log.
    #[test]
    fn markers_and_lacking_deltas_make_up_the_log(
        stands in prop::collection::vec(0_usize..=12, 12),
        claims in prop::collection::vec(any::<bool>(), 12),
    ) {
        let mut log = vec![anchor(), claim(0)];
        let mut epoch = 1;
        let mut places = vec![None];
        for (seq, again) in (1..=12_u64).zip(claims) {
            if again {
                epoch = i64::try_from(log.len()).unwrap();
                log.push(claim(seq));
                log.push(record(writing(1, seq)));
            }
            places.push(Some(marker(log.len(), epoch, seq)));
            let inputs = vec![InputRange { ..commit(epoch, seq).inputs[0] }];
            log.push(record(Commit { inputs, ..writing(epoch, seq) }));
        }
        let markers: BTreeMap<_, _> =
            (1..).zip(&stands).map(|(seq, at)| (shard(seq), places[*at])).collect();
        let markers: Vec<_> = markers.into_iter().collect();
        let (mut recovery, found) = fed(begun(&markers, &log, 0).unwrap(), &log).unwrap();
        prop_assert_eq!(found.seq, Seq::new(12));
        let lacking = recovery.take_lacking();
        let of = |one: Shard| markers.iter().find(|(shard, _)| *shard == one).unwrap().1;
        for seq in 1..=12 {
            let holds = of(shard(seq)).is_some_and(|marker| marker.seq >= Seq::new(seq));
            let times = lacking.iter().filter(|one| one.delta.visitor == visitor(seq)).count();
            prop_assert_eq!(times + usize::from(holds), 1);
        }
        prop_assert!(lacking.is_sorted_by_key(|one| one.seq));
    }
}
