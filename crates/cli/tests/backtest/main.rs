//! `tzeva backtest` as a program: its changes are the oracle's, line by line, whatever memory it is given and however its
//! input is cut, packed and shuffled.
#![cfg(test)]

mod compare;
mod files;
mod outputs;
mod twin;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tzeva_bench::{Plan, Traffic};

fn tzeva(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tzeva")).args(arguments).output().unwrap()
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/ecom").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a backtest that must end well, and gives its changes.
fn changes(folder: &Path, arguments: &[&str]) -> String {
    let file = folder.join("changes.ndjson");
    let mut all = vec!["backtest", "--changes", text(&file)];
    all.extend(arguments);
    let ended = tzeva(&all);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{:?} {errors}", ended.status);
    fs::read_to_string(file).unwrap()
}

#[test]
fn the_sample_changes_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let (audiences, events) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let lines = twin::unpacked(&fs::read(&events).unwrap());
    let given = ["--audiences", text(&audiences), "--events", text(&events)];
    for until in ["", "2024-03-05T00:00:00Z", "max"] {
        let want = twin::changes(&audiences, &lines, until);
        assert!(want.len() > 500, "{} changes", want.len());
        let mut arguments = given.to_vec();
        if !until.is_empty() {
            arguments.extend(["--until", until]);
        }
        let found = changes(folder.path(), &arguments);
        for (found, want) in found.lines().zip(&want) {
            assert_eq!(found, want);
        }
        assert_eq!(found.lines().count(), want.len(), "until {until:?}");
    }
}

#[test]
fn the_workload_changes_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let audiences = folder.path().join("rules");
    fs::create_dir(&audiences).unwrap();
    fs::write(audiences.join("paint.yaml"), tzeva_bench::paint()).unwrap();
    fs::write(audiences.join("bench.yaml"), tzeva_bench::audiences(5, 40)).unwrap();
    let mut lines = String::new();
    for sent in Traffic::new(Plan::sized(7, 150, 4_000)) {
        lines += &String::from_utf8(sent.call.json()).unwrap();
        lines.push('\n');
    }
    let events = folder.path().join("events.ndjson");
    fs::write(&events, &lines).unwrap();
    let want = twin::changes(&audiences, &lines, "max");
    assert!(want.len() >= 100, "{} changes", want.len());
    let given = ["--audiences", text(&audiences), "--until", "max", "--events", text(&events)];
    let found = changes(folder.path(), &given);
    assert!(found.lines().eq(want.iter()), "the oracle says otherwise");
}

#[test]
fn events_next_to_the_end_of_time_end_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let (audiences, events) = (folder.path().join("rules"), folder.path().join("events.ndjson"));
    fs::create_dir(&audiences).unwrap();
    let looked = "audience: looked\nenter: { event: { name: product_viewed, within: 7d } }\n";
    fs::write(audiences.join("looked.yaml"), looked).unwrap();
    let paint = include_str!("../../../../audiences/retail/paint.yaml");
    fs::write(audiences.join("paint.yaml"), paint).unwrap();
    let at = |(n, at)| {
        format!(
            r#"{{"type":"track","messageId":"{n}","anonymousId":"v-{n}","event":"Product Viewed","timestamp":"{at}"}}"#
        ) + "\n"
    };
    let late = ["9999-12-31T23:59:59Z", "9999-12-24T23:59:59.999Z", "9999-12-24T23:59:59.998Z"];
    let lines: String = (0..).zip(late).map(at).collect();
    fs::write(&events, &lines).unwrap();
    let want = twin::changes(&audiences, &lines, "max");
    assert_eq!(want.len(), 4, "{want:#?}");
    for until in ["max", "9999-12-31T23:59:59.999Z"] {
        let given = ["--audiences", text(&audiences), "--until", until, "--events", text(&events)];
        let found = changes(folder.path(), &given);
        assert!(found.lines().eq(want.iter()), "the oracle says otherwise: {found}");
    }
}

#[test]
fn cutting_packing_and_lack_of_memory_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (audiences, whole) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let lines = twin::unpacked(&fs::read(&whole).unwrap());
    let rules = ["--audiences", text(&audiences)];
    let want = changes(folder.path(), &[&rules[..], &["--events", text(&whole)]].concat());
    // A third of the visitors in each file, the last file first.
    let parts: Vec<PathBuf> = (0..3).map(|part| folder.path().join(format!("{part}"))).collect();
    for (part, path) in parts.iter().enumerate() {
        let own = lines.lines().filter(|line| twin::visitor(line) % 3 == part);
        let own: String = own.map(|line| format!("{line}\n")).collect();
        let packed = zstd::encode_all(own.as_bytes(), 1).unwrap();
        fs::write(path, if part == 1 { own.into_bytes() } else { packed }).unwrap();
    }
    let files = [text(&parts[2]), text(&parts[1]), text(&parts[0])];
    let cut = [&rules[..], &["--memory", "1MiB", "--events"], &files[..]].concat();
    let found = changes(folder.path(), &cut);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(twin::without_number).collect();
        lines.sort();
        lines
    };
    // Events of one instant now come in another order, which only the numbering shows.
    assert!(sorted(&found) == sorted(&want), "the order of files changed what was decided");
}

#[test]
fn a_folder_of_rules_is_checked_with_all_its_problems() {
    let folder = tempfile::tempdir().unwrap();
    let retail = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audiences/retail");
    let good = tzeva(&["audience", "check", text(&retail)]);
    assert_eq!(good.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&good.stdout).contains("abandoned-cart"));
    let broken = "audience: a\nenter: { event: { nmae: home } }\n---\naudience: b\nentr: 1\n";
    fs::write(folder.path().join("broken.yaml"), broken).unwrap();
    let ended = tzeva(&["audience", "check", text(folder.path())]);
    assert_eq!(ended.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(errors.contains("broken.yaml:2:19"), "{errors}");
    assert!(
        errors.contains("did you mean `name`?") && errors.contains("broken.yaml:5"),
        "{errors}"
    );
}
