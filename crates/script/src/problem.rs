//! Problems: what is wrong with a rule file, where, and how to mend it.
//!
//! A problem carries the text of its line, so that it can be shown long after the file is gone.

use crate::code::{Code, Severity};
use crate::tree::floor;
use std::fmt;

/// The longest part of a line that is shown, in characters.
const SHOWN: usize = 120;
/// How many refusals, and how many warnings, are kept; of a rule file with more, these are mended first.
const KEPT: usize = 1_000;

/// A file of rules as read; `path` is only for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it came from.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// One refusal or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The word of its [`Code`].
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The file's path, as given; empty: it concerns all files together.
    pub file: String,
    /// The line, from 1; 0 if it concerns no line.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub width: usize,
    /// The line's text, of a long line the part around the column; controls as blanks.
    pub source_line: String,
    /// Where the caret stands under `source_line`, in characters from 0.
    pub caret: usize,
    /// What is wrong, one sentence without full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place: bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The number of the file, as given to [`Report::new`].
    pub file: u32,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

/// Collects problems of all files.
pub struct Report<'a> {
    files: Vec<&'a SourceFile>,
    /// The first byte of every line, a file each; made when first asked for.
    lines: Vec<Vec<u32>>,
    problems: Vec<Problem>,
    /// Refusals, warnings; also those over the bound.
    counts: [usize; 2],
}

// === impl SourceFile ===

impl SourceFile {
    /// The files in the order in which places number them: by path, then text.
    #[must_use]
    pub fn sorted(files: &[Self]) -> Vec<&Self> {
        let mut sorted: Vec<&Self> = files.iter().collect();
        sorted.sort_by(|a, b| (&a.path, &a.text).cmp(&(&b.path, &b.text)));
        sorted
    }
}

// === impl Problem ===

impl fmt::Display for Problem {
    /// Writes the message, the place, the line with a caret, and the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}[{}]: {}", self.code, self.message)?;
        if self.line > 0 {
            writeln!(f, " --> {}:{}:{}", self.file, self.line, self.column)?;
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let (shown, caret) = (&self.source_line, " ".repeat(self.caret));
            let room = shown.chars().count().saturating_sub(self.caret).max(1);
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {shown}")?;
            writeln!(f, "{margin} | {caret}{}", "^".repeat(self.width.min(room)))?;
        }
        match &self.help {
            Some(help) => writeln!(f, " = help: {help}"),
            None => Ok(()),
        }
    }
}

// === impl Report ===

impl<'a> Report<'a> {
    /// No problems yet; a place's file is one of `files`.
    #[must_use]
    pub fn new(files: Vec<&'a SourceFile>) -> Self {
        Self { lines: vec![Vec::new(); files.len()], files, problems: Vec::new(), counts: [0; 2] }
    }

    /// Adds a problem without a place.
    pub fn whole(&mut self, code: Code, message: String, help: Option<String>) {
        let (severity, word) = (code.severity(), code.word());
        self.problems.push(Problem {
            code: word,
            severity,
            file: String::new(),
            line: 0,
            column: 0,
            width: 1,
            source_line: String::new(),
            caret: 0,
            message,
            help,
        });
    }

    /// Adds a problem at a place.
    pub fn add(&mut self, code: Code, at: At, message: String, help: Option<String>) {
        let count = &mut self.counts[usize::from(code.severity() == Severity::Warning)];
        *count += 1;
        if *count > KEPT {
            return;
        }
        let file = self.files[at.file as usize];
        let (line, start) = self.line_of(at);
        let rest = file.text.get(start..).unwrap_or_default();
        let source_line = rest.lines().next().unwrap_or_default();
        let from = (at.start as usize).saturating_sub(start).min(source_line.len());
        let to = (at.end as usize).saturating_sub(start).clamp(from, source_line.len());
        let from = floor(source_line, from);
        let column = source_line[..from].chars().count();
        let (shown, caret) = window(source_line, from, column);
        let width = source_line.get(from..to).map_or(1, |meant| meant.trim_end().chars().count());
        self.problems.push(Problem {
            code: code.word(),
            severity: code.severity(),
            file: file.path.clone(),
            line,
            column: column + 1,
            width: width.max(1),
            source_line: shown,
            caret,
            message,
            help,
        });
    }

    /// `file:line` of a place, to point at it from another one's message.
    pub fn place(&mut self, at: At) -> String {
        let (line, _) = self.line_of(at);
        format!("{}:{line}", self.files[at.file as usize].path)
    }

    /// The path of a place's file.
    pub fn path(&self, at: At) -> &'a str {
        &self.files[at.file as usize].path
    }

    /// How many problems there are so far.
    pub fn count(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Tells whether there are so many refusals that reading on is of no use.
    pub fn is_full(&self) -> bool {
        self.counts[0] > KEPT
    }

    /// Says that some were left out.
    pub fn close(&mut self) {
        let [refused, warned] = self.counts;
        if refused > KEPT {
            let message = format!("more than {KEPT} problems: mend these first");
            self.whole(Code::TooManyProblems, message, None);
        }
        if warned > KEPT {
            let message = format!("{} more warnings of the kinds above", warned - KEPT);
            self.whole(Code::MoreWarnings, message, None);
        }
    }

    /// Tells whether anything was refused.
    pub fn refused(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Hands over all problems, sorted by place; those without a place come last.
    pub fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems;
        sort(&mut problems);
        problems
    }

    /// The line number from 1, and the byte at which the line starts.
    fn line_of(&mut self, at: At) -> (usize, usize) {
        let index = at.file as usize;
        let starts = &mut self.lines[index];
        if starts.is_empty() {
            starts.push(0);
            let ends = self.files[index].text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
            starts.extend(ends.filter_map(|(place, _)| u32::try_from(place + 1).ok()));
        }
        let line = starts.partition_point(|&start| start <= at.start);
        (line, starts[line - 1] as usize)
    }
}

/// The part of a line around byte `from`, which is character `column`, and the character of it that the caret is under.
fn window(line: &str, from: usize, column: usize) -> (String, usize) {
    let before = if column > SHOWN - 20 { SHOWN / 2 } else { column };
    let start = line[..from].char_indices().rev().nth(before.saturating_sub(1));
    let start = start.filter(|_| before > 0).map_or(from, |(start, _)| start);
    let part = line[start..].chars().take(SHOWN);
    let shown: String = part.map(|c| if c.is_control() { ' ' } else { c }).collect();
    (shown.trim_end().to_owned(), before)
}

/// Sorts by place; problems without a place come last.
pub fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        let key = |p: &Problem| (p.line == 0, p.line, p.column, p.code);
        (a.line == 0)
            .cmp(&(b.line == 0))
            .then_with(|| a.file.cmp(&b.file))
            .then_with(|| key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message)))
    });
}
