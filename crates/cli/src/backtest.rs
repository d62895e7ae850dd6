//! `tzeva backtest`: what audiences would have done, by history through the same engine on a virtual clock.

pub(crate) mod history;

use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use anyhow::Context;
use history::History;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tzeva_backtest::report::Report;

/// Arguments of `tzeva backtest`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of audience files and the paint file.
    #[arg(long, value_name = "DIR")]
    audiences: PathBuf,
    /// Another folder of them, over the same events: who would be in other audiences under it.
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// A paint file that stands for the folder's.
    #[arg(long, value_name = "FILE")]
    paint: Option<PathBuf>,
    #[command(flatten)]
    history: History,
    /// Write every change to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    /// Write the summary to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// The same as `--output json`.
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let changes = args.changes.as_deref().map(create).transpose()?;
    let changes = changes.map(|file| Box::new(file) as Box<dyn Write>);
    let mut folders = vec![args.audiences.as_path()];
    folders.extend(args.against.as_deref());
    let mut report = Report(args.history.replay(&folders, args.paint.as_deref(), changes)?);
    report.warnings();
    if let Some(path) = &args.summary {
        let text = format!("{:#}\n", report.json());
        std::fs::write(path, text).with_context(|| attempt(path)).map_err(Failure::world)?;
    }
    if args.json || args.output == Output::Json {
        out::line(report.json());
    } else {
        report.text();
    }
    Ok(Exit::Fine)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).with_context(|| attempt(path)).map_err(Failure::settings)?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn attempt(path: &Path) -> String {
    format!("write {}", path.display())
}
