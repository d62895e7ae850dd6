//! The audiences that ship compile without a word, have tests, and pass them.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use std::path::Path;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_engine::Settings;

fn retail() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audiences/retail");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: std::path::PathBuf| SourceFile {
        text: std::fs::read_to_string(&path).unwrap(),
        path: path.file_name().unwrap().to_str().unwrap().to_owned(),
    };
    entries.map(file).collect()
}

fn compiled() -> (RuleSet, Vec<tzeva_trial::Trial>) {
    let files = retail();
    let compiled = compile(&files, &CheckSettings::default());
    let mut decoder = tzeva_trial::decoder(None, Vec::new()).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    let said: String =
        compiled.problems.iter().chain(&read.problems).map(ToString::to_string).collect();
    assert_eq!(said, "");
    (compiled.rules.unwrap(), read.trials)
}

#[test]
fn every_case_of_the_library_passes_and_runs_to_its_end() {
    let (rules, trials) = compiled();
    let rules = Arc::new(rules);
    let outcomes = tzeva_trial::run(&rules, &Settings::default(), &trials);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| {
        let got = outcome.got.iter().map(|got| {
            format!("\n  {} {}: {}", got.change.offset, got.change.direction.word(), got.reason)
        });
        format!("{} {}{}\n", outcome.case.place, outcome.case.name, got.collect::<String>())
    });
    assert_eq!(failed.collect::<String>(), "");
    let said: String = tzeva_trial::endings(&retail(), &outcomes)
        .iter()
        .chain(&tzeva_trial::untested(&rules, &trials))
        .map(ToString::to_string)
        .collect();
    assert_eq!(said, "");
}

#[test]
fn every_audience_of_the_library_says_what_it_is_for_and_is_listed() {
    let (rules, _) = compiled();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/library.md");
    let page = std::fs::read_to_string(page).unwrap();
    for audience in &rules.audiences {
        let name = audience.name.text();
        let describe = audience.describe.as_deref().unwrap_or_default();
        assert!(describe.split(". ").count() > 1, "{name} doesn't say what to use it for");
        assert!(audience.owner.is_some(), "{name} has no owner");
        assert!(page.contains(&format!("| `{name}` |")), "docs/library.md lacks {name}");
    }
    let listed = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(listed, rules.audiences.len());
}
