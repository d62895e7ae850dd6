//! `tzeva audience diff A B`: who would enter or leave if the rules of B replaced those of A, by history under both.

use crate::backtest::history::History;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use tzeva_backtest::finished::Finished;
use tzeva_backtest::told;

/// Arguments of `tzeva audience diff`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of audience files and the paint file in force.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The folder that would replace it.
    #[arg(value_name = "B")]
    second: PathBuf,
    /// A paint file that stands for those of both folders.
    #[arg(long, value_name = "FILE")]
    paint: Option<PathBuf>,
    #[command(flatten)]
    history: History,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let folders = [args.first.as_path(), args.second.as_path()];
    let finished = args.history.replay(&folders, args.paint.as_deref(), None)?;
    finished.warnings();
    match args.output {
        Output::Text => {
            let (from, to) = finished.span;
            out::line(format!("if {} replaced {}:", args.second.display(), args.first.display()));
            told::text(&finished.replayed.differences);
            out::line("");
            out::line(format!("{} events, {from} to {to}", finished.found.events));
        }
        Output::Json => {
            out::line(whole(&finished));
        }
    }
    Ok(Exit::Fine)
}

fn whole(finished: &Finished) -> Value {
    let (from, to) = finished.span;
    let version = |place: usize| format!("{:016x}", finished.rules[place].version.get());
    json!({
        "rules_version": version(0),
        "replaced_by": version(1),
        "from": from.to_string(),
        "until": to.to_string(),
        "events": finished.found.events,
        "refused": finished.found.refused.count(),
        "differences": told::list(&finished.replayed.differences),
    })
}
