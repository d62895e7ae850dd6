//! The laws of a log.

use super::Replies;
use tzeva_commit::port::{AppendResult, Log, LogEntry, LogPage, LogReply, Ticket};
use tzeva_model::{LogOffset, Partition, UnixMillis};

/// Runs all laws of a log on two partitions that nobody else writes.
///
/// # Panics
/// At the first law that is broken.
pub fn log_laws(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    (one, other): (Partition, Partition),
) {
    let first = appends_are_answered_in_order(log, replies, one);
    a_read_gives_what_was_appended(log, replies, one, &first);
    partitions_count_for_themselves(log, replies, (one, other));
    large_logs_are_read_in_pages(log, replies, one);
    a_read_sees_the_append_before_it(log, replies, one);
    after_a_renewal_appends_go_on(log, replies, one);
}

fn appends_are_answered_in_order(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
) -> Vec<LogEntry> {
    let records: Vec<Vec<u8>> = (0..50).map(|n| format!("record {n}").into_bytes()).collect();
    for (ticket, record) in (0..).map(Ticket).zip(&records) {
        log.append(partition, ticket, record.clone());
    }
    let mut entries: Vec<LogEntry> = Vec::new();
    for (ticket, bytes) in (0..).map(Ticket).zip(records) {
        let (offset, time) = appended(replies, partition, ticket);
        if let Some(last) = entries.last() {
            assert_eq!(offset, last.offset.next(), "one writer leaves no gaps");
            assert!(time >= last.time, "log time went back from {} to {time}", last.time);
        }
        entries.push(LogEntry { offset, time, bytes });
    }
    entries
}

fn a_read_gives_what_was_appended(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
    entries: &[LogEntry],
) {
    let (first, last) = (&entries[0], &entries[entries.len() - 1]);
    let all = read_all(log, replies, partition, (first.offset, None));
    assert_eq!(all, entries);
    let part = read_all(log, replies, partition, (entries[10].offset, Some(entries[20].offset)));
    assert_eq!(part, entries[10..20]);
    let page = read_page(log, replies, partition, (last.offset.next(), None));
    let end = last.offset.next();
    assert_eq!((page.entries, page.next, page.end), (vec![], end, end), "nothing lies beyond");
    assert!(page.begin <= first.offset);
}

fn partitions_count_for_themselves(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    (one, other): (Partition, Partition),
) {
    log.append(other, Ticket(1), b"other 1".to_vec());
    let (first, _) = appended(replies, other, Ticket(1));
    log.append(one, Ticket(2), b"one".to_vec());
    appended(replies, one, Ticket(2));
    log.append(other, Ticket(3), b"other 2".to_vec());
    let (second, _) = appended(replies, other, Ticket(3));
    assert_eq!(second, first.next());
    let bytes: Vec<_> =
        read_all(log, replies, other, (first, None)).into_iter().map(|e| e.bytes).collect();
    assert_eq!(bytes, [b"other 1", b"other 2"]);
}

fn large_logs_are_read_in_pages(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
) {
    // Bytes that don't compress: a broker must not make them small.
    let mut state = 1_u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()
    };
    let records: Vec<Vec<u8>> =
        (0..40).map(|_| (0..64_000).flat_map(|_| noise()).collect()).collect();
    let mut first = None;
    for (ticket, record) in (0..).map(Ticket).zip(&records) {
        log.append(partition, ticket, record.clone());
        let (offset, _) = appended(replies, partition, ticket);
        first.get_or_insert(offset);
    }
    let from = first.unwrap_or_default();
    let page = read_page(log, replies, partition, (from, None));
    let size: usize = page.entries.iter().map(|entry| entry.bytes.len()).sum();
    assert!(size < 16 << 20, "a page of {size} bytes");
    let all = read_all(log, replies, partition, (from, None));
    assert!(all.iter().map(|entry| &entry.bytes).eq(&records));
}

fn a_read_sees_the_append_before_it(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
) {
    let page = read_page(log, replies, partition, (LogOffset::new(0), Some(LogOffset::new(0))));
    log.append(partition, Ticket(7), b"just now".to_vec());
    log.read(partition, Ticket(8), page.end, None);
    let (offset, _) = appended(replies, partition, Ticket(7));
    assert_eq!(offset, page.end);
    let read = page_reply(replies, partition, Ticket(8));
    assert_eq!(read.entries.len(), 1);
    assert_eq!(read.entries[0].bytes, b"just now");
}

fn after_a_renewal_appends_go_on(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
) {
    log.append(partition, Ticket(1), b"before".to_vec());
    let (before, _) = appended(replies, partition, Ticket(1));
    log.append(partition, Ticket(2), b"in flight".to_vec());
    log.renew();
    log.append(partition, Ticket(3), b"after".to_vec());
    // The one in flight may have been answered before it was given up, but it is answered, and first.
    match replies.wait() {
        LogReply::Appended(at, Ticket(2), AppendResult::At(offset, _)) => {
            assert_eq!((at, offset), (partition, before.next()));
        }
        LogReply::Appended(at, Ticket(2), AppendResult::Unknown(_)) => assert_eq!(at, partition),
        other => panic!("an append in flight was answered {other:?}"),
    }
    let (after, _) = appended(replies, partition, Ticket(3));
    assert!(after > before);
    let last = read_all(log, replies, partition, (after, None));
    assert_eq!(last.iter().map(|entry| &*entry.bytes).collect::<Vec<_>>(), [b"after"]);
}

fn appended(
    replies: &mut Replies<LogReply>,
    partition: Partition,
    ticket: Ticket,
) -> (LogOffset, UnixMillis) {
    match replies.wait() {
        LogReply::Appended(at, its, AppendResult::At(offset, time)) => {
            assert_eq!((at, its), (partition, ticket), "answers come in the order of the calls");
            (offset, time)
        }
        other => panic!("append {ticket:?} to partition {partition} was answered {other:?}"),
    }
}

fn read_page(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
    (from, to): (LogOffset, Option<LogOffset>),
) -> LogPage {
    log.read(partition, Ticket(900), from, to);
    page_reply(replies, partition, Ticket(900))
}

fn page_reply(replies: &mut Replies<LogReply>, partition: Partition, ticket: Ticket) -> LogPage {
    match replies.wait() {
        LogReply::Read(at, its, Ok(page)) if (at, its) == (partition, ticket) => page,
        other => panic!("a read of partition {partition} was answered {other:?}"),
    }
}

/// Reads page by page until all has been read.
fn read_all(
    log: &mut dyn Log,
    replies: &mut Replies<LogReply>,
    partition: Partition,
    (from, to): (LogOffset, Option<LogOffset>),
) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    let mut next = from;
    loop {
        let page = read_page(log, replies, partition, (next, to));
        let end = to.map_or(page.end, |to| to.min(page.end));
        assert!(page.next > next || next >= end, "a page that leads nowhere: {}", page.next);
        assert!(page.entries.iter().all(|entry| (next..page.next).contains(&entry.offset)));
        entries.extend(page.entries);
        next = page.next;
        if next >= end {
            return entries;
        }
    }
}
