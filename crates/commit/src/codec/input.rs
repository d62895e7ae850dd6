//! Bytes being read: the primitives of the form. No call panics, whatever the bytes; none allocates more than what is
//! left to read bears out.

use super::RecordError;
use tzeva_model::{NameId, SourceOffset, UnixMillis, VisitorId};

/// Bytes being read.
pub(super) struct Input<'a> {
    rest: &'a [u8],
    /// Offset in the record of the byte behind the last.
    end: usize,
}

// === impl Input ===

impl<'a> Input<'a> {
    /// Reads `bytes`, which begin at `base` of their record.
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { rest: bytes, end: base + bytes.len() }
    }

    pub(super) fn corrupt(&self, what: &'static str) -> RecordError {
        RecordError::Corrupt { at: self.end - self.rest.len(), what }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.corrupt("bytes follow the last field")) }
    }

    fn split(&mut self, len: usize) -> Result<&'a [u8], RecordError> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.corrupt("a field reaches beyond the end"));
        };
        self.rest = rest;
        Ok(head)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.corrupt("a field reaches beyond the end"));
        };
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    pub(super) fn flag(&mut self) -> Result<bool, RecordError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.corrupt("a flag is neither 0 nor 1")),
        }
    }

    /// A varint in its shortest form.
    pub(super) fn varint(&mut self) -> Result<u64, RecordError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(self.corrupt("a number is over 64 bits"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return match byte {
                    0 if shift > 0 => Err(self.corrupt("a number is longer than it need be")),
                    _ => Ok(number),
                };
            }
        }
        Err(self.corrupt("a number is over 64 bits"))
    }

    /// A varint that fits a narrower type.
    pub(super) fn narrow<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, RecordError> {
        let number = self.varint()?;
        T::try_from(number).map_err(|_| self.corrupt(what))
    }

    pub(super) fn signed(&mut self) -> Result<i64, RecordError> {
        let number = self.varint()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(super) fn source_offset(&mut self) -> Result<SourceOffset, RecordError> {
        self.signed().map(SourceOffset::new)
    }

    pub(super) fn instant(&mut self) -> Result<UnixMillis, RecordError> {
        self.signed().map(UnixMillis::new)
    }

    pub(super) fn instant_near(&mut self, base: UnixMillis) -> Result<UnixMillis, RecordError> {
        Ok(UnixMillis::new(base.get().wrapping_add(self.signed()?)))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, RecordError> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, RecordError> {
        self.chunk().map(u64::from_le_bytes)
    }

    pub(super) fn id(&mut self) -> Result<NameId, RecordError> {
        self.fixed64().map(NameId::new)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        let len = self.narrow("a length is over what memory can hold")?;
        self.split(len)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, RecordError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt("a text is not UTF-8"))
    }

    pub(super) fn visitor(&mut self) -> Result<VisitorId, RecordError> {
        let text = self.text()?;
        VisitorId::try_new(text).map_err(|_| self.corrupt("a visitor id is not one"))
    }

    /// A count and so many elements, each at least a byte long; the list grows as they are read.
    pub(super) fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, RecordError> {
        let count: usize = self.narrow("a count is over what memory can hold")?;
        if count > self.rest.len() {
            return Err(self.corrupt("a count reaches beyond the end"));
        }
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(element(self)?);
        }
        Ok(list)
    }

    /// A part that reads itself.
    pub(super) fn part<T, E>(
        &mut self,
        what: &'static str,
        take: impl FnOnce(&mut &'a [u8]) -> Result<T, E>,
    ) -> Result<T, RecordError> {
        let mut rest = self.rest;
        let part = take(&mut rest).map_err(|_| self.corrupt(what))?;
        self.rest = rest;
        Ok(part)
    }
}
