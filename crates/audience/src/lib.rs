//! The language of audiences and paint.
//!
//! What ad ops write becomes a [`RuleSet`]: plain values, checked, with canonical names. The engine compiles it to
//! features and clauses; the oracle evaluates it as it stands. Nothing here knows storage or time's passing.
#![deny(missing_docs)]

mod ast;
mod paint;
mod test;

pub use ast::{
    Audience, Compare, CountTest, EventLeaf, InterestLeaf, LastLeaf, Leaf, Node, RuleSet, Stay,
};
pub use paint::{Dose, Falloff, HalfLives, Paint, PaintEvent};
pub use test::{Field, FieldTest, Test, Where};
