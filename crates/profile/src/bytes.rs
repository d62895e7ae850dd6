//! The alphabet of both byte forms: varints, spans, amounts, scores, and a reader that can't run past the end.
//!
//! A varint holds seven bits a byte, low ones first, the high bit says that more follow. A *span* is the difference of
//! two instants as an unsigned 64-bit number that wraps, written as a varint: short for what lies a little before or
//! after, and able to hold any two instants at all.

use tzeva_model::{Amount, UnixMillis};

/// Why bytes are no profile and no delta. None of it goes away on a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// They end too early.
    #[error("the bytes end in the middle of something")]
    Short,
    /// They go on after the end.
    #[error("bytes are left over at the end")]
    Trailing,
    /// A number is larger than its field can be.
    #[error("a number is out of range")]
    Range,
    /// A code that stands for nothing.
    #[error("a code stands for nothing")]
    Code,
    /// A reference to an entry that isn't there.
    #[error("a reference points to nothing")]
    Reference,
    /// A text is not UTF-8, or no visitor id where one is due.
    #[error("a text is not what it must be")]
    Text,
    /// What must be sorted and without doubles isn't.
    #[error("a list is not in order")]
    Order,
    /// A few bytes would become an unreasonable amount of memory.
    #[error("the bytes unfold to more than is allowed")]
    Unfolds,
}

/// Bytes being read.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

// === impl Input ===

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Corrupt> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Corrupt::Short)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Corrupt::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Corrupt> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Corrupt> {
        let mut value = 0_u64;
        for place in 0..10 {
            let byte = self.byte()?;
            if place == 9 && byte > 1 {
                return Err(Corrupt::Range);
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Corrupt::Range)
    }

    /// A varint that fits `T`.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self) -> Result<T, Corrupt> {
        T::try_from(self.varint()?).map_err(|_| Corrupt::Range)
    }

    /// A number of `width` bytes, low ones first.
    pub(crate) fn fixed(&mut self, width: usize) -> Result<u64, Corrupt> {
        if let Some((bytes, _)) = self.0.split_first_chunk::<8>().filter(|_| width < 8) {
            self.0 = &self.0[width..];
            return Ok(u64::from_le_bytes(*bytes) & ((1 << (8 * width)) - 1));
        }
        Ok(self.take(width)?.iter().rev().fold(0, |value, &byte| (value << 8) | u64::from(byte)))
    }

    /// The instant that lies a span before `later`.
    pub(crate) fn before(&mut self, later: UnixMillis) -> Result<UnixMillis, Corrupt> {
        Ok(UnixMillis::new(later.get().wrapping_sub(self.varint()?.cast_signed())))
    }

    /// The instant that lies a span after `earlier`.
    pub(crate) fn after(&mut self, earlier: UnixMillis) -> Result<UnixMillis, Corrupt> {
        Ok(UnixMillis::new(earlier.get().wrapping_add(self.varint()?.cast_signed())))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Corrupt> {
        let folded = self.varint()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// An amount: cents × 2, or 1 and ten-thousandths, see [`put_amount`].
    pub(crate) fn amount(&mut self) -> Result<Amount, Corrupt> {
        match self.varint()? {
            1 => Ok(Amount::new(self.signed()?)),
            odd if odd % 2 == 1 => Err(Corrupt::Code),
            cents => {
                let cents = cents >> 1;
                let cents = (cents >> 1).cast_signed() ^ -(cents & 1).cast_signed();
                cents.checked_mul(100).map(Amount::new).ok_or(Corrupt::Range)
            }
        }
    }

    /// A score, see [`put_score`].
    pub(crate) fn score(&mut self) -> Result<f32, Corrupt> {
        match self.byte()? {
            0xff => Ok(f32::from_be_bytes(self.array()?)),
            tenths @ 0x80.. => Ok(f32::from(tenths - 0x7f) / 10.0),
            head => {
                let [a, b, c] = self.array()?;
                Ok(f32::from_be_bytes([head, a, b, c]))
            }
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Corrupt> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Corrupt::Text)
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

/// A length or an index.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, count as u64);
}

/// The low `width` bytes of a number, low ones first.
pub(crate) fn put_fixed(out: &mut Vec<u8>, value: u64, width: usize) {
    // All eight at once and cut off again: a copy of a length not known beforehand costs a call.
    let end = out.len() + width;
    out.extend_from_slice(&value.to_le_bytes());
    out.truncate(end);
}

/// From `earlier` to `later`.
pub(crate) fn put_span(out: &mut Vec<u8>, earlier: UnixMillis, later: UnixMillis) {
    put_varint(out, later.get().wrapping_sub(earlier.get()).cast_unsigned());
}

/// A signed number: zero and up are even, below zero is odd.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, fold_sign(value));
}

/// Whole cents as twice their signed number; what is finer as 1, then signed ten-thousandths.
pub(crate) fn put_amount(out: &mut Vec<u8>, amount: Amount) {
    let value = amount.get();
    if value % 100 == 0 {
        put_varint(out, fold_sign(value / 100) << 1);
    } else {
        out.push(1);
        put_signed(out, value);
    }
}

/// Tenths from 0.1 to 12.7 as one byte, 0x80 to 0xfe; else the four bytes of the f32, high ones first, behind 0xff if
/// its sign is set.
pub(crate) fn put_score(out: &mut Vec<u8>, score: f32) {
    if is_short(score) {
        out.push(tenths(score) + 0x7f);
        return;
    }
    if score.is_sign_negative() {
        out.push(0xff);
    }
    out.extend_from_slice(&score.to_be_bytes());
}

/// True if [`put_score`] writes one byte.
pub(crate) fn is_short(score: f32) -> bool {
    (1..=127).contains(&tenths(score)) && f32::from(tenths(score)) / 10.0 == score
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from f32 stops at the ends")]
fn tenths(score: f32) -> u8 {
    (score * 10.0 + 0.5) as u8
}

/// `bit` if `on`.
pub(crate) const fn flag(on: bool, bit: u8) -> u8 {
    if on { bit } else { 0 }
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn fold_sign(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn low_byte(value: u64) -> u8 {
    (value & 0x7f) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let edges = [0, 1, 127, 128, 1 << 35, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for value in edges {
            let (mut out, signed) = (Vec::new(), value.cast_signed());
            put_varint(&mut out, value);
            put_signed(&mut out, signed);
            put_amount(&mut out, Amount::new(signed));
            put_amount(&mut out, Amount::new(signed / 100 * 100));
            put_span(&mut out, UnixMillis::new(signed), UnixMillis::new(5));
            let mut input = Input::new(&out);
            assert_eq!(input.varint(), Ok(value));
            assert_eq!(input.signed(), Ok(signed));
            assert_eq!(input.amount(), Ok(Amount::new(signed)));
            assert_eq!(input.amount(), Ok(Amount::new(signed / 100 * 100)));
            assert_eq!(input.before(UnixMillis::new(5)), Ok(UnixMillis::new(signed)));
            assert!(input.rest().is_empty());
        }
    }

    #[test]
    fn every_score_comes_back_bit_by_bit() {
        let tenths = (1_u8..=127).map(|k| f32::from(k) / 10.0);
        let others = [0.05, 0.15, 1.000_000_1, 12.8, 1e-30, 3e38, f32::MIN_POSITIVE, -1.0, 0.0];
        for score in tenths.clone().chain(others) {
            let mut out = Vec::new();
            put_score(&mut out, score);
            assert_eq!(Input::new(&out).score().map(f32::to_bits), Ok(score.to_bits()), "{score}");
        }
        for score in tenths {
            let mut out = Vec::new();
            put_score(&mut out, score);
            assert_eq!(out.len(), 1, "{score}");
        }
    }

    #[test]
    fn numbers_too_long_are_refused() {
        assert_eq!(Input::new(&[0xff; 11]).varint(), Err(Corrupt::Range));
        assert_eq!(Input::new(&[0x80; 3]).varint(), Err(Corrupt::Short));
        assert_eq!(Input::new(&[3]).amount(), Err(Corrupt::Code));
    }
}
