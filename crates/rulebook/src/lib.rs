//! Publications of rules: what is published, how it is written down, and which publications count.
//!
//! A [`Publication`] is a whole set of rule files. Publications form a chain: each names its parent, the version that
//! counted when it was made, and of several with one parent only the first counts. Every reader of the same records
//! comes to the same chain, so publishing is a compare-and-set that needs nobody to decide it: write, read back, and see
//! whether it counts.
//!
//! What is *not* here: what rule files mean (nothing is compiled), and where records lie (a topic, a folder).
//! Replay: the same records in the same order give the same [`Book`].
#![deny(missing_docs)]

mod book;
mod flaw;
mod part;
mod publication;

pub use book::{Book, Fed, Standing};
pub use flaw::Flaw;
pub use part::{MAX_PART, Part, key_of};
pub use publication::{
    Draft, MAX_BY, MAX_FILE, MAX_FILES, MAX_NOTE, MAX_PATH, MAX_TOTAL, Publication, TooMuch,
};
pub use tzeva_script::SourceFile;
