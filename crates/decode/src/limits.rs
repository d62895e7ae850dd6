//! The limits of the format; over any of them a record is refused as `too_large` or `too_deep`.

/// The longest record, in bytes.
pub const MAX_RECORD: usize = 1 << 20;
/// The most keys of any one object.
pub const MAX_KEYS: usize = 256;
/// How deep objects and arrays may nest; the outermost counts as 1.
pub const MAX_DEPTH: usize = 8;
/// The longest string, in bytes.
pub const MAX_STRING: usize = 8 << 10;
/// The most products of one event.
pub const MAX_ITEMS: usize = 500;
