//! The report: a line a run for people who wait, a page and a file of numbers to keep.

use crate::{Options, Run};
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const NAMES: [&str; 3] = ["painter", "kafka", "redis"];

// === impl Run ===

impl Run {
    fn rate(&self) -> f64 {
        self.events / self.seconds
    }

    /// Microseconds of processor time an event: painter, Kafka, Redis.
    fn each(&self) -> [f64; 3] {
        self.spent.map(|spent| spent * 1e6 / self.events)
    }

    fn per_event(&self, metric: &str) -> f64 {
        self.totals.sum(metric) / self.totals.sum("tzeva_records_total")
    }
}

/// One run in one line.
fn line(run: &Run) -> String {
    let ([painter, kafka, redis], [own, theirs, store]) = (run.each(), run.resident.map(mebibytes));
    format!(
        "{} audiences: {:.0} events/s; CPU-us an event: painter {painter:.2}, Kafka {kafka:.2}, Redis {redis:.2}, \
         all {:.2}; MiB: painter {own:.0}, Kafka {theirs:.0}, Redis {store:.0}; an event: {:.0} log bytes, \
         {:.2} profile writes, {:.2} changes, {:.2} deadlines",
        run.audiences,
        run.rate(),
        run.each().iter().sum::<f64>(),
        run.per_event("tzeva_log_bytes_total"),
        run.per_event("tzeva_profiles_written_total"),
        run.per_event("tzeva_changes_total"),
        run.per_event("tzeva_deadlines_fired_total"),
    )
}

/// Prints a line; writes a page and the numbers to the folder of results, if one is given.
pub(crate) fn write(options: &Options, run: &Run) -> Result<()> {
    println!("{}", line(run));
    let machine = machine();
    let settings = format!("{options:?}");
    let command: Vec<String> = std::env::args().skip(1).collect();
    let mut page = format!(
        "# Drain\n\n`cargo xtask bench drain {}`\n\n* machine: {machine}; not idle unless said: trust processor time\n\
         * revision: {}\n* versions: Kafka 4.3.1, {}, {}\n\
         * settings: {} events of retarget-1 (seed {}, {} visitors) as JSON, {} partitions, {} painter threads, \
         AOF everysec, one broker, no replica\n\n\
         | audiences | events/s | CPU-µs an event: painter | Kafka | Redis | all | log bytes | profile writes | changes |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        command.join(" "),
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("redis-server", &["--version"]),
        said("rustc", &["--version"]),
        options.events,
        options.seed,
        options.visitors,
        options.partitions,
        options.threads,
    );
    let [painter, kafka, redis] = run.each();
    let _ = writeln!(
        page,
        "| {} | {:.0} | {painter:.2} | {kafka:.2} | {redis:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
        run.audiences,
        run.rate(),
        painter + kafka + redis,
        run.per_event("tzeva_log_bytes_total"),
        run.per_event("tzeva_profiles_written_total"),
        run.per_event("tzeva_changes_total"),
    );
    let Some(folder) = &options.results else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    let whole = json!({ "machine": machine, "settings": settings, "run": number(run) });
    std::fs::write(folder.join(format!("drain-{}.md", run.audiences)), page)?;
    std::fs::write(folder.join(format!("drain-{}.json", run.audiences)), format!("{whole:#}\n"))?;
    Ok(())
}

/// The processor time an event of all processes together, as written by a run.
pub(crate) fn spent(folder: &Path, audiences: usize) -> Result<f64> {
    let text = std::fs::read_to_string(folder.join(format!("drain-{audiences}.json")))?;
    let whole: Value = serde_json::from_str(&text)?;
    let each = &whole["run"]["cpu_us_per_event"];
    Ok(NAMES.iter().filter_map(|name| each[name].as_f64()).sum())
}

fn number(run: &Run) -> Value {
    let named = |values: [f64; 3]| -> Value {
        NAMES.into_iter().zip(values).map(|(name, value)| (name.to_owned(), json!(value))).collect()
    };
    json!({
        "audiences": run.audiences,
        "events": run.events,
        "seconds": run.seconds,
        "events_per_second": run.rate(),
        "cpu_us_per_event": named(run.each()),
        "resident_bytes": named(run.resident),
        "log_bytes_per_event": run.per_event("tzeva_log_bytes_total"),
        "profile_writes_per_event": run.per_event("tzeva_profiles_written_total"),
        "changes_per_event": run.per_event("tzeva_changes_total"),
        "deadlines_per_event": run.per_event("tzeva_deadlines_fired_total"),
    })
}

/// Processor, cores, memory, kernel.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (processor, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let cores = processor.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "{} x {cores}, {}, Linux {}",
        field(&processor, "model name"),
        field(&memory, "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("no {program}"))
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}
