//! Bytes being written: the primitives of the form.

use tzeva_model::{NameId, UnixMillis};

/// Bytes being written.
#[derive(Default)]
pub(super) struct Output(Vec<u8>);

// === impl Output ===

impl Output {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    /// Seven bits a byte, lowest first, the high bit says that more follow.
    pub(super) fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Zigzag, then a varint.
    pub(super) fn signed(&mut self, number: i64) {
        self.varint((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    pub(super) fn instant(&mut self, at: UnixMillis) {
        self.signed(at.get());
    }

    /// As the distance from `base`, wrapping, so that any two instants have one.
    pub(super) fn instant_near(&mut self, base: UnixMillis, at: UnixMillis) {
        self.signed(at.get().wrapping_sub(base.get()));
    }

    pub(super) fn fixed32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn fixed64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn id(&mut self, id: NameId) {
        self.fixed64(id.get());
    }

    pub(super) fn count(&mut self, count: usize) {
        self.varint(count as u64);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The bytes so far, for a part that writes itself.
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Ends with the checksum of all before it.
    pub(super) fn seal(mut self) -> Vec<u8> {
        let sum = crc32c::crc32c(&self.0);
        self.fixed32(sum);
        self.0
    }
}
