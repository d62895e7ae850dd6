//! Why a transition happened: the place in the audience that decided, and what bears it out.

use crate::history::{Stroke, tags};
use crate::membership::Transition;
use crate::paint::dose_for;
use crate::truth::View;
use tzeva_audience::{Audience, Dose, InterestLeaf, Leaf, Node, RankLeaf, ShareLeaf};
use tzeva_model::{Evidence, Place};

/// The history before (a millisecond earlier, without the event that was just applied) and now.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) before: View<'a>,
    pub(crate) now: View<'a>,
}

/// What decided.
pub(crate) struct Decision {
    pub(crate) place: Place,
    pub(crate) exact: bool,
    pub(crate) evidence: Vec<Evidence>,
}

/// A search, in document order, for the first leaf whose flip pushed a condition the way it went.
struct Search<'m> {
    moment: &'m Moment<'m>,
    next: u16,
    found: Option<u16>,
}

// === impl Decision ===

impl Decision {
    /// A decision by policy rests on no stroke.
    pub(crate) fn by_policy(place: Place) -> Self {
        Self { place, exact: true, evidence: Vec::new() }
    }
}

// === impl Moment ===

impl Moment<'_> {
    pub(crate) fn decision(&self, audience: &Audience, transition: Transition) -> Decision {
        let place = self.place(audience, transition);
        match place {
            Place::Leaf(index) => {
                let mut leaves: Vec<&Leaf> = Vec::new();
                audience.enter.each_leaf(&mut |leaf| leaves.push(leaf));
                audience.exit_when.iter().for_each(|x| x.each_leaf(&mut |leaf| leaves.push(leaf)));
                let leaf = leaves[usize::from(index)];
                Decision {
                    place,
                    exact: self.now.is_exact(leaf) && self.before.is_exact(leaf),
                    evidence: self.evidence(leaf),
                }
            }
            _ => Decision::by_policy(place),
        }
    }

    fn place(&self, audience: &Audience, transition: Transition) -> Place {
        let now = self.now.now;
        match transition {
            Transition::Entered { holds_since, last_exit } => {
                let waited = audience.enter_after.get() > 0;
                let cooled = audience.reenter_after.get() > 0;
                if holds_since < now && waited && holds_since + audience.enter_after == now {
                    return Place::EnterAfter;
                }
                let cooled_now = last_exit.is_some_and(|exit| exit + audience.reenter_after == now);
                if holds_since < now && cooled && cooled_now {
                    return Place::ReenterAfter;
                }
                let entered = self.flipped(audience, Condition::Enter, true);
                let freed = || self.flipped(audience, Condition::Exit, false);
                entered.or_else(freed).unwrap_or(Place::Enter)
            }
            Transition::ExitCondition => {
                self.flipped(audience, Condition::Exit, true).unwrap_or(Place::ExitWhen)
            }
            Transition::EntryCeased { since } => {
                let at_least = audience.stay.at_least;
                let is_due = at_least.get() > 0 && since + at_least == now;
                if is_due && !self.before.node(&audience.enter) {
                    return Place::AtLeast;
                }
                self.flipped(audience, Condition::Enter, false).unwrap_or(Place::Enter)
            }
            Transition::StayOver => Place::AtMost,
        }
    }

    /// The first leaf of a condition that flipped so as to push it towards `towards`.
    fn flipped(&self, audience: &Audience, which: Condition, towards: bool) -> Option<Place> {
        let mut search = Search { moment: self, next: 0, found: None };
        match which {
            Condition::Enter => search.node(&audience.enter, towards),
            Condition::Exit => {
                audience.enter.each_leaf(&mut |_| search.next += 1);
                search.node(audience.exit_when.as_ref()?, towards);
            }
        }
        search.found.map(Place::Leaf)
    }

    fn evidence(&self, leaf: &Leaf) -> Vec<Evidence> {
        let strokes = match leaf {
            Leaf::Interest(InterestLeaf { tag, .. })
            | Leaf::Rank(RankLeaf { tag, .. })
            | Leaf::Share(ShareLeaf { tag, .. }) => {
                let paints = |stroke: &&Stroke| {
                    let dose = dose_for(self.now.paint, stroke.name(), tag.level);
                    matches!(dose, Some(Dose::Add(_))) && tags(&stroke.event).contains(tag)
                };
                self.now.history.strokes.iter().filter(paints).collect()
            }
            _ => {
                let now = self.now.matches(leaf).strokes;
                if now.is_empty() { self.before.matches(leaf).strokes } else { now }
            }
        };
        strokes.into_iter().rev().take(3).map(shown).collect()
    }
}

/// One of an audience's two conditions.
#[derive(Clone, Copy)]
enum Condition {
    Enter,
    Exit,
}

// === impl Search ===

impl Search<'_> {
    fn node(&mut self, node: &Node, towards: bool) {
        match node {
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().for_each(|part| self.node(part, towards));
            }
            Node::Not(part) => self.node(part, !towards),
            Node::Leaf(leaf) => {
                let (before, now) = (self.moment.before.leaf(leaf), self.moment.now.leaf(leaf));
                if self.found.is_none() && before != now && now == towards {
                    self.found = Some(self.next);
                }
                self.next += 1;
            }
        }
    }
}

fn shown(stroke: &Stroke) -> Evidence {
    let first = stroke.event.items.first();
    Evidence {
        event: stroke.name(),
        at: stroke.at,
        product: first.and_then(|item| item.product.as_ref()).map(tzeva_model::Name::id),
    }
}
