//! What is true of a history at an instant.

use crate::fold::{Cell, answers, has_cells};
use crate::history::{History, Stroke, shop};
use crate::money::adds;
use crate::predicate::{passes, value_passes};
use std::collections::BTreeSet;
use tzeva_audience::{
    EventLeaf, Field, InterestLeaf, LastLeaf, Leaf, Node, Paint, SequenceLeaf, Step, SumLeaf, Where,
};
use tzeva_model::{Level, Millis, Name, NameId, TagKey, UnixMillis};

/// A history looked at from an instant.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) history: &'a History,
    pub(crate) now: UnixMillis,
    pub(crate) paint: &'a Paint,
    pub(crate) max_age: Millis,
    /// The audiences that the visitor is a member of.
    pub(crate) members: &'a BTreeSet<NameId>,
}

/// What of a history a leaf speaks about.
#[derive(Default)]
pub(crate) struct Matches<'a> {
    /// Oldest first.
    pub(crate) strokes: Vec<&'a Stroke>,
    pub(crate) cells: Vec<&'a Cell>,
    /// The shop's cells of events of which some may be meant, but these cells can't tell.
    pub(crate) hidden: Vec<&'a Cell>,
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
            Leaf::Sum(sum) => sum.is.holds(self.matches(leaf).sum(sum)),
            Leaf::Last(last) => self.matches(leaf).last().is_some_and(|at| {
                let is_old = self.now >= at + last.ago;
                is_old == last.at_least
            }),
            Leaf::Interest(interest) => {
                (self.score(interest) >= interest.threshold) == interest.at_least
            }
            Leaf::Rank(leaf) => self.rank(leaf.tag).is_some_and(|rank| leaf.rank.holds(rank)),
            Leaf::Share(leaf) => (self.share(leaf.tag) >= leaf.share) == leaf.at_least,
            Leaf::Sequence(leaf) => self.chain(leaf).is_some(),
            Leaf::Trait(leaf) => {
                let known = self.history.traits.iter().find(|(name, ..)| *name == leaf.name);
                value_passes(known.map(|(_, value, _)| value), &leaf.test)
            }
            Leaf::In(leaf) => self.members.contains(&leaf.audience.id()),
        }
    }

    /// Tells whether folded events have no part in the truth of `leaf`, and could have none if they were told apart.
    pub(crate) fn is_exact(&self, leaf: &Leaf) -> bool {
        let matches = self.matches(leaf);
        let hidden = &matches.hidden;
        let sure = match leaf {
            Leaf::Event(event) => {
                let kept = matches.count();
                let most = hidden.iter().fold(0, |sum: u32, cell| sum.saturating_add(cell.count));
                let holds = |more: u32| event.count.holds(kept.saturating_add(more));
                (0..=most).all(|more| holds(more) == holds(0))
            }
            Leaf::Last(_) => {
                hidden.iter().all(|cell| matches.last().is_some_and(|last| last >= cell.last))
            }
            Leaf::Sum(_) => hidden.is_empty(),
            Leaf::Sequence(_) => hidden.is_empty() || !matches.strokes.is_empty(),
            _ => true,
        };
        sure && matches.cells.is_empty()
    }

    /// What counts for `leaf` at this instant; nothing for a leaf that isn't about events.
    pub(crate) fn matches(&self, leaf: &Leaf) -> Matches<'a> {
        match leaf {
            Leaf::Event(EventLeaf { name, filter, within, after, .. }) => {
                let window = within.map_or(self.max_age, |within| within.min(self.max_age));
                self.select((name.id(), filter), window, after.as_ref())
            }
            Leaf::Sum(sum) => {
                let window = sum.within.map_or(self.max_age, |within| within.min(self.max_age));
                let all = self.select((sum.event.id(), &sum.filter), window, None);
                if sum.of == Field::Revenue {
                    return all;
                }
                // Cells hold what was earned and nothing else.
                let in_window = |cell: &&Cell| {
                    let is_in = cell.event == sum.event.id() && self.is_within(cell.last, window);
                    is_in && cell.tag == shop()
                };
                let hidden = self.history.cells.iter().filter(in_window).collect();
                Matches { cells: Vec::new(), hidden, ..all }
            }
            Leaf::Last(LastLeaf { event, filter, .. }) => {
                self.select((event.id(), filter), self.max_age, None)
            }
            Leaf::Sequence(leaf) => {
                let folded = |cell: &&Cell| {
                    let a_step = leaf.steps.iter().any(|step| step.name.id() == cell.event);
                    a_step && cell.tag == shop() && self.is_within(cell.last, self.max_age)
                };
                Matches {
                    strokes: self.chain(leaf).unwrap_or_default(),
                    cells: Vec::new(),
                    hidden: self.history.cells.iter().filter(folded).collect(),
                }
            }
            _ => Matches::default(),
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
        let is_after = |at: UnixMillis| match start {
            Start::Everything => true,
            Start::Stroke(last) => at > self.history.strokes[last].at,
            Start::Instant(last) => at > last,
        };
        let cells = self.history.cells.iter().filter(|cell| {
            let is_in = cell.event == name && self.is_within(cell.last, window);
            is_in && is_after(cell.last) && answers(cell.tag, filter)
        });
        let hidden = self.history.cells.iter().filter(|cell| {
            let is_in = cell.event == name && self.is_within(cell.last, window);
            is_in && is_after(cell.last) && cell.tag == shop() && !has_cells(filter)
        });
        Matches {
            strokes: strokes.map(|(_, stroke)| stroke).collect(),
            cells: cells.collect(),
            hidden: hidden.collect(),
        }
    }

    /// The latest chain of events that meet the steps, first to last: the last event as late as can be, then the one
    /// before it, and so on.
    fn chain(&self, leaf: &SequenceLeaf) -> Option<Vec<&'a Stroke>> {
        let strokes = &self.history.strokes;
        let window = leaf.within.unwrap_or(self.max_age);
        let meets = |place: usize, step: &Step| {
            let stroke = &strokes[place];
            stroke.name() == step.name.id()
                && self.is_within(stroke.at, self.max_age)
                && passes(&stroke.event, &step.filter)
        };
        let (last, earlier) = leaf.steps.split_last()?;
        let ends = (0..strokes.len())
            .rev()
            .filter(|&end| meets(end, last) && self.is_within(strokes[end].at, window));
        ends.into_iter().find_map(|end| {
            let mut chain = vec![end];
            for step in earlier.iter().rev() {
                let before = *chain.last()?;
                chain.push((0..before).rev().find(|&place| meets(place, step))?);
            }
            chain.reverse();
            let length = strokes[end].at - strokes[chain[0]].at;
            let fits = leaf.span.is_none_or(|span| length < span);
            fits.then(|| chain.iter().map(|&place| &strokes[place]).collect())
        })
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

    /// The tags of a level in order of id, each with its score as of the level's last painting.
    fn level(&self, level: Level) -> Vec<(TagKey, f64)> {
        let marks = || self.history.marks.iter().filter(|mark| mark.tag.level == level);
        let painted = marks().map(|mark| mark.at).max();
        let mut all: Vec<(TagKey, f64)> = marks()
            .map(|mark| (mark.tag, painted.map_or(0.0, |at| mark.faded(self.paint, at))))
            .collect();
        all.sort_by_key(|(tag, _)| *tag);
        all
    }

    /// The place of a tag in its level, from 1; of tags equally strong the one with the smaller id comes first.
    fn rank(&self, tag: TagKey) -> Option<u32> {
        let mut all = self.level(tag.level);
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let place = all.iter().position(|(other, _)| *other == tag)?;
        u32::try_from(place + 1).ok()
    }

    /// Its part of the level's sum, which is taken in order of id.
    fn share(&self, tag: TagKey) -> f64 {
        let all = self.level(tag.level);
        let own = all.iter().find(|(other, _)| *other == tag);
        own.map_or(0.0, |(_, score)| score / all.iter().map(|(_, score)| score).sum::<f64>())
    }
}

// === impl Matches ===

impl Matches<'_> {
    fn count(&self) -> u32 {
        let folded = self.cells.iter().map(|cell| cell.count);
        folded.chain(self.strokes.iter().map(|_| 1)).fold(0, u32::saturating_add)
    }

    /// What they add up to, in ten-thousandths.
    fn sum(&self, leaf: &SumLeaf) -> i128 {
        let folded = self.cells.iter().map(|cell| cell.sum);
        folded.chain(self.strokes.iter().map(|stroke| adds(stroke, leaf))).sum()
    }

    fn last(&self) -> Option<UnixMillis> {
        let folded = self.cells.iter().map(|cell| cell.last);
        folded.chain(self.strokes.iter().map(|stroke| stroke.at)).max()
    }
}
