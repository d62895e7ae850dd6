//! One visitor's life: events and deadlines in order, every audience evaluated after each.

use crate::history::History;
use crate::membership::{Conditions, State, Transition};
use crate::reason::{Decision, Moment};
use crate::truth::View;
use crate::{Input, Settings};
use std::collections::BTreeSet;
use tzeva_audience::{Audience, Leaf, RuleSet};
use tzeva_model::{
    Cause, Change, Direction, Millis, NameId, Origin, Place, Reason, ReasonKind, UnixMillis,
    VisitorId,
};

/// What does not change during a run.
pub(crate) struct Context<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) settings: &'a Settings,
    /// How long after an event of this name something may become true or false: every duration that a leaf gives.
    spans: Vec<(NameId, Millis)>,
    /// Every leaf there is.
    leaves: Vec<&'a Leaf>,
}

/// A visitor.
#[derive(Clone)]
pub(crate) struct Visitor {
    id: VisitorId,
    pub(crate) history: History,
    /// One for each audience, in the rule set's order.
    pub(crate) states: Vec<State>,
    /// Engine time of the last applied record.
    seen: UnixMillis,
}

/// What an evaluation is part of.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) now: UnixMillis,
    /// The record that was just applied, if it was one.
    pub(crate) record: Option<&'a Input>,
}

// === impl Context ===

impl<'a> Context<'a> {
    pub(crate) fn new(rules: &'a RuleSet, settings: &'a Settings) -> Self {
        let mut leaves = Vec::new();
        for audience in &rules.audiences {
            let conditions = [Some(&audience.enter), audience.exit_when.as_ref()];
            for condition in conditions.into_iter().flatten() {
                condition.each_leaf(&mut |leaf| leaves.push(leaf));
            }
        }
        let mut spans = Vec::new();
        for leaf in &leaves {
            match leaf {
                Leaf::Event(event) => {
                    spans.extend(event.within.map(|within| (event.name.id(), within)));
                    spans.push((event.name.id(), settings.max_age));
                    spans.extend(event.after.as_ref().map(|y| (y.id(), settings.max_age)));
                }
                Leaf::Last(last) => {
                    spans.push((last.event.id(), last.ago));
                    spans.push((last.event.id(), settings.max_age));
                }
                Leaf::Sum(sum) => {
                    spans.extend(sum.within.map(|within| (sum.event.id(), within)));
                    spans.push((sum.event.id(), settings.max_age));
                }
                Leaf::Sequence(sequence) => {
                    for step in &sequence.steps {
                        spans.extend(sequence.within.map(|within| (step.name.id(), within)));
                        spans.push((step.name.id(), settings.max_age));
                    }
                }
                _ => {}
            }
        }
        spans.sort();
        spans.dedup();
        Self { rules, settings, spans, leaves }
    }

    pub(crate) fn view<'h>(
        &'h self,
        history: &'h History,
        members: &'h BTreeSet<NameId>,
        now: UnixMillis,
    ) -> View<'h> {
        View { history, now, paint: &self.rules.paint, max_age: self.settings.max_age, members }
    }

    /// When the event of this record counts as having happened.
    fn instant(&self, input: &Input) -> UnixMillis {
        let said = input.event.occurred_at;
        if self.settings.backtest { said } else { said.min(input.record_time) }
    }

    fn origin(&self, occasion: Occasion) -> Origin {
        let Some(input) = occasion.record else { return Origin::Live };
        let late = input.record_time - input.event.occurred_at > self.settings.late_after;
        let behind = input.record_time < occasion.now;
        if (late || behind) && !self.settings.backtest { Origin::Late } else { Origin::Live }
    }
}

// === impl Visitor ===

impl Visitor {
    pub(crate) fn new(id: VisitorId, context: &Context) -> Self {
        let states = vec![State::NEW; context.rules.audiences.len()];
        Self { id, history: History::default(), states, seen: UnixMillis::MIN }
    }

    /// Tells whether this record repeats one that is kept.
    pub(crate) fn has_seen(&self, input: &Input, context: &Context) -> bool {
        self.history.holds(context.instant(input), input.event.id.bits())
    }

    /// Applies a record and evaluates everything after it.
    pub(crate) fn event(
        &mut self,
        context: &Context,
        input: &Input,
        now: UnixMillis,
    ) -> Vec<Change> {
        let before = self.history.clone();
        let at = context.instant(input);
        self.history.apply(&input.event, at, now, (&context.rules.paint, context.settings));
        self.seen = now;
        self.evaluate(context, &before, Occasion { now, record: Some(input) })
    }

    /// Evaluates everything at an instant at which no event came.
    pub(crate) fn deadline(&mut self, context: &Context, now: UnixMillis) -> Vec<Change> {
        let before = self.history.clone();
        self.evaluate(context, &before, Occasion { now, record: None })
    }

    /// The instant at which the visitor is forgotten unless a record is applied first.
    pub(crate) fn ends_at(&self, context: &Context) -> UnixMillis {
        self.seen + context.settings.idle
    }

    /// The end: every membership is exited.
    pub(crate) fn forget(&self, context: &Context, now: UnixMillis) -> Vec<Change> {
        let audiences = context.rules.audiences.iter().zip(&self.states);
        let members = audiences.filter(|(_, state)| matches!(state, State::In { .. }));
        let occasion = Occasion { now, record: None };
        members
            .map(|(audience, _)| {
                let decision = Decision::by_policy(Place::Idle);
                let mut change =
                    self.change(context, (audience, Direction::Exited), decision, occasion);
                change.reason.kind = ReasonKind::Forgotten;
                change
            })
            .collect()
    }

    /// The first instant after `now` at which anything could differ without an event: too many are no harm.
    pub(crate) fn next_alarm(&self, context: &Context, now: UnixMillis) -> UnixMillis {
        let mut alarms = Vec::new();
        for (name, span) in &context.spans {
            let strokes = self.history.strokes.iter().filter(|stroke| stroke.name() == *name);
            alarms.extend(strokes.map(|stroke| stroke.at + *span));
            let cells = self.history.cells.iter().filter(|cell| cell.event == *name);
            alarms.extend(cells.map(|cell| cell.last + *span));
        }
        for leaf in &context.leaves {
            let Leaf::Interest(leaf) = leaf else { continue };
            let marks = self.history.marks.iter().filter(|mark| mark.tag == leaf.tag);
            alarms.extend(marks.map(|mark| mark.fades_below(&context.rules.paint, leaf.threshold)));
        }
        for (audience, state) in context.rules.audiences.iter().zip(&self.states) {
            alarms.extend(state.deadlines(audience));
        }
        alarms.into_iter().filter(|at| *at > now).fold(self.ends_at(context), UnixMillis::min)
    }

    /// The audiences that the visitor is in.
    pub(crate) fn members(&self, context: &Context) -> BTreeSet<NameId> {
        let audiences = context.rules.audiences.iter().zip(&self.states);
        let members = audiences.filter(|(_, state)| matches!(state, State::In { .. }));
        members.map(|(audience, _)| audience.name.id()).collect()
    }

    fn evaluate(&mut self, context: &Context, before: &History, occasion: Occasion) -> Vec<Change> {
        let now = occasion.now;
        let members_before = self.members(context);
        let mut members = members_before.clone();
        let mut changes = Vec::new();
        for (audience, state) in context.rules.audiences.iter().zip(&mut self.states) {
            let moment = Moment {
                before: context.view(before, &members_before, now - Millis::new(1)),
                now: context.view(&self.history, &members, now),
            };
            let enter = moment.now.node(&audience.enter);
            let exit = audience.exit_when.as_ref().is_some_and(|x| moment.now.node(x));
            let Some(transition) = state.evaluate(audience, Conditions { enter, exit, now }) else {
                continue;
            };
            let direction = match transition {
                Transition::Entered { .. } => Direction::Entered,
                _ => Direction::Exited,
            };
            changes.push((audience, direction, moment.decision(audience, transition)));
            match direction {
                Direction::Entered => members.insert(audience.name.id()),
                Direction::Exited => members.remove(&audience.name.id()),
            };
        }
        let changes = changes.into_iter().map(|(audience, direction, decision)| {
            self.change(context, (audience, direction), decision, occasion)
        });
        changes.collect()
    }

    pub(crate) fn change(
        &self,
        context: &Context,
        what: (&Audience, Direction),
        decision: Decision,
        occasion: Occasion,
    ) -> Change {
        let (audience, direction) = what;
        let cause = occasion.record.map(|input| Cause {
            id: input.event.id.clone(),
            name: input.event.name.id(),
            time: input.event.occurred_at,
            traceparent: input.event.traceparent.clone(),
        });
        let kind = if cause.is_some() { ReasonKind::Event } else { ReasonKind::Deadline };
        let Decision { place, exact, evidence } = decision;
        Change {
            visitor: self.id.clone(),
            audience: audience.name.id(),
            audience_version: audience.version,
            direction,
            effective_at: occasion.now,
            origin: context.origin(occasion),
            reason: Reason { kind, place, exact, evidence, cause },
        }
    }
}
