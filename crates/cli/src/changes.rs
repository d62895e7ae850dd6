//! `tzeva changes show`: what was published.

use crate::exit::{Exit, Failure};
use crate::out::{self, Output, safe};
use crate::place::{Place, PlaceArgs};
use clap::Subcommand;
use serde_json::Value;

/// What `tzeva changes` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Show published changes, partition by partition, in order.
    Show(Show),
}

#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    place: PlaceArgs,
    /// One partition only.
    #[arg(long)]
    partition: Option<u16>,
    /// Changes of one visitor only.
    #[arg(long, value_name = "ID")]
    visitor: Option<String>,
    /// How to write them; as JSON a line holds a change as it was published.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let Action::Show(args) = action;
    let place = Place::open(&args.place)?;
    let mut rows = Vec::new();
    for partition in place.partitions(args.partition)? {
        for message in place.changes(partition)? {
            let text = String::from_utf8_lossy(&message?.value).into_owned();
            let change: Value = serde_json::from_str(&text).unwrap_or_default();
            if args.visitor.as_deref().is_some_and(|id| change["visitor"] != id) {
                continue;
            }
            match args.output {
                Output::Json if !out::line(&text) => return Ok(Exit::Fine),
                Output::Json => {}
                Output::Text => rows.push(row(&change)),
            }
        }
    }
    if args.output == Output::Text {
        out::table(&["P", "N", "EFFECTIVE AT", "VISITOR", "CHANGE", "AUDIENCE", "WHY"], &rows);
    }
    Ok(Exit::Fine)
}

fn row(change: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => safe(text),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let fields = ["partition", "n", "effective_at", "visitor", "change", "audience"];
    let mut row: Vec<String> = fields.iter().map(|field| text(&change[*field])).collect();
    row.push(text(&change["reason"]["text"]));
    row
}
