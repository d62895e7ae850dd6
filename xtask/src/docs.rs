//! `cargo xtask docs`: writes what is derived from code, and checks that the rest agrees with it.
//!
//! Written: `ops/metrics.md`, and of the language its JSON Schema, its reference and the page of every refusal, all in
//! `docs/language`. Checked: every alert that a metric names exists, watches it or a metric beside it, has a
//! runbook and a test, and the other way round; the dashboard and the alerts name no metric that doesn't exist; every
//! link between documents leads somewhere.

mod language;
mod links;
mod metric;
mod problems;

use crate::workspace::cargo;
use anyhow::{Context, Result, bail};
use clap::Args;
use metric::{Metric, names_in};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{read_dir, read_to_string};
use std::process::Command;

const METRICS: &str = "ops/metrics.md";
const SCHEMA: &str = "docs/language/schema.json";
const PROBLEMS: &str = "docs/language/problems.md";
const ALERTS: &str = "ops/prometheus/alerts.yaml";
const ALERT_TESTS: &str = "ops/prometheus/alerts.test.yaml";
const DASHBOARD: &str = "ops/grafana/tzeva.json";
const RUNBOOKS: &str = "ops/runbooks";

#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail where a written page differs.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let metrics = metrics()?;
    let mut faults = Vec::new();
    let schema = format!("{:#}\n", tzeva_audience::schema());
    let mut pages = language::pages();
    pages.extend([
        (METRICS, metric::page(&metrics)),
        (SCHEMA, schema),
        (PROBLEMS, problems::page()?),
    ]);
    for (path, page) in pages {
        if !options.check {
            std::fs::write(path, page).with_context(|| format!("write {path}"))?;
        } else if read_to_string(path).unwrap_or_default() != page {
            faults.push(format!("{path} is stale: run cargo xtask docs"));
        }
    }
    alerts(&metrics, &mut faults)?;
    dashboard(&metrics, &mut faults)?;
    faults.extend(links::broken()?);
    if !faults.is_empty() {
        bail!("documents and code disagree:\n  {}", faults.join("\n  "));
    }
    println!("documents agree with the code: {} metrics", metrics.len());
    Ok(())
}

/// The metrics, as the code registers them.
fn metrics() -> Result<Vec<Metric>> {
    let out = Command::new(cargo())
        .args(["run", "--quiet", "-p", "tzeva-painter", "--example", "metrics_reference"])
        .output()
        .context("run the example metrics_reference")?;
    if !out.status.success() {
        bail!("metrics_reference failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    let all: Vec<Value> = serde_json::from_slice(&out.stdout).context("read the metrics")?;
    all.iter().map(Metric::from_json).collect()
}

fn alerts(metrics: &[Metric], faults: &mut Vec<String>) -> Result<()> {
    let written = expressions(&read(ALERTS)?);
    let tests = read(ALERT_TESTS)?;
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for metric in metrics {
        if let Some(alert) = metric.watched_by() {
            wanted.entry(alert).or_default().insert(&metric.name);
        }
    }
    for (alert, of) in &wanted {
        match written.get(*alert) {
            None => faults.push(format!("alert {alert} of {of:?} is not in {ALERTS}")),
            Some(text) if !names_in(text).iter().any(|name| of.contains(name.as_str())) => {
                faults.push(format!("alert {alert} looks at none of {of:?}"));
            }
            Some(_) => {}
        }
    }
    for (alert, text) in &written {
        if !wanted.contains_key(alert.as_str()) {
            faults.push(format!("alert {alert} is named by no metric"));
        }
        if !tests.contains(&format!("alertname: {alert}\n")) {
            faults.push(format!("alert {alert} has no test in {ALERT_TESTS}"));
        }
        unknown(metrics, text, ALERTS, faults);
    }
    let pages = read_dir(RUNBOOKS).with_context(|| format!("list {RUNBOOKS}"))?;
    let pages: BTreeSet<String> = pages
        .filter_map(|page| Some(page.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    let written: BTreeSet<String> = written.into_keys().collect();
    for odd in pages.symmetric_difference(&written) {
        faults.push(format!("alert and runbook {odd}: one is there without the other"));
    }
    Ok(())
}

fn dashboard(metrics: &[Metric], faults: &mut Vec<String>) -> Result<()> {
    let text = read(DASHBOARD)?;
    let board: Value = serde_json::from_str(&text).with_context(|| format!("read {DASHBOARD}"))?;
    for panel in board["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            unknown(metrics, target["expr"].as_str().unwrap_or_default(), DASHBOARD, faults);
        }
    }
    Ok(())
}

/// Names every metric of `text` that isn't registered.
fn unknown(metrics: &[Metric], text: &str, place: &str, faults: &mut Vec<String>) {
    for name in names_in(text) {
        if !metrics.iter().any(|metric| metric.name == name) {
            faults.push(format!("{place} names {name}, which no code registers"));
        }
    }
}

/// The text of each rule, by the name of its alert.
fn expressions(rules: &str) -> BTreeMap<String, String> {
    let rules = rules.split("- alert: ").skip(1);
    rules
        .filter_map(|rule| rule.split_once('\n'))
        .map(|(name, text)| (name.trim().to_owned(), text.to_owned()))
        .collect()
}

fn read(path: &str) -> Result<String> {
    read_to_string(path).with_context(|| format!("read {path}"))
}
