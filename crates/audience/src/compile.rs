//! From files to a rule set: the recipe.
//!
//! Files are sorted by path first, so that their order changes neither the rule set nor the problems. Paint is checked
//! against the rules when all files are read, since it may stand in any of them.

use crate::canonical::rules_version;
use crate::check::Checker;
use crate::code::Code;
use crate::document::first_key;
use crate::order::Read;
use crate::problem::{At, Problem, Report, SourceFile};
use crate::tree::{Document, Kind, Tree};
use crate::{Paint, RuleSet};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_model::{Millis, NameId};

/// The largest file, in bytes.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// The most audiences of a rule set.
const MAX_AUDIENCES: usize = 50_000;
/// The most documents of a file.
const MAX_DOCUMENTS: usize = 100_000;

/// What a rule set is checked against.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// `history.max_age`; no duration is longer.
    pub max_age: Millis,
    /// `history.max_strokes`; a count beyond it is warned of.
    pub max_strokes: usize,
    /// `profile.idle`; no duration is longer.
    pub idle: Millis,
    /// `history.keep`: `page.path`, `properties.NAME`.
    pub keep: Vec<String>,
    /// Take what the rules name for kept, and warn with the line to add (a backtest).
    pub keep_what_rules_name: bool,
    /// `category_separator`, if the settings have one.
    pub category_separator: Option<String>,
    /// A paint document must be there. If not required and not there, the default paint is used.
    pub require_paint: bool,
    /// Only the paint of the file with this path counts; that of others is passed over.
    pub paint_from: Option<String>,
    /// Event names seen so far, in snake case; `None`: not known.
    pub seen_events: Option<Vec<String>>,
}

/// What came of compiling.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// `None` if anything was refused.
    pub rules: Option<RuleSet>,
    /// Refusals and warnings, sorted by file, line and column; those of no place last.
    pub problems: Vec<Problem>,
    /// Fields that the rules name and `history.keep` doesn't, sorted.
    pub fields_to_keep: Vec<String>,
    /// The names of all audiences, also of those that could not be read; sorted.
    pub names: Vec<String>,
    /// Documents of tests, not looked into; what they say bears on no decision.
    pub tests: Vec<Tree>,
}

/// What is read so far.
#[derive(Default)]
struct Drafts {
    audiences: Vec<Read>,
    /// Every name with its first place, also of audiences that could not be read.
    names: BTreeMap<NameId, (At, String)>,
    paint: Option<(At, Option<Paint>)>,
    tests: Vec<Tree>,
}

// === impl CheckSettings ===

impl Default for CheckSettings {
    fn default() -> Self {
        Self {
            max_age: Millis::DAY.times(400),
            max_strokes: 256,
            idle: Millis::DAY.times(400),
            keep: Vec::new(),
            keep_what_rules_name: false,
            category_separator: None,
            require_paint: true,
            paint_from: None,
            seen_events: None,
        }
    }
}

/// Compiles files into one rule set, and reports all that is wrong with them.
///
/// Replay: the same files and settings, in any order, give the same.
///
/// # Example
/// ```
/// use tzeva_audience::{CheckSettings, SourceFile, compile};
/// let text = "audience: buyers\nenter: { event: { nmae: order_completed } }";
/// let file = SourceFile { path: "a.yaml".into(), text: text.into() };
/// let compiled = compile(&[file], &CheckSettings::default());
/// assert!(compiled.rules.is_none());
/// assert_eq!(compiled.problems[0].help.as_deref(), Some("did you mean `name`?"));
/// ```
#[must_use]
pub fn compile(files: &[SourceFile], settings: &CheckSettings) -> Compiled {
    let sorted = SourceFile::sorted(files);
    let mut checker = Checker {
        settings,
        report: Report::new(sorted.clone()),
        named_fields: BTreeSet::new(),
        asked_tags: Vec::new(),
        asked_audiences: Vec::new(),
    };
    let mut drafts = Drafts::default();
    for (index, file) in sorted.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        if file.text.len() > MAX_FILE {
            let at = At { file: index, start: 0, end: 1 };
            let message = format!("a file of more than {} MiB", MAX_FILE / (1024 * 1024));
            checker.refuse(Code::TooLarge, at, message, "split it: a folder may hold many files");
            continue;
        }
        if checker.is_no_text(index, &file.text) {
            continue;
        }
        let documents = Document::split(index, &file.text, MAX_DOCUMENTS + 1);
        for (count, document) in documents.into_iter().enumerate() {
            match document.parse(&mut checker.report) {
                Some(tree) if is_tests(&tree) => drafts.tests.push(tree),
                Some(tree) => checker.document(&tree, &mut drafts),
                None => {}
            }
            if count >= MAX_DOCUMENTS {
                let at = At { file: index, start: 0, end: 1 };
                let message = format!("more than {MAX_DOCUMENTS} documents in a file");
                checker.refuse(Code::TooLarge, at, message, "split it");
            }
            if count >= MAX_DOCUMENTS || checker.report.is_full() {
                break;
            }
        }
    }
    checker.finish(drafts)
}

impl Checker<'_> {
    /// Refuses a file that was no UTF-8: whoever read it put U+FFFD there. True: all of it is something else, such as
    /// UTF-16, and nothing of it can be read.
    fn is_no_text(&mut self, file: u32, text: &str) -> bool {
        let Some(start) = text.find(char::REPLACEMENT_CHARACTER) else { return false };
        let byte = u32::try_from(start).unwrap_or(u32::MAX);
        let at = At { file, start: byte, end: byte + 3 };
        let message = format!("byte {start} of the file is no UTF-8");
        self.refuse(Code::NotUtf8, at, message, "save the file as UTF-8");
        text.contains('\0')
    }

    /// Reads one document by its kind, which its first key tells.
    fn document(&mut self, tree: &Tree, drafts: &mut Drafts) {
        if tree.text() == Some("") || matches!(tree.kind, Kind::Bad) {
            return;
        }
        match first_key(tree) {
            Some(("audience", at)) => {
                let (name, audience) = self.audience(tree);
                if let Some((name, name_at)) = name {
                    self.one_of_a_name(drafts, name.id(), name.text(), name_at);
                }
                let asked = std::mem::take(&mut self.asked_audiences);
                let asked = asked.into_iter().rev().map(|(name, at)| (name.id(), at)).collect();
                drafts.audiences.extend(audience.map(|audience| Read { audience, asked }));
                if drafts.audiences.len() == MAX_AUDIENCES + 1 {
                    let message = format!("more than {MAX_AUDIENCES} audiences");
                    let help = "one rule per category or product will be one audience family";
                    self.refuse(Code::TooManyAudiences, at, message, help);
                }
            }
            Some(("paint", at)) => self.paint_document(tree, at, drafts),
            Some((word, at)) => {
                let message =
                    format!("a document that begins with `{}`", crate::check::shortened(word));
                let help = match tzeva_script::nearest(word, ["audience", "paint", "tests"]) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "the first key must be `audience`, `paint` or `tests`".to_owned(),
                };
                self.refuse(Code::UnknownKind, at, message, &help);
            }
            None => {
                let help =
                    "a document is a mapping whose first key is `audience`, `paint` or `tests`";
                let at = crate::check::head(tree);
                self.refuse(Code::UnknownKind, at, "a document without a first key", help);
            }
        }
    }

    fn one_of_a_name(&mut self, drafts: &mut Drafts, id: NameId, name: &str, at: At) {
        match drafts.names.get(&id) {
            Some((first, _)) => {
                let first = self.report.place(*first);
                let message = format!("a second audience named `{name}`");
                self.refuse(
                    Code::DuplicateAudience,
                    at,
                    message,
                    &format!("the first one is at {first}"),
                );
            }
            None => {
                drafts.names.insert(id, (at, name.to_owned()));
            }
        }
    }

    fn paint_document(&mut self, tree: &Tree, at: At, drafts: &mut Drafts) {
        let file = self.report.path(at);
        if self.settings.paint_from.as_deref().is_some_and(|from| from != file) {
            return;
        }
        let paint = self.paint(tree);
        match &drafts.paint {
            Some((first, _)) => {
                let first = self.report.place(*first);
                let help = format!("the first one is at {first}; a rule set has one");
                self.refuse(Code::DuplicatePaint, at, "a second paint document", &help);
            }
            None => drafts.paint = Some((at, paint)),
        }
    }

    fn finish(mut self, drafts: Drafts) -> Compiled {
        let paint = match drafts.paint {
            Some((_, paint)) => paint,
            None if !self.settings.require_paint => Some(Paint::default()),
            None => {
                let help = "add a file with `paint: { half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }, events: { ... } }`";
                let message = "no document says how events paint".to_owned();
                self.report.whole(Code::NoPaint, message, Some(help.to_owned()));
                None
            }
        };
        if let Some(paint) = &paint {
            self.check_tags(paint);
        }
        let no_audience = drafts.audiences.is_empty();
        let audiences = self.in_order(drafts.audiences, &drafts.names);
        let mut names: Vec<String> = drafts.names.into_values().map(|(_, name)| name).collect();
        names.sort_unstable();
        self.report.close();
        let refused = self.report.refused();
        if no_audience && !refused {
            let message = "no audience is defined".to_owned();
            self.report.whole(Code::NoAudiences, message, None);
        }
        let fields_to_keep = self.named_fields.into_iter().collect();
        let problems = self.report.finish();
        let rules = paint.filter(|_| !refused).map(|paint| RuleSet {
            version: rules_version(&audiences, &paint),
            audiences,
            paint,
        });
        Compiled { rules, problems, fields_to_keep, names, tests: drafts.tests }
    }
}

/// Tells whether a document holds tests, by its first key.
fn is_tests(tree: &Tree) -> bool {
    first_key(tree).is_some_and(|(word, _)| word == "tests")
}
