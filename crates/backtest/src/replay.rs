//! History through the engine on a virtual clock: record time is the event's own, and time moves only as events and
//! deadlines move it.

use crate::gather::{Batch, Refused};
use crate::tally::Tally;
use std::io::{self, Write};
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_commit::NewName;
use tzeva_engine::{Counts, Draft, Engine, Settings};
use tzeva_model::{ChangeNumber, Event, Incarnation, Millis, Outcome, Partition, UnixMillis};
use tzeva_painter::render::Renderer;
use tzeva_painter::{Catalogue, SharedNames};

/// A run.
pub struct Replay<'a> {
    rules: Arc<RuleSet>,
    idle: Millis,
    until: UnixMillis,
    /// Of the last event or deadline.
    last: UnixMillis,
    engine: Engine,
    names: Catalogue,
    /// Names of the event at hand that none before it had.
    new_names: Vec<NewName>,
    /// Where changes are written, a line each.
    changes: Option<Box<dyn Write + 'a>>,
    /// Changes so far.
    pub number: u64,
    pub tally: Tally,
    pub counts: Counts,
    pub outcomes: Outcomes,
    pub refused: Refused,
}

/// What became of the events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    /// They left a stroke.
    pub painted: u64,
    /// They repeated another one.
    pub duplicates: u64,
    /// They lie after the end of the run.
    pub after_the_end: u64,
}

/// Deadlines of so many visitors are fired before their changes are written.
const DEADLINES: usize = 4_096;

// === impl Replay ===

impl<'a> Replay<'a> {
    /// A run up to and including `until`.
    pub fn new(
        rules: Arc<RuleSet>,
        settings: Settings,
        until: UnixMillis,
        changes: Option<Box<dyn Write + 'a>>,
    ) -> Self {
        Self {
            idle: settings.idle,
            until,
            last: UnixMillis::MIN,
            engine: Engine::new(Arc::clone(&rules), settings, UnixMillis::MIN),
            names: Catalogue::new(SharedNames::default(), u32::MAX),
            new_names: Vec::new(),
            changes,
            number: 0,
            tally: Tally::new(&rules),
            counts: Counts::default(),
            outcomes: Outcomes::default(),
            refused: Refused::default(),
            rules,
        }
    }

    /// Decides a batch, and publishes what came of it.
    pub fn batch(&mut self, batch: Batch) -> io::Result<()> {
        let mut draft = Draft::default();
        for (number, event) in batch {
            if event.occurred_at > self.until {
                self.outcomes.after_the_end += 1;
                continue;
            }
            self.last = event.occurred_at;
            self.engine.fire_until(event.occurred_at, &mut draft);
            self.event(number, &event, &mut draft);
        }
        self.publish(draft)
    }

    /// Runs the deadlines that are left, up to and including the end, and closes the output.
    pub fn finish(&mut self) -> io::Result<()> {
        let end = self.until + Millis::new(1);
        while let Some(next) = self.engine.next_deadline().filter(|next| *next < end) {
            self.last = self.last.max(next);
            let mut draft = Draft::default();
            let part = self.engine.until_within(end, DEADLINES);
            self.engine.fire_until(part, &mut draft);
            self.publish(draft)?;
        }
        self.changes.as_mut().map_or(Ok(()), Write::flush)
    }

    /// The last instant decided: the end that was asked for, or where the last deadline of all lay.
    pub fn end(&self) -> UnixMillis {
        if self.until == UnixMillis::MAX { self.last } else { self.until }
    }

    /// Visitors that have a profile at the end, or had one.
    pub fn visitors(&self) -> usize {
        self.engine.len()
    }

    fn event(&mut self, number: u64, event: &Event, draft: &mut Draft) {
        if let Err(rejection) = self.names.check(event) {
            self.refused.add(number, rejection);
            return;
        }
        if !self.engine.holds(&event.visitor) {
            self.engine.load(event.visitor.clone(), None);
        }
        match self.engine.take(event.occurred_at, event, draft) {
            Outcome::Painted => {
                self.outcomes.painted += 1;
                self.names.meet(event, event.occurred_at, &mut self.new_names);
                self.new_names.drain(..).for_each(|name| self.names.learn(&name));
            }
            Outcome::Duplicate => self.outcomes.duplicates += 1,
            Outcome::Rejected(rejection) => self.refused.add(number, rejection),
        }
    }

    fn publish(&mut self, draft: Draft) -> io::Result<()> {
        self.counts.add(&draft.counts);
        let name = |id| self.names.text(id);
        let renderer = Renderer {
            rules: &self.rules,
            idle: self.idle,
            name: &name,
            incarnation: Incarnation::new(0),
            partition: Partition::new(0),
        };
        for change in &draft.changes {
            self.number += 1;
            self.tally.change(change);
            self.last = self.last.max(change.effective_at);
            if let Some(out) = &mut self.changes {
                let n = ChangeNumber::new(self.number);
                writeln!(out, "{}", renderer.change(change, n, change.effective_at).to_json())?;
            }
        }
        Ok(())
    }
}
