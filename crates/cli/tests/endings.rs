//! How `tzeva run` ends before it has begun, and what its exit code tells a supervisor. Needs no server.
#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use std::fs::OpenOptions;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command};
use support::{Place, RUN, event, signal};

/// Waits for the end: its code, and what was said.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut says = String::new();
    child.stderr.take().unwrap().read_to_string(&mut says).unwrap();
    (child.wait().unwrap().code(), says)
}

#[test]
fn a_signal_while_settings_are_read_ends_it_well() {
    for name in ["-TERM", "-INT"] {
        let place = Place::new();
        let fifo = place.path("fifo.yaml");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let child = place.start(&["run", "--config", "fifo.yaml", "--embedded", "--data", "data"]);
        // Opens when the other side reads: from here on it waits for settings that never come.
        let held = OpenOptions::new().write(true).open(&fifo).unwrap();
        signal(&child, name);
        assert_eq!(ended(child), (Some(0), String::new()));
        drop(held);
        assert!(!place.path("data").exists());
    }
}

#[test]
fn a_signal_while_a_server_is_waited_for_ends_it_well() {
    let place = Place::new();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = mute.local_addr().unwrap();
    let audiences = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    let settings = format!("{audiences}kafka: {{brokers: '{brokers}'}}\n");
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    let child = place.start(&["run", "--config", "tzeva.yaml", "--from", "earliest"]);
    let waiting = mute.accept().unwrap();
    signal(&child, "-TERM");
    let (code, says) = ended(child);
    assert_eq!(code, Some(0), "{says}");
    assert!(says.contains("asked to stop before anything had begun"), "{says}");
    drop(waiting);
}

#[test]
fn other_files_change_no_rules_and_other_publications_are_refused_as_settings_are() {
    let place = Place::new();
    let visit = event("e-1", "Product Viewed", "v-1", "2026-01-10T10:00:00Z");
    std::fs::write(place.path("events.ndjson"), visit).unwrap();
    place.drain();
    std::fs::create_dir(place.path("other")).unwrap();
    std::fs::write(place.path("other/shop.yaml"), include_str!("../src/demo/shop.yaml")).unwrap();
    let settings = "audiences: other\nhttp: {listen: '127.0.0.1:0'}\n";
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    // Files alone change nothing: what is published counts.
    let (code, says) = ended(place.start(&[RUN, &["--until-drained"]].concat()));
    assert_eq!(code, Some(0), "{says}");
    assert!(says.contains("`tzeva audience apply other` publishes them"), "{says}");
    // Without the publications the log's rules are nowhere.
    std::fs::remove_dir_all(place.path("data/rules")).unwrap();
    let (code, says) = ended(place.start(RUN));
    assert_eq!(code, Some(64), "{says}");
    assert!(says.contains("the log and the publications don't belong together"), "{says}");
    assert!(says.contains("no partition is left to own"), "{says}");
}

#[test]
fn rules_that_mean_something_else_under_these_settings_are_not_run_under_their_version() {
    let place = Place::new();
    let settings = |more: &str| {
        let text = format!("audiences: rules\nhttp: {{listen: '127.0.0.1:0'}}\n{more}");
        std::fs::write(place.path("tzeva.yaml"), text).unwrap();
    };
    std::fs::create_dir(place.path("rules")).unwrap();
    let rules = "audience: shoes\nenter: { event: { name: product_viewed, where: { category: Clothes|Shoes } } }\n---\n\
                 paint:\n  half_life: { shop: 1d, brand: 1d, category: 1d, product: 1d }\n  events: { product_viewed: { shop: 1 } }\n";
    std::fs::write(place.path("rules/shoes.yaml"), rules).unwrap();
    let visit = event("e-1", "Product Viewed", "v-1", "2026-01-10T10:00:00Z");
    std::fs::write(place.path("events.ndjson"), visit).unwrap();
    settings("category_separator: '|'\n");
    place.drain();
    // Here the path is one name with a stroke in it.
    settings("");
    let (code, says) = ended(place.start(&[RUN, &["--until-drained"]].concat()));
    assert_eq!(code, Some(64), "{says}");
    assert!(says.contains("and here their texts mean"), "{says}");
    assert!(says.contains("put these back"), "{says}");
    let apply = ["audience", "apply", "rules", "--config", "tzeva.yaml", "--data", "data", "--yes"];
    let output = place.output(&apply);
    let says = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{says}");
    assert!(says.contains("and here their texts mean"), "{says}");
    settings("category_separator: '|'\n");
    place.drain();
}

#[test]
fn brokers_that_do_not_answer_are_named_with_what_needs_none() {
    let place = Place::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let audiences = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    let settings = format!("{audiences}kafka: {{brokers: '{gone}'}}\n");
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    for (command, without) in [
        (&["explain", "a", "v-1"][..], "--data DIR"),
        (&["run", "--from", "earliest"], "--embedded --data DIR"),
    ] {
        let (code, says) = ended(place.start(&[command, &["--config", "tzeva.yaml"]].concat()));
        assert_eq!(code, Some(75), "{says}");
        let asked = format!("ask Kafka at {gone} (kafka.brokers); a folder needs none: {without}");
        assert!(says.contains(&asked), "{says}");
    }
}

#[test]
fn results_that_could_not_be_written_are_told_of() {
    let place = Place::new();
    std::fs::create_dir(place.path("my")).unwrap();
    std::fs::write(place.path("my/shop.yaml"), include_str!("../src/demo/shop.yaml")).unwrap();
    for command in [
        &["audience", "check", "my"][..],
        &["audience", "check", "my", "--output", "json"],
        &["audience", "schema"],
        &["audience", "test", "my"],
        &["config", "print"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.command(command).stdout(full).output().unwrap();
        let says = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(75), "{command:?}: {says}");
        assert!(says.contains("write to stdout: No space left"), "{command:?}: {says}");
        // A reader that went away has what it wanted.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(command).stdout(writer).output().unwrap();
        let says = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(75), "{command:?}: {says}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn settings_that_ask_for_tls_are_refused_with_the_feature_that_is_missing() {
    let place = Place::new();
    let secret = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap()
        + "kafka: {brokers: 'k:9093', security: sasl_ssl, sasl_mechanism: PLAIN, sasl_username: u, sasl_password: p}\n\
           redis: {url: 'rediss://r:6380/0'}\nregistry: {url: 'https://registry'}\n";
    std::fs::write(place.path("tzeva.yaml"), secret).unwrap();
    for command in [&["run", "--from", "earliest"][..], &["config", "check"], &["topics", "check"]]
    {
        let (code, says) = ended(place.start(&[command, &["--config", "tzeva.yaml"]].concat()));
        assert_eq!(code, Some(64), "{says}");
        for what in ["kafka.security is sasl_ssl", "redis.url asks", "registry.url asks"] {
            let line =
                says.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{says}"));
            assert!(line.contains("build with --features tls"), "{line}");
        }
    }
}
