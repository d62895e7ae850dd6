//! The pictures of `docs/semantics.md` are so: each is a case that passes.

use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Settings;

#[test]
fn the_pictures_show_what_happens() {
    let text = include_str!("semantics.yaml").to_owned();
    let files = [SourceFile { path: "semantics.yaml".into(), text }];
    let compiled = compile(&files, &CheckSettings::default());
    let mut decoder = tzeva_trial::decoder(None, Vec::new()).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    let said: String =
        compiled.problems.iter().chain(&read.problems).map(ToString::to_string).collect();
    assert_eq!(said, "");
    let rules = Arc::new(compiled.rules.unwrap());
    let outcomes = tzeva_trial::run(&rules, &Settings::default(), &read.trials);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| {
        let lines = tzeva_trial::lines(outcome).into_iter().map(|line| line.text + "\n");
        format!("{} {}\n{}", outcome.case.place, outcome.case.name, lines.collect::<String>())
    });
    assert_eq!(failed.collect::<String>(), "");
    assert_eq!(outcomes.len(), 24);
}
