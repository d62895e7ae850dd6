//! `tzeva log show`: the records of the log, and which of them count.

use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::place::{Place, PlaceArgs};
use clap::Subcommand;
use serde_json::{Value, json};
use tzeva_commit::port::LogEntry;
use tzeva_commit::{Judge, LogRecord, Verdict, decode};
use tzeva_model::LogOffset;

/// What `tzeva log` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Show records in order of offset.
    Show(Show),
}

#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    place: PlaceArgs,
    /// The partition.
    #[arg(long, default_value_t = 0)]
    partition: u16,
    /// The first offset; from the log's beginning it is also told which records count.
    #[arg(long)]
    from: Option<i64>,
    /// At most so many records.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let Action::Show(args) = action;
    let place = Place::open(&args.place)?;
    let mut judge = args.from.is_none_or(|from| from <= 0).then(Judge::at_beginning);
    let mut rows = Vec::new();
    for partition in place.partitions(Some(args.partition))? {
        for entry in place.log(partition, args.from.map(LogOffset::new), args.limit)? {
            let (kind, verdict, facts) = told(&entry, judge.as_mut());
            match args.output {
                Output::Json => {
                    let (offset, time) = (entry.offset.get(), entry.time.to_string());
                    out::line(json!({
                        "partition": partition.get(), "offset": offset, "time": time,
                        "bytes": entry.bytes.len(), "kind": kind, "verdict": verdict, "record": facts,
                    }));
                }
                Output::Text => rows.push(vec![
                    entry.offset.to_string(),
                    entry.time.to_string(),
                    entry.bytes.len().to_string(),
                    kind.into(),
                    verdict.unwrap_or_default(),
                    brief(&facts),
                ]),
            }
        }
    }
    if args.output == Output::Text {
        out::table(&["OFFSET", "TIME", "BYTES", "KIND", "VERDICT", "RECORD"], &rows);
    }
    Ok(Exit::Fine)
}

/// Kind, verdict and what stands in it.
fn told(entry: &LogEntry, judge: Option<&mut Judge>) -> (&'static str, Option<String>, Value) {
    let record = match decode(&entry.bytes) {
        Ok(record) => record,
        Err(error) => return ("unreadable", None, json!({ "error": error.to_string() })),
    };
    let verdict = judge.map(|judge| match judge.observe(entry.offset, &record) {
        Verdict::Anchor => "anchor".to_owned(),
        Verdict::Claim => "claim".to_owned(),
        Verdict::Held => "held".to_owned(),
        Verdict::Counts { .. } => "counts".to_owned(),
        Verdict::Ignored(why) => format!("ignored: {why:?}"),
    });
    match record {
        LogRecord::Anchor(anchor) => (
            "anchor",
            verdict,
            json!({
                "incarnation": anchor.incarnation.get().to_string(),
                "partitions": anchor.partitions,
                "seq": anchor.seq.get(),
                "n": anchor.n.get(),
                "until": anchor.until.to_string(),
                "inputs": anchor.inputs.iter().map(|(t, o)| json!([t, o.get()])).collect::<Vec<_>>(),
            }),
        ),
        LogRecord::Claim(claim) => ("claim", verdict, json!({ "owner": claim.owner })),
        LogRecord::Commit(commit) => (
            "commit",
            verdict,
            json!({
                "epoch": commit.epoch.get(),
                "seq": commit.seq.get(),
                "until": commit.until.to_string(),
                "inputs": commit.inputs.iter()
                    .map(|i| json!([i.topic.get(), i.from.get(), i.next.get()])).collect::<Vec<_>>(),
                "visitors": commit.deltas.len(),
                "changes": commit.changes.len(),
                "changes_from": commit.changes_from.get(),
                "dead_letters": commit.dead_letters.len(),
                "names": commit.names.len(),
                "more": commit.more,
            }),
        ),
    }
}

fn brief(facts: &Value) -> String {
    let Value::Object(facts) = facts else { return String::new() };
    let fact = |(name, value): (&String, &Value)| {
        format!("{name}={}", value.to_string().trim_matches('"'))
    };
    facts.iter().map(fact).collect::<Vec<_>>().join(" ")
}
