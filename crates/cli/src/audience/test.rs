//! `tzeva audience test`: the tests beside audiences, through the same engine on a virtual clock.

mod watch;

use super::given::Given;
use super::report;
use crate::exit::{Exit, Failure};
use crate::ink::{Ink, Tint};
use crate::out::{self, Output};
use crate::{rules, wiring};
use anyhow::Context;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tzeva_audience::{CheckSettings, Problem, Severity, SourceFile};
use tzeva_phrase::amount;
use tzeva_trial::{Outcome, Trial};

/// Arguments of `tzeva audience test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of audience files, tests and the paint file; left out: `audiences` of the settings.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Run only cases with this text in `AUDIENCE: NAME OF THE CASE`.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Stay, and run the tests anew whenever a file changes.
    #[arg(long)]
    watch: bool,
    /// Also write the results to this file, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The settings file; left out: defaults.
    #[arg(long, value_name = "FILE", env = "TZEVA_CONFIG")]
    config: Option<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let given = Given::load(args.config.as_deref())?;
    let folder = args.folder.as_ref().unwrap_or(&given.settings.audiences);
    if args.watch {
        return watch::run(args, &given, folder);
    }
    test(args, &given, folder, &rules::files(folder)?)
}

fn test(args: &Args, given: &Given, folder: &Path, files: &[SourceFile]) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let settings = CheckSettings { keep_what_rules_name: true, ..given.check_settings() };
    let mut compiled = tzeva_audience::compile(files, &settings);
    let trials = given.read_tests(files, &mut compiled)?;
    let mut problems = compiled.problems;
    let Some(rules) = compiled.rules else {
        if let Some(path) = &args.junit {
            write(path, tzeva_trial::xml_of_refusals(&problems))?;
        }
        match args.output {
            Output::Text => refused(folder, &problems),
            Output::Json => as_json(json!({ "ok": false, "cases": [], "failed": 0 }), &problems),
        }
        return Ok(Exit::No);
    };
    let rules = Arc::new(rules);
    let (trials, missed) = chosen(trials, args.filter.as_deref());
    let outcomes = tzeva_trial::run(&rules, &wiring::engine_settings(&given.settings), &trials);
    problems.extend(tzeva_trial::endings(files, &outcomes));
    if args.filter.is_none() {
        problems.extend(tzeva_trial::untested(&rules, &trials));
    }
    let took = begun.elapsed();
    if let Some(path) = &args.junit {
        write(path, tzeva_trial::xml(&outcomes, took))?;
    }
    let passed = missed.is_none() && outcomes.iter().all(|outcome| outcome.passed);
    match args.output {
        Output::Text => {
            report::problems(&problems);
            told(folder, &outcomes, took);
        }
        Output::Json => {
            let mut result = tzeva_trial::json(&outcomes, took);
            result["ok"] = passed.into();
            as_json(result, &problems);
        }
    }
    missed.iter().for_each(out::note);
    Ok(if passed { Exit::Fine } else { Exit::No })
}

/// Writes a result for programs.
fn as_json(mut result: Value, problems: &[Problem]) {
    result["problems"] = problems.iter().map(report::problem).collect();
    out::line(result);
}

fn write(path: &Path, text: String) -> Result<(), Failure> {
    let attempt = || format!("write {}", path.display());
    std::fs::write(path, text).with_context(attempt).map_err(Failure::world)
}

/// Shows why no test was run.
fn refused(folder: &Path, problems: &[Problem]) {
    report::problems(problems);
    let refused = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let problems = amount(refused, "problem", "problems");
    out::line(format!("{}: no test was run, {problems} refused", folder.display()));
}

/// Only the cases with `filter` in what they are called; if there are cases, but none of them is called so, what to say.
fn chosen(mut trials: Vec<Trial>, filter: Option<&str>) -> (Vec<Trial>, Option<String>) {
    let Some(filter) = filter else { return (trials, None) };
    let (mut count, mut first, mut near) = (0, None, None);
    for trial in &mut trials {
        count += trial.cases.len();
        near = near.or(tzeva_script::nearest(filter, [&*trial.audience]).map(str::to_owned));
        let called = |name: &str| format!("{}: {name}", trial.audience);
        first = first.or_else(|| trial.cases.first().map(|case| called(&case.name)));
        trial.cases.retain(|case| called(&case.name).contains(filter));
    }
    trials.retain(|trial| !trial.cases.is_empty());
    let missed = first.filter(|_| trials.is_empty()).map(|first| {
        let cases = amount(count, "case holds", "cases holds");
        let there = near.map_or(format!("such as `{first}`"), |n| format!("did you mean `{n}`?"));
        format!("error: none of {cases} `{}`: {there}", out::safe(filter))
    });
    (trials, missed)
}

/// Shows what failed, then the sums.
fn told(folder: &Path, outcomes: &[Outcome<'_>], took: Duration) {
    let ink = Ink::stdout();
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    for outcome in &failed {
        let name = format!("{}: {}", outcome.audience, outcome.case.name);
        out::line(format!("{} {}", ink.tint(Tint::Red, "FAILED"), ink.tint(Tint::Bold, name)));
        out::line(format!("  {}", outcome.case.place));
        for line in tzeva_trial::lines(outcome) {
            let text = format!("  {}", line.text);
            out::line(if line.wrong { ink.tint(Tint::Red, text) } else { text });
        }
        out::line("");
    }
    let audiences: std::collections::BTreeSet<_> =
        outcomes.iter().map(|outcome| outcome.audience).collect();
    let cases = amount(outcomes.len(), "case", "cases");
    let audiences = amount(audiences.len(), "audience", "audiences");
    let (folder, took) = (folder.display(), took.as_millis());
    let all = match (failed.len(), outcomes.len()) {
        (_, 0) => "there is no test to run".to_owned(),
        (0, 1) => ink.tint(Tint::Green, "passed"),
        (0, _) => ink.tint(Tint::Green, "all passed"),
        (count, _) => ink.tint(Tint::Red, format!("{count} failed")),
    };
    out::line(format!("{folder}: {cases} of {audiences} in {took} ms, {all}"));
}
