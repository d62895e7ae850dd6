//! Publications as files: races, what a killed publisher leaves, and files that others broke.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests break files, and tell their child process what to do"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Barrier, mpsc};
use std::time::Duration;
use tzeva_embedded::{Folder, RulesError, RulesFolder, Settings};
use tzeva_model::{RulesVersion, UnixMillis};
use tzeva_rulebook::{Book, Draft, Publication, SourceFile, Standing};

const FOLDER: &str = "TZEVA_TEST_RULES_FOLDER";
const KILLS: usize = 20;
const SOON: Duration = Duration::from_millis(5);

fn publication(parent: Option<&Publication>, by: &str, content: u64, size: usize) -> Publication {
    let files = vec![SourceFile { path: "a.yaml".into(), text: "r".repeat(size) }];
    let (content, at) = (RulesVersion::new(content), UnixMillis::new(1));
    let (by, note) = (by.to_owned(), String::new());
    Publication::new(parent, Draft { content, at, by, note, files }).unwrap()
}

fn head(rules: &RulesFolder) -> Option<Publication> {
    rules.read().unwrap().0.head().map(|head| (**head).clone())
}

#[test]
fn rules_are_published_beside_a_service_that_holds_the_folder() {
    let data = tempfile::tempdir().unwrap();
    let _held = Folder::open(data.path(), Settings::default()).unwrap();
    let rules = RulesFolder::of(data.path());
    assert_eq!(head(&rules), None);
    let first = publication(None, "a", 1, 10);
    let second = publication(Some(&first), "a", 2, 2_000_000);
    for made in [&first, &second] {
        assert_eq!(rules.publish(made).unwrap(), Standing::Counts);
        assert_eq!(rules.publish(made).unwrap(), Standing::Counts);
        assert_eq!(head(&rules).as_ref(), Some(made));
    }
    let late = publication(Some(&first), "b", 3, 10);
    assert_eq!(rules.publish(&late).unwrap(), Standing::Stale(second.into()));
    assert_eq!(rules.read().unwrap().1, 3);
}

#[test]
fn of_publishers_at_once_exactly_one_counts() {
    let data = tempfile::tempdir().unwrap();
    let rules = RulesFolder::of(data.path());
    let mut parent = None;
    for round in 0..20 {
        let racers: Vec<_> = (0..6)
            .map(|by| publication(parent.as_ref(), &by.to_string(), round * 10 + by, 50_000))
            .collect();
        let gate = Barrier::new(racers.len());
        let ends: Vec<_> = std::thread::scope(|scope| {
            let race = |racer| {
                let (rules, gate) = (&rules, &gate);
                scope.spawn(move || {
                    gate.wait();
                    rules.publish(racer).unwrap()
                })
            };
            let threads: Vec<_> = racers.iter().map(race).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winner = head(&rules).unwrap();
        for (racer, end) in racers.iter().zip(ends) {
            let stale = || Standing::Stale(winner.clone().into());
            assert_eq!(end, if *racer == winner { Standing::Counts } else { stale() });
        }
        parent = Some(winner);
    }
    // Nobody left anything behind.
    let left = std::fs::read_dir(data.path().join("rules")).unwrap().count();
    assert_eq!(left, 20);
}

#[test]
fn half_a_file_counts_for_nothing_and_is_told_when_it_is_in_the_way() {
    let data = tempfile::tempdir().unwrap();
    let rules = RulesFolder::of(data.path());
    let first = publication(None, "a", 1, 10);
    let second = publication(Some(&first), "a", 2, 10);
    rules.publish(&first).unwrap();
    let whole = second.whole().value;
    for bytes in [&whole[..whole.len() / 2], b"", b"{}"] {
        std::fs::write(data.path().join("rules/000002.json"), bytes).unwrap();
        assert_eq!(head(&rules).as_ref(), Some(&first));
        let error = rules.publish(&second).unwrap_err();
        assert!(
            matches!(&error, RulesError::Damaged { path, .. } if path.ends_with("000002.json"))
        );
    }
    std::fs::remove_file(data.path().join("rules/000002.json")).unwrap();
    // What a killed publisher was writing is nobody's publication.
    std::fs::write(data.path().join("rules/writing-1-1-1"), &whole).unwrap();
    assert_eq!(head(&rules).as_ref(), Some(&first));
    assert_eq!(rules.publish(&second).unwrap(), Standing::Counts);
}

#[test]
fn a_follower_hands_over_what_is_there_and_what_comes() {
    let data = tempfile::tempdir().unwrap();
    let rules = RulesFolder::of(data.path());
    let (sender, records) = mpsc::channel();
    let take = move |key: &[u8], value: Option<&[u8]>| {
        let _ = sender.send((key.to_vec(), value.unwrap().to_vec()));
    };
    let follower = rules.follow((1, SOON), take).unwrap();
    let mut book = Book::default();
    let mut parent: Option<Publication> = None;
    for number in 1..4 {
        let next = publication(parent.as_ref(), "a", number, 100_000);
        rules.publish(&next).unwrap();
        let (key, value) = records.recv_timeout(Duration::from_secs(30)).unwrap();
        book.feed(&key, Some(&value));
        assert_eq!(book.head().map(|head| &**head), Some(&next));
        parent = Some(next);
    }
    drop(follower);
    // Its thread has ended, and with it the only sender; nothing came twice.
    assert_eq!(records.recv(), Err(mpsc::RecvError));
}

/// Run by itself this is nothing; started by the test below it publishes until it is killed.
#[test]
fn the_publisher_that_is_killed() {
    let Ok(path) = std::env::var(FOLDER) else { return };
    let rules = RulesFolder::of(Path::new(&path));
    let mut parent = head(&rules);
    println!("#begun");
    for content in 1.. {
        let next = publication(parent.as_ref(), "child", content, 300_000);
        assert_eq!(rules.publish(&next).unwrap(), Standing::Counts);
        parent = Some(next);
    }
}

#[test]
fn a_publisher_that_is_killed_leaves_whole_publications_only() {
    use std::io::{BufRead, BufReader};
    let data = tempfile::tempdir().unwrap();
    let rules = RulesFolder::of(data.path());
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_publisher_that_is_killed", "--nocapture"])
            .env(FOLDER, data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("#begun")));
        // At another moment each time: when so many files are there.
        let (_, from) = rules.read().unwrap();
        let folder = data.path().join("rules");
        let wanted = from + 1 + (kill as u64 % 3);
        while !folder.join(format!("{wanted:06}.json")).exists() {
            assert_eq!(child.try_wait().unwrap(), None, "the publisher has ended by itself");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (book, next) = rules.read().unwrap();
        assert_eq!(book.flaws().count(), 0);
        assert_eq!(book.chain().len() as u64, next - 1);
    }
}

#[test]
fn a_file_that_the_disk_spoiled_is_called_damaged() {
    let data = tempfile::tempdir().unwrap();
    let rules = RulesFolder::of(data.path());
    let first = publication(None, "a", 1, 10);
    rules.publish(&first).unwrap();
    let whole = std::fs::read(data.path().join("rules/000001.json")).unwrap();
    let place = data.path().join("rules/000002.json");
    for (left, what) in [
        (&[][..], "000002.json is damaged: it is empty"),
        (&whole[..20], "000002.json is damaged: it is no record of a publication"),
        (&[0; 100], "000002.json is damaged: it is no record of a publication"),
    ] {
        std::fs::write(&place, left).unwrap();
        let flaws: Vec<_> = rules.read().unwrap().0.flaws().map(ToString::to_string).collect();
        assert_eq!(flaws, [what]);
        let failed = rules.publish(&publication(Some(&first), "a", 2, 10)).unwrap_err();
        assert!(failed.to_string().contains("move it away"), "{failed}");
        assert_eq!(std::error::Error::source(&failed).unwrap().to_string(), what);
    }
}
