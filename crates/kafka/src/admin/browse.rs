//! Reading topics for people: the log, dead letters, changes, names. Each reads up to the end as it was when it began.

use super::Admin;
use crate::Error;
use crate::reader::{Range, Reader, to_record};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use tzeva_commit::port::{LogEntry, PortError, SourceRecord};
use tzeva_model::{LogOffset, Partition};

/// Records fetched at a time.
const PAGE: usize = 500;

/// The records of one partition of one topic, in order; blocks while it fetches.
pub struct Records {
    reader: Reader,
    topic: String,
    partition: i32,
    next: i64,
    end: i64,
    page: VecDeque<SourceRecord>,
}

// === impl Admin ===

impl Admin {
    /// The records of `topic` from `from` (or the first that is there) up to its end now.
    ///
    /// # Errors
    /// If a broker doesn't answer, or the topic isn't there.
    pub fn records(
        &self,
        topic: &str,
        partition: Partition,
        from: Option<i64>,
    ) -> Result<Records, PortError> {
        let reader = Reader::new(&self.settings).map_err(|e| PortError {
            attempt: Error::client("make a reader")(e).to_string(),
            transient: false,
        })?;
        let partition = i32::from(partition.get());
        let (begin, end) = reader.bounds(topic, partition)?;
        let next = from.map_or(begin, |from| from.max(begin));
        Ok(Records { reader, topic: topic.to_owned(), partition, next, end, page: VecDeque::new() })
    }

    /// The log of a partition.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub fn read_log(
        &self,
        partition: Partition,
        from: Option<LogOffset>,
    ) -> Result<impl Iterator<Item = Result<LogEntry, PortError>> + use<>, PortError> {
        let records =
            self.records(&self.settings.topics.log, partition, from.map(LogOffset::get))?;
        Ok(records.map(|record| {
            record.map(|record| LogEntry {
                offset: LogOffset::new(record.offset.get()),
                time: record.time,
                bytes: record.value,
            })
        }))
    }

    /// The dead letters of a partition.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub fn read_dead_letters(&self, partition: Partition) -> Result<Records, PortError> {
        self.records(&self.settings.topics.dead_letters, partition, None)
    }

    /// The changes of a partition.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub fn read_changes(&self, partition: Partition) -> Result<Records, PortError> {
        self.records(&self.settings.topics.changes, partition, None)
    }

    /// All names: key to text, the last text of each key. Empty if the topic isn't there.
    ///
    /// # Errors
    /// If a broker doesn't answer.
    pub fn read_names(&self) -> Result<BTreeMap<String, String>, PortError> {
        let topic = &self.settings.topics.names;
        let count = self
            .partitions(topic)
            .map_err(|e| PortError { attempt: e.to_string(), transient: true })?;
        let mut names = BTreeMap::new();
        for partition in 0..u16::try_from(count.unwrap_or(0)).unwrap_or(u16::MAX) {
            for record in self.records(topic, Partition::new(partition), None)? {
                let record = record?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                if let Some(key) = &record.key {
                    names.insert(text(key), text(&record.value));
                }
            }
        }
        Ok(names)
    }
}

// === impl Records ===

impl Records {
    /// Fetches the next page; a page may be empty although there is more, behind markers.
    fn fetch(&mut self) -> Result<(), PortError> {
        let Self { reader, topic, partition, next, end, page } = self;
        let range = Range { topic, partition: *partition, from: *next, to: *end };
        *next = reader.read(range, &mut |message| {
            page.push_back(to_record(message));
            if page.len() >= PAGE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(())
    }
}

impl Iterator for Records {
    type Item = Result<SourceRecord, PortError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.page.is_empty() && self.next < self.end {
            if let Err(e) = self.fetch() {
                self.next = self.end;
                return Some(Err(e));
            }
        }
        self.page.pop_front().map(Ok)
    }
}
