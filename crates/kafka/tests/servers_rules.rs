//! Rules published to, read from and followed on a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use crossbeam_channel::unbounded;
use std::sync::Barrier;
use std::time::Instant;
use support::{PATIENCE, fresh, named, producer, write};
use tzeva_kafka::{RulesTopic, Settings};
use tzeva_model::{RulesVersion, UnixMillis};
use tzeva_rulebook::{Book, Draft, Publication, SourceFile, Standing};

fn topic(settings: &Settings) -> RulesTopic {
    RulesTopic::new(settings).unwrap()
}

fn publication(parent: Option<&Publication>, by: &str, content: u64, size: usize) -> Publication {
    let files = vec![SourceFile { path: "a.yaml".into(), text: "r".repeat(size) }];
    let (content, at) = (RulesVersion::new(content), UnixMillis::new(1));
    let (by, note) = (by.to_owned(), String::new());
    Publication::new(parent, Draft { content, at, by, note, files }).unwrap()
}

#[test]
fn what_is_published_is_read_back_and_publishing_it_again_writes_nothing() {
    let settings = fresh(1);
    let rules = topic(&settings);
    assert!(rules.read().unwrap().0.head().is_none());
    let first = publication(None, "a", 1, 10);
    // Several parts, each as large as a part may be.
    let second = publication(Some(&first), "a", 2, 2_000_000);
    assert_eq!(rules.publish(&first).unwrap(), Standing::Counts);
    assert_eq!(rules.publish(&second).unwrap(), Standing::Counts);
    let (book, next) = rules.read().unwrap();
    assert_eq!(book.head().map(|head| &**head), Some(&second));
    assert_eq!(rules.publish(&first).unwrap(), Standing::Counts);
    assert_eq!(rules.read().unwrap().1, next);
    // Who still takes the first one for the head is told who was sooner.
    let late = publication(Some(&first), "b", 3, 10);
    assert_eq!(rules.publish(&late).unwrap(), Standing::Stale(second.into()));
    assert_eq!(rules.read().unwrap().1, next);
}

#[test]
fn of_two_publishers_at_once_exactly_one_counts() {
    let settings = fresh(1);
    let rules = topic(&settings);
    let mut head = publication(None, "start", 1, 10);
    rules.publish(&head).unwrap();
    for round in 0..5_u64 {
        let racers = ["a", "b"].map(|by| publication(Some(&head), by, round, 1_100_000));
        let gate = Barrier::new(2);
        let ends = std::thread::scope(|scope| {
            let race = |racer| {
                let (rules, gate) = (&rules, &gate);
                scope.spawn(move || {
                    gate.wait();
                    rules.publish(racer).unwrap()
                })
            };
            let threads = racers.each_ref().map(race);
            threads.map(|thread| thread.join().unwrap())
        });
        let won = ends.iter().position(|end| *end == Standing::Counts).unwrap();
        assert_eq!(ends[1 - won], Standing::Stale(racers[won].clone().into()));
        let (book, _) = rules.read().unwrap();
        assert_eq!(book.head().map(|head| &**head), Some(&racers[won]));
        head = racers[won].clone();
    }
}

#[test]
fn a_follower_hands_over_what_comes_and_what_others_wrote_stops_nobody() {
    let settings = fresh(1);
    let rules = topic(&settings);
    let first = publication(None, "a", 1, 10);
    rules.publish(&first).unwrap();
    let (mut book, next) = rules.read().unwrap();
    let (sender, records) = unbounded();
    let follower = rules
        .follow(next, move |key, value| {
            let _ = sender.send((key.to_vec(), value.map(<[u8]>::to_vec)));
        })
        .unwrap();
    write(&producer(&settings, &[]), &settings.topics.rules, 0, &["nonsense"]);
    let second = publication(Some(&first), "a", 2, 900_000);
    assert_eq!(rules.publish(&second).unwrap(), Standing::Counts);
    let deadline = Instant::now() + PATIENCE;
    while book.standing(second.version).is_none() {
        let (key, value) = records.recv_deadline(deadline).unwrap();
        book.feed(&key, value.as_deref());
    }
    assert_eq!(book.head().map(|head| &**head), Some(&second));
    assert_eq!(book.flaws().count(), 1);
    drop(follower);
    // The thread has ended: nobody is left to send.
    assert!(records.recv_deadline(deadline).is_err());
    assert!(Instant::now() < deadline);
    // From the beginning it is the same.
    let (sender, records) = unbounded();
    let _follower = rules
        .follow(0, move |key, value| {
            let _ = sender.send((key.to_vec(), value.map(<[u8]>::to_vec)));
        })
        .unwrap();
    let mut book = Book::default();
    while book.standing(second.version).is_none() {
        let (key, value) = records.recv_deadline(deadline).unwrap();
        book.feed(&key, value.as_deref());
    }
    assert_eq!(book.head().map(|head| &**head), Some(&second));
}

#[test]
fn without_the_topic_reading_and_publishing_say_so() {
    let settings = named();
    let rules = topic(&settings);
    let error = rules.read().unwrap_err();
    assert!(error.attempt.contains(&settings.topics.rules), "{error}");
    assert!(rules.publish(&publication(None, "a", 1, 10)).is_err());
}
