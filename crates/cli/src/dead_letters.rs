//! `tzeva dead-letters`: records that could not be applied, why, and what they were.

use crate::exit::{Exit, Failure};
use crate::out::{self, Output, safe};
use crate::place::{Message, Place, PlaceArgs};
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tzeva_model::RejectionCode;

/// What `tzeva dead-letters` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Count them by code.
    List(Which),
    /// Show each with its original.
    Show(Which),
}

#[derive(clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    place: PlaceArgs,
    /// Those of one partition only.
    #[arg(long)]
    partition: Option<u16>,
    /// Those of one code only, such as `bad_value`.
    #[arg(long, value_parser = PossibleValuesParser::new(RejectionCode::ALL.map(RejectionCode::word)), hide_possible_values = true)]
    code: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Characters of an original that people are shown.
const SHOWN: usize = 2_000;

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let (Action::List(which) | Action::Show(which)) = &action;
    let place = Place::open(&which.place)?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut met = 0;
    for partition in place.partitions(which.partition)? {
        for letter in place.dead_letters(partition)? {
            let letter = letter?;
            let code = letter.header("dlq.code");
            if which.code.as_ref().is_some_and(|only| *only != code) || met >= which.limit {
                continue;
            }
            met += 1;
            match action {
                Action::List(_) => {
                    *counts.entry((letter.header("dlq.topic"), code)).or_default() += 1;
                }
                Action::Show(_) => show(&letter, which.output),
            }
        }
    }
    match (&action, which.output) {
        (Action::Show(_), _) => {}
        (Action::List(_), Output::Text) => {
            let row = |((topic, code), count): (&(String, String), &u64)| {
                vec![safe(topic), safe(code), count.to_string()]
            };
            out::table(&["TOPIC", "CODE", "COUNT"], &counts.iter().map(row).collect::<Vec<_>>());
        }
        (Action::List(_), Output::Json) => {
            for ((topic, code), count) in counts {
                out::line(json!({ "topic": topic, "code": code, "count": count }));
            }
        }
    }
    Ok(Exit::Fine)
}

fn show(letter: &Message, output: Output) {
    let header = |name: &str| letter.header(name);
    if output == Output::Json {
        let (own, ours): (Vec<_>, Vec<_>) =
            letter.headers.iter().partition(|(name, _)| !name.starts_with("dlq."));
        let map = |headers: Vec<&(String, Vec<u8>)>| -> serde_json::Map<String, Value> {
            let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value));
            headers.into_iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        let original = original(&letter.value);
        let (headers, dlq) = (map(own), map(ours));
        out::line(json!({ "dlq": dlq, "headers": headers, "original": original }));
        return;
    }
    let (topic, partition, offset) =
        (header("dlq.topic"), header("dlq.partition"), header("dlq.offset"));
    out::line(format_args!("{} partition {partition} offset {offset}", safe(&topic)));
    out::line(format_args!("  {}: {}", safe(&header("dlq.code")), safe(&header("dlq.error"))));
    let text: String = String::from_utf8_lossy(&letter.value).chars().take(SHOWN).collect();
    out::line(format_args!("  {}", safe(&text)));
}

/// The original as text if it is text, else as hex.
fn original(value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) => json!({ "text": text }),
        Err(_) => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": hex })
        }
    }
}
