//! `tzeva backtest`: what audiences would have done, by history through the same engine on a virtual clock.

pub(crate) mod history;

use crate::exit::{Exit, Failure};
use crate::out::{self, Output};
use crate::signals::end_without_traces;
use anyhow::{Context, anyhow};
use history::History;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tzeva_backtest::report::Report;
use tzeva_terminal::file::{self, Target};

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
    /// Write every change to this file, a JSON object a line; `-` is stdout, and the summary goes to stderr.
    #[arg(long, value_name = "FILE")]
    changes: Option<PathBuf>,
    /// Write the summary to this file, as JSON; `-` is stdout.
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
    args.outputs_are_apart()?;
    if args.changes.is_some() || args.summary.is_some() {
        end_without_traces()?;
    }
    let mut changes = args.changes.as_deref().map(open).transpose()?;
    let on_stdout = args.summary.as_deref().is_some_and(is_stream);
    let mut summary = args.summary.as_deref().filter(|_| !on_stdout).map(open).transpose()?;
    let mut folders = vec![args.audiences.as_path()];
    folders.extend(args.against.as_deref());
    let out = changes.as_mut().map(|out| out as &mut dyn Write);
    let mut report = Report(args.history.replay(&folders, args.paint.as_deref(), out)?);
    report.warnings();
    if let Some(out) = &mut summary {
        writeln!(out, "{:#}", report.json())
            .map_err(|error| failed(args.summary.as_ref(), error))?;
    }
    for (out, path) in [(changes, &args.changes), (summary, &args.summary)] {
        let Some(out) = out else { continue };
        let whole = out.into_inner().map_err(io::IntoInnerError::into_error);
        whole.and_then(Target::keep).map_err(|error| failed(path.as_ref(), error))?;
    }
    if args.json || on_stdout || args.output == Output::Json {
        out::line(report.json());
    } else {
        report.text();
    }
    Ok(Exit::Fine)
}

// === impl Args ===

impl Args {
    /// No output takes the place of an input or of the other output.
    fn outputs_are_apart(&self) -> Result<(), Failure> {
        let outputs: Vec<&Path> =
            [&self.changes, &self.summary].into_iter().flatten().map(PathBuf::as_path).collect();
        if let [changes, summary] = outputs[..]
            && (is_stream(changes) && is_stream(summary) || file::are_same(changes, summary))
        {
            return Err(Failure::settings(anyhow!(
                "both the changes and the summary would go to {}: name another file for one of them",
                changes.display()
            )));
        }
        let rules = [Some(&self.audiences), self.against.as_ref(), self.paint.as_ref()];
        let inputs = self.history.files().chain(rules.into_iter().flatten());
        for input in inputs {
            let opened = if is_stream(input) { Path::new("/dev/stdin") } else { input };
            let mut files = outputs.iter().filter(|path| !is_stream(path));
            if let Some(output) = files.find(|output| file::are_same(output, opened)) {
                return Err(Failure::settings(anyhow!(
                    "{} is read, and would be written as {}: name another file to write to",
                    input.display(),
                    output.display()
                )));
            }
        }
        Ok(())
    }
}

/// Stdin or stdout.
fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

fn open(path: &Path) -> Result<BufWriter<Target>, Failure> {
    let target = if is_stream(path) { Target::stdout() } else { Target::open(path) };
    let target = target.with_context(|| attempt(path)).map_err(Failure::settings)?;
    Ok(BufWriter::with_capacity(1 << 18, target))
}

fn failed(path: Option<&PathBuf>, error: io::Error) -> Failure {
    let attempt = path.map(|path| attempt(path)).unwrap_or_default();
    Failure::world(anyhow::Error::new(error).context(attempt))
}

fn attempt(path: &Path) -> String {
    format!("write {}", path.display())
}
