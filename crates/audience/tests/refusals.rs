//! Every code has a file under `refused/` with the exact message beside it, and a section in the language reference.
//!
//! A file's first line may set what it is checked against: `# settings: max_age=30d keep=page.path`, or repeat its
//! last document: `# repeat: 50001` (each `{n}` becomes a number). `TZEVA_WRITE_EXPECTED=1` writes the messages anew.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tzeva_audience::{
    CheckSettings, Code, Compiled, Severity, SourceFile, compile, parse_duration,
};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The rule files of a folder: name without ending, text.
fn rule_files(folder: &str) -> Vec<(String, String)> {
    let paths = std::fs::read_dir(here().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let mut files: Vec<_> = yaml
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn settings(first_line: &str) -> CheckSettings {
    let mut settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let Some(pairs) = first_line.strip_prefix("# settings: ") else { return settings };
    for (key, value) in pairs.split(' ').map(|pair| pair.split_once('=').unwrap()) {
        let words = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        match key {
            "max_age" => settings.max_age = parse_duration(value).unwrap(),
            "idle" => settings.idle = parse_duration(value).unwrap(),
            "keep" => settings.keep = words(),
            "keep_what_rules_name" => settings.keep_what_rules_name = value == "true",
            "require_paint" => settings.require_paint = value == "true",
            "seen_events" => settings.seen_events = Some(words()),
            "category_separator" => settings.category_separator = Some(value.to_owned()),
            _ => panic!("no such setting: {key}"),
        }
    }
    settings
}

fn compiled(name: &str, text: &str) -> Compiled {
    let first_line = text.lines().next().unwrap_or_default();
    let repeated = first_line.strip_prefix("# repeat: ").map(|times| {
        let last = text.rsplit("---\n").next().unwrap();
        let times: u32 = times.parse().unwrap();
        (0..times).map(|n| format!("---\n{}", last.replace("{n}", &n.to_string()))).collect()
    });
    let text = repeated.unwrap_or_else(|| text.to_owned());
    let file = SourceFile { path: format!("{name}.yaml"), text };
    compile(&[file], &settings(first_line))
}

#[test]
fn every_refusal_reads_as_written_down() {
    let write = std::env::var("TZEVA_WRITE_EXPECTED").is_ok();
    let mut wrong = String::new();
    for (name, text) in rule_files("refused") {
        let problems = compiled(&name, &text).problems;
        // Of very many only the last ones, which say so.
        let skipped = if problems.len() > 100 { problems.len() - 2 } else { 0 };
        let shown: Vec<_> = problems[skipped..].iter().map(ToString::to_string).collect();
        let (got, path) = (shown.join("\n"), here().join("refused").join(format!("{name}.txt")));
        if write {
            std::fs::write(&path, &got).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        if got != want {
            wrong += &format!("--- {name}: expected\n{want}\n--- got\n{got}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_has_a_file_that_shows_it() {
    let mut shown = BTreeSet::new();
    for (name, text) in rule_files("refused") {
        let compiled = compiled(&name, &text);
        let code = name.split('-').next().unwrap_or_default();
        let problem = compiled.problems.iter().find(|problem| problem.code == code);
        let problem = problem.unwrap_or_else(|| panic!("{name} does not give {code}"));
        let refused = compiled.problems.iter().any(|p| p.severity == Severity::Error);
        assert_eq!(compiled.rules.is_none(), refused, "{name}");
        shown.insert(problem.code);
    }
    let all = Code::ALL.iter().filter(|code| !Code::OF_TESTS.contains(code));
    let all: BTreeSet<_> = all.map(|code| code.word()).collect();
    assert_eq!(shown, all);
}

#[test]
fn every_code_is_explained_in_the_reference() {
    let page = here().join("../../../docs/language/problems.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(sections, codes, "cargo xtask docs writes the page");
    for code in Code::ALL {
        let (_, section) = page.split_once(&format!("\n## {}\n", code.word())).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let word = if code.severity() == Severity::Error { "error" } else { "warning" };
        let message = format!("{word}[{}]: ", code.word());
        assert!(section.contains(&message), "{message}");
        assert!(section.contains(code.meaning()) && section.contains(code.cure()), "{message}");
    }
}

#[test]
fn what_is_fine_is_accepted_without_a_word() {
    for (name, text) in rule_files("accepted") {
        let compiled = compiled(&name, &text);
        let said: String = compiled.problems.iter().map(ToString::to_string).collect();
        assert_eq!(said, "", "{name}");
        assert!(compiled.rules.is_some(), "{name}");
    }
}

#[test]
fn a_broken_document_hides_nothing_of_the_others() {
    let text =
        "audience: a\nenter: [\n---\naudience: b\nentr: 1\n---\nenter:\n\tx: 1\n---\naudience: B\n";
    let codes: Vec<_> = compiled("x", text).problems.iter().map(|p| (p.code, p.line)).collect();
    let want =
        [("yaml_syntax", 2), ("unknown_key", 5), ("tab", 8), ("missing_key", 10), ("bad_name", 10)];
    assert_eq!(codes, want);
}
