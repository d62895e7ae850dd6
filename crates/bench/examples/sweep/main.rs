//! `cargo xtask bench sweep`: how long it takes until new rules have met everybody, and what that does to those who are on
//! the site meanwhile.
//!
//! Starts a Kafka and a Redis of its own, gives every visitor some history, then lets a few visitors a second go on as
//! before: first under quiet, then while a set that differs by one audience is swept, then while one in which every
//! category fades otherwise is swept, which concerns everybody. Before that, the plan that `audience apply` shows is made of
//! each by all stored profiles. Freshness (from an event's record time to the published
//! change) is taken from what owners observe, span by span, not from buckets.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads clock, arguments and files")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../drain/painter.rs"]
mod painter;
mod planned;
#[path = "../drain/probe.rs"]
#[allow(dead_code, reason = "what processes use is measured by the drain")]
mod probe;
mod spans;

use anyhow::{Context, Result, ensure};
use painter::{Painter, Place, compiled, sources, stored};
use planned::{Planned, planned};
use serde_json::json;
use spans::{Keeping, Spans, sorted};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tzeva_bench::{Call, Plan, Topic, Traffic, visitor_id};
use tzeva_kafka::Settings;
use tzeva_kafka::admin::{Admin, Fed, Feeder};
use tzeva_model::{Millis, UnixMillis, VisitorId};
use tzeva_testkit::servers::{Kafka, Redis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    visitors: u64,
    /// Events that each visitor has behind them.
    history: u64,
    audiences: usize,
    partitions: u16,
    /// Events a second while it is measured.
    rate: u64,
    /// Seconds of quiet.
    quiet: u64,
    seed: u64,
    threads: usize,
    results: Option<PathBuf>,
}

/// One phase.
struct Phase {
    name: &'static str,
    seconds: f64,
    /// Milliseconds from record time to publication, ascending.
    freshness: Vec<i64>,
    met: f64,
    written: f64,
}

/// Sends the workload, for ever new.
struct Load<'a> {
    feeder: Feeder,
    traffic: Traffic,
    settings: &'a Settings,
    options: &'a Options,
    sent: u64,
    value: Vec<u8>,
}

const ONE_MORE: &str = "one audience more";
const FADED: &str = "every category fades otherwise";

fn main() -> Result<()> {
    let options = Options::parse()?;
    let kafka = Kafka::start(&[])?;
    let redis = Redis::start(&["--maxmemory", "6gb"])?;
    let settings = sources(&kafka.bootstrap());
    let plan = tzeva_kafka::admin::Plan { partitions: options.partitions, replication: 1 };
    Admin::new(&settings)?.create(&plan)?;
    let mut load = Load::new(&options, &settings)?;
    let began = Instant::now();
    load.history()?;
    println!("{} events written in {} s", load.sent, began.elapsed().as_secs());
    let spans = Arc::new(Spans::default());
    let first = compiled(options.audiences, |text| text)?;
    let place = Place {
        kafka: &settings,
        redis: &redis.url(),
        partitions: options.partitions,
        threads: options.threads,
    };
    let kept = Arc::clone(&spans);
    let painter = Painter::start(&place, first.clone(), |watcher| {
        Arc::new(Keeping { spans: kept, watcher })
    })?;
    drained(&painter, load.sent)?;
    println!("{} profiles in {} s", options.visitors, began.elapsed().as_secs());
    let one_more = compiled(options.audiences + 1, |text| text)?;
    let faded = compiled(options.audiences, |text| text.replace("category: 14d", "category: 13d"))?;
    let store = stored(&settings, place.redis);
    let plans = [
        planned(ONE_MORE, (&first, &one_more), &store, now()?)?,
        planned(FADED, (&first, &faded), &store, now()?)?,
    ];
    let mut phases = vec![quiet(&options, &painter, &mut load, &spans)?];
    phases.push(swept(ONE_MORE, one_more, (&painter, &mut load, &spans))?);
    phases.push(quiet(&options, &painter, &mut load, &spans)?);
    phases.push(swept(FADED, faded, (&painter, &mut load, &spans))?);
    report(&options, &plans, &phases)
}

// === impl Options ===

impl Options {
    fn parse() -> Result<Self> {
        let mut options = Self {
            visitors: 1_000_000,
            history: 3,
            audiences: 1_000,
            partitions: 16,
            rate: 1_000,
            quiet: 30,
            seed: 1,
            threads: 2,
            results: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} wants a value"))?;
            match word.as_str() {
                "--visitors" => options.visitors = value.parse()?,
                "--history" => options.history = value.parse()?,
                "--audiences" => options.audiences = value.parse()?,
                "--partitions" => options.partitions = value.parse()?,
                "--rate" => options.rate = value.parse()?,
                "--quiet" => options.quiet = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--threads" => options.threads = value.parse()?,
                "--results" => options.results = Some(value.into()),
                _ => anyhow::bail!("no such option: {word}"),
            }
        }
        Ok(options)
    }
}

// === impl Load ===

impl<'a> Load<'a> {
    fn new(options: &'a Options, settings: &'a Settings) -> Result<Self> {
        let start = now()? - Millis::DAY;
        // More than is ever sent: the history of everybody, and half an hour at the settled rate.
        let events = options.visitors * options.history + options.rate * 1_800;
        let plan = Plan::sized(options.seed, options.visitors, events);
        let traffic = Traffic::new(Plan { start, ..plan });
        let (feeder, value) = (Feeder::new(settings)?, Vec::with_capacity(1_024));
        Ok(Self { feeder, traffic, settings, options, sent: 0, value })
    }

    /// Some events for every visitor, an hour ago.
    fn history(&mut self) -> Result<()> {
        let at = now()? - Millis::HOUR;
        for number in 0..self.options.visitors * self.options.history {
            let visitor = visitor_id(self.options.seed, number % self.options.visitors);
            self.next(Some(visitor), at)?;
        }
        self.feeder.flush()?;
        Ok(())
    }

    /// The next call, as of `at`, perhaps by somebody else.
    fn next(&mut self, visitor: Option<String>, at: UnixMillis) -> Result<()> {
        let sent = self.traffic.next().context("the workload has no end")?;
        let visitor = visitor.unwrap_or_else(|| sent.call.visitor.clone());
        let id = format!("{}-{}", sent.call.id, self.sent);
        let call = Call { visitor, id, at, ..sent.call };
        self.value.clear();
        call.write_json(&mut self.value);
        let visitor = VisitorId::try_new(&call.visitor)?;
        let topic = match sent.topic {
            Topic::Visits => &self.settings.topics.sources[0].name,
            Topic::Purchases => &self.settings.topics.sources[1].name,
        };
        self.sent += 1;
        self.feeder.write(&Fed {
            topic,
            partition: visitor.partition(self.options.partitions),
            time: Some(at),
            key: Some(visitor.as_str().as_bytes()),
            value: &self.value,
            headers: &[],
        })?;
        Ok(())
    }

    /// Goes on at the settled rate until `over`; each event carries the instant at which it was due.
    fn run(&mut self, mut over: impl FnMut() -> Result<bool>) -> Result<f64> {
        let (began, first) = (Instant::now(), now()?);
        let mut due = 0;
        loop {
            let passed = began.elapsed();
            let wanted = self.options.rate * u64::try_from(passed.as_millis())? / 1_000;
            while due < wanted {
                let offset = i64::try_from(due * 1_000 / self.options.rate)?;
                self.next(None, first + Millis::new(offset))?;
                due += 1;
            }
            if over()? {
                self.feeder.flush()?;
                return Ok(passed.as_secs_f64());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Waits until everything is decided and stored.
fn drained(painter: &Painter, events: u64) -> Result<()> {
    let patience = Instant::now() + Duration::from_secs(600);
    #[expect(clippy::cast_precision_loss, reason = "millions")]
    let all = events as f64;
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let metrics = painter.metrics();
        ensure!(metrics.sum("tzeva_partitions_refused_total") == 0.0, "{}", painter.why());
        ensure!(Instant::now() < patience, "not drained in 10 minutes: {metrics:?}");
        let stored = metrics.sum("tzeva_unapplied_profiles") == 0.0;
        if metrics.sum("tzeva_records_total") >= all && stored {
            return Ok(());
        }
    }
}

fn quiet(
    options: &Options,
    painter: &Painter,
    load: &mut Load<'_>,
    spans: &Spans,
) -> Result<Phase> {
    let end = Instant::now() + Duration::from_secs(options.quiet);
    measured("quiet", painter, spans, || load.run(|| Ok(Instant::now() >= end)))
}

fn swept(
    name: &'static str,
    rules: tzeva_engine::Rules,
    (painter, load, spans): (&Painter, &mut Load<'_>, &Spans),
) -> Result<Phase> {
    let activations = painter.metrics().sum("tzeva_rules_activations_total");
    let partitions = f64::from(load.options.partitions);
    painter.publish(rules);
    let mut looked = Instant::now();
    measured(name, painter, spans, || {
        load.run(|| {
            if looked.elapsed() < Duration::from_millis(100) {
                return Ok(false);
            }
            looked = Instant::now();
            let metrics = painter.metrics();
            ensure!(metrics.sum("tzeva_partitions_refused_total") == 0.0, "{}", painter.why());
            let switched = metrics.sum("tzeva_rules_activations_total") - activations >= partitions;
            Ok(switched && metrics.sum("tzeva_sweep_shards_left") == 0.0)
        })
    })
}

fn measured(
    name: &'static str,
    painter: &Painter,
    spans: &Spans,
    work: impl FnOnce() -> Result<f64>,
) -> Result<Phase> {
    let before = painter.metrics();
    spans.take();
    let seconds = work()?;
    let after = painter.metrics();
    let grown = |metric| after.sum(metric) - before.sum(metric);
    let phase = Phase {
        name,
        seconds,
        freshness: sorted(spans.take()),
        met: grown("tzeva_sweep_profiles_total"),
        written: grown("tzeva_profiles_written_total"),
    };
    println!("{}", phase.line());
    Ok(phase)
}

// === impl Phase ===

impl Phase {
    fn quantile(&self, of_thousand: usize) -> i64 {
        let place =
            (self.freshness.len() * of_thousand / 1_000).min(self.freshness.len().max(1) - 1);
        self.freshness.get(place).copied().unwrap_or(0)
    }

    fn line(&self) -> String {
        format!(
            "| {} | {:.1} | {:.0} | {:.0} | {} | {} | {} | {} |",
            self.name,
            self.seconds,
            self.met,
            self.written,
            self.freshness.len(),
            self.quantile(500),
            self.quantile(990),
            self.quantile(999),
        )
    }
}

fn report(options: &Options, plans: &[Planned], phases: &[Phase]) -> Result<()> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    let lines: Vec<_> = phases.iter().map(Phase::line).collect();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let page = format!(
        "# Sweep\n\n`cargo xtask bench sweep {}`\n\n* {} visitors with {} events each, {} audiences, {} partitions, {} painter \
         threads, {} events a second while it is measured; real Kafka, Redis and painter on two cores; load average at the \
         end {}\n* freshness: from an event's record time to the publication of the change it caused, in ms\n\n\
         | phase | seconds | profiles met | profiles written | changes by events | p50 | p99 | p99.9 |\n\
         |---|---|---|---|---|---|---|---|\n{}\n\n\
         Plans of the same, by one thread, before the first phase:\n\n\
         | plan | seconds | profiles | would enter | would leave |\n|---|---|---|---|---|\n{}\n",
        command.join(" "),
        options.visitors,
        options.history,
        options.audiences,
        options.partitions,
        options.threads,
        options.rate,
        load.trim(),
        lines.join("\n"),
        plans.iter().map(Planned::line).collect::<Vec<_>>().join("\n")
    );
    println!("{page}");
    let Some(folder) = &options.results else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    let phase = |phase: &Phase| {
        json!({ "name": phase.name, "seconds": phase.seconds, "profiles_met": phase.met,
                "profiles_written": phase.written, "changes": phase.freshness.len(),
                "p50_ms": phase.quantile(500), "p99_ms": phase.quantile(990), "p999_ms": phase.quantile(999) })
    };
    let whole = json!({ "options": format!("{options:?}"), "phases": phases.iter().map(phase).collect::<Vec<_>>(),
                        "plans": plans.iter().map(Planned::json).collect::<Vec<_>>() });
    std::fs::write(folder.join("sweep.md"), page)?;
    std::fs::write(folder.join("sweep.json"), format!("{whole:#}\n"))?;
    Ok(())
}

fn now() -> Result<UnixMillis> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(UnixMillis::new(i64::try_from(now)?))
}
