//! Nothing that a document of tests holds makes reading or running it panic.

use proptest::prelude::*;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Settings;

fn survives(event: &str, expect: &str, until: &str) {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let text = format!(
        "audience: a\nenter: {{ event: {{ name: x, within: 1d }} }}\n---\ntests: a\ncases:\n  - name: n\n    events: [0s x, {}]\n    expect: [{}]\n    until: {}\n",
        quoted(event),
        quoted(expect),
        quoted(until)
    );
    let files = [SourceFile { path: "x.yaml".into(), text }];
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&files, &settings);
    let Ok(mut decoder) = tzeva_trial::decoder(None, Vec::new()) else { return };
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    for problem in &read.problems {
        assert!(problem.line > 0 && problem.to_string().len() < 4_000, "{problem}");
    }
    let Some(rules) = compiled.rules else { return };
    let _ = tzeva_trial::run(&Arc::new(rules), &Settings::default(), &read.trials);
}

proptest! {
    #[test]
    fn no_event_line_makes_it_panic(event in "\\PC{0,60}", until in "[0-9a-z ]{0,8}") {
        survives(&event, "0s entered", &until);
    }

    #[test]
    fn no_line_of_words_makes_it_panic(
        words in prop::collection::vec("(0s|5m|x|[a-z.]{0,9}=?\"?[0-9A-Za-zé\\\\]{0,5}\"?|EUR)", 0..8),
        expect in "([0-9]{1,20}[smhdw]{1,2}|-1d) (entered|exited|in)",
    ) {
        survives(&words.join(" "), &expect, "3000d");
    }
}
