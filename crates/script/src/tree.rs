//! YAML as a tree in which every node knows its place.
//!
//! Built from the parser's events rather than from deserialized values, because the language needs what those lose: a
//! scalar's own text (`product: 0042` is the text `0042`, `country: NO` is Norway), whether it was quoted, and a place
//! for each key. Documents are cut apart before parsing (YAML forbids `---` at a line's start inside any scalar), so a
//! syntax error in one hides nothing in the next. Anchors, aliases and tags are refused: a rule file says what it says.

use crate::code::Code;
use crate::problem::{At, Report};
use crate::syntax::{Stuck, Unread};
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span};

/// How deep mappings and lists may nest.
pub const MAX_DEPTH: usize = 64;
/// How many nodes one document may have.
pub const MAX_NODES: usize = 100_000;

/// A node and where it stands.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Where.
    pub at: At,
    /// What.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text as written, escapes resolved.
    Text(String, Style),
    /// Values.
    List(Vec<Tree>),
    /// Keys and values, in the file's order.
    Map(Vec<(Tree, Tree)>),
    /// Refused already.
    Bad,
}

/// How a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it stands.
    Plain,
    /// In quotation marks.
    Quoted,
    /// With `|` or `>`.
    Block,
}

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The number of its file.
    pub file: u32,
    /// Where it begins in the file, in bytes.
    base: usize,
    text: &'a str,
}

/// A list or mapping under construction.
struct Open {
    at: At,
    children: Vec<Tree>,
    is_map: bool,
}

/// Builds the tree of one document.
struct Builder<'r, 'a> {
    document: Document<'a>,
    report: &'r mut Report<'a>,
    open: Vec<Open>,
    root: Option<Tree>,
    nodes: usize,
}

// === impl Tree ===

impl Tree {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Text(text, Style::Plain) if text.is_empty() => "nothing",
            Kind::Text(..) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Bad => "something refused already",
        }
    }
}

// === impl Document ===

impl<'a> Document<'a> {
    /// Cuts a file at its document marks. What holds no more than comments and directives belongs to the next one.
    /// Stops after `most` documents.
    pub fn split(file: u32, text: &'a str, most: usize) -> Vec<Self> {
        let mut documents = Vec::new();
        let (mut base, mut place) = (0, 0);
        let mut blank = true;
        for line in text.split_inclusive('\n') {
            if documents.len() >= most {
                return documents;
            }
            let opens = is_mark(line, "---");
            if opens && !blank {
                documents.push(Self { file, base, text: &text[base..place] });
                base = place;
            }
            place += line.len();
            let word = line.trim();
            blank = if opens {
                false
            } else if is_mark(line, "...") {
                documents.push(Self { file, base, text: &text[base..place] });
                base = place;
                true
            } else {
                blank && (word.is_empty() || word.starts_with(['#', '%']))
            };
        }
        if base < text.len() {
            documents.push(Self { file, base, text: &text[base..] });
        }
        documents
    }

    /// Parses it; `None` if it is empty or no YAML, which is reported.
    pub fn parse(self, report: &mut Report<'a>) -> Option<Tree> {
        let mut options = Options::default();
        options.emit_unresolved_aliases = true;
        options.set_emit_comments(false);
        options.flow_nesting_limit = MAX_DEPTH + 1;
        options.block_nesting_limit = MAX_DEPTH + 1;
        let mut builder =
            Builder { document: self, report, open: Vec::new(), root: None, nodes: 0 };
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = match event {
                Ok(pair) => pair,
                Err(error) => {
                    builder.refuse_syntax(&error);
                    return None;
                }
            };
            let at = self.at(&span);
            let tag_at = span.tag_span().map(|tag| self.at(&tag));
            if !builder.take(event, at, tag_at) {
                return None;
            }
        }
        builder.root
    }

    fn at(&self, span: &Span) -> At {
        let byte = |offset: Option<usize>, chars: usize| self.byte(offset, chars);
        let start = byte(span.start.byte_offset(), span.start.index());
        let end = byte(span.end.byte_offset(), span.end.index());
        At { file: self.file, start, end: end.max(start) }
    }

    /// A byte of the file, from a byte of the document or else from a character of it.
    fn byte(&self, offset: Option<usize>, chars: usize) -> u32 {
        let within = offset.unwrap_or_else(|| {
            self.text.char_indices().nth(chars).map_or(self.text.len(), |(place, _)| place)
        });
        u32::try_from(self.base + within.min(self.text.len())).unwrap_or(u32::MAX)
    }
}

// === impl Builder ===

impl Builder<'_, '_> {
    /// Takes an event; false: give up on the document.
    fn take(&mut self, event: Event<'_>, at: At, tag_at: Option<At>) -> bool {
        let before = tag_at.unwrap_or(At { end: at.start + 1, ..at });
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag.original());
                if self.refuse_feature(anchor, tag.as_deref(), before) {
                    return self.put(Tree { at, kind: Kind::Bad });
                }
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    _ => Style::Quoted,
                };
                // The parser makes a `~` of a value that isn't there.
                let absent = at.start == at.end && style == Style::Plain;
                let text = if absent { String::new() } else { text.into_owned() };
                self.put(Tree { at, kind: Kind::Text(text, style) })
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = tag.map(|tag| tag.original());
                !self.refuse_feature(anchor, tag.as_deref(), before) && self.begin(at, false)
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.map(|tag| tag.original());
                !self.refuse_feature(anchor, tag.as_deref(), before) && self.begin(at, true)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let message = "`*` begins an alias of YAML, and aliases aren't read".to_owned();
                let help = "for a text that begins with `*` put it in quotes, else write it out";
                self.report.add(Code::YamlFeature, at, message, Some(help.to_owned()));
                self.put(Tree { at, kind: Kind::Bad })
            }
            _ => true,
        }
    }

    fn begin(&mut self, at: At, is_map: bool) -> bool {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            self.report.add(Code::TooLarge, at, message, None);
            return false;
        }
        self.open.push(Open { at, children: Vec::new(), is_map });
        true
    }

    fn end(&mut self, end: At) -> bool {
        let Some(Open { at, children, is_map }) = self.open.pop() else { return true };
        let at = At { end: end.end.max(at.start), ..at };
        let kind = if is_map {
            let mut pairs = Vec::with_capacity(children.len() / 2);
            let mut rest = children.into_iter();
            while let (Some(key), Some(value)) = (rest.next(), rest.next()) {
                pairs.push((key, value));
            }
            Kind::Map(pairs)
        } else {
            Kind::List(children)
        };
        self.put(Tree { at, kind })
    }

    fn put(&mut self, tree: Tree) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("a document of more than {MAX_NODES} values");
            let help = "spread it over several documents, parted by `---`".to_owned();
            self.report.add(Code::TooLarge, tree.at, message, Some(help));
            return false;
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(tree),
            None => self.root = Some(tree),
        }
        true
    }

    /// Refuses anchors and tags; true if there was one.
    fn refuse_feature(&mut self, anchor: usize, tag: Option<&str>, at: At) -> bool {
        if let Some(tag) = tag {
            let (code, help) = if tag.starts_with("!=") {
                (Code::UnquotedOperator, "put the comparison in quotes: \"!= ...\"")
            } else {
                (Code::YamlFeature, "for a text that begins with `!` put it in quotes")
            };
            let message = format!("`{tag}` is a tag of YAML, and tags aren't read");
            self.report.add(code, at, message, Some(help.to_owned()));
            return true;
        }
        if anchor > 0 {
            let message = "an anchor of YAML, and anchors aren't read".to_owned();
            let help = "for a text that begins with `&` put it in quotes, else write it out";
            self.report.add(Code::YamlFeature, at, message, Some(help.to_owned()));
        }
        anchor > 0
    }

    fn refuse_syntax(&mut self, error: &ScanError) {
        let mark = error.marker();
        let Document { file, base, text } = self.document;
        let place = |byte: u32| (byte as usize).saturating_sub(base);
        let open = self.open.last().map(|open| place(open.at.start));
        let start = self.document.byte(mark.byte_offset(), mark.index());
        let stuck = Stuck { text, place: place(start), open };
        let Unread { code, message, help, place } = stuck.unread(error);
        let start = u32::try_from(base + place).unwrap_or(u32::MAX);
        self.report.add(code, At { file, start, end: start + 1 }, message, Some(help.to_owned()));
    }
}

/// Tells whether a line is a document mark.
fn is_mark(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// The nearest character boundary at or before `place`.
pub(crate) fn floor(text: &str, place: usize) -> usize {
    let mut place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}
