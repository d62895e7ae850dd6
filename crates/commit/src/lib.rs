//! Anchor, claim and commit records, the rule that says which of them count, the recovery fold, and the ports behind
//! which logs and stores lie. Knows no client, no clock, no rule.
#![deny(missing_docs)]

pub mod codec;
mod judge;
mod ledger;
mod marker;
pub mod port;
mod record;
mod recovery;
#[cfg(test)]
mod samples;
mod split;

pub use codec::{RecordError, decode, encode};
pub use judge::{Judge, Verdict, Why};
pub use ledger::{Counted, End, Ledger, Part, Settled, Then};
pub use marker::MarkerError;
pub use record::{
    Anchor, AnchorCause, Claim, Commit, DeadLetter, InputRange, LogRecord, LostRange, Marker, Met,
    NewName, ShardLink, Sweep,
};
pub use recovery::{Effects, Expected, Lacking, Recovered, Recovery, Refusal};
pub use split::{RECORD_LIMIT, TooLarge, split};
