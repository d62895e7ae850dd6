//! `tzeva audience diff A B`: who would enter or leave if the rules of B replaced those of A, by history under both.

use crate::backtest::history::{Finished, History};
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use tzeva_backtest::compare::{Difference, Differences, Group};

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
            text(&finished.replayed.differences);
            out::line("");
            out::line(format!("{} events, {from} to {to}", finished.found.events));
        }
        Output::Json => {
            out::line(whole(&finished));
        }
    }
    Ok(Exit::Fine)
}

/// For people: a line an audience, then some of the visitors.
pub(crate) fn text(differences: &Differences) {
    let head = ["audience", "enter", "leave", "ever in only then", "ever in only now", "such as"];
    let rows: Vec<Vec<String>> = differences.each().map(|(name, each)| row(name, each)).collect();
    if rows.is_empty() {
        out::line("nobody would enter or leave, and nobody would ever have");
        return;
    }
    out::table(&head, &rows);
}

/// For programs: an object an audience.
pub(crate) fn list(differences: &Differences) -> Vec<Value> {
    let group = |group: &Group| {
        let some: Vec<&str> = group.some.iter().map(tzeva_model::VisitorId::as_str).collect();
        json!({ "count": group.count, "some": some })
    };
    let each = differences.each().map(|(name, difference)| {
        json!({
            "audience": name,
            "enter": group(&difference.enter),
            "leave": group(&difference.leave),
            "ever_enter": group(&difference.ever_enter),
            "ever_leave": group(&difference.ever_leave),
        })
    });
    each.collect()
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
        "differences": list(&finished.replayed.differences),
    })
}

fn row(name: &str, difference: &Difference) -> Vec<String> {
    let Difference { enter, leave, ever_enter, ever_leave } = difference;
    let signed = |sign: &'static str, group: &Group| -> Vec<String> {
        group.some.iter().map(|visitor| format!("{sign}{}", out::safe(visitor.as_str()))).collect()
    };
    let counts = [enter, leave, ever_enter, ever_leave].map(|group| group.count.to_string());
    let mut row = vec![name.to_owned()];
    row.extend(counts);
    row.push([signed("+", enter), signed("-", leave)].concat().join(" "));
    row
}
