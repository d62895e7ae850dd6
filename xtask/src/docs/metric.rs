//! The reference of metrics.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;

const HEAD: &str = "\
# Metrics

Written by `cargo xtask docs` from the code; don't edit. The service shows them under `/metrics`. Labels are bounded sets:
never an id, never an error's text. Alerts lie in [prometheus/alerts.yaml](prometheus/alerts.yaml), each with a page in
`runbooks/`.

| metric | kind | unit | labels | says | alert |
|---|---|---|---|---|---|
";

/// A metric as its registration tells it.
pub(super) struct Metric {
    pub name: String,
    kind: String,
    help: String,
    unit: String,
    labels: Vec<String>,
    alert: String,
}

// === impl Metric ===

impl Metric {
    pub(super) fn from_json(value: &Value) -> Result<Self> {
        let text = |key: &str| {
            value[key].as_str().map(str::to_owned).with_context(|| format!("a metric has no {key}"))
        };
        let labels = value["labels"].as_array().context("a metric has no labels")?;
        Ok(Self {
            name: text("name")?,
            kind: text("kind")?,
            help: text("help")?,
            unit: text("unit")?,
            labels: labels.iter().filter_map(|label| Some(label.as_str()?.to_owned())).collect(),
            alert: text("alert")?,
        })
    }

    /// The alert that watches it; `None` if it says that none does.
    pub(super) fn watched_by(&self) -> Option<&str> {
        (!self.alert.starts_with("none")).then_some(&self.alert)
    }

    fn row(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|label| format!("`{label}`")).collect();
        let alert = match self.watched_by() {
            Some(alert) => format!("[{alert}](runbooks/{alert}.md)"),
            None => self.alert.clone(),
        };
        let Self { name, kind, help, unit, .. } = self;
        format!("| `{name}` | {kind} | {unit} | {} | {help} | {alert} |\n", labels.join(", "))
    }
}

/// The reference page.
pub(super) fn page(metrics: &[Metric]) -> String {
    let rows: String = metrics.iter().map(Metric::row).collect();
    format!("{HEAD}{rows}")
}

/// The metrics that a text of queries names, without the endings of histograms' series.
pub(super) fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|word| word.starts_with("tzeva_"));
    let endings = ["_bucket", "_count", "_sum"];
    names
        .map(|name| {
            endings.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_queries() {
        let found = names_in("rate(tzeva_a_seconds_bucket[5m]) > tzeva_b_total{x=\"tzeva-y\"}");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["tzeva_a_seconds", "tzeva_b_total"]);
    }
}
