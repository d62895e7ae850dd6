//! `cargo xtask bench backtest`: how fast `tzeva backtest` takes history in, and what an event costs it.
//!
//! Writes `retarget-1` as NDJSON and audiences to a temporary folder, then runs the program (`--tzeva`, several to be
//! compared in turns) over them a few times. Wall time means little on a machine that does other things; processor time
//! does, and ratios between programs that ran in turns do.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads clock, arguments and files")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tzeva_bench::{Plan, Traffic};

/// What to measure.
struct Options {
    events: u64,
    visitors: u64,
    audiences: usize,
    seed: u64,
    runs: usize,
    /// The programs, run in turns.
    tzeva: Vec<PathBuf>,
    /// Further arguments of `tzeva backtest`.
    with: Vec<String>,
    results: Option<PathBuf>,
}

/// What one run came to.
struct Run {
    seconds: f64,
    /// Processor time, user and system.
    spent: f64,
    /// The most memory that was resident, in MiB.
    resident: f64,
    summary: Value,
}

/// The kernel counts in hundredths of a second, whatever its own tick.
const TICKS: f64 = 100.0;
/// How often resident memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let options = Options::parse()?;
    let folder = tempfile::tempdir()?;
    let bytes = write_input(&options, folder.path())?;
    println!("{} events, {bytes} bytes", options.events);
    let mut all: Vec<Vec<Run>> = options.tzeva.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.runs {
        for (program, runs) in options.tzeva.iter().zip(&mut all) {
            let run = once(program, &options, folder.path())?;
            println!("{}: {}", program.display(), run.line(options.events));
            runs.push(run);
        }
    }
    if let Some(results) = &options.results {
        std::fs::create_dir_all(results)?;
        let name = format!("backtest-{}", options.audiences);
        std::fs::write(results.join(format!("{name}.md")), page(&options, &all, bytes))?;
        let numbers: Vec<Vec<Value>> = all
            .iter()
            .map(|runs| runs.iter().map(|run| run.json(options.events)).collect())
            .collect();
        let whole = json!({ "machine": machine(), "events": options.events, "bytes": bytes, "runs": numbers });
        std::fs::write(results.join(format!("{name}.json")), format!("{whole:#}\n"))?;
    }
    Ok(())
}

// === impl Options ===

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            events: 2_000_000,
            visitors: 500_000,
            audiences: 100,
            seed: 1,
            runs: 3,
            tzeva: vec!["target/release/tzeva".into()],
            with: Vec::new(),
            results: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} wants a value"))?;
            match word.as_str() {
                "--events" => options.events = value.parse()?,
                "--visitors" => options.visitors = value.parse()?,
                "--audiences" => options.audiences = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--runs" => options.runs = value.parse()?,
                "--tzeva" => options.tzeva = value.split(',').map(PathBuf::from).collect(),
                "--with" => options.with = value.split(' ').map(str::to_owned).collect(),
                "--results" => options.results = Some(value.into()),
                _ => anyhow::bail!("no such option: {word}"),
            }
        }
        Ok(options)
    }
}

/// Writes events and audiences; answers how many bytes the events take.
fn write_input(options: &Options, folder: &Path) -> Result<u64> {
    let rules = folder.join("rules");
    std::fs::create_dir(&rules)?;
    std::fs::write(rules.join("paint.yaml"), tzeva_bench::paint())?;
    let audiences = tzeva_bench::audiences(options.seed, options.audiences);
    std::fs::write(rules.join("bench.yaml"), audiences)?;
    let path = folder.join("events.ndjson");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    for sent in Traffic::new(Plan::sized(options.seed, options.visitors, options.events)) {
        out.write_all(&sent.call.json())?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(std::fs::metadata(&path)?.len())
}

/// One run of `program`.
fn once(program: &Path, options: &Options, folder: &Path) -> Result<Run> {
    let summary = folder.join("summary.json");
    let (before, began) = (children()?, Instant::now());
    let mut child = Command::new(program)
        .arg("backtest")
        .arg("--audiences")
        .arg(folder.join("rules"))
        .arg("--summary")
        .arg(&summary)
        .args(&options.with)
        .arg("--events")
        .arg(folder.join("events.ndjson"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let status = format!("/proc/{}/status", child.id());
    let (ended, end) = channel::<()>();
    let looking = std::thread::spawn(move || {
        let mut most = 0.0_f64;
        while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            most = most.max(kib.unwrap_or(0.0) / 1_024.0);
        }
        most
    });
    let code = child.wait()?;
    let (seconds, spent) = (began.elapsed().as_secs_f64(), children()? - before);
    drop(ended);
    ensure!(code.success(), "{} ended with {code}", program.display());
    let resident = looking.join().unwrap_or(0.0);
    let summary = serde_json::from_str(&std::fs::read_to_string(&summary)?)?;
    Ok(Run { seconds, spent, resident, summary })
}

// === impl Run ===

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn each(&self, events: u64) -> (f64, f64) {
        (events as f64 / self.seconds, self.spent * 1e6 / events as f64)
    }

    fn line(&self, events: u64) -> String {
        let (rate, cpu) = self.each(events);
        format!(
            "{rate:.0} events/s, {cpu:.2} CPU-us an event, {:.0} MiB, {} changes",
            self.resident, self.summary["changes"]
        )
    }

    fn json(&self, events: u64) -> Value {
        let (rate, cpu) = self.each(events);
        json!({
            "events_per_second": rate,
            "cpu_us_per_event": cpu,
            "resident_mib": self.resident,
            "seconds_reading": self.summary["seconds_reading"],
            "seconds_deciding": self.summary["seconds_deciding"],
            "changes": self.summary["changes"],
        })
    }
}

fn page(options: &Options, all: &[Vec<Run>], bytes: u64) -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut page = format!(
        "# Backtest\n\n`cargo xtask bench backtest {}`\n\n* machine: {}; not idle unless said: trust processor time, and \
         ratios between programs, which ran in turns\n* input: {} events of retarget-1 (seed {}, {} visitors) as NDJSON, \
         {bytes} bytes; {} audiences\n\n\
         | program | run | events/s | CPU-µs an event | at most resident, MiB | changes |\n|---|---|---|---|---|---|\n",
        words.join(" "),
        machine(),
        options.events,
        options.seed,
        options.visitors,
        options.audiences,
    );
    for (program, runs) in options.tzeva.iter().zip(all) {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        for (number, run) in (1..).zip(runs) {
            let (rate, cpu) = run.each(options.events);
            let _ = writeln!(
                page,
                "| {name} | {number} | {rate:.0} | {cpu:.2} | {:.0} | {} |",
                run.resident, run.summary["changes"]
            );
        }
    }
    page
}

/// Processor time of the children that have ended, in seconds.
fn children() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name stands in brackets and may hold anything; fields are counted from behind it.
    let rest = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = rest.split_whitespace().skip(1).flat_map(str::parse).collect();
    let field = |number: usize| fields.get(number - 4).copied().unwrap_or(0.0);
    Ok((field(16) + field(17)) / TICKS)
}

/// Processor, cores, kernel.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let text = read("/proc/cpuinfo");
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "{} x {cores}, Linux {}",
        model.map_or("", |(_, name)| name.trim()),
        read("/proc/sys/kernel/osrelease").trim()
    )
}
