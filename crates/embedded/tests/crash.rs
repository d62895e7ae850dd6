//! A process that appends and ingests is killed at any moment, twenty times over one folder. What it was told is there;
//! what it was not told is there whole or not at all.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
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
        ingest.commit(records.collect(), Some((INPUT, &next.to_be_bytes()))).unwrap();
        println!("#ingested {next}");
        for _ in 0..8 {
            let LogReply::Appended(partition, ticket, AppendResult::At(offset, _)) = answers.wait()
            else {
                panic!("an append failed");
            };
            println!("#appended {partition} {offset} {round}/{}", ticket.0);
        }
    }
}

/// Starts the process, reads `lines` of what it was told, kills it; gives the lines, the last ones already on their
/// way when it died among them.
fn run_and_kill(folder: &Path, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard: Vec<String> = told.by_ref().take(lines).map(Result::unwrap).collect();
    child.kill().unwrap();
    // The last line may be cut; only what ended with a newline was told.
    heard.extend(told.map_while(Result::ok));
    heard.pop();
    child.wait().unwrap();
    heard.retain(|line| line.starts_with('#'));
    heard
}

#[test]
fn a_killed_process_loses_nothing_it_was_told_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut appended: BTreeMap<(Partition, LogOffset), String> = BTreeMap::new();
    let mut ingested = 0;
    for kill in 0..KILLS {
        for line in run_and_kill(dir.path(), 30 + kill * 53 % 400) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["#ingested", next] => ingested = next.parse().unwrap(),
                ["#appended", partition, offset, bytes] => {
                    let partition = Partition::new(partition.parse().unwrap());
                    let offset = LogOffset::new(offset.parse().unwrap());
                    let earlier = appended.insert((partition, offset), bytes.into());
                    assert_eq!(earlier, None, "offset {offset} was given twice");
                }
                _ => panic!("unexpected line {line}"),
            }
        }
        let folder = open(dir.path());
        the_log_holds(&folder, &appended);
        ingested = the_sources_equal_the_position(&folder, ingested);
    }
    assert!(appended.len() > 20 * KILLS && ingested > 0, "the process did hardly anything");
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
