//! What others run of this repository: held by the tools that read it. A missing tool is said, and in CI is a failure.
#![expect(clippy::print_stderr, reason = "what is left out is said")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a tool in the repository's root. `None`: it isn't there.
fn run(tool: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let out = Command::new(tool).args(arguments).current_dir(root()).output().ok()?;
    let said = [out.stdout, out.stderr].concat();
    Some((out.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

fn missing(tool: &str, how: &str) {
    let ci = std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false");
    assert!(!ci, "{tool} is missing ({how}), and in CI nothing may be left out");
    eprintln!("{tool} is missing: {how}; this test looked at nothing");
}

/// The linter of compose files: on the path, else in a Python environment of its own below `target`.
fn compose_linter() -> Option<String> {
    let works = |tool: &str| run(tool, &["--version"]).is_some_and(|(fine, _)| fine);
    if works("check-jsonschema") {
        return Some("check-jsonschema".to_owned());
    }
    let home = root().join("target/check-jsonschema");
    let own = home.join("bin/check-jsonschema").to_string_lossy().into_owned();
    if !works(&own) {
        let pip = home.join("bin/pip").to_string_lossy().into_owned();
        run("python3", &["-m", "venv", &home.to_string_lossy()])?;
        run(&pip, &["install", "-q", "check-jsonschema==0.39.0"])?;
    }
    works(&own).then_some(own)
}

#[test]
fn the_compose_file_meets_the_compose_specification() {
    let Some(linter) = compose_linter() else {
        return missing("check-jsonschema", "pip install check-jsonschema, or python3-venv");
    };
    let check = |file: &str| {
        run(&linter, &["--builtin-schema", "vendor.compose-spec", file]).expect("it ran before")
    };
    let (fine, said) = check("docker-compose.yml");
    assert!(fine, "{said}");
    // The tool does refuse a misspelt key.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong = folder.path().join("compose.yml");
    std::fs::write(&wrong, "services: { a: { image: b, healthchek: {} } }").expect("written");
    let (fine, said) = check(&wrong.to_string_lossy());
    assert!(!fine && said.contains("healthchek"), "{said}");
}

#[test]
fn every_alert_fires_when_it_should_and_none_on_a_calm_day() {
    let tests = "ops/prometheus/alerts.test.yaml";
    let Some((fine, said)) = run("promtool", &["test", "rules", tests]) else {
        return missing("promtool", "apt-get install prometheus");
    };
    assert!(fine, "{said}");
    let (fine, said) = run("promtool", &["check", "rules", "ops/prometheus/alerts.yaml"])
        .expect("promtool ran before");
    assert!(fine, "{said}");
}
