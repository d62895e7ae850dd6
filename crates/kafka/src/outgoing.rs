//! A message on its way out: which topic, partition, key, headers and value it has there.

use crate::lookup::{N_HEADER, Wanted};
use crate::settings::Topics;
use rdkafka::message::{Header, OwnedHeaders};
use tzeva_commit::port::{Outgoing, SourceRecord};
use tzeva_model::Partition;

/// Which topic a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Changes,
    DeadLetters,
    Names,
}

/// A message in the form of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    to: To,
    /// `None`: by key.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

// === impl Message ===

impl Message {
    /// A dead letter holds the head of its value until [`complete`](Self::complete) brings the original.
    pub(crate) fn new(partition: Partition, outgoing: Outgoing) -> Self {
        let same = Some(i32::from(partition.get()));
        match outgoing {
            Outgoing::Change { n, key, mut headers, value } => {
                if !headers.iter().any(|(name, _)| name == N_HEADER) {
                    headers.push((N_HEADER.to_owned(), n.to_string().into_bytes()));
                }
                Self { to: To::Changes, partition: same, key: Some(key), value, headers }
            }
            Outgoing::DeadLetter { headers, head, .. } => {
                let mut headers = headers;
                headers.push((TRUNCATED.to_owned(), b"true".to_vec()));
                Self { to: To::DeadLetters, partition: same, key: None, value: head, headers }
            }
            Outgoing::Name { key, text } => Self {
                to: To::Names,
                partition: None,
                key: Some(key.into_bytes()),
                value: text.into_bytes(),
                headers: Vec::new(),
            },
        }
    }

    /// Takes over the original's key, value and headers, ours behind them. Without an original the head stays, marked.
    pub(crate) fn complete(&mut self, original: Option<SourceRecord>) {
        let Some(original) = original else { return };
        self.headers.retain(|(name, _)| name != TRUNCATED);
        let ours = std::mem::replace(&mut self.headers, original.headers);
        self.headers.extend(ours);
        self.key = original.key;
        self.value = original.value;
    }

    pub(crate) fn topic<'a>(&self, topics: &'a Topics) -> &'a str {
        match self.to {
            To::Changes => &topics.changes,
            To::DeadLetters => &topics.dead_letters,
            To::Names => &topics.names,
        }
    }

    pub(crate) fn headers(&self) -> OwnedHeaders {
        self.headers
            .iter()
            .fold(OwnedHeaders::new_with_capacity(self.headers.len()), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            })
    }
}

/// Marks a dead letter whose original is gone.
const TRUNCATED: &str = "dlq.truncated";

/// The originals that `messages` need. A topic that the settings no longer name can't be asked.
pub(crate) fn wanted(messages: &[Outgoing], topics: &Topics) -> Vec<Wanted> {
    let wish = |(message, outgoing): (usize, &Outgoing)| match outgoing {
        Outgoing::DeadLetter { topic, offset, .. } => {
            let topic = topics.sources.get(usize::from(topic.get()))?.name.clone();
            Some(Wanted { message, topic, offset: offset.get() })
        }
        Outgoing::Change { .. } | Outgoing::Name { .. } => None,
    };
    messages.iter().enumerate().filter_map(wish).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_model::{ChangeNumber, SourceOffset, TopicIndex, UnixMillis};

    fn letter() -> Outgoing {
        Outgoing::DeadLetter {
            topic: TopicIndex::new(1),
            offset: SourceOffset::new(7),
            headers: vec![("dlq.code".into(), b"malformed".to_vec())],
            head: b"{\"a".to_vec(),
        }
    }

    #[test]
    fn a_change_carries_its_number() {
        let change = Outgoing::Change {
            n: ChangeNumber::new(18),
            key: b"v".to_vec(),
            headers: vec![],
            value: b"{}".to_vec(),
        };
        let message = Message::new(Partition::new(3), change);
        assert_eq!(message.headers, [("tzeva_n".to_owned(), b"18".to_vec())]);
        assert_eq!(message.partition, Some(3));
    }

    #[test]
    fn a_dead_letter_takes_over_its_original_or_says_that_it_is_truncated() {
        let mut message = Message::new(Partition::new(3), letter());
        assert_eq!(message.value, b"{\"a");
        assert!(message.headers.iter().any(|(name, _)| name == "dlq.truncated"));
        message.complete(Some(SourceRecord {
            offset: SourceOffset::new(7),
            time: UnixMillis::new(0),
            key: Some(b"v-1".to_vec()),
            value: b"{\"a\":".to_vec(),
            headers: vec![("h".into(), b"1".to_vec())],
        }));
        let names: Vec<&str> = message.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["h", "dlq.code"]);
        assert_eq!(
            (message.key.as_deref(), message.value.as_slice()),
            (Some(&b"v-1"[..]), &b"{\"a\":"[..])
        );
    }

    #[test]
    fn only_dead_letters_of_known_topics_want_originals() {
        let topics = Topics::default();
        let wanted = wanted(&[letter()], &topics);
        assert_eq!(wanted[0].topic, "tzeva.purchases");
        let mut fewer = topics;
        fewer.sources.truncate(1);
        assert_eq!(super::wanted(&[letter()], &fewer), []);
    }
}
