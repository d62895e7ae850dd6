//! The written form: JSON records of bounded size, each with a checksum.
//!
//! The key is `<version, 16 hex digits>/<part, from 0>`. The first part says everything but the files; all parts together
//! hold the files in order of path, and a file may go on in the next part. The last part says that it is the last. A
//! record's checksum is over all else in it and its key, so a value under another's key is found out too. `files_check`
//! keeps parts of different writings apart.

use crate::publication::{MAX_BY, MAX_NOTE, MAX_PATH};
use crate::{Flaw, Publication, SourceFile};
use serde::{Deserialize, Serialize};
use tzeva_model::{RulesVersion, UnixMillis};
use xxhash_rust::xxh3::xxh3_64;

/// The largest value of a part, in bytes.
pub const MAX_PART: usize = 512 * 1024;
/// What a part holds besides names, notes, paths and text, at most.
const FRAME: usize = 1_024;
/// What a piece of a file holds besides its path and text, at most.
const PIECE_FRAME: usize = 64;
/// The longest escape that JSON has for one byte: `\u001f`.
const ESCAPED: usize = 6;
/// The most parts that a reader takes; the largest publication of the worst text has fewer than half as many.
const MAX_PARTS: u32 = 4_096;
const FORM: u32 = 1;

// A part must have room for its frame and one whole path.
const _: () = assert!(FRAME + ESCAPED * (MAX_BY + MAX_NOTE + MAX_PATH) + 1_024 < MAX_PART);

/// One record of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `<version>/<part>`.
    pub key: String,
    /// JSON of at most [`MAX_PART`] bytes, unless it is a whole publication.
    pub value: Vec<u8>,
}

/// A part as its value says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    form: u32,
    version: String,
    part: u32,
    pub(crate) last: bool,
    check: String,
    /// Of all files together.
    pub(crate) files_check: String,
    /// In the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publication: Option<Head>,
    pub(crate) files: Vec<Piece>,
}

/// What a publication says besides its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    parent: Option<String>,
    ordinal: u64,
    content: String,
    at_ms: i64,
    by: String,
    note: String,
}

/// A file, or a piece of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    pub(crate) path: String,
    pub(crate) text: String,
    /// It goes on in the next part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) more: bool,
}

/// A reader of one form only needs to know that it is another.
#[derive(Deserialize)]
struct AnyForm {
    form: u32,
}

// === impl Publication ===

impl Publication {
    /// Its records, in order; the last one completes it.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let used = ESCAPED * (self.by.len() + self.note.len());
        let mut pieces = Cutter { used, ..Cutter::default() };
        self.files.iter().for_each(|file| pieces.add(file));
        pieces.done.push(pieces.open);
        let last = pieces.done.len() - 1;
        let each = pieces.done.into_iter().enumerate();
        each.map(|(part, files)| self.part(part, part == last, files)).collect()
    }

    /// It as one record, however large: for a place that doesn't bound records.
    #[must_use]
    pub fn whole(&self) -> Part {
        let piece = |file: &SourceFile| Piece {
            path: file.path.clone(),
            text: file.text.clone(),
            more: false,
        };
        self.part(0, true, self.files.iter().map(piece).collect())
    }

    fn part(&self, part: usize, last: bool, files: Vec<Piece>) -> Part {
        let mut written = Written {
            form: FORM,
            version: hex(self.version.get()),
            part: u32::try_from(part).unwrap_or(u32::MAX),
            last,
            check: String::new(),
            files_check: hex(self.digest()),
            publication: (part == 0).then(|| Head::from(self)),
            files,
        };
        written.check = written.computed_check();
        Part { key: written.key(), value: serde_json::to_vec(&written).unwrap_or_default() }
    }
}

/// Cuts files into parts.
#[derive(Default)]
struct Cutter {
    done: Vec<Vec<Piece>>,
    open: Vec<Piece>,
    /// Bytes of the open part besides its frame, as JSON writes them.
    used: usize,
}

// === impl Cutter ===

impl Cutter {
    fn add(&mut self, file: &SourceFile) {
        let frame = PIECE_FRAME + ESCAPED * file.path.len();
        let mut rest = file.text.as_str();
        loop {
            let room = (MAX_PART - FRAME).saturating_sub(self.used + frame);
            let (fits, used) = fitting(rest, room);
            // An empty piece says nothing, unless the file is empty.
            if fits == 0 && (!rest.is_empty() || room == 0) {
                self.next();
                continue;
            }
            let (text, after) = rest.split_at(fits);
            let more = !after.is_empty();
            self.open.push(Piece { path: file.path.clone(), text: text.to_owned(), more });
            self.used += frame + used;
            if !more {
                return;
            }
            rest = after;
            self.next();
        }
    }

    fn next(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
        self.used = 0;
    }
}

/// How many bytes of `text` fit into `room` bytes of JSON, and how many they take there.
fn fitting(text: &str, room: usize) -> (usize, usize) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        let takes = match c {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..='\x1f' => ESCAPED,
            c => c.len_utf8(),
        };
        if used + takes > room {
            return (at, used);
        }
        used += takes;
    }
    (text.len(), used)
}

// === impl Written ===

impl Written {
    /// Reads a record.
    pub(crate) fn read(key: &str, value: &[u8]) -> Result<Self, Flaw> {
        let unreadable = |why: &serde_json::Error| Flaw::Unreadable {
            key: key.to_owned(),
            why: why.to_string(),
        };
        let mut written: Self = match serde_json::from_slice(value) {
            Ok(written) => written,
            Err(why) => match serde_json::from_slice(value) {
                Ok(AnyForm { form }) if form != FORM => {
                    return Err(Flaw::Form { key: key.to_owned(), form });
                }
                _ => return Err(unreadable(&why)),
            },
        };
        if written.form != FORM {
            return Err(Flaw::Form { key: key.to_owned(), form: written.form });
        }
        let computed = written.computed_check();
        if written.key() != key || written.check != computed {
            return Err(Flaw::Damaged { key: key.to_owned() });
        }
        Ok(written)
    }

    fn key(&self) -> String {
        format!("{}/{}", self.version, self.part)
    }

    /// Over the record as it is written with an empty checksum: the order of fields is ours, so that is one text.
    fn computed_check(&mut self) -> String {
        let check = std::mem::take(&mut self.check);
        let bare = serde_json::to_vec(self).unwrap_or_default();
        self.check = check;
        hex(xxh3_64(&bare))
    }
}

// === impl Head ===

impl Head {
    /// A publication without its files; `None` if a version isn't one.
    pub(crate) fn publication(self, version: RulesVersion) -> Option<Publication> {
        let parent = match self.parent {
            Some(text) => Some(RulesVersion::new(from_hex(&text)?)),
            None => None,
        };
        Some(Publication {
            version,
            parent,
            ordinal: self.ordinal,
            content: RulesVersion::new(from_hex(&self.content)?),
            at: UnixMillis::new(self.at_ms),
            by: self.by,
            note: self.note,
            files: Vec::new(),
        })
    }
}

impl From<&Publication> for Head {
    fn from(publication: &Publication) -> Self {
        Self {
            parent: publication.parent.map(|parent| hex(parent.get())),
            ordinal: publication.ordinal,
            content: hex(publication.content.get()),
            at_ms: publication.at.get(),
            by: publication.by.clone(),
            note: publication.note.clone(),
        }
    }
}

/// The key that a record's value names itself, for a place without keys; `None` if it names none.
#[must_use]
pub fn key_of(value: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        version: String,
        part: u32,
    }
    let Named { version, part } = serde_json::from_slice(value).ok()?;
    Some(format!("{version}/{part}"))
}

/// The version and part that a key names, written in the one way there is.
pub(crate) fn read_key(key: &[u8]) -> Result<(&str, RulesVersion, u32), Flaw> {
    let parsed = || {
        let text = std::str::from_utf8(key).ok()?;
        let (version, part) = text.split_once('/')?;
        let number: u32 = part.parse().ok().filter(|number| *number < MAX_PARTS)?;
        let plain = number.to_string() == part;
        plain.then_some((text, RulesVersion::new(from_hex(version)?), number))
    };
    parsed().ok_or_else(|| {
        let shown = &key[..key.len().min(64)];
        Flaw::Key { key: String::from_utf8_lossy(shown).into_owned() }
    })
}

fn hex(number: u64) -> String {
    format!("{number:016x}")
}

fn from_hex(text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text, 16).ok()?;
    (hex(number) == text).then_some(number)
}
