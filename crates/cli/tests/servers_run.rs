//! The service on real servers: refusals before the start, a first start, a stop.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use std::io::{BufRead, BufReader, Read};
use support::{Place, get, pages, signal, until, wait_for};
use tzeva_testkit::servers::Kafka;

const CONFIG: &[&str] = &["--config", "tzeva.yaml"];

/// Settings for topics and keys of this test alone.
fn place(name: &str) -> Place {
    place_on(name, &tzeva_testkit::servers::kafka().unwrap())
}

/// The same on a Kafka of its own.
fn place_on(name: &str, kafka: &str) -> Place {
    let place = Place::new();
    let redis = tzeva_testkit::servers::redis().unwrap();
    let own = format!("{name}-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond());
    let settings = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    let settings = format!(
        "{settings}partitions: 4\nsources: [{{topic: {own}.visits}}, {{topic: {own}.purchases}}]\n\
         topics: {{log: {own}.log, changes: {own}.changes, names: {own}.names, rules: {own}.rules, \
         dead_letters: {own}.dead, replication: 1}}\n\
         kafka: {{brokers: '{kafka}', group: '{own}'}}\n\
         redis: {{url: 'redis://{redis}/0', prefix: '{own}:'}}\n"
    );
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    place
}

fn refused(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let output = place.output(&[args, CONFIG].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn missing_topics_are_refused_and_made() {
    let place = place("topics");
    let (code, told) = refused(&place, &["run", "--from", "earliest"]);
    assert_eq!(code, Some(64), "{told}");
    assert!(told.contains("the topics are not fit"), "{told}");
    assert_eq!(refused(&place, &["topics", "check"]).0, Some(1));
    let made = place.fine(&[&["topics", "create"], CONFIG].concat());
    assert!(made.contains("the topics are fine: 4 partitions"), "{made}");
    place.fine(&[&["topics", "check"], CONFIG].concat());
    let (code, told) = refused(&place, &["run"]);
    assert_eq!(code, Some(64), "{told}");
    assert!(told.contains("--from earliest"), "{told}");
}

#[test]
fn a_first_start_owns_every_partition_and_a_signal_stops_it() {
    let place = place("first");
    place.fine(&[&["topics", "create"], CONFIG].concat());
    for from in [&["--from", "earliest"][..], &[]] {
        let mut child = place.start(&[&["run"], CONFIG, from].concat());
        let log = BufReader::new(child.stderr.take().unwrap());
        let (mut owned, mut told) = (0, Vec::new());
        for line in log.lines().map_while(Result::ok) {
            owned += u32::from(line.contains("owning"));
            told.push(line);
            if owned == 4 {
                owned = 0;
                signal(&child, "-TERM");
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{told:#?}");
        // That a topic was read to its end is no news.
        assert!(
            !told.iter().any(|line| line.contains("EOF") || line.contains("WARN")),
            "{told:#?}"
        );
    }
    let log = place.fine(&[&["log", "show", "--partition", "3"], CONFIG].concat());
    assert!(log.contains("anchor") && log.contains("claim"), "{log}");
    assert_eq!(refused(&place, &["visitor", "show", "nobody"]).0, Some(1));
    place.fine(&[&["changes", "show"], CONFIG].concat());
    place.fine(&[&["dead-letters", "list"], CONFIG].concat());
}

#[test]
fn a_server_that_is_away_is_the_world_and_not_the_settings() {
    let place = Place::new();
    let settings = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    let settings = settings + "kafka: {brokers: '127.0.0.1:1'}\n";
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    let (code, told) = refused(&place, &["run", "--from", "earliest"]);
    assert_eq!(code, Some(75), "{told}");
    assert!(told.contains("127.0.0.1:1") || told.contains("broker"), "{told}");
}

#[test]
fn a_stop_that_takes_too_long_says_what_is_left_and_that_nothing_is_lost() {
    let mut kafka = Kafka::start(&[]).unwrap();
    let place = place_on("slow", &kafka.bootstrap());
    let settings = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    let settings = settings + "painter: {stop_within: 1s}\n";
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    place.fine(&[&["topics", "create"], CONFIG].concat());
    let mut child = place.start(&[&["run", "--from", "earliest"], CONFIG].concat());
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address = pages(&mut log);
    (0..4).for_each(|_| drop(wait_for(&mut log, "owning")));
    // Every partition says that it lives, and says so again ten seconds later: into a log that answers no more.
    until("every partition has said that it lives", || {
        metric(&address, "tzeva_commits_total") >= 4
    });
    kafka.process().freeze().unwrap();
    let before = metric(&address, "tzeva_log_bytes_total");
    until("a commit is on its way", || metric(&address, "tzeva_log_bytes_total") > before);
    signal(&child, "-TERM");
    let mut says = String::new();
    log.read_to_string(&mut says).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(75), "{says}");
    let told =
        ["not all was done within painter.stop_within, 1 s", "a commit on its way", "recovers"];
    assert!(told.iter().all(|part| says.contains(part)), "{says}");
}

fn metric(address: &str, name: &str) -> u64 {
    let page = get(address, "/metrics");
    let line = page.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{page}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
