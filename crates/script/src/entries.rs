//! Mappings: which keys a mapping may hold, and the reports on what is not as it should be.
//!
//! A step that can't read something reports it and answers `None`; the walk goes on with the rest, so that one run
//! finds all problems.

use crate::code::Code;
use crate::near::nearest;
use crate::problem::{At, Report};
use crate::tree::{Kind, Tree};
use std::collections::BTreeMap;

/// What a mapping may hold.
pub struct Shape {
    /// What it is, for messages: `an audience`.
    pub noun: &'static str,
    /// Keys that mean something.
    pub keys: &'static [&'static str],
    /// Keys that will mean something later.
    pub later: &'static [&'static str],
}

/// The entries of a mapping that its shape knows.
pub struct Entries<'t> {
    /// Where the mapping begins.
    pub at: At,
    /// It holds a key that is misspelt or comes later: don't ask for what that key may stand for.
    pub incomplete: bool,
    found: BTreeMap<&'t str, (At, &'t Tree)>,
}

// === impl Entries ===

impl<'t> Entries<'t> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'t Tree> {
        self.found.get(key).map(|(_, value)| *value)
    }

    /// Where a key stands.
    #[must_use]
    pub fn key_at(&self, key: &str) -> Option<At> {
        self.found.get(key).map(|(at, _)| *at)
    }
}

// === impl Report ===

impl Report<'_> {
    /// Reports with a hint.
    pub fn refuse(&mut self, code: Code, at: At, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.add(code, at, message.into(), help);
    }

    /// Reports that something else was expected.
    pub fn wrong_shape(&mut self, tree: &Tree, wanted: &str) {
        self.wrong_shape_with(tree, wanted, "");
    }

    /// The same with a hint.
    pub fn wrong_shape_with(&mut self, tree: &Tree, wanted: &str, help: &str) {
        let found = match tree.text().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => format!("`{}`", shortened(text)),
            None => tree.noun().to_owned(),
        };
        if !matches!(tree.kind, Kind::Bad) {
            let message = format!("expected {wanted}, found {found}");
            self.refuse(Code::WrongShape, head(tree), message, help);
        }
    }

    /// The entries of a mapping, unknown and repeated keys reported.
    pub fn entries<'t>(&mut self, tree: &'t Tree, shape: &Shape) -> Option<Entries<'t>> {
        let Kind::Map(pairs) = &tree.kind else {
            let help =
                format!("write `{{ key: value, ... }}`, with keys of {}", shape.keys.join(", "));
            self.wrong_shape_with(tree, &format!("{} (a mapping)", shape.noun), &help);
            return None;
        };
        let mut entries = Entries { at: head(tree), incomplete: false, found: BTreeMap::new() };
        for (key, value) in pairs {
            let Some(word) = key.text() else {
                self.wrong_shape(key, "a key (a text)");
                continue;
            };
            if shape.keys.contains(&word) {
                if entries.found.insert(word, (key.at, value)).is_some() {
                    self.refuse(
                        Code::DuplicateKey,
                        key.at,
                        format!("`{word}` stands here twice"),
                        "",
                    );
                }
            } else if shape.later.contains(&word) {
                entries.incomplete = true;
                self.not_built(word, key.at);
            } else {
                entries.incomplete |= self.unknown_key(word, key.at, shape);
            }
        }
        Some(entries)
    }

    /// Reports a part of the language that comes later.
    pub fn not_built(&mut self, what: &str, at: At) {
        let help = "it belongs to the language but comes in a later version; leave it out for now";
        self.refuse(Code::NotBuiltYet, at, format!("`{what}` is not built yet"), help);
    }

    /// True if a known key is so near that it was meant.
    fn unknown_key(&mut self, word: &str, at: At, shape: &Shape) -> bool {
        let near = nearest(word, shape.keys.iter().chain(shape.later).copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", shape.keys.join(", ")),
        };
        let message = format!("`{}` is no key of {}", shortened(word), shape.noun);
        self.refuse(Code::UnknownKey, at, message, &help);
        near.is_some()
    }

    /// A value that must be there.
    pub fn required<'t>(
        &mut self,
        entries: &Entries<'t>,
        key: &str,
        noun: &str,
    ) -> Option<&'t Tree> {
        let found = entries.get(key);
        if found.is_none() && !entries.incomplete {
            self.refuse(Code::MissingKey, entries.at, format!("{noun} needs `{key}`"), "");
        }
        found
    }

    /// A text; an empty one is none.
    pub fn text<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<&'t str> {
        match tree.text().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(text),
            None => {
                self.wrong_shape(tree, wanted);
                None
            }
        }
    }
}

/// Where to point for a node: a text as it stands, of a list or mapping its first character.
pub fn head(tree: &Tree) -> At {
    match tree.kind {
        Kind::Text(..) | Kind::Bad => tree.at,
        Kind::List(_) | Kind::Map(_) => At { end: tree.at.start + 1, ..tree.at },
    }
}

/// A text short enough for a message.
pub fn shortened(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", text[..cut].chars().map(plain).collect::<String>()),
        None => text.chars().map(plain).collect(),
    }
}
