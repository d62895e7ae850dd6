//! `tzeva backtest`: what audiences would have done, by history through the same engine on a virtual clock.
//!
//! The recipe is [`run`]: rules, events in order of time, one engine, changes and a summary. Nothing waits for anything
//! but the disk, and two runs over the same files give the same changes, byte by byte.

mod report;

use crate::audience::given::Given;
use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::{audience, rules, wiring};
use anyhow::Context;
use report::Report;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tzeva_audience::{CheckSettings, RuleSet};
use tzeva_backtest::gather::{self, Gathered};
use tzeva_backtest::progress::Progress;
use tzeva_backtest::replay::Replay;
use tzeva_backtest::sort;
use tzeva_decode::Decoder;
use tzeva_model::UnixMillis;

/// Arguments of `tzeva backtest`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of audience files and the paint file.
    #[arg(long, value_name = "DIR")]
    audiences: PathBuf,
    /// Events, a JSON object a line: plain, .gz or .zst; `-` is stdin. They need not be sorted.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    events: Vec<PathBuf>,
    /// A paint file that stands for the folder's.
    #[arg(long, value_name = "FILE")]
    paint: Option<PathBuf>,
    /// Run deadlines up to and including this instant (RFC 3339), or `max`: all there are. Later events are left out.
    /// Left out: the last event's time.
    #[arg(long, value_name = "T", value_parser = instant)]
    until: Option<UnixMillis>,
    /// Write every change to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    /// Write the summary to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// The settings file; left out: defaults.
    #[arg(long, value_name = "FILE", env = "TZEVA_CONFIG")]
    config: Option<PathBuf>,
    /// How much of the events is held in memory while they are sorted, in MiB; the rest goes to temporary files.
    #[arg(long, value_name = "MIB", default_value_t = 1_024)]
    memory: usize,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// The rules of a run, and what they need of an event.
struct Rules {
    rules: Arc<RuleSet>,
    decode: tzeva_decode::Settings,
}

/// Bytes of a MiB.
const MIB: usize = 1 << 20;

pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let given = Given::load(args.config.as_deref())?;
    let rules = compiled(&args, &given)?;
    let changes = args.changes.as_deref().map(create).transpose()?;
    let mut progress = Progress::start();
    let begun = Instant::now();
    let memory = args.memory.saturating_mul(MIB);
    let gathered = gather::gather(&args.events, &rules.decode, memory, &mut progress);
    let gathered = gathered.map_err(Failure::settings)?;
    let read = begun.elapsed();
    let Some((first, last)) = gathered.span else {
        progress.end();
        let error = anyhow::anyhow!("there is no event in what was given: {}", none(&gathered));
        return Err(Failure::settings(error));
    };
    let until = args.until.unwrap_or(UnixMillis::new(last));
    let mut settings = wiring::engine_settings(&given.settings);
    settings.backtest = true;
    let changes = changes.map(|file| Box::new(file) as Box<dyn Write>);
    let mut replay = Replay::new(Arc::clone(&rules.rules), settings, until, changes);
    let Gathered { lines, places, mut refused, events, spilled, .. } = gathered;
    let total = events + refused.count();
    decide(&mut replay, lines, (events, &rules.decode), &mut progress).map_err(Failure::world)?;
    progress.end();
    refused.merge(std::mem::take(&mut replay.refused));
    let span = (UnixMillis::new(first), replay.end());
    let took = (read, begun.elapsed() - read);
    let rules = &*rules.rules;
    let mut report = Report { rules, replay, places, lines: total, refused, span, took, spilled };
    report.refusals();
    if let Some(path) = &args.summary {
        let text = format!("{:#}\n", report.json());
        std::fs::write(path, text).with_context(|| attempt(path)).map_err(Failure::world)?;
    }
    match args.output {
        Output::Text => report.text(),
        Output::Json => {
            out::line(report.json());
        }
    }
    Ok(Exit::Fine)
}

/// Compiles the folder; refusals end the run, warnings are shown.
fn compiled(args: &Args, given: &Given) -> Result<Rules, Failure> {
    let mut files = rules::files(&args.audiences)?;
    let mut settings = CheckSettings { keep_what_rules_name: true, ..given.check_settings() };
    if let Some(path) = &args.paint {
        for paint in rules::files(path)? {
            settings.paint_from = Some(paint.path.clone());
            if files.iter().all(|file| file.path != paint.path) {
                files.push(paint);
            }
        }
    }
    let compiled = tzeva_audience::compile(&files, &settings);
    audience::show_problems(&compiled.problems);
    let Some(rules) = compiled.rules else {
        let folder = args.audiences.display();
        let error = anyhow::anyhow!("the rules of {folder} are refused: see above");
        return Err(Failure::settings(error));
    };
    let mut decode = tzeva_decode::Settings {
        category_separator: given.settings.category_separator.clone(),
        keep: given.settings.history.keep.clone(),
        ..tzeva_decode::Settings::default()
    };
    if let Some(source) = given.settings.sources.first() {
        decode.visitor_id.clone_from(&source.visitor_id);
    }
    if !compiled.fields_to_keep.is_empty() {
        decode.keep.extend(compiled.fields_to_keep.iter().cloned());
        let list = decode.keep.join(", ");
        out::note(format!("to run these rules, settings need: history: {{ keep: [{list}] }}"));
    }
    Ok(Rules { rules: Arc::new(rules), decode })
}

/// Runs all events through the engine; the next ones are decoded meanwhile.
fn decide(
    replay: &mut Replay<'_>,
    lines: sort::Merged,
    (events, decode): (u64, &tzeva_decode::Settings),
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let decoder = Decoder::new(decode)?;
    std::thread::scope(|scope| {
        let (sender, batches) = gather::channel();
        let decoding = scope.spawn(move || gather::decode(lines, decoder, &sender));
        let mut done = 0;
        for batch in batches {
            done += batch.len() as u64;
            replay.batch(batch).context("write changes")?;
            progress.deciding(done, events);
        }
        decoding.join().map_err(|_| anyhow::anyhow!("the decoding thread panicked"))??;
        replay.finish().context("write changes")
    })
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).with_context(|| attempt(path)).map_err(Failure::settings)?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn attempt(path: &Path) -> String {
    format!("write {}", path.display())
}

/// Why there is no event.
fn none(gathered: &Gathered) -> String {
    match gathered.refused.first.first() {
        None => "the files are empty".into(),
        Some((number, rejection)) => {
            let (count, place) = (gathered.refused.count(), gathered.places.name(*number));
            format!("all {count} lines were refused, first {place}: {rejection}")
        }
    }
}

/// An instant as people write it, or `max`.
fn instant(text: &str) -> Result<UnixMillis, String> {
    if text == "max" {
        return Ok(UnixMillis::MAX);
    }
    let instant: jiff::Timestamp = text.parse().map_err(|error| {
        format!("give an RFC 3339 instant such as 2026-11-22T10:00:00Z, or max ({error})")
    })?;
    Ok(UnixMillis::new(instant.as_millisecond()))
}
