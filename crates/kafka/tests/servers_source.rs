//! The source port against a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use crossbeam_channel::Receiver;
use rdkafka::producer::Producer;
use std::collections::BTreeSet;
use support::{PATIENCE, fresh, producer, sink, wait_for, write};
use tzeva_commit::port::{Source, SourceReply, Ticket};
use tzeva_kafka::{KafkaSource, Settings};
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

const P: Partition = Partition::new(1);

fn start(settings: &Settings) -> (KafkaSource, Receiver<SourceReply>) {
    let (answers, replies) = sink();
    let (fatal, _) = sink();
    (KafkaSource::start(settings, answers, fatal).unwrap(), replies)
}

fn offsets(at: [i64; 2]) -> Vec<SourceOffset> {
    at.into_iter().map(SourceOffset::new).collect()
}

/// Values of one topic until its end is reached, and the position there.
fn drain(replies: &Receiver<SourceReply>, session: u64, topic: u8) -> (Vec<String>, i64) {
    let mut values = Vec::new();
    let position = wait_for(replies, |reply| match reply {
        SourceReply::Records {
            partition: P,
            session: s,
            topic: t,
            records,
            position,
            at_end,
            ..
        } if (s, t) == (session, TopicIndex::new(topic)) => {
            values.extend(records.into_iter().map(|r| String::from_utf8(r.value).unwrap()));
            at_end.then_some(position.get())
        }
        _ => None,
    });
    (values, position)
}

#[test]
fn the_group_hints_every_partition_once_to_two_members_and_moves_them_on_leaving() {
    let settings = fresh(4);
    let (first, replies) = start(&settings);
    let mut held = BTreeSet::new();
    wait_for(&replies, |reply| {
        if let SourceReply::Assigned(partition) = reply {
            held.insert(partition);
        }
        (held.len() == 4).then_some(())
    });
    let (second, others) = start(&settings);
    let mut taken = BTreeSet::new();
    wait_for(&others, |reply| {
        if let SourceReply::Assigned(partition) = reply {
            taken.insert(partition);
        }
        (taken.len() == 2).then_some(())
    });
    for reply in replies.try_iter() {
        if let SourceReply::Revoked(partition) = reply {
            held.remove(&partition);
        }
    }
    assert!(held.is_disjoint(&taken) && held.len() == 2, "{held:?} {taken:?}");
    drop(second);
    wait_for(&replies, |reply| {
        if let SourceReply::Assigned(partition) = reply {
            held.insert(partition);
        }
        (held.len() == 4).then_some(())
    });
    drop(first);
}

#[test]
fn an_open_partition_is_read_from_the_offsets_given_to_the_end_of_each_topic() {
    let settings = fresh(2);
    let foreign = producer(&settings, &[]);
    let [visits, purchases] = [0, 1].map(|i: usize| settings.topics.sources[i].name.clone());
    write(&foreign, &visits, 1, &["a", "b", "c"]);
    write(&foreign, &visits, 0, &["of another partition"]);
    let (mut source, replies) = start(&settings);
    source.open(P, 1, offsets([1, 0]));
    assert_eq!(drain(&replies, 1, 0), (vec!["b".to_owned(), "c".to_owned()], 3));
    write(&foreign, &purchases, 1, &["p"]);
    assert_eq!(drain(&replies, 1, 1), (vec!["p".to_owned()], 1));
    // Opened again, farther back: the old session's position must not leak into the new one.
    source.open(P, 2, offsets([0, 1]));
    assert_eq!(drain(&replies, 2, 0).0, ["a", "b", "c"]);
}

#[test]
fn a_paused_topic_waits_and_goes_on_where_it_was() {
    let settings = fresh(2);
    let foreign = producer(&settings, &[]);
    let visits = settings.topics.sources[0].name.clone();
    write(&foreign, &visits, 1, &["a"]);
    write(&foreign, &visits, 0, &["first sentinel"]);
    let (mut source, replies) = start(&settings);
    source.open(P, 1, offsets([0, 0]));
    assert_eq!(drain(&replies, 1, 0).0, ["a"]);
    source.pause(P, TopicIndex::new(0), true);
    // The same thread obeys in order: what comes from another partition of the topic comes after the pause.
    source.open(Partition::new(0), 1, offsets([0, 0]));
    let sentinel = |text: &str| {
        wait_for(&replies, |reply| match reply {
            SourceReply::Records { partition, topic, records, .. } if !records.is_empty() => {
                assert_eq!((partition.get(), topic.get()), (0, 0), "a paused partition was read");
                records.iter().any(|record| record.value == text.as_bytes()).then_some(())
            }
            _ => None,
        });
    };
    sentinel("first sentinel");
    write(&foreign, &visits, 1, &["b"]);
    write(&foreign, &visits, 0, &["second sentinel"]);
    sentinel("second sentinel");
    source.pause(P, TopicIndex::new(0), false);
    assert_eq!(drain(&replies, 1, 0), (vec!["b".to_owned()], 2));
}

#[test]
fn ends_include_what_an_open_transaction_holds_back_and_positions_pass_its_marker() {
    let settings = fresh(2);
    let visits = settings.topics.sources[0].name.clone();
    let foreign = producer(&settings, &[("transactional.id", &settings.group)]);
    foreign.init_transactions(PATIENCE).unwrap();
    foreign.begin_transaction().unwrap();
    write(&foreign, &visits, 1, &["held back"]);
    let (mut source, replies) = start(&settings);
    source.open(P, 1, offsets([0, 0]));
    let ends = |source: &mut KafkaSource| {
        source.prove(P, Ticket(5), UnixMillis::new(77));
        wait_for(&replies, |reply| match reply {
            SourceReply::Ends(P, Ticket(5), ends) => Some(ends.unwrap()),
            SourceReply::Records { records, position, .. } => {
                assert_eq!((records.len(), position.get()), (0, 0), "an open transaction was read");
                None
            }
            _ => None,
        })
    };
    assert_eq!(ends(&mut source), (UnixMillis::new(77), offsets([1, 0])));
    foreign.abort_transaction(PATIENCE).unwrap();
    foreign.begin_transaction().unwrap();
    write(&foreign, &visits, 1, &["committed"]);
    foreign.commit_transaction(PATIENCE).unwrap();
    // An aborted record, its marker, a committed record, its marker.
    let mut values = Vec::new();
    wait_for(&replies, |reply| match reply {
        SourceReply::Records { topic, records, position, .. } if topic == TopicIndex::new(0) => {
            values.extend(records.into_iter().map(|r| String::from_utf8(r.value).unwrap()));
            (position.get() == 4).then_some(())
        }
        _ => None,
    });
    assert_eq!(values, ["committed"]);
    source.prove(P, Ticket(6), UnixMillis::new(78));
    let proven = wait_for(&replies, |reply| match reply {
        SourceReply::Ends(P, Ticket(6), ends) => Some(ends.unwrap()),
        _ => None,
    });
    assert_eq!(proven, (UnixMillis::new(78), offsets([4, 0])));
}

#[test]
fn a_position_that_the_topic_does_not_hold_is_lost_with_the_reason() {
    let settings = fresh(2);
    write(&producer(&settings, &[]), &settings.topics.sources[0].name, 1, &["a"]);
    let (mut source, replies) = start(&settings);
    source.open(P, 1, offsets([9, 0]));
    let why = wait_for(&replies, |reply| match reply {
        SourceReply::Lost(P, why) => Some(why),
        _ => None,
    });
    assert!(!why.transient && why.attempt.contains("ends at 1"), "{why:?}");
}

#[test]
fn progress_of_a_held_partition_is_committed_for_lag_tools() {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let settings = fresh(2);
    let (mut source, replies) = start(&settings);
    let mut held = 0;
    wait_for(&replies, |reply| {
        held += usize::from(matches!(reply, SourceReply::Assigned(_)));
        (held == 2).then_some(())
    });
    let reader: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &settings.bootstrap)
        .set("group.id", &settings.group)
        .create()
        .unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        source.progress(P, offsets([3, 4]));
        let mut list = rdkafka::TopicPartitionList::new();
        for topic in &settings.topics.sources {
            list.add_partition(&topic.name, 1);
        }
        let found = reader.committed_offsets(list, PATIENCE).unwrap();
        let raw: Vec<_> = found.elements().iter().map(|e| e.offset().to_raw()).collect();
        if raw == [Some(3), Some(4)] || raw == [Some(4), Some(3)] {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "not committed: {raw:?}");
    }
}
