//! Visitors and where they live: shard and partition follow from the id alone, for ever.

use crate::{Partition, Shard};
use std::fmt;
use std::sync::Arc;

/// The number of shards, for ever: the unit of placement.
pub const SHARDS: u16 = 1024;

/// Whoever an event belongs to: 1-256 bytes of UTF-8 without control characters. Cheap to clone; sorted by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitorId(Arc<str>);

/// Why a text is no visitor id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitorIdError {
    /// Empty: the empty field of a shard's hash is its marker.
    #[error("visitor id is empty")]
    Empty,
    /// Over 256 bytes.
    #[error("visitor id is {0} bytes long, at most 256 are allowed")]
    TooLong(usize),
    /// A control character, which keys, logs and terminals would garble.
    #[error("visitor id holds a control character")]
    Control,
}

// === impl VisitorId ===

impl VisitorId {
    /// The visitor `text`.
    ///
    /// # Errors
    /// See [`VisitorIdError`]; a retry never helps.
    ///
    /// # Example
    /// ```
    /// use tzeva_model::VisitorId;
    /// let visitor = VisitorId::try_new("v-42").unwrap();
    /// assert!(visitor.shard().get() < tzeva_model::SHARDS);
    /// ```
    pub fn try_new(text: &str) -> Result<Self, VisitorIdError> {
        match text {
            "" => Err(VisitorIdError::Empty),
            _ if text.len() > 256 => Err(VisitorIdError::TooLong(text.len())),
            _ if has_control(text) => Err(VisitorIdError::Control),
            _ => Ok(Self(text.into())),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shard it lives in: `(murmur2(id) & 0x7fffffff) % 1024`.
    #[must_use]
    pub fn shard(&self) -> Shard {
        let positive = murmur2(self.0.as_bytes()) & 0x7fff_ffff;
        #[expect(clippy::cast_possible_truncation, reason = "a remainder of 1,024 fits")]
        Shard::new((positive % u32::from(SHARDS)) as u16)
    }

    /// The partition it belongs to among `count`, which is a power of two up to 1,024.
    #[must_use]
    pub fn partition(&self, count: u16) -> Partition {
        self.shard().partition(count)
    }
}

impl fmt::Debug for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VisitorId({:?})", &*self.0)
    }
}

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nearly all ids are ASCII, of which bytes tell.
fn has_control(text: &str) -> bool {
    let is_plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    !is_plain && text.chars().any(char::is_control)
}

/// Murmur2 as Kafka's Java default partitioner computes it (seed `0x9747b28c`, little-endian words), so that a topic
/// keyed by visitor id lands where the shard says.
#[must_use]
pub fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the algorithm takes the length modulo 2^32"
    )]
    let mut hash = 0x9747_b28c_u32 ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for &word in words {
        let mut k = u32::from_le_bytes(word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (place, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_is_kafkas() {
        assert_eq!(murmur2(b"kafka"), 0xd067_cf64);
        assert_eq!(murmur2(b"1234"), 0x9fc9_7b14);
        assert_eq!(murmur2(b""), 0x106e_08d9);
        // Kafka's own UtilsTest, as signed numbers.
        assert_eq!(murmur2(b"21").cast_signed(), -973_932_308);
        assert_eq!(murmur2(b"foobar").cast_signed(), -790_332_482);
        assert_eq!(murmur2(b"a-little-bit-long-string").cast_signed(), -985_981_536);
        assert_eq!(murmur2(b"a-little-bit-longer-string").cast_signed(), -1_486_304_829);
    }

    #[test]
    fn a_partition_is_its_shard_modulo_the_count() {
        let visitor = VisitorId::try_new("v-42").unwrap();
        assert_eq!(visitor.partition(1024).get(), visitor.shard().get());
        assert_eq!(visitor.partition(64).get(), visitor.shard().get() % 64);
    }

    #[test]
    fn ids_that_keys_would_garble_are_refused() {
        assert_eq!(VisitorId::try_new(""), Err(VisitorIdError::Empty));
        for control in ["a\nb", "\u{7f}", "é\u{85}", "\0"] {
            assert_eq!(VisitorId::try_new(control), Err(VisitorIdError::Control));
        }
        assert!(VisitorId::try_new(" ~é\u{a0}").is_ok());
        assert_eq!(VisitorId::try_new(&"x".repeat(257)), Err(VisitorIdError::TooLong(257)));
    }
}
