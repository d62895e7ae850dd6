//! Any lines as a case of a test: events up to an empty line, then what is expected. It is read or refused, and what
//! was read is run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Settings;

fuzz_target!(|text: &str| {
    let (events, expect) = text.split_once("\n\n").unwrap_or((text, ""));
    let list = |lines: &str| {
        let lines: Vec<_> = lines.lines().take(50).collect();
        serde_json::to_string(&lines).unwrap_or_default()
    };
    let (events, expect) = (list(events), list(expect));
    let text = format!(
        "audience: a\nenter: {{ event: {{ name: x, within: 1d }} }}\n---\ntests: a\ncases:\n  - name: n\n    events: {events}\n    expect: {expect}\n"
    );
    let files = [SourceFile { path: "x.yaml".into(), text }];
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&files, &settings);
    let Ok(mut decoder) = tzeva_trial::decoder(None, Vec::new()) else { return };
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    for problem in &read.problems {
        assert!(problem.line > 0 && problem.to_string().len() < 8_000);
    }
    if let Some(rules) = compiled.rules {
        let outcomes = tzeva_trial::run(&Arc::new(rules), &Settings::default(), &read.trials);
        assert_eq!(
            outcomes.len(),
            read.trials.iter().map(|trial| trial.cases.len()).sum::<usize>()
        );
    }
});
