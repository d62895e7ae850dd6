//! What became of a record: exactly one outcome each, and they sum to the records read.

use std::fmt;

/// How a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It left a stroke.
    Painted,
    /// A duplicate by (`occurred_at`, 32 bits of the id): it changed nothing.
    Duplicate,
    /// It can't be applied, and becomes a dead letter.
    Rejected(Rejection),
}

/// Why a record can't be applied: a stable code and a sentence for the person who looks into it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rejection {
    /// The stable code.
    pub code: RejectionCode,
    /// What was expected and what was found, at most 1 KiB, without personal data.
    pub detail: String,
}

/// The code of a rejection: one word in metrics, logs, dead letters and docs, never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectionCode {
    /// The bytes are not the format they claim to be.
    Malformed,
    /// No schema is known under the id or fingerprint.
    SchemaUnknown,
    /// The writer's schema can't be read as an event.
    SchemaIncompatible,
    /// A required field is not there.
    MissingField,
    /// A field holds what it may not.
    BadValue,
    /// Over a limit of size or number.
    TooLarge,
    /// Nested deeper than 8.
    TooDeep,
    /// The record lies in a partition its visitor does not belong to.
    Misrouted,
    /// As misrouted, and the Kafka key is another id of the record.
    WrongKey,
    /// Another name is known under this id.
    NameCollision,
    /// A call type that tzeva does not take.
    UnsupportedType,
    /// Handling it failed by a bug, twice.
    Unprocessable,
}

// === impl Rejection ===

impl Rejection {
    /// The longest detail kept, in bytes.
    pub const MAX_DETAIL: usize = 1024;

    /// A rejection; `detail` is cut to 1 KiB at a character's edge.
    pub fn new(code: RejectionCode, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if detail.len() > Self::MAX_DETAIL {
            let mut end = Self::MAX_DETAIL;
            while !detail.is_char_boundary(end) {
                end -= 1;
            }
            detail.truncate(end);
        }
        Self { code, detail }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl From<Rejection> for Outcome {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

// === impl RejectionCode ===

impl RejectionCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::SchemaUnknown,
        Self::SchemaIncompatible,
        Self::MissingField,
        Self::BadValue,
        Self::TooLarge,
        Self::TooDeep,
        Self::Misrouted,
        Self::WrongKey,
        Self::NameCollision,
        Self::UnsupportedType,
        Self::Unprocessable,
    ];

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::SchemaUnknown => "schema_unknown",
            Self::SchemaIncompatible => "schema_incompatible",
            Self::MissingField => "missing_field",
            Self::BadValue => "bad_value",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::Misrouted => "misrouted",
            Self::WrongKey => "wrong_key",
            Self::NameCollision => "name_collision",
            Self::UnsupportedType => "unsupported_type",
            Self::Unprocessable => "unprocessable",
        }
    }

    /// The code written `word`, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.word() == word)
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_word() {
        for code in RejectionCode::ALL {
            assert_eq!(RejectionCode::from_word(code.word()), Some(code));
        }
    }

    #[test]
    fn a_long_detail_is_cut_at_a_characters_edge() {
        let cut = Rejection::new(RejectionCode::BadValue, "צ".repeat(600)).detail;
        assert_eq!(cut.len(), 1024);
        assert!(
            Rejection::new(RejectionCode::BadValue, format!("a{}", "צ".repeat(600))).detail.len()
                < 1024
        );
    }
}
