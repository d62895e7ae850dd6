//! Files that people write, as trees in which every node knows its place, and what is wrong with them, with the line.
//!
//! The base of the language: YAML to [`tree::Tree`], problems with stable codes, mappings with known keys, durations. What
//! the keys mean is for the crates above: `audience` reads rules and paint, `trial` tests.
#![deny(missing_docs)]

pub mod code;
pub mod duration;
mod entries;
mod near;
mod page;
pub mod problem;
mod syntax;
pub mod tree;

pub use code::{Code, Severity};
pub use duration::{DurationError, parse_duration};
pub use entries::{Entries, Shape, head, shortened};
pub use near::nearest;
pub use problem::{At, Problem, Report, SourceFile};
pub use tree::{Document, Kind, Style, Tree};
