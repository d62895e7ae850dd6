//! History through the same engine on a virtual clock: files of events, sorted in bounded memory, decoded beside the
//! engine, replayed, tallied. Nothing waits for anything but the disk, and two runs over the same files give the same
//! changes, byte by byte. What people see of it is the command line's.

pub mod gather;
pub mod input;
pub mod progress;
pub mod replay;
pub mod sort;
pub mod tally;
pub mod unpack;
