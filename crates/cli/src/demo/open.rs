//! The shop while it is open: what people do becomes records of its source topics.

use super::PARTITIONS;
use super::people::People;
use super::shop::Act;
use super::time::ShopTime;
use anyhow::Context;
use std::collections::VecDeque;
use tzeva_embedded::{Ingest, NewRecord};
use tzeva_model::{TopicIndex, UnixMillis, VisitorId};

/// The shop.
pub(super) struct Open {
    time: ShopTime,
    people: People,
    /// What happens next, in order.
    coming: VecDeque<Act>,
    /// Days that are planned.
    days: u32,
    ingest: Ingest,
    events: u64,
}

// === impl Open ===

impl Open {
    pub(super) fn new(time: ShopTime, people: People, ingest: Ingest) -> Self {
        Self { time, people, coming: VecDeque::new(), days: 0, ingest, events: 0 }
    }

    /// How much has happened.
    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Lets happen whatever is due, durably, and tells of it.
    pub(super) fn act(&mut self) -> anyhow::Result<Vec<(Act, UnixMillis)>> {
        let now = self.time.open_for();
        let mut acts = Vec::new();
        let mut records = Vec::new();
        while let Some(act) = self.next(now) {
            let at = self.time.opened() + act.at;
            records.push(self.record(&act, at)?);
            acts.push((act, at));
        }
        if !records.is_empty() {
            self.ingest.commit(records, None).context("take in what happened in the shop")?;
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
    fn record(&mut self, act: &Act, at: UnixMillis) -> anyhow::Result<NewRecord> {
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
