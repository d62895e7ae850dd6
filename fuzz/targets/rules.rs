//! Any text as a file of rules: it is compiled or refused, with places that exist.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tzeva_audience::{CheckSettings, Severity, SourceFile, compile};

fuzz_target!(|text: &str| {
    let file = SourceFile { path: "x.yaml".into(), text: text.to_owned() };
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&[file], &settings);
    let refused = compiled.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(compiled.rules.is_none(), refused);
    let lines = text.matches('\n').count() + 1;
    for problem in &compiled.problems {
        assert!(problem.line <= lines && problem.to_string().len() < 8_000);
    }
    for audience in compiled.rules.iter().flat_map(|rules| &rules.audiences) {
        assert!(!audience.leaves().is_empty());
    }
});
