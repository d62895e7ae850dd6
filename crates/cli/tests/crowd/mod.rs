//! Many generated cases as one shop: everybody's rules, and what everybody does, as files.
#![allow(dead_code, reason = "each test target uses its part")]

use std::fmt::Write;
use std::path::Path;
use tzeva_audience::{
    Audience, CheckSettings, InLeaf, Leaf, Node, RuleSet, Severity, SourceFile, compile,
};
use tzeva_cases::{Wanted, case_with, publish};
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_model::{Event, Millis, Name, NameKind, Partition, UnixMillis, VisitorId};
use tzeva_oracle::Input;

/// The fields that the cases' rules name beyond those that are always kept.
pub(crate) const KEEP: [&str; 2] = ["page.path", "properties.k"];

/// A shop of several cases.
pub(crate) struct Crowd {
    /// Names and texts of the files.
    pub files: Vec<SourceFile>,
    /// What the compiler makes of them.
    pub rules: RuleSet,
    /// Each with the line that a shop would send, in order of record times.
    pub sent: Vec<(Input, String)>,
}

// === impl Crowd ===

impl Crowd {
    /// The cases of these seeds; nothing counts longer than `max_age`.
    pub(crate) fn of(seeds: std::ops::Range<u64>, max_age: Millis) -> Self {
        let wanted = Wanted { policies: true, unsteady: false, long: false, activations: false };
        let cases: Vec<_> = seeds.map(|seed| (seed, case_with(seed, wanted))).collect();
        let most_painted = cases.iter().max_by_key(|(_, case)| case.rules.paint.events.len());
        let (_, painted) = most_painted.unwrap();
        let mut files = vec![file("paint.yaml", publish::paint(&painted.rules.paint))];
        let mut sent = Vec::new();
        for (seed, case) in &cases {
            for audience in &case.rules.audiences {
                let audience = renamed(audience, *seed);
                let path = format!("{}.yaml", audience.name.text());
                files.push(file(&path, publish::audience(&audience)));
            }
            for (record_time, event) in case.records() {
                let visitor = format!("s{seed}-{}", event.visitor);
                let event = Event { visitor: VisitorId::try_new(&visitor).unwrap(), ..event };
                sent.push((Input { record_time, event: event.clone() }, publish::event(&event)));
            }
        }
        let rules = accepted(&mut files, max_age);
        sent.sort_by_key(|(input, _)| input.record_time);
        Self { files, rules, sent }
    }

    /// The same, everything recorded when it happened.
    pub(crate) fn in_order(mut self) -> Self {
        self.sent.sort_by_key(|(input, _)| input.event.occurred_at);
        self.recorded_as_sent()
    }

    /// The same in this order, recorded at the instants that the events say.
    pub(crate) fn recorded_as_sent(mut self) -> Self {
        for (input, line) in &mut self.sent {
            input.record_time = input.event.occurred_at;
            // What the decoder makes of the line is what happened.
            input.event = decoded(line);
        }
        self
    }

    /// Writes the audience files.
    pub(crate) fn write_rules(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        for file in &self.files {
            std::fs::write(folder.join(&file.path), &file.text).unwrap();
        }
    }

    /// The lines as a file holds them.
    pub(crate) fn lines(&self) -> String {
        self.sent.iter().fold(String::new(), |mut text, (_, line)| {
            let _ = writeln!(text, "{line}");
            text
        })
    }

    pub(crate) fn last(&self) -> UnixMillis {
        self.sent.iter().map(|(input, _)| input.record_time).max().unwrap()
    }
}

fn file(path: &str, text: String) -> SourceFile {
    SourceFile { path: path.to_owned(), text }
}

/// Leaves out audiences that no file can say or that the compiler refuses, and what is `in` them.
fn accepted(files: &mut Vec<SourceFile>, max_age: Millis) -> RuleSet {
    let keep = KEEP.map(str::to_owned).to_vec();
    let settings = CheckSettings { max_age, idle: max_age, keep, ..CheckSettings::default() };
    loop {
        let compiled = compile(files, &settings);
        if let Some(rules) = compiled.rules {
            return rules;
        }
        let before = files.len();
        for problem in compiled.problems.iter().filter(|p| p.severity == Severity::Error) {
            files.retain(|file| file.path != problem.file);
        }
        assert!(files.len() < before, "{:#?}", compiled.problems);
    }
}

fn renamed(audience: &Audience, seed: u64) -> Audience {
    let mut audience = audience.clone();
    audience.name = name(&audience.name, seed);
    rename(&mut audience.enter, seed);
    audience.exit_when.iter_mut().for_each(|node| rename(node, seed));
    audience
}

fn rename(node: &mut Node, seed: u64) {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter_mut().for_each(|n| rename(n, seed)),
        Node::Not(part) => rename(part, seed),
        Node::Leaf(Leaf::In(leaf)) => *leaf = InLeaf { audience: name(&leaf.audience, seed) },
        Node::Leaf(_) => {}
    }
}

fn name(name: &Name, seed: u64) -> Name {
    Name::new(NameKind::Audience, &format!("s{seed}-{}", name.text()))
}

fn decoded(line: &str) -> Event {
    let keep = KEEP.map(str::to_owned).to_vec();
    let settings = tzeva_decode::Settings { keep, ..tzeva_decode::Settings::default() };
    let value = line.as_bytes();
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    match Decoder::new(&settings).unwrap().decode(&raw) {
        Decoded::Event(event) => event,
        other => panic!("{line}: {other:?}"),
    }
}
