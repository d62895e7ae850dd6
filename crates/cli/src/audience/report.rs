//! What `audience check` found, for people and for programs.

use crate::ink::{Ink, Tint};
use crate::out;
use serde_json::{Value, json};
use std::path::Path;
use tzeva_audience::{Compiled, Problem, Severity};
use tzeva_phrase::{AudienceSummary, RuleSetSummary, amount};

/// How many shared clauses are listed.
const SHOWN: usize = 10;

/// Writes every problem to stderr, coloured on a terminal.
pub(crate) fn problems(problems: &[Problem]) {
    let ink = Ink::stderr();
    for problem in problems {
        let tint = if problem.severity == Severity::Error { Tint::Red } else { Tint::Yellow };
        let text = problem.to_string();
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        out::note(ink.tint(tint, head));
        rest.lines().for_each(out::note);
    }
    if let Some(hint) = super::problem::hint(problems) {
        out::note(ink.tint(Tint::Dim, hint));
    }
}

/// For people: problems, then a table of audiences, then the sums.
pub(super) fn text(compiled: &Compiled, folder: &Path, files: usize) {
    problems(&compiled.problems);
    let count = |severity| compiled.problems.iter().filter(|p| p.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let Some(rules) = &compiled.rules else {
        let what = format!("{} refused", amount(errors, "problem", "problems"));
        out::line(format!(
            "{}: {what}, {}",
            folder.display(),
            amount(warnings, "warning", "warnings")
        ));
        return;
    };
    let summary = tzeva_phrase::summary(rules);
    let head = ["audience", "version", "cost", "leaves", "shared", "woken by time", "policies"];
    let rows: Vec<Vec<String>> = summary.audiences.iter().map(row).collect();
    out::table(&head, &rows);
    out::line("");
    shared(&summary);
    for field in &compiled.fields_to_keep {
        out::line(format!("history has to keep {field}"));
    }
    out::line(format!(
        "{}: {}, {} in {}, {} of them different, rules version {:016x}, {}",
        folder.display(),
        amount(files, "file", "files"),
        amount(summary.audiences.len(), "audience", "audiences"),
        amount(summary.leaves, "leaf", "leaves"),
        summary.clauses,
        rules.version.get(),
        amount(warnings, "warning", "warnings"),
    ));
}

/// For programs.
pub(super) fn json(compiled: &Compiled) {
    let problems: Vec<Value> = compiled.problems.iter().map(problem).collect();
    let summary = compiled.rules.as_ref().map(tzeva_phrase::summary);
    let audiences = summary
        .as_ref()
        .map(|summary| summary.audiences.iter().map(audience).collect::<Vec<Value>>());
    out::line(json!({
        "ok": compiled.rules.is_some(),
        "rules_version": compiled.rules.as_ref().map(|rules| format!("{:016x}", rules.version.get())),
        "leaves": summary.as_ref().map(|summary| summary.leaves),
        "clauses": summary.as_ref().map(|summary| summary.clauses),
        "audiences": audiences.unwrap_or_default(),
        "fields_to_keep": compiled.fields_to_keep,
        "problems": problems,
    }));
}

fn row(audience: &AudienceSummary) -> Vec<String> {
    let shared = audience.leaves.iter().filter(|leaf| leaf.shared_by > 0).count();
    let or_none = |list: &[String]| match list {
        [] => "-".to_owned(),
        list => list.join(", "),
    };
    vec![
        audience.name.clone(),
        audience.version.clone(),
        audience.cost.word().into(),
        audience.leaves.len().to_string(),
        shared.to_string(),
        or_none(&audience.deadlines),
        or_none(&audience.policies),
    ]
}

/// Which clauses more than one audience says.
fn shared(summary: &RuleSetSummary) {
    let mut lines: Vec<String> = Vec::new();
    for audience in &summary.audiences {
        for leaf in audience.leaves.iter().filter(|leaf| leaf.shared_by > 0) {
            let line = format!("  {} ({} audiences)", leaf.words, leaf.shared_by + 1);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if !lines.is_empty() {
        out::line("decided once for several audiences:");
        lines.iter().take(SHOWN).for_each(|line| {
            out::line(line);
        });
        if lines.len() > SHOWN {
            out::line(format!("  and {} more", lines.len() - SHOWN));
        }
        out::line("");
    }
}

pub(super) fn problem(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "help": problem.help,
    })
}

fn audience(audience: &AudienceSummary) -> Value {
    let leaves = audience.leaves.iter().map(|leaf| {
        json!({
            "path": leaf.path,
            "words": leaf.words,
            "shared_by": leaf.shared_by,
            "shared_with": leaf.shared_with,
        })
    });
    json!({
        "name": audience.name,
        "version": audience.version,
        "cost": audience.cost.word(),
        "leaves": leaves.collect::<Vec<_>>(),
        "policies": audience.policies,
        "deadlines": audience.deadlines,
    })
}
