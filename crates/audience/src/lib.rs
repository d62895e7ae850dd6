//! The language of audiences and paint.
//!
//! What ad ops write becomes a [`RuleSet`]: plain values, checked, with canonical names. The engine compiles it to
//! features and clauses; the oracle evaluates it as it stands. Nothing here knows storage or time's passing.
#![deny(missing_docs)]

mod ast;
mod canonical;
mod check;
mod code;
mod compare;
mod compile;
mod condition;
mod document;
mod duration;
mod filter;
mod interest;
mod leaf;
mod logic;
mod order;
mod paint;
mod paint_file;
mod place;
mod problem;
mod test;
mod tree;

pub use ast::{
    Audience, Compare, CountTest, EventLeaf, InLeaf, InterestLeaf, LastLeaf, Leaf, Node, RankLeaf,
    RuleSet, SequenceLeaf, ShareLeaf, Stay, Step, TraitLeaf,
};
pub use canonical::leaf_key;
pub use code::{Code, Severity};
pub use compile::{CheckSettings, Compiled, compile};
pub use duration::{DurationError, parse_duration};
pub use paint::{Dose, Falloff, HalfLives, Paint, PaintEvent};
pub use place::Found;
pub use problem::{Problem, SourceFile};
pub use test::{Field, FieldTest, Test, Where};
