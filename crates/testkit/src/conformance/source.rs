//! The laws of a source.

use super::Replies;
use std::time::Duration;
use tzeva_commit::port::{Source, SourceRecord, SourceReply, Ticket};
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

/// Puts values into a source topic, each as a record; returns when they are there.
pub type Feed<'a> = dyn FnMut(TopicIndex, Partition, Vec<Vec<u8>>) + 'a;

/// A source under test and what it told of one partition in one session.
struct Reader<'a> {
    replies: &'a mut Replies<SourceReply>,
    partition: Partition,
    session: u64,
    /// What was read of each topic, where reading is, whether the end was seen.
    topics: [(Vec<SourceRecord>, Option<SourceOffset>, bool); 2],
}

/// Runs all laws of a source with two topics, whose partition `partition` is empty and begins at offset 0.
///
/// # Panics
/// At the first law that is broken.
pub fn source_laws(
    source: &mut dyn Source,
    replies: &mut Replies<SourceReply>,
    partition: Partition,
    feed: &mut Feed<'_>,
) {
    loop {
        match replies.wait() {
            SourceReply::Assigned(assigned) if assigned == partition => break,
            SourceReply::Assigned(_) => {}
            other => panic!("before anything was opened: {other:?}"),
        }
    }
    let [visits, orders] = [0, 1].map(TopicIndex::new);
    feed(visits, partition, values("visit", 0..1_500));
    let zero = SourceOffset::new(0);

    source.open(partition, 1, vec![zero, zero]);
    let mut reader = Reader::new(replies, partition, 1);
    reader.until_read(&[(visits, 1_500)]);
    assert_eq!(reader.values(visits), values("visit", 0..1_500));

    // What comes while it is open is told by itself.
    feed(orders, partition, values("order", 0..3));
    reader.until_read(&[(orders, 3)]);
    assert_eq!(reader.values(orders), values("order", 0..3));

    // A paused topic is silent, the other goes on.
    source.pause(partition, visits, true);
    prove(source, &mut reader, [1_500, 3]);
    feed(visits, partition, values("visit", 1_500..1_510));
    feed(orders, partition, values("order", 3..5));
    reader.until_read(&[(orders, 5)]);
    assert_eq!(reader.topics[0].0.len(), 1_500, "a paused topic told something");
    source.pause(partition, visits, false);
    reader.until_read(&[(visits, 1_510)]);
    prove(source, &mut reader, [1_510, 5]);

    // Opened again elsewhere; the session tells old from new.
    source.open(partition, 2, vec![SourceOffset::new(1_507), SourceOffset::new(5)]);
    let mut reader = Reader::new(replies, partition, 2);
    reader.until_read(&[(visits, 3)]);
    assert_eq!(reader.values(visits), values("visit", 1_507..1_510));
    source.close(partition);
    prove(source, &mut reader, [1_510, 5]);
    feed(visits, partition, values("visit", 1_510..1_511));
    reader.stays_silent();

    // A position that the topic doesn't have.
    source.open(partition, 3, vec![SourceOffset::new(9_999), zero]);
    loop {
        match replies.wait() {
            SourceReply::Lost(lost, error) if lost == partition => {
                assert!(!error.transient, "{error}");
                break;
            }
            SourceReply::Records { session, .. } if session < 3 => {}
            SourceReply::Assigned(other) if other != partition => {}
            other => panic!("an impossible position was answered {other:?}"),
        }
    }
}

fn prove(source: &mut dyn Source, reader: &mut Reader<'_>, expected: [i64; 2]) {
    let now = UnixMillis::new(1_795_341_600_000);
    source.prove(reader.partition, Ticket(5), now);
    loop {
        match reader.replies.wait() {
            SourceReply::Ends(at, Ticket(5), Ok((sent_at, ends))) if at == reader.partition => {
                assert_eq!((sent_at, ends), (now, expected.map(SourceOffset::new).to_vec()));
                return;
            }
            other => reader.note(other),
        }
    }
}

fn values(word: &str, numbers: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    numbers.map(|number| format!("{word} {number}").into_bytes()).collect()
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(replies: &'a mut Replies<SourceReply>, partition: Partition, session: u64) -> Self {
        Self { replies, partition, session, topics: Default::default() }
    }

    /// Reads on until of each topic named so many records came and its end was seen.
    fn until_read(&mut self, wanted: &[(TopicIndex, usize)]) {
        for (topic, count) in wanted {
            let place = usize::from(topic.get());
            while self.topics[place].0.len() < *count || !self.topics[place].2 {
                let reply = self.replies.wait();
                self.note(reply);
            }
            assert_eq!(self.topics[place].0.len(), *count, "more records than were fed");
        }
    }

    fn note(&mut self, reply: SourceReply) {
        if matches!(reply, SourceReply::Assigned(other) if other != self.partition) {
            return;
        }
        let SourceReply::Records {
            partition,
            session,
            topic,
            records,
            position,
            at_end,
            end: known,
        } = reply
        else {
            panic!("while reading partition {}: {reply:?}", self.partition);
        };
        if session < self.session {
            return;
        }
        assert_eq!((partition, session), (self.partition, self.session));
        let (read, next, end) = &mut self.topics[usize::from(topic.get())];
        for record in records {
            if let Some(last) = read.last() {
                assert!(record.offset > last.offset, "offsets of {topic} went back");
            }
            assert!(next.is_none_or(|next| record.offset >= next), "told before its position");
            read.push(record);
        }
        let beyond = read.last().is_none_or(|last| position > last.offset);
        assert!(beyond, "position {position} of {topic} lies before a record");
        assert!(known >= position, "the end of {topic} is known at least as far as it was read");
        *next = Some(position);
        *end = at_end;
    }

    fn values(&self, topic: TopicIndex) -> Vec<Vec<u8>> {
        self.topics[usize::from(topic.get())].0.iter().map(|record| record.value.clone()).collect()
    }

    fn stays_silent(&mut self) {
        match self.replies.within(Duration::from_millis(200)) {
            None => {}
            Some(SourceReply::Records { session, .. }) if session < self.session => {}
            Some(other) => panic!("a closed partition told {other:?}"),
        }
    }
}
