//! Reasons: which place of an audience file decided a transition, and which strokes bear it out.
//!
//! The deciding leaf is the first one, in document order, whose truth differs from before and pushes the condition the
//! way it went. *Before* is one millisecond earlier, on the history without the event. All of it is read off the history
//! directly, since transitions are rare.

use crate::membership::Moved;
use smallvec::SmallVec;
use tzeva_audience::{Audience, Dose, InterestLeaf, Leaf, Node, Paint, RankLeaf, ShareLeaf};
use tzeva_lens::view::View;
use tzeva_lens::{Lens, Mark};
use tzeva_model::{Evidence, Level, Millis, Place, TagKey, UnixMillis};
use tzeva_profile::Stroke;

/// The history before and now, and the instant: all that a reason looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// How to look.
    pub(crate) lens: Lens,
    /// Which strokes bear interest out.
    pub(crate) paint: &'a Paint,
    /// The history without the event.
    pub(crate) before: View<'a>,
    /// The history as it is.
    pub(crate) after: View<'a>,
    /// Engine time of the transition.
    pub(crate) now: UnixMillis,
    /// It is wanted what bears the place out, and whether that is exact.
    pub(crate) bears_out: bool,
}

/// What decided.
#[derive(Debug)]
pub(crate) struct Decisive {
    /// Where in the file.
    pub(crate) place: Place,
    /// False if folded history has a part in its truth, or might have one.
    pub(crate) exact: bool,
    /// At most three strokes, newest first.
    pub(crate) evidence: Vec<Evidence>,
}

/// A leaf and its number.
type Numbered<'a> = (u16, &'a Leaf);

// === impl Scene ===

impl<'a> Scene<'a> {
    /// What decided that `moved` happened in `audience`.
    pub(crate) fn decisive(self, audience: &'a Audience, moved: Moved) -> Decisive {
        let exits = || {
            let mut leaves = 0;
            audience.enter.each_leaf(&mut |_| leaves += 1);
            audience.exit_when.as_ref().map(|node| (node, leaves))
        };
        match moved {
            Moved::ByAtMost => bare(Place::AtMost),
            Moved::ByExit => {
                let leaf = exits().and_then(|(node, from)| self.flipped(node, from, true));
                self.at_leaf(leaf, Place::ExitWhen)
            }
            Moved::ByCeasing { since } => {
                let soonest = since + audience.stay.at_least;
                if audience.stay.at_least > Millis::ZERO
                    && self.now == soonest
                    && !self.held_before(&audience.enter)
                {
                    return bare(Place::AtLeast);
                }
                self.at_leaf(self.flipped(&audience.enter, 0, false), Place::Enter)
            }
            Moved::Entered { since, last_exit } => {
                let cooled = last_exit.map(|at| at + audience.reenter_after);
                let waited = since < self.now;
                let held_for = audience.enter_after;
                if waited && held_for > Millis::ZERO && since + held_for == self.now {
                    return bare(Place::EnterAfter);
                }
                if waited && cooled == Some(self.now) {
                    return bare(Place::ReenterAfter);
                }
                let leaf = self
                    .flipped(&audience.enter, 0, true)
                    .or_else(|| exits().and_then(|(node, from)| self.flipped(node, from, false)));
                self.at_leaf(leaf, Place::Enter)
            }
        }
    }

    /// What decided when the rules changed and nothing else: no leaf flipped, a condition reads otherwise, or is read for
    /// the first time. So it is told as a whole.
    pub(crate) fn on_the_whole(self, audience: &Audience, moved: Moved) -> Decisive {
        let (place, enter, exit) = match moved {
            Moved::Entered { .. } => (Place::Enter, true, true),
            Moved::ByCeasing { .. } => (Place::Enter, true, false),
            Moved::ByExit => (Place::ExitWhen, false, true),
            Moved::ByAtMost => (Place::AtMost, false, false),
        };
        let mut exact = true;
        let mut look = |leaf: &Leaf| exact &= self.lens.is_exact(leaf, self.after, self.now);
        if enter {
            audience.enter.each_leaf(&mut look);
        }
        if let Some(node) = audience.exit_when.as_ref().filter(|_| exit) {
            node.each_leaf(&mut look);
        }
        Decisive { exact, ..bare(place) }
    }

    fn earlier(self) -> UnixMillis {
        self.now - Millis::new(1)
    }

    fn held_before(self, node: &Node) -> bool {
        match node {
            Node::All(nodes) => nodes.iter().all(|node| self.held_before(node)),
            Node::Any(nodes) => nodes.iter().any(|node| self.held_before(node)),
            Node::Not(node) => !self.held_before(node),
            Node::Leaf(leaf) => self.lens.leaf(leaf, self.before, self.earlier()).holds,
        }
    }

    /// The first leaf under `node`, whose leaves count from `from`, that flipped so as to push `node` `towards`.
    fn flipped(self, node: &'a Node, from: u16, towards: bool) -> Option<Numbered<'a>> {
        let mut leaves: SmallVec<[(&Leaf, bool); 8]> = SmallVec::new();
        polarities(node, towards, &mut leaves);
        leaves.iter().zip(from..).find_map(|(&(leaf, wanted), number)| {
            let now = self.lens.leaf(leaf, self.after, self.now).holds;
            let flipped =
                now == wanted && self.lens.leaf(leaf, self.before, self.earlier()).holds != wanted;
            flipped.then_some((number, leaf))
        })
    }

    fn at_leaf(self, leaf: Option<Numbered<'a>>, otherwise: Place) -> Decisive {
        let Some((number, leaf)) = leaf else { return bare(otherwise) };
        if !self.bears_out {
            return bare(Place::Leaf(number));
        }
        let exact = self.lens.is_exact(leaf, self.after, self.now)
            && self.lens.is_exact(leaf, self.before, self.earlier());
        let mut evidence = bears_out(self.lens, leaf, (self.after, self.paint), self.now);
        // When nothing is left of the events that were counted, they are told all the same.
        let counts = !matches!(leaf, Leaf::Interest(_) | Leaf::Rank(_) | Leaf::Share(_));
        if evidence.is_empty() && counts {
            evidence = bears_out(self.lens, leaf, (self.before, self.paint), self.earlier());
        }
        Decisive { place: Place::Leaf(number), exact, evidence }
    }
}

/// The newest strokes, at most three, that make the truth of `leaf` at `now`, newest first.
pub(crate) fn bears_out(
    lens: Lens,
    leaf: &Leaf,
    (view, paint): (View<'_>, &Paint),
    now: UnixMillis,
) -> Vec<Evidence> {
    match leaf {
        Leaf::Interest(InterestLeaf { tag, .. })
        | Leaf::Rank(RankLeaf { tag, .. })
        | Leaf::Share(ShareLeaf { tag, .. }) => painters(view, paint, *tag),
        _ => evidence(view, &lens.marks(leaf, view, now)),
    }
}

/// The newest strokes that carry `tag` and whose event adds to its level.
fn painters(view: View<'_>, paint: &Paint, tag: TagKey) -> Vec<Evidence> {
    let adds = |stroke: &Stroke| {
        let Ok(at) = paint.events.binary_search_by(|e| e.event.cmp(&stroke.event)) else {
            return false;
        };
        let event = &paint.events[at];
        let dose = match tag.level {
            Level::Shop => event.shop,
            Level::Brand => event.brand,
            Level::Category(_) => event.category,
            Level::Product => event.product,
        };
        matches!(dose, Some(Dose::Add(_)))
    };
    let strokes = view.strokes().rev().map(|(_, stroke)| stroke);
    strokes.filter(|stroke| carries(stroke, tag) && adds(stroke)).take(3).map(shown).collect()
}

/// The leaves under `node` in document order, each with the truth that would push `node` `towards`.
fn polarities<'a>(node: &'a Node, towards: bool, leaves: &mut SmallVec<[(&'a Leaf, bool); 8]>) {
    match node {
        Node::All(nodes) | Node::Any(nodes) => {
            nodes.iter().for_each(|node| polarities(node, towards, leaves));
        }
        Node::Not(node) => polarities(node, !towards, leaves),
        Node::Leaf(leaf) => leaves.push((leaf, towards)),
    }
}

fn evidence(view: View<'_>, marks: &[Mark]) -> Vec<Evidence> {
    let places: SmallVec<[usize; 3]> =
        marks.iter().filter_map(|mark| mark.stroke).take(3).collect();
    let strokes = view.strokes().filter(|(place, _)| places.contains(place));
    strokes.rev().map(|(_, stroke)| shown(stroke)).collect()
}

fn shown(stroke: &Stroke) -> Evidence {
    let product = stroke.items.first().and_then(|item| item.product);
    Evidence { event: stroke.event, at: stroke.at, product }
}

fn carries(stroke: &Stroke, tag: TagKey) -> bool {
    stroke.items.iter().any(|item| match tag.level {
        Level::Shop => false,
        Level::Brand => item.brand == Some(tag.id),
        Level::Product => item.product == Some(tag.id),
        Level::Category(depth) => {
            usize::from(depth).checked_sub(1).and_then(|d| item.category.get(d)) == Some(&tag.id)
        }
    }) || tag.level == Level::Shop
}

fn bare(place: Place) -> Decisive {
    Decisive { place, exact: true, evidence: Vec::new() }
}
