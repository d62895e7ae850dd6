//! The checker: what all parts of the walk from tree to values share.
//!
//! A step that can't read something reports it and answers `None`; the walk goes on with the rest, so that one run
//! finds all problems. A rule set comes out only if nothing was refused.

use crate::CheckSettings;
use crate::code::Code;
use crate::compare::nearest;
use crate::duration::parse_duration;
use crate::problem::{At, Report};
use crate::tree::{Kind, Style, Tree};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_model::{Level, Millis, Name};

/// Walks trees, collects problems.
pub(crate) struct Checker<'a> {
    pub(crate) settings: &'a CheckSettings,
    pub(crate) report: Report<'a>,
    /// Fields named by rules that history keeps only if told to.
    pub(crate) named_fields: BTreeSet<String>,
    /// Tags that rules ask for, to be held against the paint.
    pub(crate) asked_tags: Vec<AskedTag>,
    /// Audiences that the document being read asks for.
    pub(crate) asked_audiences: Vec<(Name, At)>,
}

/// A tag that a rule asks for.
#[derive(Debug)]
pub(crate) struct AskedTag {
    pub(crate) level: Level,
    pub(crate) text: String,
    pub(crate) tag_at: At,
    /// With where it stands.
    pub(crate) threshold: Option<(f64, At)>,
}

/// What a mapping may hold.
pub(crate) struct Shape {
    /// What it is, for messages: `an audience`.
    pub(crate) noun: &'static str,
    /// Keys that mean something.
    pub(crate) keys: &'static [&'static str],
    /// Keys that will mean something later.
    pub(crate) later: &'static [&'static str],
}

/// The entries of a mapping that its shape knows.
pub(crate) struct Entries<'t> {
    pub(crate) at: At,
    /// It holds a key that is misspelt or comes later: don't ask for what that key may stand for.
    pub(crate) incomplete: bool,
    found: BTreeMap<&'t str, (At, &'t Tree)>,
}

// === impl Entries ===

impl<'t> Entries<'t> {
    pub(crate) fn get(&self, key: &str) -> Option<&'t Tree> {
        self.found.get(key).map(|(_, value)| *value)
    }

    /// Where a key stands.
    pub(crate) fn key_at(&self, key: &str) -> Option<At> {
        self.found.get(key).map(|(at, _)| *at)
    }
}

// === impl Checker ===

impl Checker<'_> {
    /// Reports with a hint.
    pub(crate) fn refuse(&mut self, code: Code, at: At, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.report.add(code, at, message.into(), help);
    }

    /// Reports that something else was expected.
    pub(crate) fn wrong_shape(&mut self, tree: &Tree, wanted: &str) {
        if !matches!(tree.kind, Kind::Bad) {
            let message = format!("expected {wanted}, found {}", tree.noun());
            self.refuse(Code::WrongShape, head(tree), message, "");
        }
    }

    /// The entries of a mapping, unknown and repeated keys reported.
    pub(crate) fn entries<'t>(&mut self, tree: &'t Tree, shape: &Shape) -> Option<Entries<'t>> {
        let Kind::Map(pairs) = &tree.kind else {
            self.wrong_shape(tree, &format!("{} (a mapping)", shape.noun));
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

    pub(crate) fn not_built(&mut self, what: &str, at: At) {
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
    pub(crate) fn required<'t>(
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
    pub(crate) fn text<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<&'t str> {
        match tree.text().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(text),
            None => {
                self.wrong_shape(tree, wanted);
                None
            }
        }
    }

    /// A text that may be a comparison: a block of text is a comparison that lacks its quotes.
    pub(crate) fn comparison<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<&'t str> {
        if matches!(tree.kind, Kind::Text(_, Style::Block)) {
            let message = "a comparison without quotes, which YAML reads as a block of text";
            let help = "put the comparison in quotes, such as \">= 3\"";
            self.refuse(Code::UnquotedOperator, head(tree), message, help);
            return None;
        }
        self.text(tree, wanted)
    }

    /// A duration that history can bear out; zero is refused unless `zero_ok`.
    pub(crate) fn duration(&mut self, tree: &Tree, what: &str, zero_ok: ZeroOk) -> Option<Millis> {
        let text = self.text(tree, "a duration such as `1h30m`")?;
        self.duration_of(text, tree.at, what, zero_ok)
    }

    /// The same of a text that stands at `at`.
    pub(crate) fn duration_of(
        &mut self,
        text: &str,
        at: At,
        what: &str,
        zero_ok: ZeroOk,
    ) -> Option<Millis> {
        let duration = match parse_duration(text) {
            Ok(duration) => duration,
            Err(error) => {
                let message = format!("`{}` is no duration: {error}", shortened(text));
                self.refuse(Code::BadDuration, at, message, &error.help(text));
                return None;
            }
        };
        let (max_age, idle) = (self.settings.max_age, self.settings.idle);
        if duration == Millis::ZERO && matches!(zero_ok, ZeroOk::No) {
            self.refuse(
                Code::DurationNotPositive,
                at,
                format!("{what} must be longer than nothing"),
                "",
            );
            return None;
        }
        if duration > max_age {
            let message = format!("{what} of {duration} is longer than history is kept, {max_age}");
            self.refuse(
                Code::WindowOverHistory,
                at,
                message,
                "shorten it, or set `history.max_age`",
            );
            return None;
        }
        if duration > idle {
            let message =
                format!("{what} of {duration} is longer than a quiet profile lives, {idle}");
            self.refuse(Code::DurationOverIdle, at, message, "shorten it, or set `profile.idle`");
            return None;
        }
        Some(duration)
    }

    /// An event's name, folded.
    pub(crate) fn event_name(&mut self, text: &str, at: At) -> Option<Name> {
        let name = Name::event(text);
        if name.text().is_empty() {
            let message = format!("`{}` has no letter or digit to name an event", shortened(text));
            self.refuse(Code::BadEventName, at, message, "write it such as `product_added`");
            return None;
        }
        if let Some(seen) = &self.settings.seen_events
            && !seen.iter().any(|event| event == name.text())
        {
            let help = nearest(name.text(), seen.iter().map(String::as_str))
                .map_or_else(String::new, |near| format!("did you mean `{near}`?"));
            let message = format!("the event `{}` was never seen", name.text());
            self.refuse(Code::UnseenEvent, at, message, &help);
        }
        Some(name)
    }
}

/// Whether a duration may be nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ZeroOk {
    Yes,
    No,
}

/// Where to point for a node: a text as it stands, of a list or mapping its first character.
pub(crate) fn head(tree: &Tree) -> At {
    match tree.kind {
        Kind::Text(..) | Kind::Bad => tree.at,
        Kind::List(_) | Kind::Map(_) => At { end: tree.at.start + 1, ..tree.at },
    }
}

/// A text short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", text[..cut].chars().map(plain).collect::<String>()),
        None => text.chars().map(plain).collect(),
    }
}
