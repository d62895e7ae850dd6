//! The settings file: what may stand in it, read together with the environment, all problems reported at once.

mod check;
#[cfg(test)]
mod documented;
mod load;
mod value;

pub use check::{Mode, check};
pub use load::{Loaded, load};
pub use value::{Secret, Span};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use tzeva_model::{Currencies, Currency, Rate};

/// Everything that `tzeva.yaml` may say. Durations are texts with units (`30s`), unknown keys are refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder of audience files and the paint file.
    pub audiences: PathBuf,
    /// The number of partitions of every topic, a power of two up to 1,024. (Embedded: 4 if it is left out.)
    pub partitions: Option<u16>,
    /// The source topics, in the order that breaks ties between records of one instant.
    pub sources: Vec<SourceSettings>,
    /// The other topics.
    pub topics: TopicSettings,
    /// What history keeps.
    pub history: HistorySettings,
    /// When a profile ends.
    pub profile: ProfileSettings,
    /// From which distance behind its record time an event's changes say `late`.
    pub late_after: Span,
    /// What splits a category path; left out: `/` and `>`.
    pub category_separator: Option<String>,
    /// What amounts count in.
    pub money: MoneySettings,
    /// Kafka.
    pub kafka: KafkaSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// The schema registry.
    pub registry: RegistrySettings,
    /// The pages.
    pub http: HttpSettings,
    /// The painter's pace.
    pub painter: PainterSettings,
    /// Logging.
    pub log: LogSettings,
}

/// What amounts count in.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoneySettings {
    /// The currency that amounts count in, three letters; an event without one is in it. Left out: the first one that a
    /// visitor's history holds.
    pub currency: Option<String>,
    /// What one unit of another currency is worth in it, as a decimal text: `USD: "0.92"`. Amounts in a currency that
    /// isn't here count for nothing.
    pub rates: BTreeMap<String, String>,
}

/// A source topic.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// Its name.
    pub topic: String,
    /// Its records carry CreateTime; else it must be LogAppendTime.
    pub create_time: bool,
    /// How long a record may be on its way: the checkpoint interval or upload delay of its producer.
    pub grace: Span,
    /// Where the visitor id is looked for, in this order.
    pub visitor_id: Vec<String>,
    /// The writer's schema of bare Avro: `site-visit`, `purchase`, or a file.
    pub bare_schema: Option<String>,
}

/// Topics that tzeva writes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicSettings {
    /// The log.
    pub log: String,
    /// Changes.
    pub changes: String,
    /// Names.
    pub names: String,
    /// Rule sets.
    pub rules: String,
    /// Dead letters.
    pub dead_letters: String,
    /// The replication factor that `topics create` uses and `topics check` asks for; less than 3 needs this said.
    pub replication: u16,
}

/// What history keeps.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// How long a stroke counts.
    pub max_age: Span,
    /// Strokes kept one by one.
    pub max_strokes: usize,
    /// Cells that older strokes fold into.
    pub max_cells: usize,
    /// Items of an order kept one by one.
    pub max_items: usize,
    /// Items of orders kept one by one in a profile.
    pub max_total_items: usize,
    /// Further fields to keep: `page.path`, `properties.NAME`.
    pub keep: Vec<String>,
}

/// When a profile ends.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileSettings {
    /// How long after the last applied record; left out: `history.max_age`.
    pub idle: Option<Span>,
}

/// Kafka.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSettings {
    /// The brokers, `host:port`, separated by commas.
    pub brokers: String,
    /// The consumer group that hints who owns what.
    pub group: String,
    /// A name of this process that survives a restart, such as its pod's: after a crash its partitions come back to it
    /// at once, and not after 45 s. No two processes may share it.
    pub instance: Option<String>,
    /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    pub security: String,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub sasl_mechanism: Option<String>,
    /// The user.
    pub sasl_username: Option<String>,
    /// The password.
    pub sasl_password: Option<Secret>,
    /// A file with the authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Further librdkafka settings; those that tzeva sets itself are refused.
    pub extra: BTreeMap<String, String>,
}

/// Redis.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://host:port/db`.
    pub url: Secret,
    /// Stands before every key.
    pub prefix: String,
}

/// The schema registry.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrySettings {
    /// The base address of its Confluent API; left out: records that name a schema by id become dead letters.
    pub url: Option<String>,
    /// The user of basic authentication.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

/// The pages.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The bearer token; needed beyond loopback.
    pub token: Option<Secret>,
}

/// The painter's pace.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PainterSettings {
    /// Threads that decide.
    pub threads: usize,
    /// Profiles in memory, over all partitions.
    pub cached_profiles: usize,
    /// How long a changed profile waits before it is written.
    pub flush_after: Span,
    /// New names a minute of engine time and partition.
    pub names_per_minute: u32,
    /// Profiles that are brought up to date a second after new rules, over all partitions.
    pub sweep_per_second: u32,
    /// How long a stop may take.
    pub stop_within: Span,
}

/// Logging.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` or `json`.
    pub format: String,
    /// What to log: `info`, `tzeva_kafka=debug,info`.
    pub level: String,
}

impl Settings {
    /// The currencies as the engine takes them; what can't be read is left out, and [`check`] tells of it.
    #[must_use]
    pub fn currencies(&self) -> Currencies {
        let rate = |(currency, rate): (&String, &String)| {
            Some((Currency::try_new(currency)?, Rate::parse(rate)?))
        };
        Currencies {
            home: self.money.currency.as_deref().and_then(Currency::try_new),
            rates: self.money.rates.iter().filter_map(rate).collect(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let source =
            |topic: &str| SourceSettings { topic: topic.into(), ..SourceSettings::default() };
        Self {
            audiences: "audiences".into(),
            partitions: None,
            sources: vec![source("tzeva.site-visits"), source("tzeva.purchases")],
            topics: TopicSettings::default(),
            history: HistorySettings::default(),
            profile: ProfileSettings::default(),
            late_after: Span::hours(24),
            category_separator: None,
            money: MoneySettings::default(),
            kafka: KafkaSettings::default(),
            redis: RedisSettings::default(),
            registry: RegistrySettings::default(),
            http: HttpSettings::default(),
            painter: PainterSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            topic: String::new(),
            create_time: false,
            grace: Span::millis(50),
            visitor_id: vec!["anonymousId".into(), "userId".into()],
            bare_schema: None,
        }
    }
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            log: "tzeva.log".into(),
            changes: "tzeva.changes".into(),
            names: "tzeva.names".into(),
            rules: "tzeva.rules".into(),
            dead_letters: "tzeva.dead-letters".into(),
            replication: 3,
        }
    }
}

impl Default for HistorySettings {
    fn default() -> Self {
        let engine = tzeva_engine::Settings::default();
        Self {
            max_age: Span::hours(400 * 24),
            max_strokes: engine.max_strokes,
            max_cells: engine.max_cells,
            max_items: engine.max_items,
            max_total_items: engine.max_total_items,
            keep: Vec::new(),
        }
    }
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".into(),
            group: "tzeva".into(),
            instance: None,
            security: "plaintext".into(),
            sasl_mechanism: None,
            sasl_username: None,
            sasl_password: None,
            ca_file: None,
            extra: BTreeMap::new(),
        }
    }
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self { url: Secret::new("redis://127.0.0.1:6379/0"), prefix: String::new() }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8650)), token: None }
    }
}

impl Default for PainterSettings {
    fn default() -> Self {
        Self {
            threads: 1,
            cached_profiles: 1_000_000,
            flush_after: Span::millis(250),
            names_per_minute: 10_000,
            sweep_per_second: 50_000,
            stop_within: Span::millis(30_000),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: "text".into(), level: "info".into() }
    }
}
