//! What is true of a history at an instant.

use crate::fold::{Cell, answers};
use crate::history::{History, Stroke, shop};
use crate::predicate::passes;
use tzeva_audience::{EventLeaf, InterestLeaf, LastLeaf, Leaf, Node, Paint, Where};
use tzeva_model::{Millis, Name, NameId, UnixMillis};

/// A history looked at from an instant.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) history: &'a History,
    pub(crate) now: UnixMillis,
    pub(crate) paint: &'a Paint,
    pub(crate) max_age: Millis,
}

/// What of a history a leaf speaks about.
#[derive(Default)]
pub(crate) struct Matches<'a> {
    /// Oldest first.
    pub(crate) strokes: Vec<&'a Stroke>,
    pub(crate) cells: Vec<&'a Cell>,
}

/// Where "after the last Y" begins.
enum Start {
    /// There is no Y: everything is after it.
    Everything,
    /// Y is this stroke: what stands behind it is after it.
    Stroke(usize),
    /// Y is folded, and this was its instant: what is later is after it.
    Instant(UnixMillis),
}

// === impl View ===

impl<'a> View<'a> {
    pub(crate) fn node(&self, node: &Node) -> bool {
        match node {
            Node::All(parts) => parts.iter().all(|part| self.node(part)),
            Node::Any(parts) => parts.iter().any(|part| self.node(part)),
            Node::Not(part) => !self.node(part),
            Node::Leaf(leaf) => self.leaf(leaf),
        }
    }

    pub(crate) fn leaf(&self, leaf: &Leaf) -> bool {
        match leaf {
            Leaf::Event(event) => event.count.holds(self.matches(leaf).count()),
            Leaf::Last(last) => self.matches(leaf).last().is_some_and(|at| {
                let is_old = self.now >= at + last.ago;
                is_old == last.at_least
            }),
            Leaf::Interest(interest) => {
                (self.score(interest) >= interest.threshold) == interest.at_least
            }
        }
    }

    /// What counts for `leaf` at this instant; nothing for a leaf about interest.
    pub(crate) fn matches(&self, leaf: &Leaf) -> Matches<'a> {
        match leaf {
            Leaf::Event(EventLeaf { name, filter, within, after, .. }) => {
                let window = within.map_or(self.max_age, |within| within.min(self.max_age));
                self.select((name.id(), filter), window, after.as_ref())
            }
            Leaf::Last(LastLeaf { event, filter, .. }) => {
                self.select((event.id(), filter), self.max_age, None)
            }
            Leaf::Interest(_) => Matches::default(),
        }
    }

    fn select(&self, what: (NameId, &Where), window: Millis, after: Option<&Name>) -> Matches<'a> {
        let (name, filter) = what;
        let start = after.map_or(Start::Everything, |name| self.last(name.id()));
        let strokes = self.history.strokes.iter().enumerate().filter(|(index, stroke)| {
            let is_after = match start {
                Start::Everything => true,
                Start::Stroke(last) => *index > last,
                Start::Instant(last) => stroke.at > last,
            };
            let is_in = stroke.name() == name && self.is_within(stroke.at, window);
            is_in && is_after && passes(&stroke.event, filter)
        });
        let cells = self.history.cells.iter().filter(|cell| {
            let is_after = match start {
                Start::Everything => true,
                Start::Stroke(last) => cell.last > self.history.strokes[last].at,
                Start::Instant(last) => cell.last > last,
            };
            let is_in = cell.event == name && self.is_within(cell.last, window);
            is_in && is_after && answers(cell.tag, filter)
        });
        Matches { strokes: strokes.map(|(_, stroke)| stroke).collect(), cells: cells.collect() }
    }

    /// The last event named `name`, whatever else it was like.
    fn last(&self, name: NameId) -> Start {
        let strokes = &self.history.strokes;
        let stroke = strokes
            .iter()
            .rposition(|stroke| stroke.name() == name && self.is_within(stroke.at, self.max_age));
        let cells = self.history.cells.iter().filter(|cell| cell.tag == shop());
        let cell = cells
            .filter(|cell| cell.event == name && self.is_within(cell.last, self.max_age))
            .map(|cell| cell.last)
            .max();
        match (stroke, cell) {
            (None, None) => Start::Everything,
            (None, Some(cell)) => Start::Instant(cell),
            (Some(stroke), Some(cell)) if cell > strokes[stroke].at => Start::Instant(cell),
            (Some(stroke), _) => Start::Stroke(stroke),
        }
    }

    /// A window is open at its beginning's instant and over at its end's.
    fn is_within(&self, at: UnixMillis, window: Millis) -> bool {
        at <= self.now && self.now < at + window
    }

    fn score(&self, leaf: &InterestLeaf) -> f64 {
        let mark = self.history.marks.iter().find(|mark| mark.tag == leaf.tag);
        mark.map_or(0.0, |mark| mark.faded(self.paint, self.now.max(mark.at)))
    }
}

// === impl Matches ===

impl Matches<'_> {
    fn count(&self) -> u32 {
        let folded = self.cells.iter().map(|cell| cell.count);
        folded.chain(self.strokes.iter().map(|_| 1)).fold(0, u32::saturating_add)
    }

    fn last(&self) -> Option<UnixMillis> {
        let folded = self.cells.iter().map(|cell| cell.last);
        folded.chain(self.strokes.iter().map(|stroke| stroke.at)).max()
    }
}
