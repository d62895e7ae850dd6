//! One publication, and how its version comes about.
//!
//! The version is unique per publication and not per content: rules A, then B, then A again are three versions, so a
//! profile's stamp is compared for equality alone. Only the first one's is the content's own hash, so that several
//! painters that publish the same files at their first start publish one and the same thing. Every later version takes in
//! everything about its publication, also who published it when: two publishers with the same files on the same parent
//! are two publications, of which one counts, and no record's key is ever written by two of them.

use std::collections::BTreeSet;
use tzeva_model::{RulesVersion, UnixMillis};
use tzeva_script::SourceFile;
use xxhash_rust::xxh3::Xxh3;

/// The largest rule file, in bytes; that of the compiler of rules.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// All files of a publication with their paths, in bytes.
pub const MAX_TOTAL: usize = 64 * 1024 * 1024;
/// The most files.
pub const MAX_FILES: usize = 100_000;
/// The longest path, in bytes.
pub const MAX_PATH: usize = 1_024;
/// The longest name of who publishes, in bytes.
pub const MAX_BY: usize = 256;
/// The longest note, in bytes.
pub const MAX_NOTE: usize = 4_096;

/// A whole set of rule files, published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its version; unique.
    pub version: RulesVersion,
    /// The version that counted when it was made; `None`: it is the first.
    pub parent: Option<RulesVersion>,
    /// Its place in the chain; the first is 1.
    pub ordinal: u64,
    /// The hash of what the rules mean, the compiled set's own version.
    pub content: RulesVersion,
    /// When it was made. Time: the publisher's wall clock; nothing is decided by it.
    pub at: UnixMillis,
    /// Who published it, for people.
    pub by: String,
    /// Why, for people; may be empty.
    pub note: String,
    /// The rule files, sorted by path; paths are relative, with `/` between their parts.
    pub files: Vec<SourceFile>,
}

/// What a publisher says; the rest follows from the publication before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// See [`Publication::content`].
    pub content: RulesVersion,
    /// See [`Publication::at`].
    pub at: UnixMillis,
    /// See [`Publication::by`]; cut at [`MAX_BY`].
    pub by: String,
    /// See [`Publication::note`].
    pub note: String,
    /// The rule files, in any order.
    pub files: Vec<SourceFile>,
}

/// Why files can't be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// There is nothing to publish.
    #[error("there is no rule file")]
    Empty,
    /// Too many files.
    #[error("{files} rule files, at most {MAX_FILES} are published")]
    Files {
        /// How many there are.
        files: usize,
    },
    /// A file is too large.
    #[error("{path} has {bytes} bytes, a rule file has at most {MAX_FILE}")]
    File {
        /// Its path.
        path: String,
        /// Its size.
        bytes: usize,
    },
    /// All files together are too large.
    #[error("the rule files have {bytes} bytes, at most {MAX_TOTAL} are published")]
    Total {
        /// Their size with their paths.
        bytes: usize,
    },
    /// A path that could lead out of a folder, or is too long, or is there twice.
    #[error("the path {path:?} can't be published: paths are relative, plain and different")]
    Path {
        /// The path, shortened.
        path: String,
    },
    /// The note is too long.
    #[error("the note has {bytes} bytes, at most {MAX_NOTE} are published")]
    Note {
        /// Its size.
        bytes: usize,
    },
}

// === impl Publication ===

impl Publication {
    /// The publication of `draft` after `parent`, or the first one.
    ///
    /// Replay: same arguments, same version. The first one's version is its content's.
    ///
    /// # Errors
    /// If it holds more than a publication may.
    pub fn new(parent: Option<&Self>, draft: Draft) -> Result<Self, TooMuch> {
        let Draft { content, at, mut by, note, mut files } = draft;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        by.truncate(by.floor_char_boundary(MAX_BY));
        let mut made = Self {
            version: content,
            parent: parent.map(|parent| parent.version),
            ordinal: parent.map_or(1, |parent| parent.ordinal.saturating_add(1)),
            content,
            at,
            by,
            note,
            files,
        };
        made.check()?;
        made.version = made.computed_version();
        Ok(made)
    }

    /// The version that everything else in it gives.
    #[must_use]
    pub fn computed_version(&self) -> RulesVersion {
        let Some(parent) = self.parent else { return self.content };
        let mut hash = Xxh3::new();
        hash.update(&parent.get().to_le_bytes());
        hash.update(&self.content.get().to_le_bytes());
        hash.update(&self.ordinal.to_le_bytes());
        hash.update(&self.digest().to_le_bytes());
        hash.update(&self.at.get().to_le_bytes());
        for text in [&self.by, &self.note] {
            add_text(&mut hash, text);
        }
        // 0 stands for no rules at all.
        RulesVersion::new(hash.digest().max(1))
    }

    /// The hash of all files as they are written, comments included.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        for file in &self.files {
            add_text(&mut hash, &file.path);
            add_text(&mut hash, &file.text);
        }
        hash.digest()
    }

    /// Tells whether it holds no more than a publication may.
    pub(crate) fn check(&self) -> Result<(), TooMuch> {
        if self.files.is_empty() {
            return Err(TooMuch::Empty);
        }
        if self.files.len() > MAX_FILES {
            return Err(TooMuch::Files { files: self.files.len() });
        }
        if self.note.len() > MAX_NOTE {
            return Err(TooMuch::Note { bytes: self.note.len() });
        }
        let mut paths = BTreeSet::new();
        for SourceFile { path, text } in &self.files {
            if !is_plain(path) || !paths.insert(path) {
                let path = path[..path.floor_char_boundary(MAX_BY)].to_owned();
                return Err(TooMuch::Path { path });
            }
            if text.len() > MAX_FILE {
                return Err(TooMuch::File { path: path.clone(), bytes: text.len() });
            }
        }
        let bytes = self.files.iter().map(|file| file.path.len() + file.text.len()).sum();
        if bytes > MAX_TOTAL { Err(TooMuch::Total { bytes }) } else { Ok(()) }
    }
}

/// Tells whether a path stays below the folder that it is relative to, whoever writes it there.
fn is_plain(path: &str) -> bool {
    let control = path.chars().any(|c| c.is_control() || c == '\\' || c == ':');
    let parts = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    path.len() <= MAX_PATH && parts && !control
}

/// Adds a text with its length, so that no two lists of texts give one hash.
fn add_text(hash: &mut Xxh3, text: &str) {
    hash.update(&(text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}
