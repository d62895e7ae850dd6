//! The embedded service as people meet it: events in a file, changes and their reasons out.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use support::{Place, RUN, event};

const LOOK: &[&str] = &["--config", "tzeva.yaml", "--data", "data"];

/// A cart that is left, then bought; a visitor who looks; a line that is no event.
fn shop() -> Place {
    let place = Place::new();
    let lines = [
        event("e-1", "Product Added", "v-42", "2026-01-10T10:00:00Z"),
        "no event\u{1b}[31m".to_owned(),
        event("e-2", "Product Viewed", "v-43", "2026-01-10T10:30:00Z"),
        event("e-3", "Order Completed", "v-42", "2026-01-10T12:30:00Z"),
    ];
    std::fs::write(place.path("events.ndjson"), lines.join("\n")).unwrap();
    place
}

fn look(place: &Place, command: &[&str], more: &[&str]) -> String {
    place.fine(&[command, LOOK, more].concat())
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Reads the log up to a line with `word`, and gives that line.
fn wait_for(log: &mut impl BufRead, word: &str) -> String {
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if line.contains(word) {
            return line;
        }
        line.clear();
    }
    panic!("the log ended without `{word}`");
}

#[test]
fn events_of_a_file_become_changes_with_reasons() {
    let place = shop();
    place.drain();
    let changes = look(&place, &["changes", "show"], &["--output", "json", "--visitor", "v-42"]);
    let changes: Vec<serde_json::Value> =
        changes.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let brief = |change: &serde_json::Value| {
        ["audience", "change", "effective_at"]
            .map(|field| change[field].as_str().unwrap().to_owned())
    };
    let cart: Vec<_> = changes.iter().filter(|c| c["audience"] == "abandoned-cart").collect();
    assert_eq!(brief(cart[0]), ["abandoned-cart", "entered", "2026-01-10T11:00:00.000Z"]);
    assert_eq!(cart[0]["reason"]["text"], "last product_added is 1h ago");
    assert_eq!(brief(cart[1]), ["abandoned-cart", "exited", "2026-01-10T12:30:00.000Z"]);
    assert_eq!(cart[1]["reason"]["cause"]["id"], "e-3");
    let table = look(&place, &["changes", "show"], &[]);
    assert!(table.contains("last product_added is 1h ago"), "{table}");
}

#[test]
fn a_second_start_takes_in_what_was_added_and_nothing_twice() {
    let place = shop();
    place.drain();
    let before = look(&place, &["changes", "show"], &["--output", "json"]);
    place.drain();
    assert_eq!(look(&place, &["changes", "show"], &["--output", "json"]), before);
    let mut file = std::fs::OpenOptions::new().append(true).open(place.path("events.ndjson"));
    let at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - 7_200).unwrap();
    let more = event("e-9", "Product Added", "v-99", &at.to_string());
    writeln!(file.as_mut().unwrap(), "\n{more}").unwrap();
    place.drain();
    let after = look(&place, &["changes", "show"], &["--output", "json"]);
    let of_new = |text: &str| text.lines().filter(|line| line.contains("v-99")).count();
    assert!(of_new(&before) == 0 && of_new(&after) > 0, "{after}");
}

#[test]
fn a_visitor_shows_and_an_unknown_one_is_a_no() {
    let place = shop();
    place.drain();
    let shown = look(&place, &["visitor", "show", "v-42"], &[]);
    for word in ["brand", "Acme", "Shoes/Running", "order_completed", "2026-01-10T12:30:00.000Z"] {
        assert!(shown.contains(word), "{word} is missing:\n{shown}");
    }
    let json = look(&place, &["visitor", "show", "v-42"], &["--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["strokes"].as_array().unwrap().len(), 2);
    let unknown = place.output(&[&["visitor", "show", "nobody"], LOOK].concat());
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(unknown.stdout, b"");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("visitor nobody is not known here"));
}

#[test]
fn a_dead_letter_shows_with_its_original_made_safe() {
    let place = shop();
    place.drain();
    let list = look(&place, &["dead-letters", "list"], &["--output", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["code"], "malformed");
    assert_eq!(list["count"], 1);
    let shown = look(&place, &["dead-letters", "show"], &["--code", "malformed"]);
    assert!(shown.contains("no event\\u{1b}[31m"), "{shown}");
    assert_eq!(look(&place, &["dead-letters", "show"], &["--code", "too_large"]), "");
    let log = look(&place, &["log", "show"], &[]);
    assert!(log.contains("anchor") && log.contains("claim") && log.contains("counts"), "{log}");
}

#[test]
fn a_running_service_answers_over_http_and_stops_by_a_signal() {
    let place = shop();
    let mut child = place.start(RUN);
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let line = wait_for(&mut log, "the pages are served");
    let address = line.split("address=").nth(1).unwrap().trim().to_owned();
    (0..4).for_each(|_| drop(wait_for(&mut log, "owning")));
    assert!(get(&address, "/livez").contains("200 OK"));
    assert!(get(&address, "/v1/audiences").contains("abandoned-cart"));
    assert!(get(&address, "/metrics").contains("tzeva_commits_total"));
    assert!(get(&address, "/v1/visitors/nobody").contains("404"));
    let locked = place.output(&[&["changes", "show"], LOOK].concat());
    assert_eq!(locked.status.code(), Some(75));
    let told = String::from_utf8_lossy(&locked.stderr).into_owned();
    assert!(told.contains(&format!("ask it at http://{address}")), "{told}");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("stopped"), "{rest}");
    // What was taken in before the stop is there, and the folder is free.
    look(&place, &["changes", "show"], &[]);
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: tzeva\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn wrong_settings_are_all_told_at_once() {
    let place = shop();
    let wrong = "partitions: 3\nhistory: {max_strokes: 0}\nlog: {format: xml}\n";
    std::fs::write(place.path("tzeva.yaml"), wrong).unwrap();
    let refused = place.output(RUN);
    assert_eq!(refused.status.code(), Some(64));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    for problem in ["partitions is 3", "history.max_strokes is 0", "log.format is `xml`"] {
        assert!(told.contains(problem), "{problem} is missing:\n{told}");
    }
}

#[test]
fn another_partition_count_is_refused_with_what_to_do() {
    let place = shop();
    place.drain();
    let settings = std::fs::read_to_string(place.path("tzeva.yaml")).unwrap();
    std::fs::write(place.path("tzeva.yaml"), settings + "partitions: 8\n").unwrap();
    let refused = place.output(RUN);
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("set partitions to 4"));
}

#[test]
fn what_cannot_be_asked_for_is_refused_by_its_code() {
    let place = shop();
    let code = |args: &[&str]| place.output(args).status.code();
    assert_eq!(code(&["run", "--role", "route"]), Some(64));
    assert_eq!(code(&["run", "--no-such-flag"]), Some(2));
    assert_eq!(code(&[RUN, &["--from", "earliest"]].concat()), Some(64));
    assert_eq!(code(&["changes", "show", "--data", "nowhere"]), Some(64));
    // Nothing listens there: the world, not the settings.
    std::fs::write(place.path("tzeva.yaml"), "kafka: {brokers: '127.0.0.1:1'}\n").unwrap();
    assert_eq!(code(&["config", "check", "--config", "tzeva.yaml"]), Some(0));
}
