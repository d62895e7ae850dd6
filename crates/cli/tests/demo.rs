//! `tzeva demo` as a program: whatever the dice say, the five kinds of change are seen, and nothing is left behind.
#![cfg(test)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts a demonstration whose temporary files go to `folder`.
fn demo(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tzeva"))
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

/// What moved somebody, read off a published change.
fn kind(change: &serde_json::Value) -> &'static str {
    let reason = &change["reason"];
    let by_event = reason["kind"] == "event";
    let faded = reason["leaf"].as_str().unwrap().ends_with(".interest");
    match (change["change"].as_str().unwrap(), by_event) {
        ("entered", true) => "entry by event",
        ("entered", false) => "entry by time",
        ("exited", true) if reason["cause"]["name"] == "order_completed" => "exit by purchase",
        ("exited", false) if faded => "exit by fading",
        ("exited", false) => "exit by time",
        _ => "other",
    }
}

#[test]
fn twenty_hours_show_every_kind_of_change_to_the_three_who_keep_to_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--speed", "7200", "--seconds", "10", "--seed", "977", "--output", "json"];
    let ended = demo(folder.path(), &arguments).wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{errors}");
    let lines = String::from_utf8(ended.stdout).unwrap();
    let changes: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let scripted = changes
        .iter()
        .filter(|change| ["anna", "ben", "clara"].contains(&change["visitor"].as_str().unwrap()));
    let kinds: BTreeSet<&str> = scripted.map(kind).collect();
    for wanted in
        ["entry by event", "exit by purchase", "exit by fading", "entry by time", "exit by time"]
    {
        assert!(kinds.contains(wanted), "no {wanted} among {kinds:?}\n{errors}");
    }
    // Each partition's numbers are dense: nothing was lost or doubled on the way to the screen.
    for partition in 0..4 {
        let own = changes.iter().filter(|change| change["partition"] == partition);
        let numbers: Vec<u64> = own.map(|change| change["n"].as_u64().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    }
    assert!(is_empty(folder.path()), "something is left in the temporary folder");
}

#[test]
fn an_interrupt_ends_it_with_the_summary_so_far_and_nothing_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = demo(folder.path(), &["--seconds", "600"]);
    let mut lines = BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(" + ") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before the first change");
    }
    assert!(line.contains("enters"), "{line}");
    assert!(!is_empty(folder.path()), "it works in the temporary folder");
    let told = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(told.success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(running.wait().unwrap().success());
    assert!(rest.contains("What you have seen"), "{rest}");
    assert!(is_empty(folder.path()), "something is left in the temporary folder");
}
