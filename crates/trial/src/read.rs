//! From `tests` documents to cases. All that is wrong is reported, each with its line; what can't be read is left out.

use crate::event::{Fault, event};
use crate::notation::{Broken, Word, words};
use crate::{BEGINNING, FARTHEST};
use std::collections::BTreeSet;
use std::ops::Range;
use tzeva_decode::Decoder;
use tzeva_model::{Direction, Event, Millis};
use tzeva_script::{
    At, Code, Entries, Kind, Problem, Report, Shape, SourceFile, Tree, head, nearest,
    parse_duration, shortened,
};

/// All that the documents of a folder say.
#[derive(Debug)]
pub struct Trials {
    /// One a document, in the order of files and lines.
    pub trials: Vec<Trial>,
    /// What is wrong, sorted by place.
    pub problems: Vec<Problem>,
}

/// The tests of one audience in one document.
#[derive(Debug)]
pub struct Trial {
    /// The audience's name.
    pub audience: String,
    /// Where it is named, to hang a warning on.
    pub at: At,
    /// Its cases, in the order of the file.
    pub cases: Vec<Case>,
}

/// One case: what a visitor does, and what comes of it.
#[derive(Debug)]
pub struct Case {
    /// What it claims.
    pub name: String,
    /// `FILE:LINE` of the name.
    pub place: String,
    /// Where the name stands.
    pub at: At,
    /// What the visitor does, in order of time.
    pub events: Vec<Told>,
    /// What the audience makes of it, in order of time.
    pub expect: Vec<Expected>,
    /// Up to when, inclusive, from the beginning.
    pub until: Millis,
}

/// An event as told.
#[derive(Debug)]
pub struct Told {
    /// How long after the beginning.
    pub offset: Millis,
    /// As written, without the offset.
    pub text: String,
    /// What it is.
    pub event: Event,
}

/// A change that is waited for, or that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// How long after the beginning.
    pub offset: Millis,
    /// In or out.
    pub direction: Direction,
}

/// Walks documents.
struct Reader<'a, 'd> {
    report: Report<'a>,
    files: Vec<&'a SourceFile>,
    decoder: &'d mut Decoder,
    /// Names of audiences.
    names: &'a [String],
}

/// A text of the file, to point into.
struct Line<'t> {
    text: &'t str,
    at: At,
    /// Where the text begins, if it stands in the file as it is.
    start: Option<u32>,
}

const TESTS: Shape = Shape { noun: "a document of tests", keys: &["tests", "cases"], later: &[] };
const CASE: Shape =
    Shape { noun: "a case", keys: &["name", "events", "expect", "until"], later: &[] };

/// Reads documents of tests; `names` are those of all audiences, `decoder` reads events as the source does.
pub fn read(
    files: &[SourceFile],
    documents: &[Tree],
    names: &[String],
    decoder: &mut Decoder,
) -> Trials {
    let files = SourceFile::sorted(files);
    let mut reader = Reader { report: Report::new(files.clone()), files, decoder, names };
    let mut trials = Vec::new();
    let mut claims = BTreeSet::new();
    for document in documents {
        if reader.report.is_full() {
            break;
        }
        if let Some(trial) = reader.document(document) {
            for case in &trial.cases {
                if !claims.insert((trial.audience.clone(), case.name.clone())) {
                    let message = format!("a second case of `{}` with this name", trial.audience);
                    let help = "say what is special about each";
                    reader.report.refuse(Code::DuplicateCase, case.at, message, help);
                }
            }
            trials.push(trial);
        }
    }
    reader.report.close();
    Trials { trials, problems: reader.report.finish() }
}

// === impl Reader ===

impl<'a> Reader<'a, '_> {
    fn document(&mut self, tree: &Tree) -> Option<Trial> {
        let entries = self.report.entries(tree, &TESTS)?;
        let named = entries.get("tests")?;
        let audience = self.report.text(named, "the name of the audience under test");
        let known = audience.is_none_or(|name| self.knows(name, named.at));
        let cases = self.report.required(&entries, "cases", "a document of tests")?;
        let cases = self.list(cases, "a list of cases")?;
        let cases = cases.iter().filter_map(|case| self.case(case)).collect();
        let audience = audience.filter(|_| known)?.to_owned();
        Some(Trial { audience, at: named.at, cases })
    }

    fn knows(&mut self, name: &str, at: At) -> bool {
        let known = self.names.iter().any(|known| known == name);
        if !known {
            let near = nearest(name, self.names.iter().map(String::as_str));
            let help = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
            let message = format!("no audience is named `{}`", shortened(name));
            self.report.refuse(Code::UnknownAudience, at, message, &help);
        }
        known
    }

    fn case(&mut self, tree: &Tree) -> Option<Case> {
        let entries = self.report.entries(tree, &CASE)?;
        let name = self.report.required(&entries, "name", "a case");
        let name = name.and_then(|tree| Some((self.report.text(tree, "what it claims")?, tree.at)));
        let events = self.events(&entries);
        let expect = self.report.required(&entries, "expect", "a case");
        let expect = expect.and_then(|tree| self.expect(tree));
        let until = self.until(&entries, events.as_deref(), expect.as_deref());
        let (name, at) = name?;
        Some(Case {
            name: name.to_owned(),
            place: self.report.place(at),
            at,
            events: events?,
            expect: expect?,
            until: until?,
        })
    }

    fn events(&mut self, entries: &Entries<'_>) -> Option<Vec<Told>> {
        let tree = self.report.required(entries, "events", "a case")?;
        let lines = self.list(tree, "a list of events")?;
        if lines.is_empty() {
            let help = "a visitor exists from the first event on: tell at least one";
            self.report.refuse(Code::BadEvent, head(tree), "a case without events", help);
            return None;
        }
        let mut events: Vec<Told> = Vec::new();
        let mut whole = true;
        for (number, tree) in lines.iter().enumerate() {
            match self.event(number, tree) {
                Some(told) => {
                    let before = events.last().map(|told| told.offset);
                    whole &= self.in_order(before, told.offset, tree.at);
                    events.push(told);
                }
                None => whole = false,
            }
        }
        whole.then_some(events)
    }

    fn event(&mut self, number: usize, tree: &Tree) -> Option<Told> {
        let line = self.line(tree, "an event: `OFFSET NAME key=value ...`")?;
        let words = self.words(&line)?;
        let (first, rest) = words.split_first()?;
        let offset = self.offset(first, &line);
        if rest.is_empty() {
            let help = "an event is `OFFSET NAME key=value ...`, such as `10m product_added product=shoe-1`";
            self.report.refuse(Code::BadEvent, line.at, "an event without a name", help);
            return None;
        }
        // A line with a bad offset is read on for what else is wrong.
        match event(self.decoder, (number, offset.unwrap_or(Millis::ZERO)), rest) {
            Ok(event) => {
                let text = line.text[rest[0].place.start..].to_owned();
                Some(Told { offset: offset?, text, event })
            }
            Err(faults) => {
                for Fault { code, place, message, help } in faults {
                    self.report.refuse(code, line.place(place), message, &help);
                }
                None
            }
        }
    }

    fn expect(&mut self, tree: &Tree) -> Option<Vec<Expected>> {
        let lines = self.list(tree, "a list of what is expected, `[]` for nothing")?;
        let mut expect: Vec<Expected> = Vec::new();
        let mut whole = true;
        for tree in lines {
            match self.expected(tree, expect.len()) {
                Some(expected) => {
                    let before = expect.last().map(|expected| expected.offset);
                    whole &= self.in_order(before, expected.offset, tree.at);
                    expect.push(expected);
                }
                None => whole = false,
            }
        }
        whole.then_some(expect)
    }

    fn expected(&mut self, tree: &Tree, place: usize) -> Option<Expected> {
        const HELP: &str = "write `OFFSET entered` or `OFFSET exited`, such as `1h entered`";
        let line = self.line(tree, "a change: `OFFSET entered` or `OFFSET exited`")?;
        let words = self.words(&line)?;
        let (first, rest) = words.split_first()?;
        let offset = self.offset(first, &line);
        let direction = match rest {
            [word] if word.value.is_none() && word.key == "entered" => Direction::Entered,
            [word] if word.value.is_none() && word.key == "exited" => Direction::Exited,
            _ => {
                let message = format!("`{}` is no change", shortened(line.text));
                self.report.refuse(Code::BadExpectation, line.at, message, HELP);
                return None;
            }
        };
        let (wanted, message) = match place % 2 {
            0 => (Direction::Entered, "who is not in can't be expected to exit"),
            _ => (Direction::Exited, "who is in can't be expected to enter"),
        };
        if direction != wanted {
            let help = "a visitor begins outside; then `entered` and `exited` take turns";
            self.report.refuse(Code::BadExpectation, line.at, message, help);
            return None;
        }
        Some(Expected { offset: offset?, direction })
    }

    /// The end of a case: at least the last event.
    fn until(
        &mut self,
        entries: &Entries<'_>,
        events: Option<&[Told]>,
        expect: Option<&[Expected]>,
    ) -> Option<Millis> {
        let event = events.and_then(|events| events.last()).map(|told| told.offset);
        let change = expect.and_then(|expect| expect.last()).map(|expected| expected.offset);
        let last = event.unwrap_or(Millis::ZERO).max(change.unwrap_or(Millis::ZERO));
        let Some(tree) = entries.get("until") else { return Some(last) };
        let line = self.line(tree, "how far the case goes, such as `10d`")?;
        let words = self.words(&line)?;
        let until = match words.as_slice() {
            [word] => self.offset(word, &line)?,
            _ => {
                let message = format!("`{}` is no duration", shortened(line.text));
                self.report.refuse(Code::BadDuration, line.at, message, "write it as `10d`");
                return None;
            }
        };
        if until < last {
            let message = format!("the case ends at {until}, but goes on to {last}");
            let help = "let `until` be no earlier than the last event and the last expectation";
            self.report.refuse(Code::UntilTooEarly, line.at, message, help);
            return None;
        }
        Some(until)
    }

    fn offset(&mut self, word: &Word<'_>, line: &Line<'_>) -> Option<Millis> {
        let text = &line.text[word.place.clone()];
        let at = line.place(word.place.clone());
        match parse_duration(text) {
            Ok(offset) if offset <= FARTHEST => Some(offset),
            Ok(_) => {
                let message = format!("`{text}` after the beginning is too far");
                let help = format!("a case may reach {FARTHEST}");
                self.report.refuse(Code::BadDuration, at, message, &help);
                None
            }
            Err(error) => {
                let message = format!("`{}` is no offset: {error}", shortened(text));
                // `1 h x` was meant to be `1h x`.
                let next = line.text[word.place.end..].split_whitespace().next();
                let joined = format!("{text} {}", next.unwrap_or_default());
                self.report.refuse(Code::BadDuration, at, message, &error.help(&joined));
                None
            }
        }
    }

    fn in_order(&mut self, before: Option<Millis>, offset: Millis, at: At) -> bool {
        let Some(before) = before.filter(|before| *before > offset) else { return true };
        let message = format!("{offset} stands behind {before}");
        let help = "list them in order of time; offsets count from the beginning of the case";
        self.report.refuse(Code::NotInOrder, at, message, help);
        false
    }

    fn list<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<&'t [Tree]> {
        if let Kind::List(list) = &tree.kind {
            return Some(list);
        }
        self.report.wrong_shape(tree, wanted);
        None
    }

    fn line<'t>(&mut self, tree: &'t Tree, wanted: &str) -> Option<Line<'t>> {
        let text = self.report.text(tree, wanted)?;
        let source = &self.files[tree.at.file as usize].text;
        let written = source.get(tree.at.start as usize..tree.at.end as usize);
        let within = written.and_then(|written| written.find(text));
        let start = within.and_then(|within| u32::try_from(within).ok());
        Some(Line { text, at: tree.at, start: start.map(|within| tree.at.start + within) })
    }

    fn words<'t>(&mut self, line: &Line<'t>) -> Option<Vec<Word<'t>>> {
        match words(line.text) {
            Ok(words) => Some(words),
            Err(Broken { place, message, help }) => {
                self.report.refuse(Code::BadEvent, line.place(place), message, help);
                None
            }
        }
    }
}

// === impl Line ===

impl Line<'_> {
    /// A part of it, or the whole if the file has it in other letters.
    fn place(&self, part: Range<usize>) -> At {
        let byte = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        match self.start {
            Some(start) => At {
                start: start.saturating_add(byte(part.start)),
                end: start.saturating_add(byte(part.end)),
                ..self.at
            },
            None => self.at,
        }
    }
}

// === impl Told ===

impl Told {
    /// When, on the virtual clock.
    pub(crate) fn instant(&self) -> tzeva_model::UnixMillis {
        BEGINNING + self.offset
    }
}
