//! Audiences as values.

use crate::{Paint, Where};
use tzeva_model::{Millis, Name, RulesVersion, TagKey};

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
    /// How long ago the last event of a kind was.
    Last(LastLeaf),
    /// The score of a tag.
    Interest(InterestLeaf),
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
