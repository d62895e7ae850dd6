//! `cargo xtask bench drain`: how fast a painter drains preloaded topics, and what it costs.
//!
//! Starts a Kafka and a Redis of its own, writes `retarget-1` to two source topics with CreateTime, then lets a painter of
//! the real parts, in this process, take it all in. From the moment a tenth is decided: events a second until all are,
//! and processor time an event of the painter, of Kafka and of Redis until all is stored too. Wall time means little on a
//! machine that does other things; processor time does.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads clock, arguments and files")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod painter;
mod probe;
mod report;

use anyhow::{Context, Result, ensure};
use painter::{Painter, Place, compiled, sources};
use probe::Usage;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tzeva_bench::{Plan, Topic, Traffic};
use tzeva_kafka::Settings;
use tzeva_kafka::admin::{Admin, Fed, Feeder};
use tzeva_model::{Millis, UnixMillis, VisitorId};
use tzeva_testkit::servers::{Kafka, Redis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    events: u64,
    visitors: u64,
    audiences: Vec<usize>,
    partitions: u16,
    seed: u64,
    /// The painter's threads.
    threads: usize,
    /// Where the report goes, beside being printed.
    results: Option<PathBuf>,
}

/// What one drain came to.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    audiences: usize,
    /// Events decided while it was timed.
    events: f64,
    seconds: f64,
    /// Processor time while it was timed, in seconds: painter, Kafka, Redis.
    spent: [f64; 3],
    /// Resident memory at the end, in bytes: painter, Kafka, Redis.
    resident: [f64; 3],
    /// The painter's counters at the end, over all events.
    totals: probe::Metrics,
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    if let [audiences] = options.audiences[..] {
        return one(&options, audiences);
    }
    // Each in a process of its own, so that none is measured on what another left behind.
    let folder =
        options.results.clone().context("several runs are compared by --results FOLDER")?;
    let mut each = Vec::new();
    for audiences in &options.audiences {
        let words = std::env::args().skip(1);
        let status = Command::new(std::env::current_exe()?)
            .args(words)
            .args(["--audiences", &audiences.to_string()])
            .status()?;
        ensure!(status.success(), "the run with {audiences} audiences failed");
        each.push((*audiences, report::spent(&folder, *audiences)?));
    }
    if let [(few, low), .., (many, high)] = each[..] {
        println!("{few} -> {many} audiences: {:.2} times the processor time an event", high / low);
    }
    Ok(())
}

/// One drain on servers of its own.
fn one(options: &Options, audiences: usize) -> Result<()> {
    let mut kafka = Kafka::start(&[])?;
    let mut redis = Redis::start(&["--maxmemory", "6gb"])?;
    let settings = sources(&kafka.bootstrap());
    Admin::new(&settings)?.create(&plan(options))?;
    let began = Instant::now();
    feed(options, &settings)?;
    println!("{} events written in {} s", options.events, began.elapsed().as_secs());
    let place = Place {
        kafka: &settings,
        redis: &redis.url(),
        partitions: options.partitions,
        threads: options.threads,
    };
    let rules = compiled(audiences, |text| text)?;
    let painter = Painter::start(&place, rules, |watcher| Arc::new(watcher))?;
    let others = [kafka.process().pid(), redis.process().pid()];
    let run = drain(options, &painter, others, audiences)?;
    report::write(options, &run)
}

// === impl Options ===

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            events: 2_000_000,
            visitors: 1_000_000,
            audiences: vec![1_000],
            partitions: 16,
            seed: 1,
            threads: 2,
            results: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} wants a value"))?;
            match word.as_str() {
                "--events" => options.events = value.parse()?,
                "--visitors" => options.visitors = value.parse()?,
                "--audiences" => {
                    let all: Result<Vec<usize>, _> = value.split(',').map(str::parse).collect();
                    options.audiences = all?;
                }
                "--partitions" => options.partitions = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--threads" => options.threads = value.parse()?,
                "--results" => options.results = Some(value.into()),
                _ => anyhow::bail!("no such option: {word}"),
            }
        }
        Ok(options)
    }
}

fn plan(options: &Options) -> tzeva_kafka::admin::Plan {
    tzeva_kafka::admin::Plan { partitions: options.partitions, replication: 1 }
}

/// Writes the workload to the source topics.
fn feed(options: &Options, settings: &Settings) -> Result<()> {
    let feeder = Feeder::new(settings)?;
    let mut value = Vec::with_capacity(1_024);
    // It ends before now: at the end of its sources a painter goes on to the present, and would fire what came due since.
    let today = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let start = UnixMillis::new(i64::try_from(today)?) - Millis::DAY.times(16);
    let plan = Plan::sized(options.seed, options.visitors, options.events);
    for sent in Traffic::new(Plan { start, ..plan }) {
        value.clear();
        sent.call.write_json(&mut value);
        let visitor = VisitorId::try_new(&sent.call.visitor)?;
        let topic = match sent.topic {
            Topic::Visits => &settings.topics.sources[0].name,
            Topic::Purchases => &settings.topics.sources[1].name,
        };
        feeder.write(&Fed {
            topic,
            partition: visitor.partition(options.partitions),
            time: Some(sent.record_time),
            key: Some(visitor.as_str().as_bytes()),
            value: &value,
            headers: &[],
        })?;
    }
    feeder.flush()?;
    Ok(())
}

/// Watches a painter until everything is decided and stored.
fn drain(options: &Options, painter: &Painter, others: [u32; 2], audiences: usize) -> Result<Run> {
    let pids = [std::process::id(), others[0], others[1]];
    #[expect(clippy::cast_precision_loss, reason = "millions")]
    let all = options.events as f64;
    let patience = Instant::now() + Duration::from_secs(300);
    let mut from: Option<(f64, Usage)> = None;
    let mut seconds = None;
    let mut told = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let metrics = painter.metrics();
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            println!(
                "{} decided, {} not stored",
                metrics.sum("tzeva_records_total"),
                metrics.sum("tzeva_unapplied_profiles")
            );
        }
        let (decided, usage) = (metrics.sum("tzeva_records_total"), Usage::of(pids)?);
        let Some((first, before)) = &from else {
            if decided >= all / 10.0 {
                from = Some((decided, usage));
            }
            continue;
        };
        if decided >= all && seconds.is_none() {
            seconds = Some((usage.at - before.at).as_secs_f64());
        }
        // What is decided has still to be published and stored, and that costs too.
        let stored = metrics.sum("tzeva_unapplied_profiles") == 0.0;
        let refused = metrics.sum("tzeva_partitions_refused_total");
        ensure!(refused == 0.0, "{refused} partitions are refused: {}", painter.why());
        ensure!(Instant::now() < patience, "not drained in 5 minutes: {metrics:?}");
        if let Some(seconds) = seconds.filter(|_| stored) {
            return Ok(Run {
                audiences,
                events: decided - first,
                seconds,
                spent: std::array::from_fn(|i| usage.spent[i] - before.spent[i]),
                resident: usage.resident,
                totals: metrics,
            });
        }
    }
}
