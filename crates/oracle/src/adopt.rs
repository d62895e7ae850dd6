//! What an activation does to everybody, at once and plainly.

use crate::membership::{Conditions, State, Transition};
use crate::paint::Mark;
use crate::reason::Decision;
use crate::visitor::{Context, Occasion, Visitor};
use std::collections::BTreeSet;
use tzeva_audience::{Audience, Leaf};
use tzeva_model::{Change, Direction, NameId, Origin, Place, ReasonKind, UnixMillis};

/// From one rule set to the next, at an instant.
pub(crate) struct Activation<'a, 'c> {
    pub(crate) former: &'c Context<'a>,
    pub(crate) context: &'c Context<'a>,
    pub(crate) at: UnixMillis,
}

// === impl Activation ===

impl<'a> Activation<'a, '_> {
    /// Brings a visitor under the new rules.
    pub(crate) fn adopt(&self, visitor: &mut Visitor) -> Vec<Change> {
        let mut changes = self.leave(visitor);
        self.take_over(visitor);
        let before = self.former.rules.paint.half_life;
        let after = self.context.rules.paint.half_life;
        let marks = std::mem::take(&mut visitor.history.marks);
        visitor.history.marks = marks.into_iter().filter_map(|mark| self.rebased(mark)).collect();
        let asked = self.context.rules.audiences.iter();
        let asked = asked.filter(|audience| before != after || !self.is_unchanged(audience));
        let asked = asked.map(|audience| audience.name.id()).collect();
        changes.extend(self.evaluate(visitor, &asked));
        changes
    }

    /// Out of every audience that is gone.
    fn leave(&self, visitor: &Visitor) -> Vec<Change> {
        let is_gone = |audience: &Audience| {
            !self.context.rules.audiences.iter().any(|other| other.name == audience.name)
        };
        let mut changes = Vec::new();
        for (audience, state) in self.former.rules.audiences.iter().zip(&visitor.states) {
            if is_gone(audience) && matches!(state, State::In { .. }) {
                let decision = Decision::by_policy(Place::Audience);
                let gone = ReasonKind::AudienceRemoved;
                changes.push(self.change(visitor, (audience, Direction::Exited), decision, gone));
            }
        }
        changes
    }

    /// States in the order of the new rules: what stays under its name goes on, what is new begins.
    fn take_over(&self, visitor: &mut Visitor) {
        let former: Vec<(&Audience, State)> =
            self.former.rules.audiences.iter().zip(visitor.states.iter().copied()).collect();
        let state = |audience: &Audience| {
            let known = former.iter().find(|(other, _)| other.name == audience.name);
            let Some(&(before, state)) = known else { return State::NEW };
            let State::Out { last_exit, disarmed, holds_since } = state else { return state };
            if before.version == audience.version {
                return state;
            }
            let cooling = |exit: &UnixMillis| self.at < *exit + before.reenter_after;
            let same = before.enter == audience.enter && before.exit_when == audience.exit_when;
            State::Out {
                last_exit: last_exit.filter(cooling),
                disarmed,
                holds_since: holds_since.filter(|_| same),
            }
        };
        visitor.states = self.context.rules.audiences.iter().map(state).collect();
    }

    /// The mark under the new half-lives; `None`: nothing is left of it.
    fn rebased(&self, mark: Mark) -> Option<Mark> {
        if !mark.fades_otherwise(&self.former.rules.paint, &self.context.rules.paint) {
            return Some(mark);
        }
        let at = self.at.max(mark.at);
        #[expect(clippy::cast_possible_truncation, reason = "to the nearest f32 is what is meant")]
        let score = mark.faded(&self.former.rules.paint, at) as f32;
        (score > 0.0).then_some(Mark { score, at, ..mark })
    }

    fn is_unchanged(&self, audience: &Audience) -> bool {
        let mut former = self.former.rules.audiences.iter();
        former.any(|other| other.name == audience.name && other.version == audience.version)
    }

    /// Evaluates those that are asked, and those that are `in` one that moves.
    fn evaluate(&self, visitor: &mut Visitor, asked: &BTreeSet<NameId>) -> Vec<Change> {
        let mut moved: BTreeSet<NameId> = BTreeSet::new();
        let mut changes = Vec::new();
        for (place, audience) in self.context.rules.audiences.iter().enumerate() {
            let id = audience.name.id();
            if !asked.contains(&id) && !is_in_any(audience, &moved) {
                continue;
            }
            let members = visitor.members(self.context);
            let view = self.context.view(&visitor.history, &members, self.at);
            let enter = view.node(&audience.enter);
            let exit = audience.exit_when.as_ref().is_some_and(|x| view.node(x));
            let (exact, exact_exit) = (
                every_leaf(Some(&audience.enter), &|leaf| view.is_exact(leaf)),
                every_leaf(audience.exit_when.as_ref(), &|leaf| view.is_exact(leaf)),
            );
            let is = Conditions { enter, exit, now: self.at };
            let Some(transition) = visitor.states[place].evaluate(audience, is) else { continue };
            moved.insert(id);
            let (direction, place, exact) = match transition {
                Transition::Entered { .. } => {
                    (Direction::Entered, Place::Enter, exact && exact_exit)
                }
                Transition::EntryCeased { .. } => (Direction::Exited, Place::Enter, exact),
                Transition::ExitCondition => (Direction::Exited, Place::ExitWhen, exact_exit),
                Transition::StayOver => (Direction::Exited, Place::AtMost, true),
            };
            let decision = Decision { exact, ..Decision::by_policy(place) };
            let towards = (audience, direction);
            changes.push(self.change(visitor, towards, decision, ReasonKind::Rules));
        }
        changes
    }

    fn change(
        &self,
        visitor: &Visitor,
        towards: (&Audience, Direction),
        decision: Decision,
        kind: ReasonKind,
    ) -> Change {
        let occasion = Occasion { now: self.at, record: None };
        let mut change = visitor.change(self.context, towards, decision, occasion);
        change.reason.kind = kind;
        change.origin = Origin::Rules;
        change
    }
}

fn is_in_any(audience: &Audience, others: &BTreeSet<NameId>) -> bool {
    let is_in =
        |leaf: &Leaf| matches!(leaf, Leaf::In(leaf) if others.contains(&leaf.audience.id()));
    let is_free = |leaf: &Leaf| !is_in(leaf);
    !(every_leaf(Some(&audience.enter), &is_free)
        && every_leaf(audience.exit_when.as_ref(), &is_free))
}

/// Tells whether all leaves of a condition pass; of none all do.
fn every_leaf(node: Option<&tzeva_audience::Node>, passes: &dyn Fn(&Leaf) -> bool) -> bool {
    let mut all = true;
    node.into_iter().for_each(|node| node.each_leaf(&mut |leaf| all &= passes(leaf)));
    all
}
