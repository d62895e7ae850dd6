//! Where changes and summaries go: whole or not at all, and never over what is read.

use super::{sample, text, tzeva};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A backtest of the sample's rules in `folder`, and how it ended.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let audiences = sample("audiences");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tzeva"));
    command.args(["backtest", "--audiences", text(&audiences)]).args(arguments);
    command.current_dir(folder).output().unwrap()
}

fn says(ended: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(code), "{errors}");
    errors
}

/// What is in `folder`, hidden files too.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with an event and the changes of a former run.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let event =
        r#"{"type":"track","event":"home","anonymousId":"v-1","timestamp":"2026-01-01T00:00:00Z"}"#;
    fs::write(folder.path().join("events"), format!("{event}\n")).unwrap();
    fs::write(folder.path().join("changes"), "former\n").unwrap();
    folder
}

#[test]
fn a_run_that_comes_to_nothing_leaves_what_was_there() {
    let folder = place();
    let at = folder.path();
    fs::write(at.join("wrong"), "no event\n").unwrap();
    let before = names(at);
    for events in ["nowhere", "wrong"] {
        says(&run(at, &["--changes", "changes", "--summary", "new", "--events", events]), 64);
        assert_eq!(fs::read_to_string(at.join("changes")).unwrap(), "former\n");
        assert_eq!(names(at), before);
    }
}

#[test]
fn what_is_read_is_never_written_to() {
    let folder = place();
    let at = folder.path();
    fs::hard_link(at.join("events"), at.join("twin")).unwrap();
    let before = fs::read(at.join("events")).unwrap();
    for option in ["--changes", "--summary"] {
        for output in ["events", "./events", "twin"] {
            let errors = says(&run(at, &[option, output, "--events", "events"]), 64);
            assert!(errors.contains("events is read") && errors.contains(output), "{errors}");
            assert_eq!(fs::read(at.join("events")).unwrap(), before);
        }
    }
    for both in ["changes", "new", "-"] {
        let ended = run(at, &["--changes", both, "--summary", both, "--events", "events"]);
        assert!(says(&ended, 64).contains("both the changes and the summary"));
    }
    assert_eq!(fs::read_to_string(at.join("changes")).unwrap(), "former\n");
}

#[test]
fn a_file_that_is_written_keeps_its_permissions_and_its_links() {
    let folder = place();
    let at = folder.path();
    let mode = |name| fs::metadata(at.join(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(at.join("changes"), fs::Permissions::from_mode(0o604)).unwrap();
    std::os::unix::fs::symlink("changes", at.join("link")).unwrap();
    fs::File::create(at.join("plain")).unwrap();
    says(&run(at, &["--changes", "link", "--summary", "new", "--events", "events"]), 0);
    assert!(at.join("link").is_symlink());
    assert_ne!(fs::read_to_string(at.join("changes")).unwrap(), "former\n");
    assert_eq!((mode("changes"), mode("new")), (0o604, mode("plain")));
    assert_eq!(names(at), ["changes", "events", "link", "new", "plain"]);
}

#[test]
fn changes_go_to_stdout_with_the_summary_beside_them() {
    let folder = place();
    let at = folder.path();
    let events = sample("ecom.ndjson.gz");
    says(&run(at, &["--changes", "changes", "--events", text(&events)]), 0);
    for output in ["text", "json"] {
        let ended = run(at, &["--changes", "-", "--output", output, "--events", text(&events)]);
        let errors = says(&ended, 0);
        assert!(ended.stdout == fs::read(at.join("changes")).unwrap());
        assert!(errors.contains("abandoned-cart"), "{errors}");
    }
    let ended = run(at, &["--summary", "-", "--events", "events"]);
    let summary: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(summary["events"], 1);
    assert_eq!(names(at), ["changes", "events"]);
}

#[test]
fn what_is_no_regular_file_is_written_as_it_is() {
    let folder = place();
    let at = folder.path();
    let ended = run(at, &["--changes", "/dev/full", "--events", text(&sample("ecom.ndjson.gz"))]);
    assert!(says(&ended, 75).contains("No space left"));
    let ended = run(at, &["--summary", "/dev/stdout", "--events", "events"]);
    assert!(String::from_utf8_lossy(&ended.stdout).starts_with("{\n"));
    assert_eq!(names(at), ["changes", "events"]);
}

#[test]
fn a_signal_leaves_nothing_behind() {
    for (name, code) in [("-TERM", 143), ("-INT", 130)] {
        let folder = place();
        let at = folder.path();
        assert!(Command::new("mkfifo").arg(at.join("fifo")).status().unwrap().success());
        let audiences = sample("audiences");
        let mut child = Command::new(env!("CARGO_BIN_EXE_tzeva"))
            .args(["backtest", "--audiences", text(&audiences), "--events", "fifo"])
            .args(["--changes", "changes", "--summary", "new"])
            .current_dir(at)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Opens when the other side reads: from here on it waits for events that never come.
        let held = OpenOptions::new().write(true).open(at.join("fifo")).unwrap();
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        drop(held);
        assert_eq!(fs::read_to_string(at.join("changes")).unwrap(), "former\n");
        assert_eq!(names(at), ["changes", "events", "fifo"]);
    }
}

#[test]
fn a_reader_of_changes_may_go_away() {
    let events = sample("ecom.ndjson.gz");
    let audiences = sample("audiences");
    let command = format!(
        "set -o pipefail; {} backtest --changes - --audiences {} --events {} 2>/dev/null | head -1",
        env!("CARGO_BIN_EXE_tzeva"),
        text(&audiences),
        text(&events)
    );
    let ended = Command::new("bash").args(["-c", &command]).output().unwrap();
    assert!(ended.status.success(), "{:?}", ended.status);
    assert!(ended.stdout.starts_with(b"{"));
    let help = tzeva(&["backtest", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("`-` is stdout"));
}
