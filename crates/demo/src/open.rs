//! The shop while it is open: what people do becomes records of its source topics.

use crate::PARTITIONS;
use crate::people::People;
use crate::shop::Act;
use crate::time::ShopTime;
use std::collections::VecDeque;
use tzeva_embedded::{FolderError, Ingest, NewRecord};
use tzeva_model::{TopicIndex, UnixMillis, VisitorId, VisitorIdError};

/// The shop.
pub struct Open {
    time: ShopTime,
    people: People,
    /// What happens next, in order.
    coming: VecDeque<Act>,
    /// Days that are planned.
    days: u32,
    ingest: Ingest,
    events: u64,
}

/// Why nothing could happen in the shop.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody's name is no visitor id.
    #[error("name a visitor of the shop")]
    Visitor(#[from] VisitorIdError),
    /// The folder failed.
    #[error("take in what happened in the shop")]
    Ingest(#[source] FolderError),
}

// === impl Open ===

impl Open {
    pub fn new(time: ShopTime, people: People, ingest: Ingest) -> Self {
        Self { time, people, coming: VecDeque::new(), days: 0, ingest, events: 0 }
    }

    /// How much has happened.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Lets happen whatever is due, durably, and tells of it.
    pub fn act(&mut self) -> Result<Vec<(Act, UnixMillis)>, OpenError> {
        let now = self.time.open_for();
        let mut acts = Vec::new();
        let mut records = Vec::new();
        while let Some(act) = self.next(now) {
            let at = self.time.opened() + act.at;
            records.push(self.record(&act, at)?);
            acts.push((act, at));
        }
        if !records.is_empty() {
            self.ingest.commit(records, None).map_err(OpenError::Ingest)?;
        }
        Ok(acts)
    }

    fn next(&mut self, now: tzeva_model::Millis) -> Option<Act> {
        // An order may lie in the next day's morning: a day more is planned than has come.
        while self.coming.back().is_none_or(|last| last.at <= now) || self.days < 2 {
            self.coming.extend(self.people.day(self.days));
            self.coming.make_contiguous().sort_by_key(|act| act.at);
            self.days += 1;
        }
        match self.coming.front() {
            Some(act) if act.at <= now => self.coming.pop_front(),
            _ => None,
        }
    }

    /// Its record time is its own: what is on its way for a moment is decided as if it had been there.
    fn record(&mut self, act: &Act, at: UnixMillis) -> Result<NewRecord, OpenError> {
        self.events += 1;
        let visitor = VisitorId::try_new(act.who)?;
        Ok(NewRecord {
            topic: TopicIndex::new(u8::from(act.is_purchase())),
            partition: visitor.partition(PARTITIONS),
            time: at,
            key: Some(act.who.as_bytes().to_vec()),
            headers: Vec::new(),
            value: act.call(at, self.events).to_string().into_bytes(),
        })
    }
}
