//! `tzeva audience test`: the tests beside audiences, through the same engine on a virtual clock.

use super::given::Given;
use super::report;
use crate::exit::{Exit, Failure};
use crate::ink::{Ink, Tint};
use crate::{out, rules, wiring};
use anyhow::Context;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tzeva_audience::{CheckSettings, Severity, SourceFile};
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
}

/// How often files are looked at while watching.
const LOOK: Duration = Duration::from_millis(300);

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let given = Given::load(args.config.as_deref())?;
    let folder = args.folder.as_ref().unwrap_or(&given.settings.audiences);
    if !args.watch {
        return test(args, &given, folder, &rules::files(folder)?);
    }
    let mut seen = None;
    loop {
        // While an editor writes, a file may be away for a moment.
        let files = rules::files(folder).ok();
        if files.is_some() && files != seen {
            clear();
            if let Some(files) = &files {
                test(args, &given, folder, files)?;
            }
            out::note(format!("waiting for changes in {}; Ctrl-C ends", folder.display()));
            seen = files;
        }
        // A Ctrl-C ends the process here as anywhere.
        let _ = crossbeam_channel::after(LOOK).recv();
    }
}

fn test(args: &Args, given: &Given, folder: &Path, files: &[SourceFile]) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let settings = CheckSettings { keep_what_rules_name: true, ..given.check_settings() };
    let mut compiled = tzeva_audience::compile(files, &settings);
    let trials = given.read_tests(files, &mut compiled)?;
    let problems = compiled.problems;
    report::problems(&problems);
    let Some(rules) = compiled.rules else {
        let refused = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let refused = refused.count();
        let problems = report::amount(refused, "problem", "problems");
        out::line(format!("{}: no test was run, {problems} refused", folder.display()));
        return Ok(Exit::No);
    };
    let rules = Arc::new(rules);
    let trials = chosen(trials, args.filter.as_deref());
    let outcomes = tzeva_trial::run(&rules, &wiring::engine_settings(&given.settings), &trials);
    report::problems(&tzeva_trial::endings(files, &outcomes));
    if args.filter.is_none() {
        report::problems(&tzeva_trial::untested(&rules, &trials));
    }
    let took = begun.elapsed();
    if let Some(path) = &args.junit {
        let attempt = || format!("write {}", path.display());
        let written = std::fs::write(path, tzeva_trial::xml(&outcomes, took));
        written.with_context(attempt).map_err(Failure::world)?;
    }
    Ok(told(folder, &outcomes, took))
}

/// Only the cases with `filter` in what they are called.
fn chosen(mut trials: Vec<Trial>, filter: Option<&str>) -> Vec<Trial> {
    if let Some(filter) = filter {
        for trial in &mut trials {
            let audience = &trial.audience;
            trial.cases.retain(|case| format!("{audience}: {}", case.name).contains(filter));
        }
        trials.retain(|trial| !trial.cases.is_empty());
    }
    trials
}

/// Shows what failed, then the sums.
fn told(folder: &Path, outcomes: &[Outcome<'_>], took: Duration) -> Exit {
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
    let cases = report::amount(outcomes.len(), "case", "cases");
    let audiences = report::amount(audiences.len(), "audience", "audiences");
    let (folder, took) = (folder.display(), took.as_millis());
    let all = match (failed.len(), outcomes.len()) {
        (_, 0) => "there is no test to run".to_owned(),
        (0, 1) => ink.tint(Tint::Green, "passed"),
        (0, _) => ink.tint(Tint::Green, "all passed"),
        (count, _) => ink.tint(Tint::Red, format!("{count} failed")),
    };
    out::line(format!("{folder}: {cases} of {audiences} in {took} ms, {all}"));
    if failed.is_empty() { Exit::Fine } else { Exit::No }
}

/// Clears a terminal.
fn clear() {
    let mut screen = std::io::stdout();
    if screen.is_terminal() {
        // Nobody is left to see it if that fails.
        let _ = write!(screen, "\x1b[2J\x1b[H");
    }
}
