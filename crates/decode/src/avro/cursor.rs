//! Avro's binary encoding, one value at a time, over borrowed bytes: nothing is allocated for what a record claims to
//! hold, so a claim of half a gigabyte in five bytes is just a record that ends too early.

use crate::limits::{MAX_DEPTH, MAX_KEYS, MAX_STRING};
use crate::reject::{Refusal, refuse};
use tzeva_model::RejectionCode::{Malformed, TooDeep, TooLarge};

/// What is left of a record, and how many elements of lists and maps may still be read: an element of nulls takes no
/// bytes, so their number needs a bound of its own.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    elements: u32,
}

/// The head of a block of a list or a map.
pub(crate) struct Block {
    pub(crate) count: u32,
    /// How many bytes its elements take, if the writer says so.
    pub(crate) bytes: Option<usize>,
}

/// The most elements of all lists and maps of a record together: one a byte.
const MAX_ELEMENTS: u32 = 1 << 20;

// === impl Cursor ===

impl<'a> Cursor<'a> {
    pub(crate) const fn new(record: &'a [u8]) -> Self {
        Self { rest: record, elements: MAX_ELEMENTS }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(byte)
    }

    /// An int or a long: zigzag, seven bits a byte.
    pub(crate) fn long(&mut self) -> Result<i64, Refusal> {
        let mut raw = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if shift == 63 && byte > 1 {
                    break;
                }
                return Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed());
            }
        }
        Err(refuse(Malformed, "a number is longer than 64 bits"))
    }

    /// A place in an enum or a union of `count`.
    pub(crate) fn place(&mut self, count: usize) -> Result<usize, Refusal> {
        let place = usize::try_from(self.long()?).ok().filter(|place| *place < count);
        place.ok_or_else(|| refuse(Malformed, "an enum or a union names a branch it doesn't have"))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Refusal> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(refuse(Malformed, "a boolean is neither 0 nor 1")),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.long()?;
        let length = usize::try_from(length)
            .map_err(|_| refuse(Malformed, "a length is negative or beyond all bounds"))?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Refusal> {
        let bytes = self.bytes()?;
        if bytes.len() > MAX_STRING {
            return Err(refuse(TooLarge, format!("a string is longer than {MAX_STRING} bytes")));
        }
        std::str::from_utf8(bytes).map_err(|_| refuse(Malformed, "a string is not UTF-8"))
    }

    /// The head of the next block; `None` behind the last.
    pub(crate) fn block(&mut self) -> Result<Option<Block>, Refusal> {
        let signed = self.long()?;
        let bytes = match signed {
            0 => return Ok(None),
            1.. => None,
            _ => {
                let length = usize::try_from(self.long()?).map_err(|_| ends_early())?;
                if length > self.rest.len() {
                    return Err(ends_early());
                }
                Some(length)
            }
        };
        let count = u32::try_from(signed.unsigned_abs()).ok().filter(|n| *n <= self.elements);
        let Some(count) = count else {
            return Err(refuse(TooLarge, format!("lists of more than {MAX_ELEMENTS} elements")));
        };
        self.elements -= count;
        Ok(Some(Block { count, bytes }))
    }
}

/// Refuses what lies deeper than the format allows.
pub(crate) fn check_depth(depth: usize) -> Result<(), Refusal> {
    if depth > MAX_DEPTH {
        return Err(refuse(TooDeep, format!("nested deeper than {MAX_DEPTH}")));
    }
    Ok(())
}

/// Refuses a map of more keys than the format allows.
pub(crate) fn check_keys(keys: u32) -> Result<(), Refusal> {
    if keys as usize > MAX_KEYS {
        return Err(refuse(TooLarge, format!("a map has more than {MAX_KEYS} keys")));
    }
    Ok(())
}

#[cold]
fn ends_early() -> Refusal {
    refuse(Malformed, "the record ends too early")
}
