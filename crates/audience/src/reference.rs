//! The reference of the language, as values: each document, policy, condition, field, operator and kind of value, with
//! what it means, its keys, and an example that compiles.
//!
//! The keys are those of the shapes that the checker itself reads with, and the JSON Schema is made of the same tables:
//! what is told here can't be other than what is read. Pages are written of it by `cargo xtask docs`.

pub(crate) mod conditions;
pub(crate) mod documents;
pub(crate) mod fields;
pub(crate) mod kind;
mod values;

use crate::check::Shape;
use kind::Kind;

/// A page of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Kinds of documents.
    Documents,
    /// Top-level keys of an audience that say when somebody enters and leaves.
    Policies,
    /// Conditions.
    Conditions,
    /// What a `where` may name.
    Fields,
    /// How values are compared.
    Operators,
    /// What values look like.
    Values,
}

/// Something that can be said, with an example.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Where it belongs.
    pub chapter: Chapter,
    /// What is written: `event`, `stay.at_most`, `between`.
    pub word: &'static str,
    /// What it means, in Markdown.
    pub meaning: String,
    /// The keys that it takes.
    pub keys: Vec<Told>,
    /// Keys that come in a later version and are refused for now.
    pub later: &'static [&'static str],
    /// Whole documents that compile.
    pub example: String,
}

/// A key, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: &'static str,
    /// What it takes, with its bounds, in Markdown.
    pub takes: String,
    /// What holds if it is left out, in Markdown.
    pub left_out: String,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

/// A key of a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) word: &'static str,
    pub(crate) kind: Kind,
    pub(crate) meaning: &'static str,
    /// What holds if it is left out; `None`: it can't be.
    pub(crate) left_out: Option<&'static str>,
}

// === impl Key ===

impl Key {
    pub(crate) const fn needed(word: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { word, kind, meaning, left_out: None }
    }

    pub(crate) const fn optional(
        word: &'static str,
        kind: Kind,
        left_out: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { word, kind, meaning, left_out: Some(left_out) }
    }

    fn told(&self) -> Told {
        Told {
            key: self.word,
            takes: self.kind.words(),
            left_out: self.left_out.unwrap_or("refused").to_owned(),
            meaning: self.meaning,
        }
    }
}

/// All topics, in the order of the pages.
#[must_use]
pub fn reference() -> Vec<Topic> {
    let mut topics = documents::topics();
    topics.extend(conditions::topics());
    topics.extend(fields::topics());
    topics.extend(values::topics());
    topics
}

/// A topic with the keys of a shape.
fn topic(
    chapter: Chapter,
    word: &'static str,
    meaning: &str,
    (keys, shape): (&[Key], Option<&Shape>),
    example: &str,
) -> Topic {
    Topic {
        chapter,
        word,
        meaning: meaning.to_owned(),
        keys: keys.iter().map(Key::told).collect(),
        later: shape.map_or(&[], |shape| shape.later),
        example: example.trim_start().to_owned(),
    }
}
