//! What must hold of a folder after a run, whatever happened to the process.
//!
//! 1. Every line of the input lies in a source log, once.
//! 2. The inputs of the commits that count cover every source offset once; seq and n are dense.
//! 3. The store is the fold of the log.
//! 4. The published changes are the logged ones, each once.
//! 5. The independent slow evaluator agrees on every change.
//! 6. Every malformed line is a dead letter, once.

use crate::support::Place;
use std::collections::BTreeMap;
use std::path::Path;
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_commit::Commit;
use tzeva_commit::port::SourceRecord;
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_embedded::{Folder, OpenMode, Settings};
use tzeva_model::{
    Change, ChangeNumber, Event, LogOffset, Partition, SourceOffset, TopicIndex, UnixMillis,
    VisitorId,
};
use tzeva_oracle::{Input, Step};
use tzeva_profile::{Profile, fold, stored};
use tzeva_testkit::readback::{Counting, covers_every_record_once};

const TOPICS: [&str; 2] = ["tzeva.site-visits", "tzeva.purchases"];

/// Holds the folder against the lines that were written, of which some were malformed.
pub(crate) fn all(place: &Place, written: &[String], malformed: &[String]) {
    let settings = Settings {
        topics: TOPICS.map(str::to_owned).to_vec(),
        mode: OpenMode::MustExist,
        ..Settings::default()
    };
    let folder = Folder::open(&place.path("data"), settings).unwrap();
    let rules = rules();
    let partitions = (0..folder.partitions()).map(Partition::new);
    let (mut taken, mut changes) = (Vec::new(), 0);
    for partition in partitions {
        let topics: Vec<_> = (0..2).map(|topic| source(&folder, topic, partition)).collect();
        taken.extend(topics.iter().flatten().map(|r| String::from_utf8(r.value.clone()).unwrap()));
        let commits = counting(&folder, partition);
        let counts: Vec<usize> = topics.iter().map(Vec::len).collect();
        covers_every_record_once(&commits, &counts);
        store_is_the_fold(&folder, &commits);
        changes += published_is_what_was_logged(&folder, partition, &commits);
        oracle_agrees(&rules, (partition, folder.partitions()), &commits, &topics);
    }
    assert_eq!(sorted(&taken), sorted(written), "every line was taken in once");
    let letters = folder.dead_letters().map(|letter| letter.unwrap().message.value);
    let letters: Vec<String> = letters.map(|value| String::from_utf8(value).unwrap()).collect();
    assert_eq!(sorted(&letters), sorted(malformed), "every malformed line is a dead letter, once");
    assert!(changes > 20, "only {changes} changes: this run proves nothing");
}

fn sorted(lines: &[String]) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.sort_unstable();
    lines
}

fn rules() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audiences/retail");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        SourceFile {
            path: path.display().to_string(),
            text: std::fs::read_to_string(path).unwrap(),
        }
    };
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(file).collect();
    compile(&files, &CheckSettings::default()).rules.unwrap()
}

fn source(folder: &Folder, topic: u8, partition: Partition) -> Vec<SourceRecord> {
    let end = folder.source_ends(partition)[usize::from(topic)];
    let mut records: Vec<SourceRecord> = Vec::new();
    loop {
        let next = records.last().map_or(SourceOffset::new(0), |record| record.offset.next());
        if next == end {
            return records;
        }
        let page = folder.read_source(TopicIndex::new(topic), partition, next..end);
        records.extend(page.unwrap());
    }
}

/// The commits that count.
fn counting(folder: &Folder, partition: Partition) -> Vec<Commit> {
    let (mut log, mut at) = (Counting::new(), LogOffset::new(0));
    loop {
        let page = folder.read_log(partition, at, None).unwrap();
        if page.entries.is_empty() {
            return log.commits;
        }
        at = page.next;
        page.entries.iter().for_each(|entry| log.observe(entry));
    }
}

fn store_is_the_fold(folder: &Folder, commits: &[Commit]) {
    let mut folded: BTreeMap<VisitorId, Option<Profile>> = BTreeMap::new();
    for commit in commits {
        for delta in &commit.deltas {
            let before = folded.remove(&delta.visitor).flatten();
            let after = fold(before, delta, commit.seq).unwrap();
            folded.insert(delta.visitor.clone(), after);
        }
    }
    for (visitor, profile) in folded {
        let there = folder.read_profile(&visitor).unwrap();
        let there = there.map(|bytes| stored::decode(&bytes).unwrap());
        assert_eq!(there, profile, "the store is the fold of the log");
    }
}

fn published_is_what_was_logged(
    folder: &Folder,
    partition: Partition,
    commits: &[Commit],
) -> usize {
    let published = folder.read_changes(partition, ChangeNumber::new(0));
    let published: Vec<_> = published.map(Result::unwrap).collect();
    let logged: Vec<&Change> = commits.iter().flat_map(|commit| &commit.changes).collect();
    assert_eq!(published.len(), logged.len(), "every logged change is published, once");
    for ((n, (at, message)), change) in (1..).zip(&published).zip(&logged) {
        assert_eq!(at.get(), n, "n is dense");
        let value: serde_json::Value = serde_json::from_slice(&message.value).unwrap();
        assert_eq!(value["visitor"], change.visitor.as_str());
        assert_eq!(value["change"], change.direction.word());
        assert_eq!(value["effective_at"], change.effective_at.to_string());
    }
    logged.len()
}

/// The records of a commit, in the order that its meaning gives them.
fn records<'a>(commit: &Commit, topics: &'a [Vec<SourceRecord>]) -> Vec<&'a SourceRecord> {
    let mut records = Vec::new();
    for range in &commit.inputs {
        let topic = &topics[usize::from(range.topic.get())];
        let inside = topic.iter().filter(|r| r.offset >= range.from && r.offset < range.next);
        records.extend(inside.map(|record| (record.time, range.topic, record.offset, record)));
    }
    records.sort_by_key(|&(time, topic, offset, _)| (time, topic, offset));
    records.into_iter().map(|(_, _, _, record)| record).collect()
}

fn oracle_agrees(
    rules: &RuleSet,
    (partition, partitions): (Partition, u16),
    commits: &[Commit],
    topics: &[Vec<SourceRecord>],
) {
    let decode = tzeva_decode::Settings { partitions, ..tzeva_decode::Settings::default() };
    let mut decoder = Decoder::new(&decode).unwrap();
    let mut event = |record: &SourceRecord| -> Option<Event> {
        let (key, value) = (record.key.as_deref(), &record.value);
        match decoder.decode(&Raw { partition, key, value, headers: &[] }) {
            Decoded::Event(event) => Some(event),
            _ => None,
        }
    };
    let mut moments: Vec<(UnixMillis, Option<Input>)> = Vec::new();
    for commit in commits {
        for record in records(commit, topics) {
            let time = record.time;
            moments.push((time, event(record).map(|event| Input { record_time: time, event })));
        }
        moments.push((commit.until, None));
    }
    let steps: Vec<Step<'_>> = moments
        .iter()
        .map(|(time, input)| input.as_ref().map_or(Step::Clock(*time), Step::Record))
        .collect();
    let until = commits.last().map_or(UnixMillis::MIN, |commit| commit.until);
    let before = UnixMillis::new(until.get().saturating_sub(1));
    let settings = tzeva_oracle::Settings::default();
    let expected = tzeva_oracle::run_steps(rules, &settings, &steps, before);
    let logged: Vec<Change> = commits.iter().flat_map(|commit| commit.changes.clone()).collect();
    assert_eq!(logged, expected, "the slow evaluator agrees");
}
