//! A process that appends and ingests is killed at any moment, twenty times over one folder. What it was told is there;
//! what it was not told is there whole or not at all. And once its disk refuses all further writes.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tzeva_commit::port::{AppendResult, LogReply, Ticket};
use tzeva_embedded::{Folder, NewRecord, Settings};
use tzeva_model::{LogOffset, Partition, SourceOffset, TopicIndex, UnixMillis};
use tzeva_testkit::conformance::replies;

const FOLDER: &str = "TZEVA_TEST_CRASH_FOLDER";
const KILLS: usize = 20;
const VISITS: TopicIndex = TopicIndex::new(0);
const INPUT: &str = "input.ndjson";

fn open(path: &Path) -> Folder {
    let topics = vec!["visits".to_owned()];
    Folder::open(path, Settings { topics, ..Settings::default() }).unwrap()
}

/// The partition and the bytes of line `number` of an endless input.
fn line(number: u64) -> (Partition, Vec<u8>) {
    let length = usize::try_from(number * 37 % 900).unwrap();
    let value = format!("{number} {}", "x".repeat(length)).into_bytes();
    (Partition::new(u16::try_from(number % 4).unwrap()), value)
}

/// Run by itself this is nothing; started by the test below it writes until it is killed.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a test tells its child process what to do")]
fn the_process_that_is_killed() {
    let Ok(path) = std::env::var(FOLDER) else { return };
    let folder = open(Path::new(&path));
    let (sink, mut answers) = replies();
    let mut log = folder.log(sink).unwrap();
    let mut ingest = folder.ingest();
    let stored = ingest.position(INPUT).unwrap();
    let mut next = stored.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    for round in 0_u64.. {
        println!("#round {round}");
        for ticket in 0..8 {
            let partition = Partition::new(u16::try_from(ticket % 2).unwrap());
            log.append(partition, Ticket(ticket), format!("{round}/{ticket}").into_bytes());
        }
        let count = 1 + round % 5;
        let records = (next..next + count).map(|number| {
            let (partition, value) = line(number);
            let time = UnixMillis::new(1);
            NewRecord { topic: VISITS, partition, time, key: None, headers: vec![], value }
        });
        next += count;
        match ingest.commit(records.collect(), Some((INPUT, &next.to_be_bytes()))) {
            Ok(_) => println!("#ingested {next}"),
            Err(error) => println!("#refused ingest: {error}"),
        }
        for _ in 0..8 {
            match answers.wait() {
                LogReply::Appended(partition, ticket, AppendResult::At(offset, _)) => {
                    println!("#appended {partition} {offset} {round}/{}", ticket.0);
                }
                LogReply::Appended(_, _, AppendResult::Unknown(error)) if !error.transient => {
                    println!("#refused append: {error}");
                }
                other => panic!("an append was answered {other:?}"),
            }
        }
    }
}

/// Starts the process, which does not die of a file that grows too large.
fn start(folder: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact the_process_that_is_killed --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, told)
}

/// Kills the process; gives all it was told, what was on its way when it died included.
fn kill(
    mut child: Child,
    mut heard: Vec<String>,
    told: Lines<BufReader<ChildStdout>>,
) -> Vec<String> {
    child.kill().unwrap();
    heard.extend(told.map_while(Result::ok));
    // The last line may be cut.
    heard.pop();
    child.wait().unwrap();
    heard.retain(|line| line.starts_with('#'));
    heard
}

/// What the process was told, over all its lives.
#[derive(Default)]
struct Told {
    appended: BTreeMap<(Partition, LogOffset), String>,
    ingested: u64,
    refused: Vec<String>,
}

impl Told {
    fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["#ingested", next] => self.ingested = next.parse().unwrap(),
            ["#appended", partition, offset, bytes] => {
                let partition = Partition::new(partition.parse().unwrap());
                let offset = LogOffset::new(offset.parse().unwrap());
                let earlier = self.appended.insert((partition, offset), bytes.into());
                assert_eq!(earlier, None, "offset {offset} was given twice");
            }
            ["#refused", ..] => self.refused.push(line.into()),
            ["#round", _] => {}
            _ => panic!("unexpected line {line}"),
        }
    }

    /// Opens the folder and compares.
    fn check(&mut self, path: &Path) {
        let folder = open(path);
        the_log_holds(&folder, &self.appended);
        self.ingested = the_sources_equal_the_position(&folder, self.ingested);
    }
}

#[test]
fn a_killed_process_loses_nothing_it_was_told_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Told::default();
    for life in 0..KILLS {
        let (child, mut told) = start(dir.path());
        let lines = 30 + life * 53 % 400;
        let heard = told.by_ref().take(lines).map(Result::unwrap).collect();
        kill(child, heard, told).iter().for_each(|line| all.note(line));
        all.check(dir.path());
    }
    assert!(all.appended.len() > 20 * KILLS && all.ingested > 0, "it did hardly anything");
    assert_eq!(all.refused, Vec::<String>::new());
}

/// A limit on the size of files, set while it runs, is a disk that is full.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_refuses_ends_all_writing_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Told::default();
    let (child, mut told) = start(dir.path());
    let mut heard: Vec<String> = told.by_ref().take(100).map(Result::unwrap).collect();
    let pid = child.id().to_string();
    let limit = Command::new("prlimit").args(["--fsize=4096", "--pid", &pid]).status().unwrap();
    assert!(limit.success());
    let mut refusals = 0;
    while refusals < 50 {
        let line = told.next().unwrap().unwrap();
        refusals += usize::from(line.starts_with("#refused"));
        heard.push(line);
    }
    let heard = kill(child, heard, told);
    let first = heard.iter().position(|line| line.starts_with("#refused")).unwrap();
    heard.iter().for_each(|line| all.note(line));
    // What its own round appended before the refusal is told behind it.
    let ended = heard[first..].iter().position(|line| line.starts_with("#round")).unwrap();
    let acknowledged =
        |line: &&String| line.starts_with("#appended") || line.starts_with("#ingested");
    let later: Vec<&String> = heard[first + ended..].iter().filter(acknowledged).collect();
    assert!(later.is_empty(), "after a failed write nothing is acknowledged any more: {later:?}");
    assert!(all.refused.iter().any(|line| line.contains("append to the log in data folder")));
    assert!(all.refused.iter().any(|line| line.contains("ingest records in data folder")));
    all.check(dir.path());
}

fn the_log_holds(folder: &Folder, appended: &BTreeMap<(Partition, LogOffset), String>) {
    for partition in (0..2).map(Partition::new) {
        let mut next = LogOffset::new(0);
        let mut time = UnixMillis::MIN;
        let mut found = BTreeMap::new();
        loop {
            let page = folder.read_log(partition, next, None).unwrap();
            for entry in page.entries {
                assert_eq!(entry.offset, next, "offsets are dense");
                assert!(entry.time >= time);
                (next, time) = (next.next(), entry.time);
                found.insert((partition, entry.offset), String::from_utf8(entry.bytes).unwrap());
            }
            if page.next == page.end {
                break;
            }
        }
        for (place, bytes) in appended.range((partition, LogOffset::new(0))..) {
            if place.0 == partition {
                assert_eq!(found.get(place), Some(bytes), "an acked append is gone");
            }
        }
    }
}

/// Tells how far the input was copied: at least as far as the process was told.
fn the_sources_equal_the_position(folder: &Folder, told: u64) -> u64 {
    let stored = folder.ingest().position(INPUT).unwrap();
    let position = stored.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    assert!(position >= told, "told {told}, found {position}");
    let mut expected: BTreeMap<Partition, Vec<Vec<u8>>> = BTreeMap::new();
    for (partition, value) in (0..position).map(line) {
        expected.entry(partition).or_default().push(value);
    }
    for partition in (0..4).map(Partition::new) {
        let end = folder.source_ends(partition)[0];
        let mut values = Vec::new();
        let mut next = SourceOffset::new(0);
        while next < end {
            for record in folder.read_source(VISITS, partition, next..end).unwrap() {
                assert_eq!(record.offset, next, "offsets are dense");
                next = next.next();
                values.push(record.value);
            }
        }
        assert_eq!(values, expected.remove(&partition).unwrap_or_default());
    }
    position
}
