//! One table of settings per kind of client, audited key by key; nobody else makes a client.
//!
//! A key is here because librdkafka's default loses data, hides an error or wastes memory for what this project does.
//! What each is for stands beside it. `kafka.extra` adds keys and never changes these: [`is_ours`] tells.

use crate::settings::{GroupProtocol, Settings};
use rdkafka::ClientConfig;

/// Whether records of open and aborted transactions are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Only what was committed.
    Committed,
    /// Everything: a stray transaction can't hold back recovery, and an end includes what is in flight.
    Uncommitted,
}

type Table = &'static [(&'static str, &'static str)];

const BOTH: Table = &[
    // A misspelt topic must be an error, not a new topic with one partition.
    ("allow.auto.create.topics", "false"),
    ("statistics.interval.ms", "15000"),
    // A dead peer is noticed after 10 s instead of 60.
    ("socket.timeout.ms", "10000"),
    ("socket.keepalive.enable", "true"),
    // A moved leader or a new partition is noticed after a minute instead of five.
    ("topic.metadata.refresh.interval.ms", "60000"),
    ("reconnect.backoff.max.ms", "2000"),
];

const CONSUMER: Table = &[
    // Positions are in the log.
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // A lost position is a person's decision, never a silent jump.
    ("auto.offset.reset", "error"),
    ("check.crcs", "true"),
    // Memory: 16 MB and 20,000 records prefetched a client.
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "20000"),
    ("fetch.max.bytes", "8388608"),
    // With a small queue the default of a second shows as silences of a second.
    ("fetch.queue.backoff.ms", "20"),
    // How a reader learns that there is nothing more.
    ("enable.partition.eof", "true"),
];

const GROUP_CLASSIC: Table = &[
    ("group.protocol", "classic"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("session.timeout.ms", "45000"),
    ("max.poll.interval.ms", "300000"),
];

/// Under this protocol the broker assigns: a strategy or a session timeout would refuse the client.
const GROUP_CONSUMER: Table = &[("group.protocol", "consumer"), ("max.poll.interval.ms", "300000")];

const PRODUCER: Table = &[
    ("enable.idempotence", "true"),
    ("acks", "all"),
    // "Unknown" comes soon, but not before brokers can have missed one of them; the broker answers first.
    ("message.timeout.ms", "15000"),
    ("request.timeout.ms", "10000"),
    // As Java's default, so that owners name the same partition as every other producer.
    ("partitioner", "murmur2_random"),
    ("queue.buffering.max.kbytes", "65536"),
];

/// Latency: an event's effect waits for this append.
const LOG_PRODUCER: Table = &[("linger.ms", "0"), ("compression.type", "zstd")];

/// Volume; and a change never overtakes the one before it.
const CHANGES_PRODUCER: Table =
    &[("linger.ms", "5"), ("compression.type", "lz4"), ("enable.gapless.guarantee", "true")];

/// Keys that are ours without being in a table, and other names of keys that are.
const OTHER: &[&str] = &[
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "group.instance.id",
    "group.remote.assignor",
    "isolation.level",
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "transactional.id",
    "auto.commit.enable",
    "request.required.acks",
    "delivery.timeout.ms",
    "queue.buffering.max.ms",
    "compression.codec",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "retries",
];

/// True if `key` may not be set by `kafka.extra`.
pub(crate) fn is_ours(key: &str) -> bool {
    let tables =
        [BOTH, CONSUMER, GROUP_CLASSIC, GROUP_CONSUMER, PRODUCER, LOG_PRODUCER, CHANGES_PRODUCER];
    tables.iter().any(|table| table.iter().any(|(ours, _)| *ours == key)) || OTHER.contains(&key)
}

/// A consumer that is told what to read. It never joins the group; librdkafka wants the name all the same.
pub(crate) fn reader(settings: &Settings, isolation: Isolation) -> ClientConfig {
    let mut config = base(settings);
    put(&mut config, CONSUMER);
    config.set("group.id", &settings.group);
    let level = match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    };
    config.set("isolation.level", level);
    config
}

/// A client that only asks brokers. Without a group it needs no coordinator; `read_uncommitted`, so that ends are ends.
pub(crate) fn asker(settings: &Settings) -> ClientConfig {
    let mut config = reader(settings, Isolation::Uncommitted);
    config.remove("group.id");
    config
}

/// The member of the group.
pub(crate) fn member(settings: &Settings) -> ClientConfig {
    let mut config = reader(settings, Isolation::Committed);
    put(
        &mut config,
        match settings.group_protocol {
            GroupProtocol::Classic => GROUP_CLASSIC,
            GroupProtocol::Consumer => GROUP_CONSUMER,
        },
    );
    if let Some(instance) = &settings.instance {
        config.set("group.instance.id", instance);
    }
    config
}

/// The producer of the log.
pub(crate) fn log_producer(settings: &Settings) -> ClientConfig {
    let mut config = base(settings);
    put(&mut config, PRODUCER);
    put(&mut config, LOG_PRODUCER);
    config
}

/// The producer of changes, dead letters and names.
pub(crate) fn changes_producer(settings: &Settings) -> ClientConfig {
    let mut config = base(settings);
    put(&mut config, PRODUCER);
    put(&mut config, CHANGES_PRODUCER);
    // A dead letter is as large as its original plus headers.
    config.set("message.max.bytes", "2097152");
    config
}

/// A client for topics and their settings.
pub(crate) fn admin(settings: &Settings) -> ClientConfig {
    base(settings)
}

fn base(settings: &Settings) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in &settings.extra {
        config.set(key, value);
    }
    put(&mut config, BOTH);
    config.set("bootstrap.servers", &settings.bootstrap);
    let security = &settings.security;
    config.set("security.protocol", security.protocol.name());
    for (key, value) in [
        ("sasl.mechanism", security.mechanism.as_deref()),
        ("sasl.username", security.username.as_deref()),
        ("sasl.password", security.password.as_ref().map(crate::settings::Secret::reveal)),
        ("ssl.ca.location", security.ca_location.as_deref()),
    ] {
        if let Some(value) = value {
            config.set(key, value);
        }
    }
    config
}

fn put(config: &mut ClientConfig, table: Table) {
    for (key, value) in table {
        config.set(*key, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;

    #[test]
    fn every_table_makes_its_client() {
        let mut settings = Settings::new("127.0.0.1:1");
        for isolation in [Isolation::Committed, Isolation::Uncommitted] {
            let _: BaseConsumer = reader(&settings, isolation).create().unwrap();
        }
        let _: BaseConsumer = asker(&settings).create().unwrap();
        for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
            settings.group_protocol = protocol;
            let _: BaseConsumer = member(&settings).create().unwrap();
        }
        let _: BaseProducer = log_producer(&settings).create().unwrap();
        let _: BaseProducer = changes_producer(&settings).create().unwrap();
    }

    #[test]
    fn an_extra_key_reaches_every_client_and_never_wins_over_ours() {
        let mut settings = Settings::new("127.0.0.1:1");
        settings.extra.insert("client.rack".into(), "a".into());
        settings.extra.insert("acks".into(), "1".into());
        let config = log_producer(&settings);
        assert_eq!(config.get("client.rack"), Some("a"));
        assert_eq!(config.get("acks"), Some("all"));
    }
}
