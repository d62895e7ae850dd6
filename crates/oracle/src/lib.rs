//! The slow, obviously right evaluator of audiences: the twin that the engine is held against.
//!
//! It shares no code with the engine or the profile, only the language's values and the domain words. A visitor is a
//! list of kept events (`history`); whenever something could differ, every audience is evaluated anew from that list
//! (`visitor`, `truth`). Nothing is cached, indexed or encoded. What could differ by time alone is found the dull way
//! too: every event's instant plus every duration that a rule mentions, and the fading of interest by bisection.
//!
//! Not done here: limits in bytes, deltas, deadlines kept anywhere, anything about delivery. Replay: the same arguments
//! give the same changes.
#![deny(missing_docs)]

mod adopt;
mod fold;
mod history;
mod membership;
mod money;
mod paint;
mod predicate;
mod reason;
mod truth;
mod visitor;

use crate::adopt::Activation;
use crate::visitor::{Context, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_audience::RuleSet;
use tzeva_model::{Change, Currencies, Event, Millis, UnixMillis, VisitorId};

/// The settings that bear on meaning; the same as the engine's, save that nothing here is limited in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Kept events a visitor; older ones are folded into cells.
    pub max_strokes: usize,
    /// Cells a visitor.
    pub max_cells: usize,
    /// How long anything in history counts.
    pub max_age: Millis,
    /// Items kept of one event; the rest is merged by category.
    pub max_items: usize,
    /// Items kept a visitor, of events with more than one.
    pub max_total_items: usize,
    /// How long after the last applied record a visitor is forgotten.
    pub idle: Millis,
    /// From how far behind its record time an event's changes are called late.
    pub late_after: Millis,
    /// In which currency amounts count.
    pub currencies: Currencies,
    /// In a backtest nothing is clamped and nothing is late.
    pub backtest: bool,
}

/// A record, in the order of decisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The record time.
    pub record_time: UnixMillis,
    /// What the record held.
    pub event: Event,
}

/// What moves engine time on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step<'a> {
    /// A record.
    Record(&'a Input),
    /// The clock: deadlines before this instant fire, and engine time is at least this from now on.
    Clock(UnixMillis),
    /// Other rules: from the engine time on that is reached they decide, for everybody at once.
    Activate(&'a RuleSet),
}

/// Everybody, at one engine time.
struct World<'a> {
    context: Context<'a>,
    engine_time: UnixMillis,
    /// Each with the instant at which it has to be looked at again if no event comes first.
    visitors: BTreeMap<VisitorId, (Visitor, UnixMillis)>,
    /// Those instants in order.
    alarms: BTreeSet<(UnixMillis, VisitorId)>,
    changes: Vec<Change>,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_strokes: 256,
            max_cells: 2_000,
            max_age: Millis::DAY.times(400),
            max_items: 500,
            max_total_items: 2_000,
            idle: Millis::DAY.times(400),
            late_after: Millis::DAY,
            currencies: Currencies::default(),
            backtest: false,
        }
    }
}

// === impl World ===

impl<'a> World<'a> {
    /// Lets every deadline before `limit` happen, in order of (instant, visitor).
    fn fire_before(&mut self, limit: UnixMillis) {
        while let Some((at, id)) = self.alarms.first().cloned() {
            if at >= limit {
                return;
            }
            self.alarms.pop_first();
            let Some((mut visitor, _)) = self.visitors.remove(&id) else { continue };
            if visitor.ends_at(&self.context) <= at {
                self.changes.extend(visitor.forget(&self.context, at));
                continue;
            }
            self.changes.extend(visitor.deadline(&self.context, at));
            self.keep(id, visitor, at);
        }
    }

    fn keep(&mut self, id: VisitorId, visitor: Visitor, now: UnixMillis) {
        let alarm = visitor.next_alarm(&self.context, now);
        // Time ends there: what would fall on it never comes.
        if alarm < UnixMillis::MAX {
            self.alarms.insert((alarm, id.clone()));
        }
        self.visitors.insert(id, (visitor, alarm));
    }

    fn clock(&mut self, until: UnixMillis) {
        self.fire_before(until);
        self.engine_time = self.engine_time.max(until);
    }

    fn activate(&mut self, rules: &'a RuleSet) {
        let context = Context::new(rules, self.context.settings);
        let former = std::mem::replace(&mut self.context, context);
        let at = self.engine_time;
        self.alarms.clear();
        for (id, (mut visitor, _)) in std::mem::take(&mut self.visitors) {
            let activation = Activation { former: &former, context: &self.context, at };
            self.changes.extend(activation.adopt(&mut visitor));
            // What time does at this very instant is still to come.
            self.keep(id, visitor, at - Millis::new(1));
        }
    }

    fn record(&mut self, input: &Input) {
        self.clock(input.record_time);
        let id = &input.event.visitor;
        let mut visitor = match self.visitors.get(id) {
            Some((visitor, _)) if visitor.has_seen(input, &self.context) => return,
            Some((visitor, alarm)) => {
                self.alarms.remove(&(*alarm, id.clone()));
                visitor.clone()
            }
            None => Visitor::new(id.clone(), &self.context),
        };
        self.changes.extend(visitor.event(&self.context, input, self.engine_time));
        self.keep(id.clone(), visitor, self.engine_time);
    }
}

/// Evaluates `rules` over `inputs`, which are in the order of decisions, and lets deadlines up to and including `until`
/// happen; the changes in the order in which they are decided.
#[must_use]
pub fn run(
    rules: &RuleSet,
    settings: &Settings,
    inputs: &[Input],
    until: UnixMillis,
) -> Vec<Change> {
    let steps: Vec<Step<'_>> = inputs.iter().map(Step::Record).collect();
    run_steps(rules, settings, &steps, until)
}

/// As [`run`], for runs in which the clock moved engine time too.
#[must_use]
pub fn run_steps<'a>(
    rules: &'a RuleSet,
    settings: &'a Settings,
    steps: &[Step<'a>],
    until: UnixMillis,
) -> Vec<Change> {
    let mut world = World {
        context: Context::new(rules, settings),
        engine_time: UnixMillis::MIN,
        visitors: BTreeMap::new(),
        alarms: BTreeSet::new(),
        changes: Vec::new(),
    };
    for step in steps {
        match step {
            Step::Record(input) => world.record(input),
            Step::Clock(until) => world.clock(*until),
            Step::Activate(rules) => world.activate(rules),
        }
    }
    world.fire_before(until + Millis::new(1));
    world.changes
}
