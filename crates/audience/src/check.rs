//! The checker: what all parts of the walk from tree to values share.
//!
//! A step that can't read something reports it and answers `None`; the walk goes on with the rest, so that one run
//! finds all problems. A rule set comes out only if nothing was refused.

use crate::CheckSettings;
use crate::code::Code;
use crate::duration::parse_duration;
use crate::problem::{At, Report};
use crate::tree::{Kind, Style, Tree};
use std::collections::BTreeSet;
use tzeva_model::{Level, Millis, Name};
use tzeva_script::nearest;
pub(crate) use tzeva_script::{Entries, Shape, head, shortened};

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

// === impl Checker ===

impl Checker<'_> {
    /// Reports with a hint.
    pub(crate) fn refuse(&mut self, code: Code, at: At, message: impl Into<String>, help: &str) {
        self.report.refuse(code, at, message, help);
    }

    /// Reports that something else was expected.
    pub(crate) fn wrong_shape(&mut self, tree: &Tree, wanted: &str) {
        self.report.wrong_shape(tree, wanted);
    }

    /// The entries of a mapping, unknown and repeated keys reported.
    pub(crate) fn entries<'t>(&mut self, tree: &'t Tree, shape: &Shape) -> Option<Entries<'t>> {
        self.report.entries(tree, shape)
    }

    /// A value that must be there.
    pub(crate) fn required<'t>(
        &mut self,
        entries: &Entries<'t>,
        key: &str,
        noun: &str,
    ) -> Option<&'t Tree> {
        self.report.required(entries, key, noun)
    }

    /// A text; an empty one is none.
    pub(crate) fn text<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<&'t str> {
        self.report.text(tree, wanted)
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
