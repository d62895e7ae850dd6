//! The committed sample and rules for it and for the workload.
#![allow(dead_code, reason = "each test file takes what it needs")]

use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_bench::{audiences, paint};
use tzeva_decode::{Decoded, Decoder, Raw, Settings};
use tzeva_model::{Event, Partition};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/ecom")
}

/// The calls, a line each.
pub(crate) fn calls() -> String {
    let packed = std::fs::read(folder().join("ecom.ndjson.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    text
}

pub(crate) fn sample_events() -> Vec<Event> {
    let keep = vec!["properties.platform".to_owned()];
    let mut decoder = Decoder::new(&Settings { keep, ..Settings::default() }).unwrap();
    let decode = |line: &str| {
        let value = line.as_bytes();
        let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
        match decoder.decode(&raw) {
            Decoded::Event(event) => event,
            other => panic!("{line}: {other:?}"),
        }
    };
    calls().lines().map(decode).collect()
}

pub(crate) fn sample_rules() -> RuleSet {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder().join("audiences")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        files.push(SourceFile { path: path.display().to_string(), text });
    }
    let keep = vec!["properties.platform".to_owned()];
    let compiled = compile(&files, &CheckSettings { keep, ..CheckSettings::default() });
    let problems: Vec<_> = compiled.problems.iter().map(|p| p.message.clone()).collect();
    compiled.rules.unwrap_or_else(|| panic!("{problems:#?}"))
}

pub(crate) fn workload_rules(count: usize) -> RuleSet {
    let file = |path: &str, text| SourceFile { path: path.to_owned(), text };
    let files = [file("audiences.yaml", audiences(1, count)), file("paint.yaml", paint())];
    let compiled = compile(&files, &CheckSettings::default());
    let problems: Vec<_> = compiled.problems.iter().map(|p| p.message.clone()).collect();
    compiled.rules.unwrap_or_else(|| panic!("{count} audiences: {problems:?}"))
}
