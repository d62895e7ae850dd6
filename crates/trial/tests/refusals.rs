//! Every code that tests can give has a file of its name under `refused/`, with the exact message beside it.
//!
//! `TZEVA_WRITE_EXPECTED=1` writes the messages anew.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tzeva_audience::{CheckSettings, Code, Problem, SourceFile, compile};
use tzeva_engine::Settings;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused")
}

/// All that is said of a file, before and after its tests are run.
fn problems(name: &str, text: String) -> Vec<Problem> {
    let files = [SourceFile { path: format!("{name}.yaml"), text }];
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&files, &settings);
    let mut decoder = tzeva_trial::decoder(None, Vec::new()).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    let mut problems = compiled.problems;
    problems.extend(read.problems);
    if let Some(rules) = compiled.rules {
        let rules = Arc::new(rules);
        let outcomes = tzeva_trial::run(&rules, &Settings::default(), &read.trials);
        problems.extend(tzeva_trial::endings(&files, &outcomes));
        problems.extend(tzeva_trial::untested(&rules, &read.trials));
    }
    problems
}

#[test]
fn every_refusal_reads_as_written_down() {
    let write = std::env::var("TZEVA_WRITE_EXPECTED").is_ok();
    let (mut wrong, mut shown) = (String::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let problems = problems(&name, std::fs::read_to_string(&path).unwrap());
        shown.extend(problems.iter().map(|problem| problem.code).filter(|code| *code == name));
        let got = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let path = path.with_extension("txt");
        if write {
            std::fs::write(&path, &got).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        if got != want {
            wrong += &format!("--- {name}: expected\n{want}\n--- got\n{got}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let missing: Vec<_> =
        Code::OF_TESTS.iter().filter(|code| !shown.contains(code.word())).collect();
    assert!(missing.is_empty(), "no file shows {missing:?}");
}
