//! The engine of one partition: its visitors in memory, their deadlines, and engine time, which never decreases.

use crate::decide::{Case, Trigger};
use crate::draft::Draft;
use crate::history;
use crate::paint::paint;
use crate::pen::Pen;
use crate::roster::Roster;
use crate::settings::Settings;
use crate::view::Undo;
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_model::{
    Event, NameId, NameKind, Origin, Outcome, Rejection, RejectionCode, UnixMillis, VisitorId,
};
use tzeva_profile::{Op, Profile};

/// Decides for the visitors of one partition.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    settings: Settings,
    now: UnixMillis,
    order_completed: NameId,
    roster: Roster,
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
        Self {
            rules,
            settings,
            now: engine_time,
            order_completed: NameId::of(NameKind::Event, "order_completed"),
            roster: Roster::default(),
        }
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
        self.roster.load(visitor, profile);
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
        let held = self.roster.holds(visitor);
        let mut known = self.roster.take(visitor);
        if let Some(profile) = &known
            && history::is_known(profile, timing.at, event.id.bits())
        {
            self.roster.put(visitor, known);
            return Outcome::Duplicate;
        }
        let kept = known.clone();
        let mark = draft.bookmark(visitor);
        let first = known.is_none();
        if first && event.name.id() == self.order_completed {
            draft.counts.purchases_without_history += 1;
        }
        let mut profile = known.take().unwrap_or_default();
        self.apply(&mut profile, event, timing, draft);
        let outcome = if self.is_too_large(&profile) {
            draft.back_to(mark, visitor);
            let put = kept;
            self.roster.put(visitor, put);
            Outcome::Rejected(Rejection::new(
                RejectionCode::TooLarge,
                format!(
                    "the profile would take more than {} bytes",
                    self.settings.max_profile_bytes
                ),
            ))
        } else {
            self.roster.put(visitor, Some(profile));
            Outcome::Painted
        };
        if !held {
            self.roster.enlist(visitor);
        }
        outcome
    }

    /// The profile of `visitor` as decided so far; `None`: it is absent, or not held.
    #[must_use]
    pub fn profile(&self, visitor: &VisitorId) -> Option<&Profile> {
        self.roster.profile(visitor)
    }

    /// Drops held visitors for which `keep` is false, oldest first, until at most `target` are held. Their deadlines
    /// stay armed.
    pub fn evict(&mut self, keep: &dyn Fn(&VisitorId) -> bool, target: usize) {
        self.roster.evict(keep, target);
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

    /// Applies an event that is no duplicate, and evaluates.
    fn apply(&self, profile: &mut Profile, event: &Event, timing: Timing, draft: &mut Draft) {
        let Timing { now, at, .. } = timing;
        let delta = draft.open(&event.visitor);
        draft.counts.clamped += u64::from(timing.clamped);
        draft.counts.behind_engine_time += u64::from(timing.behind);
        draft.counts.late += u64::from(timing.late);
        let missed = history::may_repeat_unseen(profile, at);
        draft.counts.duplicate_window_missed += u64::from(missed);
        let mut pen = Pen::new(profile, draft, delta);
        let mut undo = Undo::default();
        history::forget_old(&mut pen, self.settings.max_age, now, &mut undo);
        history::insert(&mut pen, history::stroke(event, at, self.settings.max_items), &mut undo);
        history::make_room(&mut pen, &self.settings, &mut undo);
        paint(&mut pen, &self.rules.paint, event, at, &mut undo);
        history::learn(&mut pen, event, at);
        pen.write(Op::Seen(now));
        if pen.profile.stamp != self.rules.version {
            pen.write(Op::Stamp(self.rules.version));
        }
        let origin = if timing.late || timing.behind { Origin::Late } else { Origin::Live };
        let trigger = Trigger::Event { event, origin };
        let case = self.case(&event.visitor, now, trigger, &undo);
        let wake = case.evaluate(&mut pen).min(now + self.settings.idle);
        let wake = match pen.profile.deadline {
            Some(deadline) if deadline > now => deadline.min(wake),
            _ => wake,
        };
        arm(&mut pen, wake);
    }

    /// Fires the deadline of `visitor` at engine time.
    fn fire(&mut self, visitor: &VisitorId, draft: &mut Draft) {
        let Some(mut profile) = self.roster.take(visitor) else { return };
        draft.counts.deadlines_fired += 1;
        let delta = draft.open(visitor);
        let end = profile.seen + self.settings.idle;
        let mut pen = Pen::new(&mut profile, draft, delta);
        let undo = Undo::default();
        let case = self.case(visitor, self.now, Trigger::Deadline, &undo);
        if end <= self.now {
            case.forget(&mut pen);
            self.roster.put(visitor, None);
            return;
        }
        let wake = case.evaluate(&mut pen).min(end);
        arm(&mut pen, wake);
        self.roster.put(visitor, Some(profile));
    }

    fn case<'a>(
        &'a self,
        visitor: &'a VisitorId,
        now: UnixMillis,
        trigger: Trigger<'a>,
        undo: &'a Undo,
    ) -> Case<'a> {
        Case { rules: &self.rules, settings: &self.settings, visitor, now, trigger, undo }
    }

    fn is_too_large(&self, _profile: &Profile) -> bool {
        false
    }
}

fn arm(pen: &mut Pen<'_>, wake: UnixMillis) {
    if pen.profile.deadline != Some(wake) {
        pen.write(Op::Deadline(Some(wake)));
    }
}
