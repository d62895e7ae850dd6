//! Ways out of a command: results to stdout, notes to stderr, colour where there is a terminal; exit codes, and the
//! signals that ask for an end.

pub mod exit;
pub mod ink;
pub mod out;
pub mod signals;
