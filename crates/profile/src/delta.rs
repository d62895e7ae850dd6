//! Deltas: what a decision changes about a profile, as data.

use crate::{Standing, Stroke, StrokeItem, Tag};
use tzeva_model::{NameId, RulesVersion, TagKey, UnixMillis, Value, VisitorId};

/// All that one commit changes about one visitor, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// Who.
    pub visitor: VisitorId,
    /// What, in the order to apply it; never empty.
    pub ops: Vec<Op>,
}

/// One change to a profile. An index counts in `Profile::strokes` as it stands when the op is applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Insert behind all strokes whose `at` is not later than its own.
    Stroke(Stroke),
    /// Remove the stroke at this index: it is too old to count.
    DropStroke(u16),
    /// Fold the stroke at this index into cells and remove it.
    FoldStroke(u16),
    /// Replace the items of the stroke at this index: some were merged by category.
    MergeItems(u16, Vec<StrokeItem>),
    /// Remove every cell whose last instant is before this one: too old to count.
    DropCells(UnixMillis),
    /// Remove every cell of this event name and UTC day: there were too many cells.
    DropDay(NameId, i32),
    /// Nothing before this instant is exact any more.
    ExactSince(UnixMillis),
    /// Set a tag.
    Tag(Tag),
    /// Remove a tag: cleared or forgotten.
    Untag(TagKey),
    /// Set a trait: name, value, when it was said.
    Trait(Box<str>, Value, UnixMillis),
    /// Set a standing.
    Stand(Standing),
    /// Remove the standing in this audience.
    Unstand(NameId),
    /// A record was applied at this engine time.
    Seen(UnixMillis),
    /// The deadline is now this.
    Deadline(Option<UnixMillis>),
    /// The standings hold under this rule set now.
    Stamp(RulesVersion),
    /// The profile ends: all of it is removed. Ops may follow if the visitor comes back within the same commit.
    Forget,
}
