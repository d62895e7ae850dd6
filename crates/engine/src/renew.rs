//! Renewal: what an activation means for one visitor.
//!
//! In order, all as of the activation: what the former rules would have let go is let go; standings in audiences that are
//! gone end; interest whose half-life is another now is re-based; waits whose condition reads otherwise begin anew; then
//! the audiences that are new or edited are evaluated, and those that are `in` one that moved. Audiences that did not
//! change are not looked at: nothing happened to them. Last, what time alone would have done since then happens late,
//! each flip at its own instant.

use crate::decide::{Case, Trigger};
use crate::draft::Draft;
use crate::engine::{Engine, arm};
use crate::pen::{Pen, Visitor};
use crate::shift::{Concern, Fate, Shift};
use crate::sweep::Sweep;
use smallvec::SmallVec;
use tzeva_lens::view::Undo;
use tzeva_model::{Direction, NameId, Place, Reason, ReasonKind, UnixMillis, VisitorId};
use tzeva_profile::{Op, Standing, State, Tag, decay};

// === impl Engine ===

impl Engine {
    /// Brings a held visitor up to date if they are behind; looks at others only.
    pub(crate) fn sweep_one(&mut self, visitor: &VisitorId, draft: &mut Draft) {
        let Some(sweep) = &self.sweep else { return };
        let Some(known) = self.roster.get(visitor) else { return };
        if !sweep.is_behind(self.rules.version(), visitor, &known.profile) {
            return;
        }
        let concern = sweep.shift.first_look(&known.profile, sweep.at);
        let is_due = known.profile.deadline.is_some_and(|deadline| deadline < self.engine_time());
        if concern.is_none() && !is_due {
            return;
        }
        let (_, Some(known)) = self.roster.take(visitor) else { return };
        let known = self.renewed(visitor, known, concern, draft);
        self.roster.put(visitor, known);
    }

    /// The visitor, up to date: renewed if they are behind. `None`: they were forgotten since the activation.
    pub(crate) fn met(
        &self,
        visitor: &VisitorId,
        known: Box<Visitor>,
        draft: &mut Draft,
    ) -> Option<Box<Visitor>> {
        match &self.sweep {
            Some(s) if s.is_behind(self.rules.version(), visitor, &known.profile) => {
                let concern = s.shift.first_look(&known.profile, s.at);
                self.renewed(visitor, known, concern, draft)
            }
            _ => Some(known),
        }
    }

    fn renewed(
        &self,
        visitor: &VisitorId,
        mut known: Box<Visitor>,
        concern: Option<Concern>,
        draft: &mut Draft,
    ) -> Option<Box<Visitor>> {
        if let (Some(sweep), Some(concern)) = (&self.sweep, concern) {
            let standings = known.profile.standings.len();
            self.renew(sweep, (visitor, &mut known), concern, draft);
            known.grew(0, standings);
        }
        let mut passed = UnixMillis::MIN;
        let due = |at: &UnixMillis, passed| *at < self.engine_time() && *at > passed;
        while let Some(at) = known.profile.deadline.filter(|at| due(at, passed)) {
            passed = at;
            if !self.pass(visitor, &mut known, (at, Trigger::Overdue), draft) {
                return None;
            }
        }
        Some(known)
    }

    fn renew(
        &self,
        sweep: &Sweep,
        (visitor, known): (&VisitorId, &mut Visitor),
        concern: Concern,
        draft: &mut Draft,
    ) {
        let (shift, now) = (&sweep.shift, sweep.at);
        let Concern { mut live, audiences } = concern;
        let case = Case {
            program: shift.part(),
            visitor,
            now,
            trigger: Trigger::Rules,
            undo: &Undo::default(),
        };
        let end = known.profile.seen + self.settings.idle;
        let deadline = known.profile.deadline;
        let delta = draft.open(visitor);
        let mut pen = Pen {
            program: case.program,
            profile: &mut known.profile,
            live: &mut live,
            draft,
            now,
            delta,
            wrote: false,
        };
        leave(&case, &mut pen, shift);
        edit(&mut pen, shift);
        refade(&mut pen, shift);
        let wake = case.evaluate(&mut pen, &audiences).min(end);
        // Who was not looked at has no earlier bound than before.
        arm(&mut pen, if shift.is_whole() { wake } else { deadline.map_or(wake, |d| d.min(wake)) });
        if pen.wrote {
            pen.stamp();
        }
        draft.close(delta);
    }
}

/// Lets the visitor out of audiences that are gone, in the order of the former rules.
fn leave(case: &Case<'_>, pen: &mut Pen<'_>, shift: &Shift) {
    let gone = |s: &Standing| match shift.fate(s.audience) {
        Some(Fate::Gone(place)) => Some((place, *s)),
        _ => None,
    };
    let mut gone: SmallVec<[(u32, Standing); 4]> =
        pen.profile.standings.iter().filter_map(gone).collect();
    gone.sort_unstable_by_key(|(place, _)| *place);
    for (place, standing) in gone {
        if let State::In { .. } = standing.state {
            let reason = Reason {
                kind: ReasonKind::AudienceRemoved,
                place: Place::Audience,
                exact: true,
                evidence: Vec::new(),
                cause: None,
            };
            let audience = &shift.former().audiences[place as usize];
            case.publish(pen, audience, Direction::Exited, reason);
        }
        pen.write(Op::Unstand(standing.audience));
    }
}

/// Lets go of what edited audiences need not remember: exits that had cooled, and waits for another condition.
fn edit(pen: &mut Pen<'_>, shift: &Shift) {
    let now = pen.now;
    let edited = |s: &Standing| {
        let Some(Fate::Edited(place, waits)) = shift.fate(s.audience) else { return None };
        let State::Out { last_exit, disarmed, pending } = s.state else { return None };
        let cooling = shift.former().audiences[place as usize].reenter_after;
        let last_exit = last_exit.filter(|&exit| now < exit + cooling);
        let pending = pending.filter(|_| waits);
        let state = State::Out { last_exit, disarmed, pending };
        (state != s.state).then_some((s.audience, state))
    };
    let edited: SmallVec<[(NameId, State); 4]> =
        pen.profile.standings.iter().filter_map(edited).collect();
    for (audience, state) in edited {
        let nothing = State::Out { last_exit: None, disarmed: false, pending: None };
        pen.write(match state == nothing {
            true => Op::Unstand(audience),
            false => Op::Stand(Standing { audience, state }),
        });
    }
}

/// Makes the score that a tag has left the score that it fades from, where the half-life is another one now.
fn refade(pen: &mut Pen<'_>, shift: &Shift) {
    if !shift.is_whole() {
        return;
    }
    let now = pen.now;
    let rebased = |tag: &Tag| {
        let before = shift.refaded(tag.key.level).filter(|_| tag.at < now)?;
        #[expect(clippy::cast_possible_truncation, reason = "rounded once, to what is stored")]
        let score = decay::faded(tag.score, tag.at, before, now) as f32;
        Some(Tag { score, at: now, ..*tag })
    };
    let rebased: SmallVec<[Tag; 16]> = pen.profile.tags.iter().filter_map(rebased).collect();
    for tag in rebased {
        pen.write(if tag.score > 0.0 { Op::Tag(tag) } else { Op::Untag(tag.key) });
    }
}
