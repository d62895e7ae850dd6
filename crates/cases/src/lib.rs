//! Random cases for the proofs: settings, rules, what happened, and how far to go; as values and as text.
//!
//! A case of a seed is the same for ever on every machine. The text is for people and for files of shrunk failures;
//! what is no such text panics, since only tests read it. Where a test needs less than everything, [`Wanted`] says so.
#![deny(missing_docs)]

mod activations;
mod case;
mod history;
pub mod publish;
mod random;
mod read;
mod rules;
mod shrink;
mod write;

pub use case::{BASE, Case, Move};
pub use history::{Wanted, case, case_with};
pub use random::Random;
pub use read::case as read;
pub use shrink::shrink;
pub use write::{case as write, change as write_change};

/// What must be there, or the case is none.
trait Sure<T> {
    /// The value; panics if there is none.
    fn sure(self) -> T;
}

impl<T> Sure<T> for Option<T> {
    #[track_caller]
    fn sure(self) -> T {
        match self {
            Some(value) => value,
            None => panic!("this is no case"),
        }
    }
}
