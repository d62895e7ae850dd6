//! What `docs/guide.md` shows is so: its audience compiles, its first story fails as shown, its second one passes.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use std::path::Path;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Settings;

fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// Runs the guide's audience with a document of tests: how many passed, and the lines of those that failed.
fn run(audience: &str, tests: &str) -> (usize, String) {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let paint = shipped("audiences/retail/paint.yaml");
    let files = [file("a.yaml", audience), file("p.yaml", &paint), file("t.yaml", tests)];
    let compiled = compile(&files, &CheckSettings::default());
    let mut decoder = tzeva_trial::decoder(None, Vec::new()).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    assert!(compiled.problems.is_empty() && read.problems.is_empty(), "{:?}", read.problems);
    let rules = Arc::new(compiled.rules.unwrap());
    let outcomes = tzeva_trial::run(&rules, &Settings::default(), &read.trials);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed);
    let lines = failed.flat_map(tzeva_trial::lines).map(|line| format!("  {}\n", line.text));
    (outcomes.iter().filter(|outcome| outcome.passed).count(), lines.collect())
}

#[test]
fn the_guide_shows_what_happens() {
    let guide = shipped("docs/guide.md");
    let blocks: Vec<&str> =
        guide.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [audience, story, mended] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let (passed, lines) = run(audience, story);
    assert_eq!(passed, 0);
    assert!(guide.contains(&lines), "the guide shows something else than\n{lines}");
    assert_eq!(run(audience, mended), (2, String::new()));
}
