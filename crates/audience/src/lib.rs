//! The language of audiences and paint.
//!
//! What ad ops write becomes a [`RuleSet`]: plain values, checked, with canonical names. The engine compiles it to
//! features and clauses; the oracle evaluates it as it stands. Nothing here knows storage or time's passing.
#![deny(missing_docs)]

mod ast;
mod canonical;
mod check;
mod compare;
mod compile;
mod condition;
mod document;
mod filter;
mod interest;
mod leaf;
mod logic;
mod order;
mod paint;
mod paint_file;
mod place;
pub(crate) mod reference;
mod schema;
mod sum;
mod test;

pub use ast::{
    AmountTest, Audience, Compare, CountTest, EventLeaf, InLeaf, InterestLeaf, LastLeaf, Leaf,
    Node, RankLeaf, RuleSet, SequenceLeaf, ShareLeaf, Stay, Step, SumLeaf, TraitLeaf,
};
pub use canonical::leaf_key;
pub use compile::{CheckSettings, Compiled, MAX_FILE, compile};
pub use paint::{Dose, Falloff, HalfLives, Paint, PaintEvent};
pub use place::Found;
pub use reference::{Chapter, Told, Topic, reference};
pub use schema::schema;
pub use test::{Field, FieldTest, Test, Where};
pub use tzeva_script::{Code, DurationError, Problem, Severity, SourceFile, parse_duration};
use tzeva_script::{code, duration, problem, tree};
