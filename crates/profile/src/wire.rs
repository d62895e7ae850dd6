//! The wire form of a delta: what a commit record holds for each visitor it changes.
//!
//! Deterministic: equal deltas have equal bytes. An id is spelled once in a delta and pointed to afterwards, an instant
//! is written as its distance to the one before it, a tag painted by the stroke before it says so in a bit. There is no
//! version here: the commit record carries it for all its deltas.
//!
//! Every op begins with a byte whose low half is its code; what the high half means is the op's matter.

mod put;
mod take;

pub use crate::bytes::Corrupt;

use crate::Delta;
use crate::bytes::Input;

/// Codes of ops, the low half of an op's first byte. Never renumbered.
mod code {
    pub(super) const STROKE: u8 = 0;
    pub(super) const DROP_STROKE: u8 = 1;
    pub(super) const FOLD_STROKE: u8 = 2;
    pub(super) const MERGE_ITEMS: u8 = 3;
    pub(super) const DROP_CELLS: u8 = 4;
    pub(super) const EXACT_SINCE: u8 = 5;
    pub(super) const TAG: u8 = 6;
    pub(super) const UNTAG: u8 = 7;
    pub(super) const TRAIT: u8 = 8;
    pub(super) const STAND: u8 = 9;
    pub(super) const UNSTAND: u8 = 10;
    pub(super) const SEEN: u8 = 11;
    pub(super) const DEADLINE: u8 = 12;
    pub(super) const STAMP: u8 = 13;
    pub(super) const FORGET: u8 = 14;
    pub(super) const DROP_DAY: u8 = 15;
}

/// In the byte of a tag: painted at the last instant; with the score of the tag before. The level lies above them.
const AT_LAST: u8 = 1 << 4;
const SCORE_LAST: u8 = 1 << 5;
/// In the byte of a deadline: there is one.
const THERE: u8 = 1 << 4;

/// In the byte of an item: which fields follow. Above them the number of category ids, [`DEEP`] saying that it follows.
const PRODUCT: u8 = 1;
const BRAND: u8 = 1 << 1;
const PRICE: u8 = 1 << 2;
const QUANTITY: u8 = 1 << 3;
const MERGED: u8 = 1 << 4;
const DEEP: u8 = 7;

/// The distance of the first instant is to 2020-01-01T00:00:00Z.
const ORIGIN: i64 = 1_577_836_800_000;

/// Appends the bytes of `delta`.
pub fn put_delta(out: &mut Vec<u8>, delta: &Delta) {
    put::delta(out, delta);
}

/// Reads one delta off the front of `input`, and leaves what follows it.
///
/// # Errors
/// The bytes are no delta; `input` is then where it was, and a retry never helps.
pub fn take_delta(input: &mut &[u8]) -> Result<Delta, Corrupt> {
    let mut reader = Input::new(input);
    let delta = take::delta(&mut reader)?;
    *input = reader.rest();
    Ok(delta)
}

#[cfg(test)]
mod tests;
