//! The embedded service as people meet it: events in a file, changes and their reasons out.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use std::io::{BufReader, Read, Write};
use std::process::Stdio;
use support::{Place, RUN, event, get, pages, signal, until, wait_for};

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

/// Changes without what differs between two folders.
fn what(changes: &str) -> Vec<String> {
    let one = |line: &str| {
        let mut change: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["id", "decided_at"] {
            change.as_object_mut().unwrap().remove(key);
        }
        change.to_string()
    };
    changes.lines().map(one).collect()
}

/// Takes in a file packed by `pack`, and then what it has grown by, which begins in the middle of a line.
fn taken_in_two_pieces(pack: fn(&str) -> Vec<u8>) -> Place {
    let place = shop();
    let text =
        std::fs::read_to_string(place.path("events.ndjson")).unwrap() + "\nno event either\n";
    let cut = text.find("e-2").unwrap();
    let run = [&RUN[..RUN.len() - 1], &["packed"]].concat();
    let mut child = place.start(&run);
    let mut log = BufReader::new(child.stderr.take().unwrap());
    // Not there yet: a start without its input is refused.
    let mut refused = String::new();
    log.read_to_string(&mut refused).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(64), "{refused}");
    std::fs::write(place.path("packed"), pack(&text[..cut])).unwrap();
    let mut child = place.start(&run);
    let mut log = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut log, "all files are taken in");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut file = std::fs::OpenOptions::new().append(true).open(place.path("packed")).unwrap();
    file.write_all(&pack(&text[cut..])).unwrap();
    place.fine(&[&run[..], &["--until-drained"]].concat());
    place
}

#[test]
fn packed_files_are_taken_in_as_text_and_gone_on_with_where_they_were_left() {
    let gzip = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    for pack in [gzip as fn(&str) -> Vec<u8>, zstd] {
        let place = taken_in_two_pieces(pack);
        // A line taken in twice, lost or torn in two would be a dead letter more or less, or an event.
        let list = look(&place, &["dead-letters", "list"], &["--output", "json"]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!((&list["code"], &list["count"]), (&"malformed".into(), &2.into()));
        for (visitor, strokes) in [("v-42", 2), ("v-43", 1)] {
            let shown = look(&place, &["visitor", "show", visitor], &["--output", "json"]);
            let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(shown["strokes"].as_array().unwrap().len(), strokes);
        }
    }
}

#[test]
fn what_is_no_text_of_events_is_refused_at_the_start() {
    for (bytes, says) in [(&b"PAR1...."[..], "Parquet"), (b"\x1f\x8b\x08\0cut", "read events from")]
    {
        let place = Place::new();
        std::fs::write(place.path("events.ndjson"), bytes).unwrap();
        let refused = place.output(&[RUN, &["--until-drained"]].concat());
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(64), "{told}");
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn stdin_is_taken_in_plain_and_packed_beside_files_too() {
    let plain = shop();
    plain.drain();
    let text = std::fs::read(plain.path("events.ndjson")).unwrap();
    let packed = zstd::encode_all(&text[..], 1).unwrap();
    let wanted = look(&plain, &["changes", "show"], &["--output", "json"]);
    for bytes in [text, packed] {
        let place = Place::new();
        let run = [&RUN[..RUN.len() - 1], &["-", "--until-drained"]].concat();
        let mut command = place.command(&run);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let changes = look(&place, &["changes", "show"], &["--output", "json"]);
        assert_eq!(what(&changes), what(&wanted));
    }
}

#[test]
fn stdin_is_taken_in_as_it_comes_and_its_end_does_not_end_the_service() {
    let place = shop();
    let mut command = place.command(&[&RUN[..RUN.len() - 1], &["-"]].concat());
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address = pages(&mut log);
    let mut stdin = child.stdin.take().unwrap();
    let visit = event("e-1", "Product Viewed", "v-7", "2026-01-10T10:00:00Z");
    writeln!(stdin, "{visit}").unwrap();
    let shows =
        |visitor: &str| get(&address, &format!("/v1/visitors/{visitor}")).contains("200 OK");
    until("the first visitor shows while stdin is open", || shows("v-7"));
    let visit = event("e-2", "Product Viewed", "v-8", "2026-01-10T10:00:00Z");
    // Without a line end, which the end of all stands for.
    write!(stdin, "{visit}").unwrap();
    drop(stdin);
    until("the last visitor shows", || shows("v-8"));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn explain_tells_the_tree_and_what_comes_next() {
    let place = shop();
    let hours_ago = |hours: i64| {
        let now = jiff::Timestamp::now().as_second();
        jiff::Timestamp::from_second(now - hours * 3_600).unwrap().to_string()
    };
    let lines = [
        event("e-1", "Product Added", "v-1", &hours_ago(2)),
        event("e-2", "Product Added", "v-2", &hours_ago(0)),
    ];
    std::fs::write(place.path("events.ndjson"), lines.join("\n")).unwrap();
    place.drain();
    let told = |visitor| {
        let text = look(&place, &["explain", "abandoned-cart", visitor], &["--output", "json"]);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let (inside, soon) = (told("v-1"), told("v-2"));
    assert_eq!((&inside["member"], &inside["next"]["change"]), (&true.into(), &"leaves".into()));
    assert_eq!((&soon["member"], &soon["next"]["change"]), (&false.into(), &"enters".into()));
    assert_eq!(soon["next"]["because"], "last product_added is 1h ago");
    let added = soon["enter"]["parts"][0].clone();
    assert_eq!(
        (&added["holds"], &added["evidence"][0]["event"]),
        (&true.into(), &"product_added".into())
    );
    let text = look(&place, &["explain", "abandoned-cart", "v-1"], &[]);
    assert!(text.starts_with("v-1 is in abandoned-cart since "), "{text}");
    assert!(text.contains("; leaves at ") && text.contains(", unless "), "{text}");
    let unknown = place.output(&[&["explain", "no-such", "v-1"], LOOK].concat());
    assert_eq!(unknown.status.code(), Some(64));
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
    let address = pages(&mut log);
    (0..4).for_each(|_| drop(wait_for(&mut log, "owning")));
    assert!(get(&address, "/livez").contains("200 OK"));
    assert!(get(&address, "/v1/audiences").contains("abandoned-cart"));
    assert!(get(&address, "/metrics").contains("tzeva_commits_total"));
    assert!(get(&address, "/v1/visitors/nobody").contains("404"));
    until("the buyer shows", || get(&address, "/v1/visitors/v-42").contains("200 OK"));
    let told = get(&address, "/v1/visitors/v-42/explain/abandoned-cart");
    let body = told.split("\r\n\r\n").nth(1).unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["visitor"], &told["audience"]), (&"v-42".into(), &"abandoned-cart".into()));
    assert!(told["says"].as_str().unwrap().contains("abandoned-cart"), "{told}");
    assert_eq!(told["enter"]["says"], "all");
    for missing in ["v-42/audiences/no-such", "nobody/audiences/abandoned-cart"] {
        assert!(get(&address, &format!("/v1/visitors/{missing}")).contains("404"), "{missing}");
    }
    let locked = place.output(&[&["changes", "show"], LOOK].concat());
    assert_eq!(locked.status.code(), Some(75));
    let told = String::from_utf8_lossy(&locked.stderr).into_owned();
    assert!(told.contains(&format!("http://{address}/v1/partitions")), "{told}");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("stopped"), "{rest}");
    // What was taken in before the stop is there, and the folder is free.
    look(&place, &["changes", "show"], &[]);
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

#[test]
fn a_code_that_no_dead_letter_has_is_refused_with_those_that_are() {
    let place = Place::new();
    let output = place.output(&["dead-letters", "show", "--data", "data", "--code", "nonsense"]);
    let says = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{says}");
    assert!(says.contains("missing_field") && says.contains("unprocessable"), "{says}");
}
