//! A shop of one's own on real servers: topics and keys that no other test has, its rules, what it feeds.
#![allow(dead_code, reason = "each test target uses its part")]

pub(crate) mod data;
pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod painter;
pub(crate) mod random;
pub(crate) mod redis;
pub(crate) mod sets;
pub(crate) mod told;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_kafka::admin::{Admin, Fed, Feeder, Plan};
use tzeva_kafka::{Settings, SourceTopic, Topics};
use tzeva_model::{Millis, Partition, TopicIndex, UnixMillis, VisitorId};
use tzeva_testkit::servers;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// What a shop is to be like.
pub(crate) struct Wanted {
    /// Partitions of each topic.
    pub partitions: u16,
    /// The sources carry the producers' time.
    pub create_time: bool,
    /// The audience files.
    pub audiences: PathBuf,
    /// Fields kept beyond the usual ones.
    pub keep: Vec<String>,
}

/// A shop.
pub(crate) struct Shop {
    pub wanted: Wanted,
    pub kafka: Settings,
    pub redis: tzeva_redis::Settings,
    pub registry: Option<String>,
    pub admin: Admin,
    pub rules: Arc<RuleSet>,
    pub folder: tempfile::TempDir,
    /// Writer's schemas by id, for the judge.
    pub schemas: Vec<(u32, String)>,
}

/// A record of a shop.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub topic: TopicIndex,
    pub partition: Partition,
    pub time: UnixMillis,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// How long history lasts; who is idle for that long is forgotten.
pub(crate) const MAX_AGE: Millis = Millis::DAY.times(400);

// === impl Shop ===

impl Shop {
    /// Opens it on the shared servers; its topics are made.
    pub(crate) fn open(wanted: Wanted) -> Self {
        let redis = format!("redis://{}", servers::redis().unwrap());
        Self::open_on(wanted, &redis)
    }

    /// The same with a Redis of its own.
    pub(crate) fn open_on(wanted: Wanted, redis: &str) -> Self {
        let shop = Self::named(wanted, redis);
        let partitions = shop.wanted.partitions;
        let time = if shop.wanted.create_time { "CreateTime" } else { "LogAppendTime" };
        for source in &shop.kafka.topics.sources {
            shop.make_source(&source.name, partitions, time);
        }
        let made = shop.admin.create(&Plan { partitions, replication: 1 }).unwrap();
        assert_eq!(made.len(), 7, "{made:?}");
        shop
    }

    /// The same without topics.
    pub(crate) fn named(wanted: Wanted, redis: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("e{}-{number}", std::process::id());
        let name = |topic: &str| format!("{prefix}.{topic}");
        let create_time = wanted.create_time;
        let source = |topic: &str| SourceTopic { name: name(topic), create_time };
        let mut kafka = Settings::new(servers::kafka().unwrap());
        kafka.group = name("group");
        kafka.topics = Topics {
            sources: vec![source("visits"), source("purchases")],
            log: name("log"),
            changes: name("changes"),
            names: name("names"),
            rules: name("rules"),
            dead_letters: name("dead-letters"),
        };
        let redis = tzeva_redis::Settings {
            url: redis.to_owned(),
            prefix: format!("{prefix}:"),
            ..tzeva_redis::Settings::default()
        };
        let rules = Arc::new(rules(&wanted));
        let admin = Admin::new(&kafka).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { wanted, kafka, redis, registry: None, admin, rules, folder, schemas: Vec::new() }
    }

    /// A source topic that keeps everything, however old its times say it is, and takes records beyond the limit.
    pub(crate) fn make_source(&self, name: &str, partitions: u16, time: &str) {
        let config = [
            ("message.timestamp.type", time),
            ("retention.ms", "-1"),
            ("max.message.bytes", "2097152"),
        ];
        self.admin.make(name, partitions, &config).unwrap();
    }

    /// The settings as a painter reads them.
    pub(crate) fn settings(&self) -> Value {
        let source =
            |topic: &SourceTopic| json!({"topic": topic.name, "create_time": topic.create_time});
        let topics = &self.kafka.topics;
        let sources: Vec<Value> = topics.sources.iter().map(source).collect();
        let mut settings = json!({
            "audiences": self.wanted.audiences,
            "sources": sources,
            "topics": {
                "log": topics.log, "changes": topics.changes, "names": topics.names, "rules": topics.rules,
                "dead_letters": topics.dead_letters, "replication": 1,
            },
            "history": {"max_age": format!("{}d", MAX_AGE.get() / Millis::DAY.get()), "keep": self.wanted.keep},
            "kafka": {"brokers": self.kafka.bootstrap, "group": self.kafka.group},
            "redis": {"url": self.redis.url, "prefix": self.redis.prefix},
            "http": {"listen": "127.0.0.1:0"},
        });
        if let Some(registry) = &self.registry {
            settings["registry"] = json!({"url": registry});
        }
        settings
    }

    /// Writes the settings to a file, changed by `change`.
    pub(crate) fn settings_file(&self, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut settings = self.settings();
        change(&mut settings);
        let path = self.folder.path().join(name);
        std::fs::write(&path, serde_json::to_string_pretty(&settings).unwrap()).unwrap();
        path
    }

    /// The partitions.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.wanted.partitions).map(Partition::new)
    }

    /// The name of a source topic.
    pub(crate) fn source(&self, topic: TopicIndex) -> &str {
        &self.kafka.topics.sources[usize::from(topic.get())].name
    }

    /// Writes records, in this order.
    pub(crate) fn feed<'a>(&self, records: impl IntoIterator<Item = &'a Record>) {
        let feeder = Feeder::new(&self.kafka).unwrap();
        for record in records {
            let topic = self.source(record.topic);
            let time = self.wanted.create_time.then_some(record.time);
            let fed = Fed {
                topic,
                partition: record.partition,
                time,
                key: Some(&record.key),
                value: &record.value,
                headers: &record.headers,
            };
            feeder.write(&fed).unwrap();
        }
        feeder.flush().unwrap();
    }

    /// What its rules are checked against.
    pub(crate) fn check_settings(&self) -> CheckSettings {
        check_settings(&self.wanted)
    }

    /// How the sources' records are read.
    pub(crate) fn decode_settings(&self) -> tzeva_decode::Settings {
        tzeva_decode::Settings {
            partitions: self.wanted.partitions,
            keep: self.wanted.keep.clone(),
            ..tzeva_decode::Settings::default()
        }
    }

    /// A record of a visitor where it belongs.
    pub(crate) fn record(
        &self,
        topic: u8,
        visitor: &str,
        time: UnixMillis,
        value: Vec<u8>,
    ) -> Record {
        let id = VisitorId::try_new(visitor).unwrap();
        Record {
            topic: TopicIndex::new(topic),
            partition: id.partition(self.wanted.partitions),
            time,
            key: visitor.into(),
            value,
            headers: Vec::new(),
        }
    }
}

/// Asks `probe` until it answers; `what` says what was waited for in vain.
pub(crate) fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        rest(Duration::from_millis(100));
    }
}

/// A pause between two probes of a wait with a deadline.
pub(crate) fn rest(pause: Duration) {
    let (_keep, nothing) = std::sync::mpsc::channel::<()>();
    let _ = nothing.recv_timeout(pause);
}

/// The folder of the shipped sample.
pub(crate) fn sample_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/ecom")
}

fn check_settings(wanted: &Wanted) -> CheckSettings {
    CheckSettings {
        max_age: MAX_AGE,
        idle: MAX_AGE,
        keep: wanted.keep.clone(),
        ..CheckSettings::default()
    }
}

fn rules(wanted: &Wanted) -> RuleSet {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&wanted.audiences).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        files.push(SourceFile { path: path.display().to_string(), text });
    }
    let compiled = compile(&files, &check_settings(wanted));
    let problems: Vec<_> = compiled.problems.iter().map(|p| p.message.clone()).collect();
    compiled.rules.unwrap_or_else(|| panic!("{problems:#?}"))
}
