//! What YAML's parser could not read, in the words of people who know no YAML.
//!
//! A parser notices a missing bracket where the text no longer fits, often a line too late; people look for it where the
//! bracket was opened. So that is where the message points.

use crate::code::Code;
use crate::tree::floor;
use serde_saphyr::granit_parser::{ErrorKind, ScanError};

/// What is to be said.
pub(crate) struct Unread {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: &'static str,
    /// The byte of the document to point at.
    pub(crate) place: usize,
}

/// A place between what the parser has read and what it can't read.
pub(crate) struct Stuck<'a> {
    /// The document.
    pub(crate) text: &'a str,
    /// The byte at which the parser gave up.
    pub(crate) place: usize,
    /// The first byte of the innermost list or mapping that is open.
    pub(crate) open: Option<usize>,
}

impl Stuck<'_> {
    pub(crate) fn unread(&self, error: &ScanError) -> Unread {
        let kind = error.kind();
        let line = self.line(self.place);
        let unread = |code, message: &str, help| Unread {
            code,
            message: message.to_owned(),
            help,
            place: self.place,
        };
        if looks_like_bare_operator(line) {
            let help = "put the comparison in quotes, such as \">= 3\"";
            let message = "a comparison without quotes, which YAML can't read";
            return unread(Code::UnquotedOperator, message, help);
        }
        if line.contains('\t') && is_about_tabs(kind, line) {
            let message = "a tab where blanks are wanted";
            let help = "indent with blanks: YAML takes no tabs there";
            return unread(Code::Tab, message, help);
        }
        if matches!(kind, ErrorKind::RecursionLimitExceeded) {
            return unread(
                Code::TooLarge,
                "nested too deep",
                "nest less deep; or is a bracket not closed?",
            );
        }
        if let Some(unclosed) = self.unclosed(kind) {
            return unclosed;
        }
        let before = &self.text[..floor(self.text, self.place)];
        let (message, help) = match plain(kind) {
            Some((message, help)) => (message.to_owned(), help),
            None if before.ends_with('"') => (
                format!("this is no YAML: {}", error.info()),
                "is a quotation mark too many, or one missing?",
            ),
            None => (
                format!("this is no YAML: {}", error.info()),
                "is a quotation mark, a bracket or a colon missing before this?",
            ),
        };
        Unread { code: Code::YamlSyntax, message, help, place: self.place }
    }

    /// A bracket that is not closed where it should be: within its line there lacks a comma, else the bracket.
    fn unclosed(&self, kind: &ErrorKind) -> Option<Unread> {
        let wants_more = matches!(
            kind,
            ErrorKind::ExpectedFlowMappingSeparator
                | ErrorKind::ExpectedFlowSequenceSeparator
                | ErrorKind::InvalidFlowScalarIndent
                | ErrorKind::UnexpectedEofFlowMapping
                | ErrorKind::UnexpectedEofFlowSequence
        );
        let open = self.open.filter(|_| wants_more)?;
        let bracket = self.text[floor(self.text, open)..].chars().next()?;
        let (closing, help) = match bracket {
            '{' => ('}', "put a `}` where it ends"),
            '[' => (']', "put a `]` where it ends"),
            _ => return None,
        };
        let place = floor(self.text, self.place).max(open);
        let (place, message, help) = if self.text[open..place].contains('\n') {
            (open, format!("this `{bracket}` is not closed"), help)
        } else {
            let message = format!("here is neither a comma nor the `{closing}` that closes");
            (self.place, message, "values of one line are parted by commas")
        };
        Some(Unread { code: Code::YamlSyntax, message, help, place })
    }

    /// The line that a byte lies in.
    fn line(&self, place: usize) -> &str {
        let place = floor(self.text, place);
        let start = self.text[..place].rfind('\n').map_or(0, |end| end + 1);
        self.text[start..].lines().next().unwrap_or_default()
    }
}

/// What people do wrong most often: message and help.
fn plain(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("a quotation mark is not closed", "look for it here or in a line before")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            ("a closing bracket that nothing opened", "take it out, or open one before it")
        }
        ErrorKind::UnclosedFlowCollection { .. } => {
            ("this bracket is not closed", "count the brackets that open and those that close")
        }
        ErrorKind::MappingValueNotAllowed => {
            ("a second colon in one line", "put a text with a colon in it in quotes")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a key without its colon",
            "write `key: value`, or `key:` above lines that are indented",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation => (
            "this line is indented otherwise than those it belongs to",
            "let all keys of a mapping, and all `-` of a list, begin in one column",
        ),
        _ => return None,
    })
}

/// `count: >= 3`: YAML takes `>` for the head of a block of text.
fn looks_like_bare_operator(line: &str) -> bool {
    line.match_indices(':').any(|(colon, _)| {
        let value = line[colon + 1..].trim_start();
        value.starts_with('>') || value.starts_with("not in [") || value.starts_with("in [")
    })
}

fn is_about_tabs(kind: &ErrorKind, line: &str) -> bool {
    let tab_kind = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    tab_kind || line.trim_start_matches(' ').starts_with('\t')
}
