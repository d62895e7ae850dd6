//! A direct look at a history: what a leaf says about it, when that flips by time alone, what bears it out and how
//! surely.
//!
//! Nothing is compiled or kept: a [`Lens`] is held to a [`view::View`] of a profile and reads off strokes, cells and
//! tags (`direct`; `sum`, `chain` and `level` for the leaves that take more). The engine's fast way shares the words,
//! which are verdicts (`verdict`), whether a stroke is meant (`matching`) and where in a profile things lie (`view`),
//! and is tested against the rest.
//!
//! Replay: the same leaf, profile and instant give the same answer.
#![deny(missing_docs)]

mod chain;
mod direct;
mod exact;
mod level;
mod matching;
pub mod sum;
mod verdict;
pub mod view;

pub use direct::{Lens, Mark, cell_tag, half_life, last_verdict, shop, window};
pub use level::Scores;
pub use matching::matches;
pub use verdict::{NEVER, Verdict, flips_below};
