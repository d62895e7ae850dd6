//! History through the same engine on a virtual clock: files of events, decoded by all threads, sorted in bounded memory,
//! replayed shard by shard, put in order again, tallied. Two runs over the same files give the same changes, byte by
//! byte, whatever memory and however many threads they have. What people and programs read of a finished run is made here,
//! too; its arguments are the command line's. Whoever else reads files of events finds here how they are unpacked, and
//! followed as they grow.

mod compact;
pub mod compare;
pub mod container;
pub mod finished;
pub mod gather;
pub mod input;
pub mod ledger;
pub mod lines;
pub mod names;
pub mod progress;
pub mod replay;
pub mod report;
#[cfg(feature = "parquet")]
mod rows;
pub mod runs;
pub mod tally;
pub mod told;
pub mod unpack;
pub mod unseen;
