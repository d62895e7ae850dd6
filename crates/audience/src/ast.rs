//! Audiences as values.

use crate::{Field, Paint, Test, Where};
use tzeva_model::{Amount, Millis, Name, RulesVersion, TagKey};

/// All audiences of a folder and its paint, checked; what one set of rules means.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// xxh3 of the canonical text of everything in it.
    pub version: RulesVersion,
    /// In dependency order of `in`, ties by name; no two of one name.
    pub audiences: Vec<Audience>,
    /// How events paint.
    pub paint: Paint,
}

/// One audience.
#[derive(Clone, Debug, PartialEq)]
pub struct Audience {
    /// Its name, `NameKind::Audience`.
    pub name: Name,
    /// The first 32 bits of the xxh3 of its canonical text.
    pub version: u32,
    /// What it is for, in the author's words.
    pub describe: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Free labels, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The entry condition E.
    pub enter: Node,
    /// The exit condition X; `None`: false.
    pub exit_when: Option<Node>,
    /// How long E ∧ ¬X must have held; zero: not at all.
    pub enter_after: Millis,
    /// How long a stay lasts.
    pub stay: Stay,
    /// How long after an exit nobody enters again; zero: no wait.
    pub reenter_after: Millis,
}

/// Bounds of a stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stay {
    /// ¬E does not end a stay before this; zero: it does at once. Never beside `exit_when`.
    pub at_least: Millis,
    /// The stay ends when it has lasted this long; `None`: no bound.
    pub at_most: Option<Millis>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// All of them; never empty.
    All(Vec<Node>),
    /// At least one of them; never empty.
    Any(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// A statement about the visitor.
    Leaf(Leaf),
}

/// A statement about a visitor at an instant τ; time.md says when each is true.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    /// So many events of a kind in a window.
    Event(EventLeaf),
    /// What events of a kind add up to in a window.
    Sum(SumLeaf),
    /// How long ago the last event of a kind was.
    Last(LastLeaf),
    /// The score of a tag.
    Interest(InterestLeaf),
    /// The place of a tag among those of its level.
    Rank(RankLeaf),
    /// The part of its level's interest that a tag has.
    Share(ShareLeaf),
    /// Events of several kinds, one after the other.
    Sequence(SequenceLeaf),
    /// What is known about the visitor.
    Trait(TraitLeaf),
    /// Membership in another audience.
    In(InLeaf),
}

/// `event: { name, where, count, within, after }`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLeaf {
    /// The event's name.
    pub name: Name,
    /// Which of them.
    pub filter: Where,
    /// How many; `>= 1` if not given.
    pub count: CountTest,
    /// The window; `None`: `history.max_age`.
    pub within: Option<Millis>,
    /// Only events after the last one of this name.
    pub after: Option<Name>,
}

/// `sum: { event, where, of, is, within }`.
#[derive(Clone, Debug, PartialEq)]
pub struct SumLeaf {
    /// The event's name; `order_completed` if not given.
    pub event: Name,
    /// Which of them, and of which of their items.
    pub filter: Where,
    /// What is added up: revenue, quantity, price, or a kept property that holds numbers.
    pub of: Field,
    /// How the sum compares; of no events it is 0.
    pub is: AmountTest,
    /// The window; `None`: `history.max_age`.
    pub within: Option<Millis>,
}

/// A comparison of amounts: each end, if it is there, with whether it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountTest {
    /// The lower end.
    pub low: Option<(Amount, bool)>,
    /// The upper end.
    pub high: Option<(Amount, bool)>,
}

/// `last: { event, where, is }`: there is a last such event at L, and τ − L compares so.
#[derive(Clone, Debug, PartialEq)]
pub struct LastLeaf {
    /// The event's name.
    pub event: Name,
    /// Which of them.
    pub filter: Where,
    /// True for "at least `ago`", τ ≥ L + ago; false for "less than `ago`", τ < L + ago.
    pub at_least: bool,
    /// The distance; positive.
    pub ago: Millis,
}

/// `interest: { tag, is }`: the faded score compares so.
#[derive(Clone, Debug, PartialEq)]
pub struct InterestLeaf {
    /// The tag.
    pub tag: TagKey,
    /// The tag as written, canonical: `category/Shoes/Running`.
    pub text: String,
    /// True for `>= threshold`, false for `< threshold`. A tag that isn't there has score 0.
    pub at_least: bool,
    /// θ; positive and finite.
    pub threshold: f64,
}

/// `interest: { tag, rank }`: the tag is there, and its place among the tags of its level, the strongest being 1, compares
/// so. Of tags equally strong the one with the smaller id comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct RankLeaf {
    /// The tag.
    pub tag: TagKey,
    /// The tag as written, canonical.
    pub text: String,
    /// The place.
    pub rank: CountTest,
}

/// `interest: { tag, share }`: the tag's score by the sum of all scores of its level compares so.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareLeaf {
    /// The tag.
    pub tag: TagKey,
    /// The tag as written, canonical.
    pub text: String,
    /// True for `>= share`, false for `< share`. A tag that isn't there has share 0.
    pub at_least: bool,
    /// x; above 0.
    pub share: f64,
}

/// `sequence: { steps, span, within }`: some events, each after the one before, that meet the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceLeaf {
    /// In order; at least two, at most [`SequenceLeaf::MOST`].
    pub steps: Vec<Step>,
    /// The last is less than this after the first; `None`: any distance.
    pub span: Option<Millis>,
    /// The window that the last one lies in; `None`: `history.max_age`.
    pub within: Option<Millis>,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The event's name.
    pub name: Name,
    /// Which of them.
    pub filter: Where,
}

/// `trait: { name, is }`: the last known value passes the test.
#[derive(Clone, Debug, PartialEq)]
pub struct TraitLeaf {
    /// The trait's name, as sent.
    pub name: Box<str>,
    /// What it must be. A comparison with a trait that isn't known is false.
    pub test: Test,
}

/// `in: other`: the visitor is a member of `other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InLeaf {
    /// The other audience, which comes earlier in the rule set.
    pub audience: Name,
}

/// A comparison of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountTest {
    /// One comparison.
    Is(Compare, u32),
    /// Both ends in.
    Between(u32, u32),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `>=`
    AtLeast,
    /// `>`
    MoreThan,
    /// `<=`
    AtMost,
    /// `<`
    LessThan,
    /// `=` or a bare number
    Equal,
}

// === impl AmountTest ===

impl AmountTest {
    /// The sums, in ten-thousandths, that compare so, both ends in; the lower end is the greater one if there are none.
    #[must_use]
    pub fn range(self) -> (i128, i128) {
        let low = self.low.map(|(low, is_in)| i128::from(low.get()) + i128::from(!is_in));
        let high = self.high.map(|(high, is_in)| i128::from(high.get()) - i128::from(!is_in));
        (low.unwrap_or(i128::MIN), high.unwrap_or(i128::MAX))
    }

    /// Tells whether a sum, in ten-thousandths, compares so.
    #[must_use]
    pub fn holds(self, sum: i128) -> bool {
        let (low, high) = self.range();
        (low..=high).contains(&sum)
    }
}

// === impl SequenceLeaf ===

impl SequenceLeaf {
    /// The most steps.
    pub const MOST: usize = 16;
}

// === impl Compare ===

impl Compare {
    /// Its sign, as rules write it.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::MoreThan => ">",
            Self::AtMost => "<=",
            Self::LessThan => "<",
            Self::Equal => "=",
        }
    }
}

// === impl CountTest ===

impl CountTest {
    /// Tells whether `count` compares so.
    #[must_use]
    pub fn holds(self, count: u32) -> bool {
        match self {
            Self::Is(Compare::AtLeast, k) => count >= k,
            Self::Is(Compare::MoreThan, k) => count > k,
            Self::Is(Compare::AtMost, k) => count <= k,
            Self::Is(Compare::LessThan, k) => count < k,
            Self::Is(Compare::Equal, k) => count == k,
            Self::Between(low, high) => (low..=high).contains(&count),
        }
    }

    /// The counts that compare so, both ends in; the lower end is the greater one if there are none.
    #[must_use]
    pub fn range(self) -> (u64, u64) {
        let top = u64::from(u32::MAX);
        match self {
            Self::Is(Compare::AtLeast, k) => (u64::from(k), top),
            Self::Is(Compare::MoreThan, k) => (u64::from(k) + 1, top),
            Self::Is(Compare::AtMost, k) => (0, u64::from(k)),
            Self::Is(Compare::LessThan, 0) => (1, 0),
            Self::Is(Compare::LessThan, k) => (0, u64::from(k) - 1),
            Self::Is(Compare::Equal, k) => (u64::from(k), u64::from(k)),
            Self::Between(low, high) => (u64::from(low), u64::from(high)),
        }
    }
}

// === impl Node ===

impl Node {
    /// Visits every leaf in document order: the order that `Place::Leaf` counts in.
    pub fn each_leaf<'a>(&'a self, visit: &mut impl FnMut(&'a Leaf)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().for_each(|node| node.each_leaf(visit));
            }
            Self::Not(node) => node.each_leaf(visit),
            Self::Leaf(leaf) => visit(leaf),
        }
    }
}
