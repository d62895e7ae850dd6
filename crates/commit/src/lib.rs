//! Anchor, claim and commit records, the rule that says which of them count, the recovery fold, and the ports behind
//! which logs and stores lie. Knows no client, no clock, no rule.
#![deny(missing_docs)]

mod marker;
pub mod port;
mod record;

pub use marker::MarkerError;
pub use record::{
    Anchor, AnchorCause, Claim, Commit, DeadLetter, InputRange, LogRecord, LostRange, Marker,
    NewName, ShardLink, SweepPage,
};
