//! One visitor's profile: strokes, cells, tags, traits and standings; the deltas that change it; and its stored form.
//!
//! A profile knows nothing of rules. It changes only by [`Op`]s: the engine records the ops of a decision and applies
//! them to its own copy, the commit record carries them, the store gets the folded result. Nothing here reads a setting,
//! a limit, a half-life or an audience, so any version that can read a delta folds it to the same bytes.
#![deny(missing_docs)]

#[cfg(test)]
mod arbitrary;
mod bytes;
mod cell;
pub mod decay;
mod delta;
mod fold;
mod kind;
mod known;
mod standing;
pub mod stored;
mod stroke;
mod tag;
pub mod wire;

pub use cell::{Cell, CellTag};
pub use delta::{Delta, Op};
pub use fold::{FoldError, day, fold};
pub use standing::{Standing, State};
pub use stroke::{Extra, Stroke, StrokeItem};
pub use tag::Tag;

use tzeva_model::{RulesVersion, Seq, UnixMillis, Value};

/// Everything that decides about one visitor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The last commit folded into it; a delta is folded only if its seq is higher.
    pub seq: Seq,
    /// The rule set that the standings hold under.
    pub stamp: RulesVersion,
    /// Engine time at the last applied record; the profile ends `profile.idle` later.
    pub seen: UnixMillis,
    /// No truth about this profile changes by itself before this instant; it may be early, never late. `None`: never.
    pub deadline: Option<UnixMillis>,
    /// Strokes before this instant are folded or gone; `None`: nothing is.
    pub exact_since: Option<UnixMillis>,
    /// Recent history in order of (`at`, arrival).
    pub strokes: Vec<Stroke>,
    /// Folded history, sorted by (event, tag, day), no two alike.
    pub cells: Vec<Cell>,
    /// Interest, sorted by key, no two alike.
    pub tags: Vec<Tag>,
    /// What is known about the visitor, sorted by name: name, value, and when it was said.
    pub traits: Vec<(Box<str>, Value, UnixMillis)>,
    /// Where the visitor stands in audiences, sorted by audience; an audience that isn't here: out, armed, nothing pending.
    pub standings: Vec<Standing>,
}
