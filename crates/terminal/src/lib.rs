//! Ways out of a command: results to stdout, notes to stderr, colour where there is a terminal.

pub mod ink;
pub mod out;
