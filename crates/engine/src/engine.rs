//! The engine of one partition: its visitors in memory, their deadlines, and engine time, which never decreases.

use crate::decide::{Case, Trigger};
use crate::draft::Draft;
use crate::history;
use crate::live::Live;
use crate::money::Money;
use crate::paint::paint;
use crate::pen::{Pen, Visitor};
use crate::roster::Roster;
use crate::settings::Settings;
use crate::size;
use crate::sweep::{Rules, Sweep};
use crate::wake::Woken;
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_lens::view::Undo;
use tzeva_model::{
    Event, NameId, NameKind, Origin, Outcome, Rejection, RejectionCode, UnixMillis, VisitorId,
};
use tzeva_profile::{Op, Profile, stored};

/// Decides for the visitors of one partition.
#[derive(Debug)]
pub struct Engine {
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    now: UnixMillis,
    order_completed: NameId,
    pub(crate) roster: Roster,
    /// How often the rules have changed: what was derived from a profile under former ones is void.
    pub(crate) generation: u32,
    /// Some profiles may still be as the former rules left them.
    pub(crate) sweep: Option<Box<Sweep>>,
}

/// How an event lies in time.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// Engine time at its decision.
    now: UnixMillis,
    /// When it counts as having occurred.
    at: UnixMillis,
    /// It was clamped to its record time.
    clamped: bool,
    /// Its record time lies behind engine time.
    behind: bool,
    /// It occurred long before its record time.
    late: bool,
}

// === impl Engine ===

impl Engine {
    /// An engine without visitors, at `engine_time`.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, settings: Settings, engine_time: UnixMillis) -> Self {
        Self::under(Rules::compile(rules, settings.max_age), settings, engine_time)
    }

    /// An engine without visitors, at `engine_time`, under rules that are compiled already, for histories in which
    /// nothing counts longer than the settings' `max_age`.
    #[must_use]
    pub fn under(rules: Rules, settings: Settings, engine_time: UnixMillis) -> Self {
        Self {
            rules,
            settings,
            now: engine_time,
            order_completed: NameId::of(NameKind::Event, "order_completed"),
            roster: Roster::default(),
            generation: 0,
            sweep: None,
        }
    }

    /// An engine under the same rules and settings without visitors, at `engine_time`. Rules are not compiled again.
    #[must_use]
    pub fn afresh(&self, engine_time: UnixMillis) -> Self {
        Self::under(self.rules.clone(), self.settings.clone(), engine_time)
    }

    /// The rules that decide.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Lets all visitors go, with what they are armed for, and begins anew at `engine_time`.
    pub fn restart(&mut self, engine_time: UnixMillis) {
        self.roster.clear();
        self.now = engine_time;
    }

    /// Engine time.
    #[must_use]
    pub fn engine_time(&self) -> UnixMillis {
        self.now
    }

    /// Tells whether `visitor` is loaded, perhaps as known to be absent.
    #[must_use]
    pub fn holds(&self, visitor: &VisitorId) -> bool {
        self.roster.holds(visitor)
    }

    /// Takes in what the store has of `visitor`, and arms its deadline. One that is held already stays as it is.
    pub fn load(&mut self, visitor: VisitorId, profile: Option<Profile>) {
        let known = profile.map(|profile| Box::new(Visitor { profile, ..Visitor::default() }));
        self.roster.load(visitor, known);
    }

    /// Notes that `visitor`, whose profile need not be loaded yet, may be due at `at`. Ignored if it is held.
    pub fn arm(&mut self, visitor: VisitorId, at: UnixMillis) {
        self.roster.arm(visitor, at);
    }

    /// Visitors armed before `until` but not held, earliest first, at most `limit`: load them before firing.
    #[must_use]
    pub fn wanted_before(&self, until: UnixMillis, limit: usize) -> Vec<VisitorId> {
        self.roster.wanted_before(until, limit)
    }

    /// Who is armed from `from` on and before `until`, in order: what a due set is filled with.
    #[must_use]
    pub fn armed(&self, from: UnixMillis, until: UnixMillis) -> Vec<(UnixMillis, VisitorId)> {
        self.roster.armed(from, until)
    }

    /// The earliest armed instant; may be early, never late.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixMillis> {
        self.roster.next_deadline()
    }

    /// The largest instant up to `until` before which at most about `limit` armed entries lie; at least one whole
    /// instant of them, so that whoever fires in such steps gets on.
    #[must_use]
    pub fn until_within(&self, until: UnixMillis, limit: usize) -> UnixMillis {
        self.roster.until_within(until, limit)
    }

    /// Fires every deadline before `until`, in order of (instant, visitor); then engine time is at least `until`.
    ///
    /// A visitor that is armed but not held stays armed, and fires late once it is loaded: see `wanted_before`.
    pub fn fire_until(&mut self, until: UnixMillis, draft: &mut Draft) {
        let mut last = None;
        while let Some(due) = self.roster.due(until, last.as_ref()) {
            let (at, visitor) = &due;
            self.now = self.now.max(*at);
            self.fire(visitor, draft);
            last = Some(due);
        }
        self.now = self.now.max(until);
    }

    /// Decides `event` at its record time, or at engine time if that is later. Every deadline before that instant must
    /// have been fired, and the visitor be held; one that isn't counts as never seen.
    ///
    /// `Duplicate` and `Rejected` leave no trace but a later engine time.
    pub fn take(&mut self, record_time: UnixMillis, event: &Event, draft: &mut Draft) -> Outcome {
        let timing = self.timing(record_time, event);
        self.now = timing.now;
        let visitor = &event.visitor;
        let (held, known) = self.roster.take(visitor);
        let known = known.and_then(|known| self.met(visitor, known, draft));
        let (known, outcome) = match known {
            Some(known) if history::is_known(&known.profile, timing.at, event.id.bits()) => {
                (Some(known), Outcome::Duplicate)
            }
            known => self.admit(known, event, timing, draft),
        };
        self.roster.put(visitor, known);
        if !held {
            self.roster.enlist(visitor);
        }
        outcome
    }

    /// The profile of `visitor` as decided so far; `None`: it is absent, or not held.
    #[must_use]
    pub fn profile(&self, visitor: &VisitorId) -> Option<&Profile> {
        self.roster.get(visitor).map(|known| &known.profile)
    }

    /// Drops held visitors for which `keep` is false, oldest first, until at most `target` are held. Their deadlines
    /// stay armed.
    pub fn evict(&mut self, keep: &dyn Fn(&VisitorId) -> bool, target: usize) {
        self.roster.evict(keep, target);
    }

    /// Drops a held visitor; its deadline stays armed. Its profile must be in the store as it is here.
    pub fn let_go(&mut self, visitor: &VisitorId) {
        self.roster.let_go(visitor);
    }

    /// How many visitors are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.roster.len()
    }

    /// Tells whether no visitor is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn timing(&self, record_time: UnixMillis, event: &Event) -> Timing {
        let live = !self.settings.backtest;
        let now = self.now.max(record_time);
        let distance = record_time - event.occurred_at;
        Timing {
            now,
            at: event.occurred_at.min(if live { record_time } else { now }),
            clamped: live && event.occurred_at > record_time,
            behind: live && record_time < self.now,
            late: live && distance > self.settings.late_after,
        }
    }

    /// Applies an event that is no duplicate, unless the profile would grow too large: then nothing happens.
    fn admit(
        &self,
        known: Option<Box<Visitor>>,
        event: &Event,
        timing: Timing,
        draft: &mut Draft,
    ) -> (Option<Box<Visitor>>, Outcome) {
        let limit = self.settings.max_profile_bytes;
        let first = known.is_none();
        let mut visitor = known.unwrap_or_default();
        let growth = size::growth(event);
        let needed = growth + size::SLACK;
        if visitor.room < needed && !visitor.measured {
            visitor.room = limit.saturating_sub(stored::size_bound(&visitor.profile));
            if visitor.room < needed {
                visitor.room = limit.saturating_sub(size::measure(&mut visitor.profile));
                visitor.measured = true;
                draft.counts.measured += 1;
            }
        }
        if visitor.room >= needed {
            let standings = visitor.profile.standings.len();
            self.apply(&mut visitor, event, timing, draft);
            visitor.grew(growth, standings);
            return (Some(visitor), Outcome::Painted);
        }
        // So near the limit that it might not fit: keep what is needed to go back.
        let kept = visitor.clone();
        let mark = draft.bookmark(&event.visitor);
        self.apply(&mut visitor, event, timing, draft);
        let bytes = size::measure(&mut visitor.profile);
        if bytes <= limit {
            (visitor.room, visitor.measured) = (limit - bytes, true);
            draft.counts.measured += 1;
            return (Some(visitor), Outcome::Painted);
        }
        draft.back_to(mark, &event.visitor);
        draft.counts.measured += 1;
        let detail = format!("the profile would take {bytes} bytes, at most {limit} are allowed");
        let rejection = Rejection::new(RejectionCode::TooLarge, detail);
        ((!first).then_some(kept), Outcome::Rejected(rejection))
    }

    /// Applies an event and evaluates what it can move.
    fn apply(&self, visitor: &mut Visitor, event: &Event, timing: Timing, draft: &mut Draft) {
        let Timing { now, at, .. } = timing;
        self.tally(&visitor.profile, event, timing, draft);
        let mut pen = self.pen(visitor, &event.visitor, now, draft);
        let due = pen.profile.deadline.is_none_or(|deadline| deadline <= now);
        let (mut undo, mut woken) = (Undo::default(), Woken::new(due));
        history::forget_old(&mut pen, self.settings.max_age, &mut undo);
        let stroke = history::stroke(pen.profile, event, at, &self.settings);
        history::insert(&mut pen, stroke, &mut undo, &mut woken);
        history::make_room(&mut pen, (event, &self.settings), &mut undo, &mut woken);
        paint(&mut pen, event, at, &mut undo, &mut woken);
        history::learn(&mut pen, (event, at), &mut undo, &mut woken);
        pen.write(Op::Seen(now));
        pen.stamp();
        let origin = if timing.late || timing.behind { Origin::Late } else { Origin::Live };
        let case = Case {
            program: self.rules.program(),
            visitor: &event.visitor,
            now,
            trigger: Trigger::Event { event, origin },
            undo: &undo,
        };
        let all = woken.all;
        let audiences =
            if all { pen.look().candidates() } else { woken.into_audiences().into_vec() };
        let wake = case.evaluate(&mut pen, &audiences).min(now + self.settings.idle);
        // Who was not looked at has no earlier bound than before; that bound stands, though it may have moved later.
        let wake = match pen.profile.deadline {
            Some(deadline) if !all => deadline.min(wake),
            _ => wake,
        };
        arm(&mut pen, wake);
    }

    /// Fires the deadline of `visitor` at engine time.
    fn fire(&mut self, visitor: &VisitorId, draft: &mut Draft) {
        let (_, Some(known)) = self.roster.take(visitor) else { return };
        let known = self.met(visitor, known, draft).and_then(|mut known| {
            // Whoever was behind may have another deadline by now.
            let is_due = known.profile.deadline.is_none_or(|deadline| deadline <= self.now);
            let stays =
                !is_due || self.pass(visitor, &mut known, (self.now, Trigger::Deadline), draft);
            stays.then_some(known)
        });
        self.roster.put(visitor, known);
    }

    /// Lets time do what it does to `known` at `now`. False: the profile ends.
    pub(crate) fn pass(
        &self,
        visitor: &VisitorId,
        known: &mut Visitor,
        (now, trigger): (UnixMillis, Trigger<'_>),
        draft: &mut Draft,
    ) -> bool {
        draft.counts.deadlines_fired += 1;
        let end = known.profile.seen + self.settings.idle;
        let standings = known.profile.standings.len();
        let undo = Undo::default();
        let case = Case { program: self.rules.program(), visitor, now, trigger, undo: &undo };
        let mut pen = self.pen(known, visitor, now, draft);
        if end <= now {
            case.forget(&mut pen);
            return false;
        }
        let audiences = pen.look().candidates();
        let wake = case.evaluate(&mut pen, &audiences).min(end);
        arm(&mut pen, wake);
        pen.stamp();
        known.grew(0, standings);
        true
    }

    fn pen<'a>(
        &'a self,
        visitor: &'a mut Visitor,
        id: &VisitorId,
        now: UnixMillis,
        draft: &'a mut Draft,
    ) -> Pen<'a> {
        let delta = draft.open(id);
        let program = self.rules.program();
        let Visitor { profile, live, generation, .. } = visitor;
        if *generation != self.generation {
            (*generation, *live) = (self.generation, None);
        }
        let live = live.get_or_insert_with(|| Live::of(program, profile));
        Pen { program, profile, live, draft, now, delta, wrote: false }
    }

    fn tally(&self, profile: &Profile, event: &Event, timing: Timing, draft: &mut Draft) {
        let counts = &mut draft.counts;
        let new = profile.deadline.is_none() && event.name.id() == self.order_completed;
        counts.purchases_without_history += u64::from(new);
        let amounts = event.revenue.is_some() || event.items.iter().any(|i| i.price.is_some());
        let money = Money::of(event, profile, &self.settings.currencies);
        counts.without_rate += u64::from(amounts && money == Money::Unknown);
        counts.clamped += u64::from(timing.clamped);
        counts.behind_engine_time += u64::from(timing.behind);
        counts.late += u64::from(timing.late);
        let missed = history::may_repeat_unseen(profile, timing.at);
        counts.duplicate_window_missed += u64::from(missed);
    }
}

/// Sets the deadline, if it is another one.
pub(crate) fn arm(pen: &mut Pen<'_>, wake: UnixMillis) {
    if pen.profile.deadline != Some(wake) {
        pen.write(Op::Deadline(Some(wake)));
    }
}

#[cfg(test)]
mod tests;
