//! Ways out of a command: results to stdout, notes to stderr, colour where there is a terminal; exit codes, the
//! signals that ask for an end, and files that are there whole or not at all.

pub mod exit;
pub mod file;
pub mod ink;
pub mod out;
pub mod signals;
