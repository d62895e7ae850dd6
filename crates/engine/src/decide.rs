//! One evaluation of a visitor at an instant: truths, then memberships in rule order, then the next deadline.

use crate::membership::{Moved, step};
use crate::pen::Pen;
use crate::program::Program;
use crate::reason::Scene;
use smallvec::SmallVec;
use std::collections::BTreeSet;
use tzeva_audience::Audience;
use tzeva_lens::view::{Undo, View, standing};
use tzeva_lens::{NEVER, Verdict};
use tzeva_model::{
    Cause, Change, Direction, Event, NameId, Origin, Place, Reason, ReasonKind, UnixMillis,
    VisitorId,
};
use tzeva_profile::{Op, Profile, Standing, State};

/// Why a visitor is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trigger<'a> {
    /// An event was applied.
    Event { event: &'a Event, origin: Origin },
    /// Time passed.
    Deadline,
    /// Other rules were activated.
    Rules,
    /// Time passed between an activation and now.
    Overdue,
}

/// An evaluation to be done.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    /// The rules.
    pub(crate) program: &'a Program,
    /// Who.
    pub(crate) visitor: &'a VisitorId,
    /// Engine time.
    pub(crate) now: UnixMillis,
    /// Why.
    pub(crate) trigger: Trigger<'a>,
    /// How to look behind the event.
    pub(crate) undo: &'a Undo,
}

/// Audiences that an evaluation let the visitor into or out of, each with whether they were a member.
type Moves = SmallVec<[(NameId, bool); 4]>;

// === impl Case ===

impl Case<'_> {
    /// Evaluates these audiences, which are ascending; answers the instant before which nothing happens to any of them
    /// without an event.
    pub(crate) fn evaluate(&self, pen: &mut Pen<'_>, audiences: &[u32]) -> UnixMillis {
        let mut wake = NEVER;
        let mut moved = Moves::new();
        let mut asked = audiences.iter().copied().peekable();
        // Audiences that are `in` one that moved come later in the order than that one.
        let mut roused = BTreeSet::new();
        loop {
            let number = match (asked.peek().copied(), roused.first().copied()) {
                (Some(next), Some(first)) => next.min(first),
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => return wake,
            };
            asked.next_if_eq(&number);
            roused.remove(&number);
            let truth = pen.look().plan(&self.program.plans[number as usize]);
            let audience = &self.program.rules.audiences[number as usize];
            let known = moved.len();
            wake = wake.min(self.settle(pen, audience, truth, &mut moved));
            if moved.len() > known {
                roused.extend(pen.look().roused(audience.name.id()).filter(|&n| n > number));
            }
        }
    }

    /// Ends the profile: every membership exits, in rule order, and all is removed.
    pub(crate) fn forget(&self, pen: &mut Pen<'_>) {
        for audience in &self.program.rules.audiences {
            if let Some(State::In { .. }) = standing(pen.profile, audience.name.id()) {
                let reason = Reason {
                    kind: ReasonKind::Forgotten,
                    place: Place::Idle,
                    exact: true,
                    evidence: Vec::new(),
                    cause: None,
                };
                self.publish(pen, audience, Direction::Exited, reason);
            }
        }
        pen.write(Op::Forget);
        pen.draft.counts.forgotten += 1;
    }

    /// One step of one audience: writes what changed, answers its bound.
    fn settle(
        &self,
        pen: &mut Pen<'_>,
        audience: &Audience,
        truth: (Verdict, Verdict),
        moves: &mut Moves,
    ) -> UnixMillis {
        let id = audience.name.id();
        let state = standing(pen.profile, id);
        let next = step(audience, state, truth, self.now);
        pen.draft.counts.evaluated += 1;
        if let Some(moved) = next.moved {
            let reason = self.reason((pen.profile, pen.draft.tells_why()), audience, moved, moves);
            let direction = match moved {
                Moved::Entered { .. } => Direction::Entered,
                _ => Direction::Exited,
            };
            moves.push((id, direction == Direction::Exited));
            self.publish(pen, audience, direction, reason);
        }
        if next.state != state {
            match next.state {
                Some(state) => pen.write(Op::Stand(Standing { audience: id, state })),
                None => pen.write(Op::Unstand(id)),
            }
        }
        next.wake
    }

    fn reason(
        &self,
        (profile, bears_out): (&Profile, bool),
        audience: &Audience,
        moved: Moved,
        moves: &Moves,
    ) -> Reason {
        let scene = Scene {
            lens: self.program.lens,
            paint: &self.program.rules.paint,
            before: View::before(profile, self.undo, moves),
            after: View::now(profile),
            now: self.now,
            bears_out,
        };
        let decisive = match self.trigger {
            Trigger::Rules => scene.on_the_whole(audience, moved),
            _ => scene.decisive(audience, moved),
        };
        let (kind, cause) = match self.trigger {
            Trigger::Event { event, .. } => (ReasonKind::Event, Some(cause(event))),
            Trigger::Deadline | Trigger::Overdue => (ReasonKind::Deadline, None),
            Trigger::Rules => (ReasonKind::Rules, None),
        };
        Reason {
            kind,
            place: decisive.place,
            exact: decisive.exact,
            evidence: decisive.evidence,
            cause,
        }
    }

    /// Drafts a change.
    pub(crate) fn publish(
        &self,
        pen: &mut Pen<'_>,
        audience: &Audience,
        direction: Direction,
        reason: Reason,
    ) {
        let origin = match self.trigger {
            Trigger::Event { origin, .. } => origin,
            Trigger::Deadline => Origin::Live,
            Trigger::Rules | Trigger::Overdue => Origin::Rules,
        };
        pen.draft.changes.push(Change {
            visitor: self.visitor.clone(),
            audience: audience.name.id(),
            audience_version: audience.version,
            direction,
            effective_at: self.now,
            origin,
            reason,
        });
    }
}

fn cause(event: &Event) -> Cause {
    Cause {
        id: event.id.clone(),
        name: event.name.id(),
        time: event.occurred_at,
        traceparent: event.traceparent.clone(),
    }
}
