//! Text to tape, strictly by RFC 8259, with the format's limits checked on the way, so that a hostile record costs no more
//! than its length: depth 8, 256 keys an object, strings of 8 KiB.

use super::tape::{Entry, Kind, Tape};
use crate::limits::{MAX_DEPTH, MAX_KEYS, MAX_STRING};
use crate::reject::{Refusal, refuse};
use tzeva_model::RejectionCode::{Malformed, TooDeep, TooLarge};

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tape: &'a mut Tape,
}

/// Scans all of `text`, at most 1 MiB of it, into `tape`.
///
/// # Errors
/// `malformed`, `too_deep` or `too_large`.
pub(crate) fn scan(text: &str, tape: &mut Tape) -> Result<(), Refusal> {
    tape.entries.clear();
    tape.side.clear();
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, tape };
    scanner.space();
    scanner.value(1)?;
    scanner.space();
    match scanner.peek() {
        None => Ok(()),
        Some(_) => Err(scanner.malformed("something follows the JSON value")),
    }
}

// === impl Scanner ===

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[cold]
    fn malformed(&self, what: &str) -> Refusal {
        refuse(Malformed, format!("{what} (byte {})", self.at))
    }

    /// Adds an entry and tells its place; `next` is right unless it comes to hold others.
    fn push(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let place = self.tape.entries.len();
        self.tape.entries.push(Entry {
            kind,
            start: index(start),
            end: index(end),
            next: index(place + 1),
        });
        place
    }

    /// `depth`: how deep this value lies; the outermost lies at 1.
    fn value(&mut self, depth: usize) -> Result<(), Refusal> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'n') => self.word("null", Kind::Null),
            _ => Err(self.malformed("a JSON value was expected")),
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), Refusal> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed("a JSON value was expected"));
        }
        self.push(kind, self.at, self.at);
        self.at += word.len();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Refusal> {
        let place = self.open(Kind::Object, depth)?;
        if self.peek() == Some(b'}') {
            return self.close(place);
        }
        for _ in 0..MAX_KEYS {
            if self.peek() != Some(b'"') {
                return Err(self.malformed("a key in quotes was expected"));
            }
            self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.malformed("a colon was expected"));
            }
            self.at += 1;
            self.space();
            self.value(depth + 1)?;
            if self.is_last(b'}')? {
                return self.close(place);
            }
        }
        Err(refuse(TooLarge, format!("an object has more than {MAX_KEYS} keys")))
    }

    fn array(&mut self, depth: usize) -> Result<(), Refusal> {
        let place = self.open(Kind::Array, depth)?;
        if self.peek() == Some(b']') {
            return self.close(place);
        }
        loop {
            self.value(depth + 1)?;
            if self.is_last(b']')? {
                return self.close(place);
            }
        }
    }

    fn open(&mut self, kind: Kind, depth: usize) -> Result<usize, Refusal> {
        if depth > MAX_DEPTH {
            return Err(refuse(TooDeep, format!("nested deeper than {MAX_DEPTH}")));
        }
        let place = self.push(kind, self.at, self.at);
        self.at += 1;
        self.space();
        Ok(place)
    }

    /// After a value: stands at `closing` (true), or behind a comma and its space (false).
    fn is_last(&mut self, closing: u8) -> Result<bool, Refusal> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space();
                Ok(false)
            }
            Some(b) if b == closing => Ok(true),
            _ => Err(self.malformed("a comma or the end of the list was expected")),
        }
    }

    fn close(&mut self, place: usize) -> Result<(), Refusal> {
        self.at += 1;
        self.tape.entries[place].next = index(self.tape.entries.len());
        Ok(())
    }

    fn number(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.digits() == 0 {
            return Err(self.malformed("a digit was expected"));
        }
        let unsigned = &self.bytes[start..self.at];
        let unsigned = unsigned.strip_prefix(b"-").unwrap_or(unsigned);
        if unsigned.len() > 1 && unsigned[0] == b'0' {
            return Err(self.malformed("a number starts with 0"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.malformed("a digit was expected"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(self.malformed("a digit was expected"));
            }
        }
        if self.at - start > MAX_STRING {
            return Err(refuse(TooLarge, format!("a number is longer than {MAX_STRING} bytes")));
        }
        self.push(Kind::Number, start, self.at);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        let start = self.at;
        self.at = plain_until(self.bytes, start);
        match self.peek() {
            Some(b'"') => self.end_string(Kind::Plain, start, self.at),
            Some(b'\\') => self.unescape(start),
            _ => Err(self.malformed("a string does not end")),
        }
    }

    fn end_string(&mut self, kind: Kind, start: usize, end: usize) -> Result<(), Refusal> {
        if end - start > MAX_STRING {
            return Err(refuse(TooLarge, format!("a string is longer than {MAX_STRING} bytes")));
        }
        self.push(kind, start, end);
        self.at += 1;
        Ok(())
    }

    /// The rest of a string that began at `from` and stands at its first backslash, copied to the side.
    fn unescape(&mut self, from: usize) -> Result<(), Refusal> {
        let side_start = self.tape.side.len();
        let mut plain = from;
        loop {
            self.at = plain_until(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.tape.side.push_str(&self.text[plain..self.at]);
                    let c = self.escape()?;
                    self.tape.side.push(c);
                    plain = self.at;
                }
                _ => return Err(self.malformed("a string does not end")),
            }
        }
        self.tape.side.push_str(&self.text[plain..self.at]);
        let side_end = self.tape.side.len();
        self.end_string(Kind::Unescaped, side_start, side_end)
    }

    /// The character of the escape that starts here; stands behind it afterwards.
    fn escape(&mut self) -> Result<char, Refusal> {
        let c = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.malformed("an unknown escape")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char, Refusal> {
        let high = self.unit()?;
        let code = match high {
            0xd800..=0xdbff => {
                let low = self.unit()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return Err(self.malformed("half a surrogate pair"));
                }
                0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
            }
            unit => unit,
        };
        char::from_u32(code).ok_or_else(|| self.malformed("half a surrogate pair"))
    }

    /// One `\uXXXX`.
    fn unit(&mut self) -> Result<u32, Refusal> {
        let unit = match self.bytes.get(self.at..self.at + 6) {
            Some([b'\\', b'u', digits @ ..]) => digits
                .iter()
                .try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?)),
            _ => None,
        };
        self.at += if unit.is_some() { 6 } else { 0 };
        unit.ok_or_else(|| self.malformed("an escape needs four hex digits"))
    }
}

/// The first place from `at` on of a quote, a backslash or a control character; else the end. Eight bytes at a time.
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The high bit of each byte that is less than `bound`, and maybe of some above the first that is.
    let less = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        let quote = less(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = less(word ^ (ONES * u64::from(b'\\')), 1);
        let found = (quote | backslash | less(word, 0x20)) & (ONES << 7);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes[at..].iter().position(is_special).map_or(bytes.len(), |found| at + found)
}

/// A place in a record of at most 1 MiB.
#[expect(clippy::cast_possible_truncation, reason = "records are refused over 1 MiB before")]
const fn index(place: usize) -> u32 {
    place as u32
}

#[cfg(test)]
mod tests {
    use super::plain_until;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_wherever_it_stands(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), 0x1e_u8..0x22, 0x5a_u8..0x5f, 0x80_u8..0xa4],
                0..40,
            ),
            plain in prop::collection::vec(0x61_u8..0x7b, 0..40),
            from in 0_usize..8,
        ) {
            let bytes = [plain, bytes].concat();
            let from = from.min(bytes.len());
            let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            let want = bytes[from..].iter().position(is_special).map_or(bytes.len(), |at| from + at);
            prop_assert_eq!(plain_until(&bytes, from), want);
        }
    }
}
