//! The changes port against a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use crossbeam_channel::Receiver;
use support::{admin, fresh, named, producer, sink, wait_for};
use tzeva_commit::port::{
    AppendResult, Changes, ChangesReply, Log, LogReply, Outgoing, PortError, Ticket,
};
use tzeva_kafka::{KafkaChanges, KafkaLog, N_HEADER, Settings};
use tzeva_model::{ChangeNumber, Partition, SourceOffset, TopicIndex};

const P: Partition = Partition::new(1);

fn change(n: u64) -> Outgoing {
    Outgoing::Change {
        n: ChangeNumber::new(n),
        key: b"v-42".to_vec(),
        headers: vec![("ce_specversion".into(), b"1.0".to_vec())],
        value: format!("change {n}").into_bytes(),
    }
}

fn letter(offset: i64) -> Outgoing {
    Outgoing::DeadLetter {
        topic: TopicIndex::new(0),
        offset: SourceOffset::new(offset),
        headers: vec![("dlq.code".into(), b"malformed".to_vec())],
        head: b"head".to_vec(),
    }
}

fn start(settings: &Settings) -> (KafkaChanges, Receiver<ChangesReply>) {
    let (answers, replies) = sink();
    (KafkaChanges::start(settings, answers).unwrap(), replies)
}

fn published(replies: &Receiver<ChangesReply>) -> (u64, Result<(), PortError>) {
    wait_for(replies, |reply| match reply {
        ChangesReply::Published(P, ticket, result) => Some((ticket.0, result)),
        _ => None,
    })
}

fn tail(changes: &mut KafkaChanges, replies: &Receiver<ChangesReply>) -> Option<u64> {
    changes.tail(P, Ticket(0));
    wait_for(replies, |reply| match reply {
        ChangesReply::Tail(P, _, n) => Some(n.unwrap().map(ChangeNumber::get)),
        _ => None,
    })
}

#[test]
fn changes_arrive_in_order_of_n_and_the_tail_tells_the_highest() {
    let settings = fresh(2);
    let (mut changes, replies) = start(&settings);
    assert_eq!(tail(&mut changes, &replies), None);
    for job in 0..10 {
        let messages = (job * 100 + 1..=job * 100 + 100).map(change).collect();
        changes.publish(P, Ticket(job), messages);
    }
    for job in 0..10 {
        assert_eq!(published(&replies), (job, Ok(())));
    }
    let seen: Vec<String> = admin(&settings)
        .read_changes(P)
        .unwrap()
        .map(|record| {
            let record = record.unwrap();
            let n = record.headers.iter().find(|(name, _)| name == N_HEADER).unwrap();
            String::from_utf8(n.1.clone()).unwrap()
        })
        .collect();
    assert!(seen.iter().eq(&(1..=1_000).map(|n| n.to_string()).collect::<Vec<_>>()));
    // A repeat by a former owner behind it doesn't lower the tail.
    changes.publish(P, Ticket(11), vec![change(990)]);
    assert_eq!(published(&replies), (11, Ok(())));
    assert_eq!(tail(&mut changes, &replies), Some(1_000));
}

#[test]
fn a_dead_letter_is_the_whole_original_or_its_head_if_that_is_gone() {
    use rdkafka::message::{Header, OwnedHeaders};
    use rdkafka::producer::{BaseRecord, Producer};
    let settings = fresh(2);
    let foreign = producer(&settings, &[]);
    for value in ["fine", "{broken"] {
        let headers = OwnedHeaders::new().insert(Header { key: "trace", value: Some("t1") });
        let record = BaseRecord::to(&settings.topics.sources[0].name)
            .partition(1)
            .key("v-1")
            .payload(value)
            .headers(headers);
        foreign.send(record).map_err(|(e, _)| e).unwrap();
    }
    foreign.flush(support::PATIENCE).unwrap();
    let (mut changes, replies) = start(&settings);
    changes.publish(P, Ticket(1), vec![change(1), letter(1), letter(70_000), change(2)]);
    assert_eq!(published(&replies), (1, Ok(())));
    let letters: Vec<_> =
        admin(&settings).read_dead_letters(P).unwrap().map(Result::unwrap).collect();
    assert_eq!(letters.len(), 2);
    let names = |at: usize| -> Vec<&str> {
        letters[at].headers.iter().map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(
        (letters[0].key.as_deref(), &letters[0].value[..]),
        (Some(&b"v-1"[..]), &b"{broken"[..])
    );
    assert_eq!(names(0), ["trace", "dlq.code"]);
    assert_eq!(&letters[1].value[..], b"head");
    assert_eq!(names(1), ["dlq.code", "dlq.truncated"]);
}

#[test]
fn names_are_found_by_key_with_the_last_text() {
    let settings = fresh(2);
    let (mut changes, replies) = start(&settings);
    let name = |key: &str, text: &str| Outgoing::Name { key: key.into(), text: text.into() };
    let messages =
        vec![name("brand/01", "Acme"), name("brand/02", "Bolt"), name("brand/01", "Acme")];
    changes.publish(P, Ticket(1), messages);
    assert_eq!(published(&replies), (1, Ok(())));
    let names: Vec<(String, String)> = admin(&settings).read_names().unwrap().into_iter().collect();
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(names, [pair("brand/01", "Acme"), pair("brand/02", "Bolt")]);
}

#[test]
fn whoever_asks_for_the_tail_is_told_first_what_others_named() {
    let settings = fresh(2);
    let (mut one, one_told) = start(&settings);
    let (mut other, other_told) = start(&settings);
    let mut publish = |key: &str| {
        one.publish(P, Ticket(1), vec![Outgoing::Name { key: key.into(), text: key.into() }]);
        assert_eq!(published(&one_told), (1, Ok(())));
    };
    let mut told = || {
        other.tail(P, Ticket(2));
        let mut told = Vec::new();
        wait_for(&other_told, |reply| match reply {
            ChangesReply::Names(names) => {
                told.extend(names.into_iter().map(|(key, _)| key));
                None
            }
            ChangesReply::Tail(..) => Some(()),
            ChangesReply::Published(..) => None,
        });
        told.sort();
        told
    };
    assert_eq!(told(), Vec::<String>::new());
    (1..=3).for_each(|n| publish(&format!("brand/{n}")));
    assert_eq!(told(), ["brand/1", "brand/2", "brand/3"]);
    publish("brand/4");
    assert_eq!(told(), ["brand/4"], "only what is new");
}

#[test]
fn a_permanent_error_stops_the_partition_until_somebody_begins_anew() {
    let settings = fresh(2);
    let (mut changes, replies) = start(&settings);
    let mut huge = change(1);
    if let Outgoing::Change { value, .. } = &mut huge {
        *value = vec![0; 3 << 20];
    }
    changes.publish(P, Ticket(1), vec![huge]);
    let (ticket, result) = published(&replies);
    assert!(ticket == 1 && !result.unwrap_err().transient);
    changes.publish(P, Ticket(2), vec![change(2)]);
    assert!(published(&replies).1.is_err());
    assert_eq!(tail(&mut changes, &replies), None);
    changes.publish(P, Ticket(3), vec![change(1)]);
    assert_eq!(published(&replies), (3, Ok(())));
}

#[test]
fn what_a_frozen_broker_left_unknown_is_published_again_and_n_never_goes_back_first() {
    let mut kafka = tzeva_testkit::servers::Kafka::start(&[]).unwrap();
    let mut settings = named();
    settings.bootstrap = kafka.bootstrap();
    let plan = tzeva_kafka::admin::Plan { partitions: 2, replication: 1 };
    admin(&settings).create(&plan).unwrap();
    let (mut changes, replies) = start(&settings);
    changes.publish(P, Ticket(1), vec![change(1)]);
    assert_eq!(published(&replies), (1, Ok(())));
    kafka.process().freeze().unwrap();
    changes.publish(P, Ticket(2), (2..=20).map(change).collect());
    changes.publish(P, Ticket(3), (21..=30).map(change).collect());
    // An append sent later to the same broker, given up after the same time: by then the changes were, too.
    let (answers, appended) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    log.append(P, Ticket(1), b"clock".to_vec());
    wait_for(&appended, |reply| match reply {
        LogReply::Appended(_, _, AppendResult::Unknown(_)) => Some(()),
        other => panic!("a frozen broker answered: {other:?}"),
    });
    kafka.process().thaw().unwrap();
    assert_eq!(published(&replies), (2, Ok(())));
    assert_eq!(published(&replies), (3, Ok(())));
    let mut firsts = Vec::new();
    for record in admin(&settings).read_changes(P).unwrap() {
        let value = String::from_utf8(record.unwrap().value).unwrap();
        if !firsts.contains(&value) {
            firsts.push(value);
        }
    }
    assert!(firsts.iter().eq(&(1..=30).map(|n| format!("change {n}")).collect::<Vec<_>>()));
}

#[test]
fn a_broker_that_was_away_gets_everything_in_order() {
    let mut kafka = tzeva_testkit::servers::Kafka::start(&[]).unwrap();
    let mut settings = named();
    settings.bootstrap = kafka.bootstrap();
    let plan = tzeva_kafka::admin::Plan { partitions: 2, replication: 1 };
    admin(&settings).create(&plan).unwrap();
    let (mut changes, replies) = start(&settings);
    changes.publish(P, Ticket(1), vec![change(1)]);
    assert_eq!(published(&replies), (1, Ok(())));
    kafka.process().kill();
    changes.publish(P, Ticket(2), (2..=20).map(change).collect());
    changes.publish(P, Ticket(3), (21..=30).map(change).collect());
    kafka.process().start_again().unwrap();
    assert_eq!(published(&replies), (2, Ok(())));
    assert_eq!(published(&replies), (3, Ok(())));
    let values: Vec<String> = admin(&settings)
        .read_changes(P)
        .unwrap()
        .map(|record| String::from_utf8(record.unwrap().value).unwrap())
        .collect();
    assert!(values.iter().eq(&(1..=30).map(|n| format!("change {n}")).collect::<Vec<_>>()));
}
