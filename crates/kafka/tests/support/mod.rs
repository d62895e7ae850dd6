//! What the tests against a real Kafka share: topics of one's own, a foreign producer, and waiting for replies.
#![allow(dead_code, clippy::unwrap_used, reason = "each test target uses its part")]

use crossbeam_channel::{Receiver, unbounded};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tzeva_commit::port::Sink;
use tzeva_kafka::admin::{Admin, Plan};
use tzeva_kafka::{Settings, SourceTopic, Topics};
use tzeva_testkit::servers;

pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Settings with topics that no other test has, made with `partitions` partitions.
pub(crate) fn fresh(partitions: u16) -> Settings {
    let settings = named();
    let made = admin(&settings).create(&Plan { partitions, replication: 1 }).unwrap();
    assert_eq!(made.len(), 7, "{made:?}");
    settings
}

/// The same without making the topics.
pub(crate) fn named() -> Settings {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = |topic: &str| format!("t{}-{number}.{topic}", std::process::id());
    let source = |topic: &str| SourceTopic { name: name(topic), create_time: false };
    let mut settings = Settings::new(servers::kafka().unwrap());
    settings.group = name("group");
    settings.topics = Topics {
        sources: vec![source("visits"), source("purchases")],
        log: name("log"),
        changes: name("changes"),
        names: name("names"),
        rules: name("rules"),
        dead_letters: name("dead-letters"),
    };
    settings
}

pub(crate) fn admin(settings: &Settings) -> Admin {
    Admin::new(settings).unwrap()
}

/// A sink and what comes out of it.
pub(crate) fn sink<T: Send + 'static>() -> (Sink<T>, Receiver<T>) {
    let (sender, receiver) = unbounded();
    (Arc::new(move |reply| drop(sender.send(reply))), receiver)
}

/// The first reply that `pick` wants; others are thrown away.
pub(crate) fn wait_for<T, U>(replies: &Receiver<T>, mut pick: impl FnMut(T) -> Option<U>) -> U {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Ok(reply) = replies.recv_deadline(deadline) else { panic!("no such reply in time") };
        if let Some(found) = pick(reply) {
            return found;
        }
    }
}

/// Another producer, with the settings given.
pub(crate) fn producer(settings: &Settings, extra: &[(&str, &str)]) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.bootstrap).set("linger.ms", "0");
    for (key, value) in extra {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

/// Writes `values` and waits until they are there.
pub(crate) fn write(producer: &BaseProducer, topic: &str, partition: i32, values: &[&str]) {
    for value in values {
        let record = BaseRecord::to(topic).partition(partition).key("k").payload(*value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}
