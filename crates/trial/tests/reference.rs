//! Tests in the reference of the language pass, and tell of every key that an event may have.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use tzeva_audience::{Chapter, CheckSettings, SourceFile, compile, reference};
use tzeva_engine::Settings;

/// What is said of `text`, the reference's own example of tests with a case more, and how many cases passed.
fn run(text: String) -> (Vec<String>, usize) {
    let files = [SourceFile { path: "x.yaml".into(), text }];
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&files, &settings);
    let mut decoder = tzeva_trial::decoder(None, Vec::new()).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    let said = compiled.problems.iter().chain(&read.problems).map(ToString::to_string).collect();
    let rules = Arc::new(compiled.rules.unwrap());
    let outcomes = tzeva_trial::run(&rules, &Settings::default(), &read.trials);
    (said, outcomes.iter().filter(|outcome| outcome.passed).count())
}

#[test]
fn the_example_of_tests_passes_and_the_keys_of_events_are_told() {
    let topics = reference();
    let tests =
        topics.iter().find(|t| t.chapter == Chapter::Documents && t.word == "tests").unwrap();
    assert_eq!(run(tests.example.clone()), (Vec::new(), 1));
    let odd = "  - name: odd\n    events: [0s x zzzzzzzzzzzz=1]\n    expect: []\n";
    let (said, _) = run(format!("{}{odd}", tests.example));
    let (_, known) = said[0].split_once("known here: ").unwrap();
    for key in known.trim().split(", ") {
        assert!(tests.meaning.contains(&format!("`{key}`")), "the reference lacks {key}");
    }
}
