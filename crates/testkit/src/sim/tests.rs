use super::*;
use crate::conformance::{
    Replies, changes_laws, log_laws, pumped_replies, reads_are_atomic, source_laws,
    store_equals_its_naive_twin, store_laws,
};
use tzeva_commit::Marker;
use tzeva_commit::port::{AppendResult, Apply, ApplyResult, Outgoing, Ticket, Write};
use tzeva_model::{ChangeNumber, Epoch, Incarnation, LogOffset, Seq, VisitorId};

const LAYOUT: Layout = Layout { partitions: 4, topics: 2, begin: UnixMillis::new(1_000_000) };
const ONE: Partition = Partition::new(1);

/// A painter whose answers the test reads.
struct Painter {
    ports: Ports,
    log: Replies<LogReply>,
    store: Replies<StoreReply>,
    changes: Replies<ChangesReply>,
    source: Replies<SourceReply>,
}

fn calm() -> World {
    World::new(7, LAYOUT, Faults { latency: Millis::new(20), ..Faults::default() })
}

fn run(world: &World) {
    while world.step().is_some() {}
}

fn join(world: &World, painter: u32) -> Painter {
    let pump = || {
        let world = world.clone();
        move || run(&world)
    };
    let (log_sink, log) = pumped_replies(pump());
    let (store_sink, store) = pumped_replies(pump());
    let (changes_sink, changes) = pumped_replies(pump());
    let (source_sink, source) = pumped_replies(pump());
    let sinks =
        Sinks { log: log_sink, store: store_sink, changes: changes_sink, source: source_sink };
    Painter { ports: world.ports(PainterId(painter), sinks), log, store, changes, source }
}

fn silent() -> Sinks {
    Sinks {
        log: Arc::new(drop),
        store: Arc::new(drop),
        changes: Arc::new(drop),
        source: Arc::new(drop),
    }
}

fn step(seq: u64, profile: &[u8]) -> Apply {
    let visitor = VisitorId::try_new("v-1").unwrap();
    Apply {
        shard: visitor.shard(),
        prev: Seq::new(seq - 1),
        marker: Marker {
            incarnation: Incarnation::new(1),
            offset: LogOffset::new(9),
            epoch: Epoch::new(1),
            seq: Seq::new(seq),
            filed_until: UnixMillis::new(0),
        },
        writes: vec![Write { visitor, profile: Some(profile.to_vec()) }],
        due: Vec::new(),
    }
}

fn applied(painter: &mut Painter, step: Apply) -> ApplyResult {
    painter.ports.store.apply(ONE, Ticket(1), vec![step]);
    match painter.store.wait() {
        StoreReply::Applied(_, _, mut steps) => steps.remove(0).1,
        other => panic!("an apply was answered {other:?}"),
    }
}

fn appended(painter: &mut Painter, record: &[u8]) -> AppendResult {
    painter.ports.log.append(ONE, Ticket(1), record.to_vec());
    match painter.log.wait() {
        LogReply::Appended(_, _, result) => result,
        LogReply::Read(..) => panic!("an append was answered by a page"),
    }
}

fn bodies(world: &World) -> Vec<Vec<u8>> {
    world.log(ONE).into_iter().map(|entry| entry.bytes).collect()
}

#[test]
fn a_calm_world_keeps_the_laws_of_the_ports() {
    let mut painter = join(&calm(), 1);
    log_laws(&mut *painter.ports.log, &mut painter.log, (ONE, Partition::new(2)));
    changes_laws(&mut *painter.ports.changes, &mut painter.changes, (ONE, Partition::new(2)));
    store_laws(&mut *painter.ports.store, &mut painter.store, LAYOUT.partitions);

    let mut painter = join(&calm(), 1);
    let store = &mut *painter.ports.store;
    store_equals_its_naive_twin(store, &mut painter.store, LAYOUT.partitions, (3, 300));

    let world = calm();
    let (mut writer, mut reader) = (join(&world, 1), join(&world, 2));
    reads_are_atomic(
        (&mut *writer.ports.store, &mut writer.store),
        (&mut *reader.ports.store, &mut reader.store),
        LAYOUT.partitions,
    );
}

#[test]
fn a_calm_world_keeps_the_laws_of_a_source() {
    let world = calm();
    let mut painter = join(&world, 1);
    world.assign(PainterId(1), ONE);
    source_laws(
        &mut *painter.ports.source,
        &mut painter.source,
        ONE,
        &mut |topic, partition, values| {
            for value in values {
                world.produce(topic, partition, NewRecord { value, ..NewRecord::default() });
            }
        },
    );
}

#[test]
fn an_unknown_append_was_written_or_not_or_is_later() {
    let only = |faults| {
        let world = World::new(
            1,
            LAYOUT,
            Faults { log: faults, latency: Millis::new(5), ..Faults::default() },
        );
        let mut painter = join(&world, 1);
        let result = appended(&mut painter, &[7]);
        assert!(matches!(result, AppendResult::Unknown(_)), "{result:?}");
        run(&world);
        world.log(ONE).len()
    };
    let none = RequestFaults::default();
    assert_eq!(only(RequestFaults { answer_lost: 1_000, ..none }), 1);
    assert_eq!(only(RequestFaults { dropped: 1_000, ..none }), 0);
    assert_eq!(only(RequestFaults { delayed: 1_000, ..none }), 1);
}

#[test]
fn a_record_over_a_mebibyte_is_refused() {
    let mut painter = join(&calm(), 1);
    let result = appended(&mut painter, &vec![0; (1 << 20) + 1]);
    assert!(matches!(result, AppendResult::Refused(error) if !error.transient));
}

#[test]
fn renewal_gives_up_what_is_in_flight() {
    let world = calm();
    let mut painter = join(&world, 1);
    painter.ports.log.append(ONE, Ticket(1), vec![1]);
    painter.ports.log.append(ONE, Ticket(2), vec![2]);
    painter.ports.log.renew();
    painter.ports.log.append(ONE, Ticket(3), vec![3]);
    for ticket in [1, 2] {
        match painter.log.wait() {
            LogReply::Appended(_, Ticket(its), AppendResult::Unknown(_)) if its == ticket => {}
            other => panic!("what was given up was answered {other:?}"),
        }
    }
    assert!(matches!(painter.log.wait(), LogReply::Appended(_, Ticket(3), AppendResult::At(..))));
    assert_eq!(bodies(&world), [vec![3]]);
}

#[test]
fn a_failover_takes_back_the_last_writes() {
    let world = calm();
    let mut painter = join(&world, 1);
    assert_eq!(applied(&mut painter, step(1, b"one")), ApplyResult::Applied);
    let before = world.shard(step(1, b"").shard);
    assert_eq!(applied(&mut painter, step(2, b"two")), ApplyResult::Applied);
    world.fail_over(1);
    assert_eq!(world.shard(step(1, b"").shard), before);
    let behind = ApplyResult::Behind(before.marker);
    assert_eq!(applied(&mut painter, step(3, b"three")), behind);
    world.flush();
    assert_eq!(world.shard(step(1, b"").shard), StoredShard::default());
}

#[test]
fn half_an_apply_leaves_the_marker() {
    let faults = Faults { half_applied: 1_000, ..Faults::default() };
    let found: Vec<_> = (0..20)
        .map(|seed| {
            let world = World::new(seed, LAYOUT, faults);
            let mut painter = join(&world, 1);
            assert!(matches!(applied(&mut painter, step(1, b"one")), ApplyResult::Unknown(_)));
            let stored = world.shard(step(1, b"").shard);
            assert_eq!(stored.marker, None);
            stored.profiles.len()
        })
        .collect();
    assert!(found.contains(&0) && found.contains(&1), "{found:?}");
}

#[test]
fn of_a_crashed_painter_some_requests_still_happen_and_none_is_answered() {
    let counts: Vec<_> = (0..40)
        .map(|seed| {
            let faults = Faults { latency: Millis::new(20), ..Faults::default() };
            let world = World::new(seed, LAYOUT, faults);
            let deaf = Sinks { log: Arc::new(|reply| panic!("{reply:?}")), ..silent() };
            let mut ports = world.ports(PainterId(1), deaf);
            ports.log.append(ONE, Ticket(1), vec![1]);
            world.crash(PainterId(1));
            ports.log.append(ONE, Ticket(2), vec![2]);
            run(&world);
            assert!(!bodies(&world).contains(&vec![2]));
            bodies(&world).len()
        })
        .collect();
    assert!(counts.contains(&0) && counts.contains(&1), "{counts:?}");
}

#[test]
fn a_paused_painter_hears_all_when_it_goes_on() {
    let world = calm();
    let mut painter = join(&world, 1);
    world.pause(PainterId(1));
    painter.ports.log.append(ONE, Ticket(1), vec![1]);
    painter.ports.log.append(ONE, Ticket(2), vec![2]);
    run(&world);
    assert_eq!(bodies(&world).len(), 2, "the log does not wait for it");
    assert!(painter.log.within(std::time::Duration::ZERO).is_none());
    world.resume(PainterId(1));
    for ticket in [1, 2] {
        let reply = painter.log.wait();
        assert!(matches!(reply, LogReply::Appended(_, Ticket(its), _) if its == ticket));
    }
}

#[test]
fn records_are_counted_before_they_can_be_seen() {
    let faults = Faults { held_back: 1_000, latency: Millis::new(1_000), ..Faults::default() };
    let early = (0..40).any(|seed| {
        let world = World::new(seed, LAYOUT, faults);
        let mut painter = join(&world, 1);
        let zero = SourceOffset::new(0);
        painter.ports.source.open(ONE, 1, vec![zero, zero]);
        world.produce(TopicIndex::new(0), ONE, NewRecord::default());
        painter.ports.source.prove(ONE, Ticket(1), world.now());
        let mut read = 0;
        loop {
            match painter.source.wait() {
                SourceReply::Records { records, .. } => read += records.len(),
                SourceReply::Ends(_, _, Ok((_, ends))) => {
                    return ends[0] == SourceOffset::new(1) && read == 0;
                }
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(early);
}

#[test]
fn a_stalled_publish_goes_on_in_order() {
    let faults = Faults { stalled: 700, latency: Millis::new(20), ..Faults::default() };
    let world = World::new(5, LAYOUT, faults);
    let mut painter = join(&world, 1);
    let change = |n| Outgoing::Change {
        n: ChangeNumber::new(n),
        key: Vec::new(),
        headers: Vec::new(),
        value: Vec::new(),
    };
    for part in 0..4 {
        let changes = (part * 10 + 1..=part * 10 + 10).map(change).collect();
        painter.ports.changes.publish(ONE, Ticket(part), changes);
    }
    for part in 0..4 {
        let reply = painter.changes.wait();
        assert!(matches!(reply, ChangesReply::Published(_, Ticket(its), Ok(())) if its == part));
    }
    let found: Vec<_> = world.published(ONE).into_iter().map(|one| one.message).collect();
    assert_eq!(found, (1..=40).map(change).collect::<Vec<_>>());
}

#[test]
fn a_dead_letter_takes_its_original_along() {
    let world = calm();
    let mut painter = join(&world, 1);
    let record = NewRecord { value: b"{".to_vec(), ..NewRecord::default() };
    let offset = world.produce(TopicIndex::new(1), ONE, record);
    let headers = vec![("dlq.code".to_owned(), b"malformed".to_vec())];
    let letter =
        Outgoing::DeadLetter { topic: TopicIndex::new(1), offset, headers, head: Vec::new() };
    painter.ports.changes.publish(ONE, Ticket(1), vec![letter]);
    painter.changes.wait();
    assert_eq!(world.published(ONE)[0].original.as_ref().unwrap().value, b"{");
}

#[test]
fn an_inbox_keeps_answers_in_order() {
    let world = calm();
    let inbox = Inbox::default();
    let mut ports = world.ports(PainterId(1), inbox.sinks());
    ports.log.append(ONE, Ticket(1), vec![1]);
    ports.log.append(ONE, Ticket(2), vec![2]);
    run(&world);
    for ticket in [1, 2] {
        let reply = inbox.take();
        let asked = Ticket(ticket);
        assert!(matches!(reply, Some(Reply::Log(LogReply::Appended(_, its, _))) if its == asked));
    }
    assert!(inbox.take().is_none());
}

/// Everything that happens in a busy world of two painters, as text.
fn trace(seed: u64) -> Vec<String> {
    let world = World::new(seed, LAYOUT, Faults::all());
    let mut ports = [1, 2].map(|painter| world.ports(PainterId(painter), silent()));
    let mut trace = Vec::new();
    for round in 0..200 {
        let which = world.below(2) == 0;
        let door = &mut ports[usize::from(which)];
        door.log.append(ONE, Ticket(round), vec![u8::try_from(round).unwrap()]);
        door.store.apply(ONE, Ticket(round), vec![step(round + 1, b"x")]);
        world.produce(TopicIndex::new(0), ONE, NewRecord::default());
        for _ in 0..world.below(9) {
            trace.extend(world.step().map(|step| format!("{step:?}")));
        }
    }
    run(&world);
    trace.push(format!("{:?} {:?}", world.log(ONE), world.shard(step(1, b"").shard)));
    trace
}

#[test]
fn equal_seeds_give_equal_worlds() {
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11), trace(12));
}
