//! A batch on its way from bytes to decisions: the states between which [`crate::flow`] moves it.

use crate::merge::{Cut, CutRecord};
use std::collections::BTreeMap;
use tzeva_commit::{DeadLetter, InputRange, NewName};
use tzeva_decode::Raw;
use tzeva_engine::Draft;
use tzeva_model::{
    Event, Outcome, Partition, Rejection, RejectionCode, SourceOffset, TopicIndex, UnixMillis,
    VisitorId,
};

/// The records of one cut, decoded as far as `events` goes, decided as far as `done` says.
#[derive(Debug, Default)]
pub struct Batch {
    records: Vec<CutRecord>,
    events: Vec<Option<Result<Event, Rejection>>>,
    done: usize,
    condemned: Vec<(TopicIndex, SourceOffset)>,
    /// The ranges it came from, a topic each.
    pub ranges: Vec<InputRange>,
}

/// One record to decide.
#[derive(Debug)]
pub struct Step {
    /// Its record time.
    pub time: UnixMillis,
    /// The event, or why there is none.
    pub event: Result<Event, Rejection>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub struct Decided {
    /// Deltas, changes and counts.
    pub draft: Draft,
    /// Names first seen.
    pub names: Vec<NewName>,
    /// Records that could not be applied.
    pub dead_letters: Vec<DeadLetter>,
    /// Records that left a stroke.
    pub painted: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Rejections by code; they sum up with the two above to the records read.
    pub rejected: BTreeMap<RejectionCode, u64>,
}

/// Bytes of a dead letter that its commit record carries.
const HEAD: usize = 4096;

// === impl Batch ===

impl Batch {
    /// A batch of what was cut.
    #[must_use]
    pub fn new(cut: Cut) -> Self {
        let events = Vec::with_capacity(cut.records.len());
        Self { records: cut.records, events, done: 0, condemned: Vec::new(), ranges: cut.ranges }
    }

    /// The next record that isn't decoded, and the place of its topic.
    #[must_use]
    pub fn undecoded(&mut self, partition: Partition) -> Option<(usize, Raw<'_>)> {
        while let Some(cut) = self.records.get(self.events.len())
            && self.condemned.contains(&(cut.topic, cut.record.offset))
        {
            let why = "handling this record failed twice by a bug of the painter";
            self.events.push(Some(Err(Rejection::new(RejectionCode::Unprocessable, why))));
        }
        let cut = self.records.get(self.events.len())?;
        let key = cut.record.key.as_deref();
        let raw = Raw { partition, key, value: &cut.record.value, headers: &cut.record.headers };
        Some((usize::from(cut.topic.get()), raw))
    }

    /// What the record that `undecoded` showed is.
    pub fn decoded(&mut self, event: Result<Event, Rejection>) {
        self.events.push(Some(event));
    }

    /// Makes the record at this place a dead letter, whatever it holds: it is not even decoded.
    pub fn condemn(&mut self, topic: TopicIndex, offset: SourceOffset) {
        self.condemned.push((topic, offset));
    }

    /// The visitors of its events.
    pub fn visitors(&self) -> impl Iterator<Item = &VisitorId> {
        self.events.iter().flatten().filter_map(|event| Some(&event.as_ref().ok()?.visitor))
    }

    /// The latest record time in it.
    #[must_use]
    pub fn last_time(&self) -> Option<UnixMillis> {
        self.records.iter().map(|cut| cut.time).max()
    }

    /// The record that is being decoded or decided: whom to suspect after a panic.
    #[must_use]
    pub fn suspect(&self) -> Option<(TopicIndex, SourceOffset)> {
        let decoding = self.events.len() < self.records.len();
        let index = if decoding { self.events.len() } else { self.done.saturating_sub(1) };
        self.records.get(index).map(|cut| (cut.topic, cut.record.offset))
    }

    /// Takes the next record to decide.
    pub fn step(&mut self) -> Option<Step> {
        let time = self.records.get(self.done)?.time;
        let event = self.events.get_mut(self.done)?.take()?;
        self.done += 1;
        Some(Step { time, event })
    }

    /// The record that `step` gave last.
    #[must_use]
    pub fn current(&self) -> Option<&CutRecord> {
        self.records.get(self.done.checked_sub(1)?)
    }
}

// === impl Decided ===

impl Decided {
    /// Books the outcome of the record that `batch` gave last.
    pub fn record(&mut self, batch: &Batch, outcome: Outcome) {
        match outcome {
            Outcome::Painted => self.painted += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::Rejected(rejection) => {
                *self.rejected.entry(rejection.code).or_default() += 1;
                let letter = batch.current().map(|cut| DeadLetter {
                    topic: cut.topic,
                    offset: cut.record.offset,
                    code: rejection.code,
                    error: rejection.detail.into(),
                    head: cut.record.value[..cut.record.value.len().min(HEAD)].into(),
                });
                self.dead_letters.extend(letter);
            }
        }
    }
}
