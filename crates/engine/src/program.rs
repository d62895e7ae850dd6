//! The compiled rules: features and clauses, shared between audiences, and the indexes that lead from an event to them.
//!
//! * A *feature* is an event name with a `where`: what a visitor's live series are kept for.
//! * A *clause* is a statement about a feature (or a tag) with a window and a threshold. Equal clauses of two audiences
//!   are one clause.
//! * A *group* holds the count clauses of one feature with one window and one `after`, by the counts at which they flip:
//!   when the count comes to n, the clauses that break at n are the only ones to look at.
//! * A *gate* of an audience is a set of features and tags of which one must be there, or its entry condition is false
//!   and stays so without an event. A clause wakes only audiences whose gate is open, so "any visit and ..." costs
//!   nothing to visitors of whom the rest isn't true.

use crate::hash::Map;
use smallvec::SmallVec;
use std::sync::Arc;
use tzeva_audience::{CountTest, Field, Leaf, RuleSet, Where};
use tzeva_lens::{Lens, matches};
use tzeva_model::{Level, Millis, NameId, TagKey};
use tzeva_profile::Stroke;

/// A rule set, ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    /// What it was compiled from; plans lie in the order of its audiences.
    pub(crate) rules: Arc<RuleSet>,
    /// How to look at a history directly.
    pub(crate) lens: Lens,
    /// Features, by number.
    pub(crate) features: Vec<Feature>,
    /// What is added up, by number.
    pub(crate) summands: Vec<Summand>,
    /// Tags that some clause asks for, by number.
    pub(crate) tags: Vec<TagFeature>,
    /// Clauses, by number.
    pub(crate) clauses: Vec<Clause>,
    /// Audiences, in rule order.
    pub(crate) plans: Vec<Plan>,
    /// Audiences without a gate, ascending.
    pub(crate) always: Vec<u32>,
    /// From an event's name to its features.
    pub(crate) events: Map<NameId, EventIndex>,
    /// From a tag to its number.
    pub(crate) by_tag: Map<TagKey, u32>,
    /// The features that the cells of an event and a tag count for.
    pub(crate) by_cell: Map<(NameId, TagKey), SmallVec<[u32; 1]>>,
    /// From a trait's name to the clauses that ask for it.
    pub(crate) by_trait: Map<Box<str>, Vec<u32>>,
    /// From an audience's name to the clause that asks whether the visitor is a member.
    pub(crate) by_member: Map<NameId, u32>,
    /// Levels of which some clause asks for a rank or a share, sorted.
    pub(crate) ranked: Vec<Level>,
    /// From an audience's name to its place.
    pub(crate) by_audience: Map<NameId, u32>,
}

/// An event name with a `where`.
#[derive(Debug)]
pub(crate) struct Feature {
    /// The event's name.
    pub(crate) event: NameId,
    /// Which of them.
    pub(crate) filter: Where,
    /// True if being found by an id is all that the filter asks.
    pub(crate) settled: bool,
    /// The tag whose cells count for it.
    pub(crate) cell_tag: Option<TagKey>,
    /// Its count clauses.
    pub(crate) groups: Vec<Group>,
    /// Its `last` clauses.
    pub(crate) lasts: Vec<u32>,
    /// What is added up of it.
    pub(crate) summands: Vec<u32>,
    /// The sequences in which it is a step, each with whether it is the last one.
    pub(crate) sequences: Vec<(u32, bool)>,
    /// (how many there must be, audience that it opens then), ascending.
    pub(crate) opens: Vec<(u32, u32)>,
}

/// Count clauses of one feature, one window and one `after`.
#[derive(Debug)]
pub(crate) struct Group {
    /// The window.
    pub(crate) window: Millis,
    /// The feature of all events of the name after whose last one counting starts.
    pub(crate) after: Option<u32>,
    /// (count, clause): from the count below to this one the clause flips; sorted.
    pub(crate) breaks: Vec<(u32, u32)>,
}

/// What is added up of a feature, and the clauses that ask for it.
#[derive(Debug)]
pub(crate) struct Summand {
    /// The feature.
    pub(crate) feature: u32,
    /// The field.
    pub(crate) of: Field,
    /// Cells hold it.
    pub(crate) in_cells: bool,
    /// Its clauses by window.
    pub(crate) groups: Vec<SumGroup>,
}

/// Sum clauses of one window.
#[derive(Debug)]
pub(crate) struct SumGroup {
    /// The window.
    pub(crate) window: Millis,
    /// (sum, clause): from a sum below to this one the clause flips; sorted.
    pub(crate) breaks: Vec<(i128, u32)>,
}

/// A tag and its clauses.
#[derive(Debug)]
pub(crate) struct TagFeature {
    /// Which tag.
    pub(crate) key: TagKey,
    /// (threshold, clause), ascending.
    pub(crate) clauses: Vec<(f64, u32)>,
    /// Its rank and share clauses.
    pub(crate) ranked: Vec<u32>,
    /// (score it must have had, audience that it opens then), ascending.
    pub(crate) opens: Vec<(f64, u32)>,
}

/// A shared statement.
#[derive(Debug)]
pub(crate) struct Clause {
    /// The statement as written.
    pub(crate) leaf: Leaf,
    /// What it asks.
    pub(crate) asks: Asks,
    /// Of a sequence the features of its steps.
    pub(crate) steps: Vec<u32>,
    /// Audiences that use it, ascending.
    pub(crate) listeners: Vec<u32>,
    /// Audiences that it is a gate of.
    pub(crate) opens: Vec<u32>,
}

/// What a clause asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks {
    /// A count in a window.
    Count { feature: u32, window: Millis, after: Option<u32>, test: CountTest },
    /// A sum in a window.
    Sum { summand: u32, window: Millis },
    /// The distance of the last event.
    Last { feature: u32 },
    /// The score of a tag, its rank or its share.
    Interest { tag: u32 },
    /// A chain of strokes; its steps' features are the clause's.
    Sequence,
    /// A trait or a membership.
    Known,
}

/// An audience's conditions over clauses.
#[derive(Debug)]
pub(crate) struct Plan {
    /// E.
    pub(crate) enter: Tree,
    /// X.
    pub(crate) exit: Option<Tree>,
    /// One of these must be there for E to be true; `None`: it has no gate.
    pub(crate) gate: Option<SmallVec<[Gate; 2]>>,
}

/// A condition over clauses.
#[derive(Debug)]
pub(crate) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Clause(u32),
}

/// What must be there for an entry condition to be true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Gate {
    /// At least so many events of this feature.
    Feature { feature: u32, least: u32 },
    /// This tag, with at least this score when it was painted.
    Tag { tag: u32, least: f64 },
    /// The truth of this clause, which time doesn't change.
    Clause { clause: u32 },
}

/// The features of an event name.
#[derive(Debug, Default)]
pub(crate) struct EventIndex {
    /// Those that no product, brand or category leads to.
    pub(crate) any: Vec<u32>,
    /// Those that ask for one of some products, brands or categories.
    pub(crate) by_id: Map<NameId, Vec<u32>>,
    /// (feature, group): counts that start anew with this event.
    pub(crate) resets: Vec<(u32, u32)>,
}

/// Features that a stroke matches, ascending.
pub(crate) type Matched = SmallVec<[u32; 16]>;

// === impl Program ===

impl Program {
    /// The features that `stroke` matches.
    pub(crate) fn matched(&self, stroke: &Stroke) -> Matched {
        let mut found = Matched::new();
        let Some(index) = self.events.get(&stroke.event) else { return found };
        let mut consider = |number: u32| {
            let feature = &self.features[number as usize];
            if feature.settled || matches(stroke, &feature.filter) {
                found.push(number);
            }
        };
        index.any.iter().copied().for_each(&mut consider);
        if !index.by_id.is_empty() {
            for item in &stroke.items {
                let ids = item.product.iter().chain(&item.brand).chain(&item.category);
                for id in ids {
                    let numbers = index.by_id.get(id).map_or(&[][..], Vec::as_slice);
                    numbers.iter().copied().for_each(&mut consider);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
