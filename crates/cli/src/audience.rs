//! `tzeva audience`: what rule files say, what is wrong with them, and how they go live.

mod apply;
pub(crate) mod diff;
pub(crate) mod given;
mod history;
mod problem;
mod report;
mod test;

use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::rules;
use clap::Subcommand;
use given::Given;
pub(crate) use report::problems as show_problems;
use std::path::PathBuf;

/// What `tzeva audience` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Compile a folder of audiences: every problem with its place, then what each audience needs and shares.
    Check(CheckArgs),
    /// What a code of a refusal or warning means, with a file that gives it and how to mend it.
    Problem(problem::Args),
    /// Print the JSON Schema of rule files, from which editors complete and mark errors.
    Schema,
    /// Publish a folder of audiences to running services: first what would change, then only what the flags allow.
    Apply(apply::Args),
    /// What was published: versions, by whom, when and why, and which one counts.
    History(history::HistoryArgs),
    /// Write the files of a publication to a folder.
    Show(history::ShowArgs),
    /// Who would enter or leave if other rules replaced these, by history under both.
    Diff(diff::Args),
    /// Run the tests beside audiences: what a visitor does, and who should enter and leave when.
    Test(test::Args),
}

#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// The folder of audience files and the paint file; left out: `audiences` of the settings.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The settings file; left out: defaults.
    #[arg(long, value_name = "FILE", env = "TZEVA_CONFIG")]
    config: Option<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Check(args) => check(&args),
        Action::Schema => {
            out::line(format!("{:#}", tzeva_audience::schema()));
            Ok(Exit::Fine)
        }
        Action::Apply(args) => apply::run(&args),
        Action::History(args) => history::history(&args),
        Action::Show(args) => history::show(&args),
        Action::Problem(args) => Ok(problem::run(&args)),
        Action::Diff(args) => diff::run(&args),
        Action::Test(args) => test::run(&args),
    }
}

fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let given = Given::load(args.config.as_deref())?;
    let folder = args.folder.as_ref().unwrap_or(&given.settings.audiences);
    let files = rules::files(folder)?;
    let mut compiled = tzeva_audience::compile(&files, &given.check_settings());
    given.read_tests(&files, &mut compiled)?;
    match args.output {
        Output::Text => report::text(&compiled, folder, files.len()),
        Output::Json => report::json(&compiled),
    }
    Ok(if compiled.rules.is_some() { Exit::Fine } else { Exit::No })
}
