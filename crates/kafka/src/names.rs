//! Reads the topic of names on from where it was read last.

use crate::reader::{Range, Reader};
use rdkafka::message::Message;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tzeva_commit::port::PortError;

/// How far each partition of the topic has been read.
pub(crate) struct NewNames {
    topic: String,
    next: BTreeMap<i32, i64>,
}

// === impl NewNames ===

impl NewNames {
    pub(crate) fn new(topic: &str) -> Self {
        Self { topic: topic.to_owned(), next: BTreeMap::new() }
    }

    /// Key and text of what came since the last read, in order within a partition; all of it at first. What was read
    /// before a failure is read again.
    pub(crate) fn read(&mut self, reader: &mut Reader) -> Result<Vec<(String, String)>, PortError> {
        let mut names = Vec::new();
        let mut reached = self.next.clone();
        for partition in 0..reader.partitions(&self.topic)? {
            let (low, high) = reader.bounds(&self.topic, partition)?;
            // A topic that was made anew begins again.
            let from = self.next.get(&partition).copied().filter(|at| (low..=high).contains(at));
            let range =
                Range { topic: &self.topic, partition, from: from.unwrap_or(low), to: high };
            if range.from < high {
                reader.read(range, &mut |message| {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    if let (Some(key), Some(value)) = (message.key(), message.payload()) {
                        names.push((text(key), text(value)));
                    }
                    ControlFlow::Continue(())
                })?;
            }
            reached.insert(partition, high);
        }
        self.next = reached;
        Ok(names)
    }
}
