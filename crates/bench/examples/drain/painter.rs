//! A painter of the real parts, in this process: the owners' lanes, and the ports on Kafka and Redis.

use crate::probe::Metrics;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_bench::{audiences, paint};
use tzeva_decode::{Decoder, SchemaKey};
use tzeva_engine::Rules;
use tzeva_kafka::admin::{Admin, StartFrom};
use tzeva_kafka::{KafkaChanges, KafkaLog, KafkaSource, Settings, SourceTopic};
use tzeva_model::{Millis, Partition, UnixMillis};
use tzeva_painter::driver::{Clock, Watch};
use tzeva_painter::{
    Inbox, Input, Moment, Owner, Pace, PainterMetrics, Ports, Schemas, SharedNames, SharedRules,
    SweepGate, TimeKind, Topic, Watcher,
};
use tzeva_telemetry::{Health, Registry};

/// A painter at work. Dropped, it is told to stop; what it was measured on is thrown away.
pub(crate) struct Painter {
    inbox: Inbox,
    partitions: u16,
    registry: Registry,
    health: Health,
    rules: SharedRules,
}

/// Where it paints, and with how many threads.
pub(crate) struct Place<'a> {
    pub(crate) kafka: &'a Settings,
    pub(crate) redis: &'a str,
    pub(crate) partitions: u16,
    pub(crate) threads: usize,
}

/// The workload names no schema.
struct NoRegistry;

// === impl Painter ===

impl Painter {
    /// Starts one under `rules`, from the oldest record on; `watch` may look over the shoulder of its own watcher.
    pub(crate) fn start(
        place: &Place<'_>,
        rules: Rules,
        watch: impl FnOnce(Watcher) -> Arc<dyn Watch>,
    ) -> Result<Self> {
        let partitions = place.partitions;
        let rules = SharedRules::of(rules);
        let settings = Arc::new(owner_settings(place, rules.clone()));
        let first = Admin::new(place.kafka)?.start_offsets(partitions, StartFrom::Earliest)?;
        let (registry, health) = (Registry::default(), Health::default());
        let watch = watch(Watcher::new(PainterMetrics::register(&registry), health.clone()));
        let (inbox, lanes) = Inbox::new(place.threads, settings.names.clone());
        let read = tzeva_decode::Settings { partitions, ..tzeva_decode::Settings::default() };
        let owner = |(partition, first)| {
            let decoders = [Decoder::new(&read)?, Decoder::new(&read)?].into();
            let partition = Partition::new(partition);
            let settings = Arc::clone(&settings);
            Ok(Owner::new(partition, settings, decoders, Some(first), 1))
        };
        let owners = (0..partitions).zip(first).map(owner).collect::<Result<Vec<_>>>()?;
        let ports = ports(place.kafka, place.redis, &inbox)?;
        let clock: Clock = Arc::new(now);
        for lane in lanes.deal(owners, (&inbox, &ports), &clock, &watch) {
            std::thread::spawn(move || lane.run());
        }
        Ok(Self { inbox, partitions, registry, health, rules })
    }

    /// Publishes rules behind those that it has.
    #[allow(dead_code, reason = "only one of the benchmarks changes rules")]
    pub(crate) fn publish(&self, rules: Rules) {
        self.rules.add(rules.version(), Ok(rules));
    }

    /// Why it can't go on, if it can't.
    pub(crate) fn why(&self) -> String {
        self.health.reasons().join("; ")
    }

    /// Its metrics.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics::read(&self.registry.text())
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.inbox.stop(self.partitions);
    }
}

impl Schemas for NoRegistry {
    fn fetch(&self, partition: Partition, key: SchemaKey, inbox: &Inbox) {
        inbox.send(partition, Input::Schema(key, None));
    }
}

/// So many audiences and their paint, as `edit` leaves the text.
pub(crate) fn compiled(count: usize, edit: impl Fn(String) -> String) -> Result<Rules> {
    let file = |path: &str, text| SourceFile { path: path.to_owned(), text };
    let files =
        [file("audiences.yaml", edit(audiences(1, count))), file("paint.yaml", edit(paint()))];
    let compiled = compile(&files, &CheckSettings::default());
    let rules = compiled.rules.context("the audiences do not compile")?;
    Ok(Rules::compile(Arc::new(rules), Millis::DAY.times(400)))
}

fn owner_settings(place: &Place<'_>, rules: SharedRules) -> tzeva_painter::Settings {
    let topic = |source: &tzeva_kafka::SourceTopic| Topic {
        name: source.name.clone(),
        time: TimeKind::Create,
        grace: Millis::new(50),
    };
    tzeva_painter::Settings {
        owner: "bench".to_owned(),
        partitions: place.partitions,
        topics: place.kafka.topics.sources.iter().map(topic).collect(),
        rules,
        sweeps: SweepGate::default(),
        engine: tzeva_engine::Settings::default(),
        names: SharedNames::default(),
        pace: Pace { profiles: 1_000_000 / usize::from(place.partitions), ..Pace::default() },
    }
}

/// Where the servers are, and what topics are called.
pub(crate) fn sources(bootstrap: &str) -> Settings {
    let source = |topic: &str| SourceTopic { name: format!("bench.{topic}"), create_time: true };
    let mut settings = Settings::new(bootstrap);
    settings.topics.sources = vec![source("visits"), source("purchases")];
    settings
}

/// Where profiles are.
pub(crate) fn stored(kafka: &Settings, redis: &str) -> tzeva_redis::Settings {
    let prefix = format!("{}:", kafka.group);
    tzeva_redis::Settings { url: redis.to_owned(), prefix, ..tzeva_redis::Settings::default() }
}

fn ports(kafka: &Settings, redis: &str, inbox: &Inbox) -> Result<Ports> {
    let store = tzeva_redis::connect(&stored(kafka, redis), inbox.store())?.store;
    let log = Box::new(KafkaLog::start(kafka, inbox.log())?);
    let changes = Box::new(KafkaChanges::start(kafka, inbox.changes())?);
    let thrown_out = Arc::new(|error| println!("thrown out of the group: {error}"));
    let source = Box::new(KafkaSource::start(kafka, inbox.source(), thrown_out)?);
    Ok(Ports::new(log, store, changes, source, Arc::new(NoRegistry)))
}

fn now() -> Moment {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let millis = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let monotonic = BEGAN.get_or_init(Instant::now).elapsed();
    Moment { monotonic: Millis::new(millis(monotonic)), wall: UnixMillis::new(millis(wall)) }
}
