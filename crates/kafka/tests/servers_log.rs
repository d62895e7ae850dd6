//! The log port against a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use crossbeam_channel::Receiver;
use support::{fresh, named, producer, sink, wait_for, write};
use tzeva_commit::port::{AppendResult, Log, LogPage, LogReply, Ticket};
use tzeva_kafka::KafkaLog;
use tzeva_model::{LogOffset, Partition};

const P: Partition = Partition::new(1);

fn appended(replies: &Receiver<LogReply>) -> (u64, AppendResult) {
    wait_for(replies, |reply| match reply {
        LogReply::Appended(P, ticket, result) => Some((ticket.0, result)),
        _ => None,
    })
}

fn offset(result: &AppendResult) -> i64 {
    match result {
        AppendResult::At(offset, time) => {
            assert!(time.get() > 1_600_000_000_000, "not the broker's time: {time}");
            offset.get()
        }
        other => panic!("not written: {other:?}"),
    }
}

fn read(log: &mut KafkaLog, replies: &Receiver<LogReply>, from: i64, to: Option<i64>) -> LogPage {
    log.read(P, Ticket(9), LogOffset::new(from), to.map(LogOffset::new));
    wait_for(replies, |reply| match reply {
        LogReply::Read(P, Ticket(9), page) => Some(page.unwrap()),
        _ => None,
    })
}

#[test]
fn appends_are_answered_in_order_with_contiguous_offsets_and_the_brokers_time() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    for ticket in 0..500 {
        log.append(P, Ticket(ticket), format!("record {ticket}").into_bytes());
    }
    for ticket in 0..500 {
        let (answered, result) = appended(&replies);
        assert_eq!(answered, ticket);
        assert_eq!(offset(&result), i64::try_from(ticket).unwrap());
    }
    let page = read(&mut log, &replies, 100, None);
    assert_eq!((page.begin.get(), page.end.get(), page.next.get()), (0, 500, 500));
    assert_eq!(page.entries.len(), 400);
    assert_eq!(page.entries[7].bytes, b"record 107");
    assert!(page.entries.windows(2).all(|pair| pair[0].time <= pair[1].time));
}

#[test]
fn a_foreign_record_in_between_shows_as_a_gap_and_can_be_read() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    log.append(P, Ticket(1), b"ours".to_vec());
    assert_eq!(offset(&appended(&replies).1), 0);
    write(&producer(&settings, &[]), &settings.topics.log, 1, &["foreign"]);
    log.append(P, Ticket(2), b"ours again".to_vec());
    assert_eq!(offset(&appended(&replies).1), 2);
    let page = read(&mut log, &replies, 1, Some(2));
    assert_eq!(page.entries.len(), 1);
    assert_eq!((page.entries[0].bytes.as_slice(), page.next.get()), (&b"foreign"[..], 2));
}

#[test]
fn an_empty_log_and_a_read_at_the_end_answer_at_once() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    let page = read(&mut log, &replies, 0, None);
    assert_eq!((page.entries.len(), page.next.get(), page.end.get()), (0, 0, 0));
    log.append(P, Ticket(1), b"one".to_vec());
    appended(&replies);
    let page = read(&mut log, &replies, 1, None);
    assert_eq!((page.entries.len(), page.next.get(), page.end.get()), (0, 1, 1));
}

#[test]
fn a_large_log_comes_in_pages_that_join_without_a_gap() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    for ticket in 0..24 {
        log.append(P, Ticket(ticket), vec![u8::try_from(ticket).unwrap(); 400_000]);
    }
    for _ in 0..24 {
        offset(&appended(&replies).1);
    }
    let (mut from, mut seen, mut pages) = (0, Vec::new(), 0);
    while from < 24 {
        let page = read(&mut log, &replies, from, None);
        seen.extend(page.entries.iter().map(|entry| (entry.offset.get(), entry.bytes[0])));
        from = page.next.get();
        pages += 1;
    }
    assert_eq!(seen, (0_u8..24).map(|n| (i64::from(n), n)).collect::<Vec<_>>());
    assert!(pages > 1);
    // Reading again from an earlier offset of the partition just read.
    assert_eq!(read(&mut log, &replies, 3, Some(5)).entries.len(), 2);
}

#[test]
fn records_of_open_transactions_dont_hold_back_recovery() {
    let settings = fresh(2);
    let foreign = producer(&settings, &[("transactional.id", &settings.group)]);
    use rdkafka::producer::Producer;
    foreign.init_transactions(support::PATIENCE).unwrap();
    foreign.begin_transaction().unwrap();
    write(&foreign, &settings.topics.log, 1, &["stray"]);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    log.append(P, Ticket(1), b"ours".to_vec());
    assert_eq!(offset(&appended(&replies).1), 1);
    assert_eq!(read(&mut log, &replies, 0, None).entries.len(), 2);
    foreign.abort_transaction(support::PATIENCE).unwrap();
    // The marker at the end is no record; the page ends behind it all the same.
    let end = wait_until_end(&mut log, &replies, 3);
    assert_eq!(end.entries.len(), 2);
    assert_eq!(end.next.get(), 3);
}

fn wait_until_end(log: &mut KafkaLog, replies: &Receiver<LogReply>, end: i64) -> LogPage {
    loop {
        let page = read(log, replies, 0, None);
        if page.end.get() == end {
            return page;
        }
    }
}

#[test]
fn renew_answers_what_is_in_flight_and_appends_go_on() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    for ticket in 0..50 {
        log.append(P, Ticket(ticket), b"x".to_vec());
    }
    log.renew();
    log.append(P, Ticket(50), b"after".to_vec());
    let results: Vec<(u64, AppendResult)> = (0..=50).map(|_| appended(&replies)).collect();
    assert!(results.iter().map(|(ticket, _)| *ticket).eq(0..=50), "each once, in order");
    assert!(results[..50].iter().all(|(_, r)| !matches!(r, AppendResult::Refused(_))));
    offset(&results[50].1);
}

#[test]
fn a_record_past_the_limit_is_refused_and_the_next_one_goes_on() {
    let settings = fresh(2);
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    log.append(P, Ticket(1), vec![0; 3 << 20]);
    log.append(P, Ticket(2), b"fits".to_vec());
    assert!(matches!(appended(&replies).1, AppendResult::Refused(why) if !why.transient));
    assert_eq!(offset(&appended(&replies).1), 0);
}

#[test]
fn a_frozen_broker_leaves_an_append_unknown() {
    let mut kafka = tzeva_testkit::servers::Kafka::start(&[]).unwrap();
    let mut settings = named();
    settings.bootstrap = kafka.bootstrap();
    support::admin(&settings)
        .create(&tzeva_kafka::admin::Plan { partitions: 2, replication: 1 })
        .unwrap();
    let (answers, replies) = sink();
    let mut log = KafkaLog::start(&settings, answers).unwrap();
    log.append(P, Ticket(1), b"before".to_vec());
    offset(&appended(&replies).1);
    kafka.process().freeze().unwrap();
    log.append(P, Ticket(2), b"frozen".to_vec());
    assert!(matches!(appended(&replies).1, AppendResult::Unknown(why) if why.transient));
    kafka.process().thaw().unwrap();
    log.renew();
    log.append(P, Ticket(3), b"thawed".to_vec());
    let last = offset(&appended(&replies).1);
    let page = read(&mut log, &replies, 0, None);
    assert_eq!(page.entries.last().map(|entry| entry.offset.get()), Some(last));
}
