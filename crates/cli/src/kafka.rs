//! From settings to clients of Kafka and Redis, and the checks before a start.

use crate::exit::{Exit, Failure};
use anyhow::anyhow;
use tzeva_kafka::admin::{Admin, Checked};
use tzeva_kafka::{Protocol, Secret, Security, SourceTopic, Topics};
use tzeva_redis::{RedisStoreError, Viewer};
use tzeva_settings::Settings;

/// Kafka's part of the settings.
pub(crate) fn settings(settings: &Settings) -> tzeva_kafka::Settings {
    let (kafka, topics) = (&settings.kafka, &settings.topics);
    let source = |source: &tzeva_settings::SourceSettings| SourceTopic {
        name: source.topic.clone(),
        create_time: source.create_time,
    };
    tzeva_kafka::Settings {
        group: kafka.group.clone(),
        instance: kafka.instance.clone(),
        security: Security {
            protocol: Protocol::from_name(&kafka.security).unwrap_or_default(),
            mechanism: kafka.sasl_mechanism.clone(),
            username: kafka.sasl_username.clone(),
            password: kafka.sasl_password.as_ref().map(|secret| Secret::new(secret.expose())),
            ca_location: kafka.ca_file.as_ref().map(|file| file.display().to_string()),
        },
        topics: Topics {
            sources: settings.sources.iter().map(source).collect(),
            log: topics.log.clone(),
            changes: topics.changes.clone(),
            names: topics.names.clone(),
            rules: topics.rules.clone(),
            dead_letters: topics.dead_letters.clone(),
        },
        extra: kafka.extra.clone(),
        ..tzeva_kafka::Settings::new(&kafka.brokers)
    }
}

/// Redis' part of the settings.
pub(crate) fn redis_settings(settings: &Settings) -> tzeva_redis::Settings {
    tzeva_redis::Settings {
        url: settings.redis.url.expose().to_owned(),
        prefix: settings.redis.prefix.clone(),
        ..tzeva_redis::Settings::default()
    }
}

/// A client for topics.
pub(crate) fn admin(with: &Settings) -> Result<Admin, Failure> {
    Admin::new(&settings(with)).map_err(failure)
}

/// What is wrong with the topics.
pub(crate) fn checked(admin: &Admin, settings: &Settings) -> Result<Checked, Failure> {
    admin.check(settings.topics.replication < 3).map_err(failure)
}

/// The number of partitions, if all topics are as they must be.
pub(crate) fn fit_partitions(admin: &Admin, settings: &Settings) -> Result<u16, Failure> {
    let Checked { partitions, faults } = checked(admin, settings)?;
    if !faults.is_empty() {
        let list: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
        let list = list.join("\n");
        return Err(Failure::settings(anyhow!("the topics are not fit:\n{list}")));
    }
    match (partitions, settings.partitions) {
        (None, _) => Err(Failure::settings(anyhow!(
            "the topics have different numbers of partitions: see `tzeva topics check`"
        ))),
        (Some(there), Some(wanted)) if there != wanted => Err(Failure::settings(anyhow!(
            "the topics have {there} partitions, the settings say {wanted}: set partitions to {there}, or leave it out"
        ))),
        (Some(there), _) => Ok(there),
    }
}

/// Names the brokers of a failure that may come of them, and what needs none: `without`.
pub(crate) fn asking(brokers: &str, without: &str) -> impl FnOnce(Failure) -> Failure {
    let attempt = format!("ask Kafka at {brokers} (kafka.brokers); a folder needs none: {without}");
    move |failure| match failure.exit {
        Exit::TryAgain => Failure { error: failure.error.context(attempt), ..failure },
        _ => failure,
    }
}

/// Tells settings from the world.
pub(crate) fn failure(error: tzeva_kafka::Error) -> Failure {
    match error {
        tzeva_kafka::Error::Settings(_) => Failure::settings(error),
        other => Failure::world(other),
    }
}

/// A connection to look into the store.
pub(crate) fn redis_viewer(settings: &Settings) -> Result<Viewer, Failure> {
    Viewer::connect(&redis_settings(settings)).map_err(redis_failure)
}

/// Tells settings from the world.
pub(crate) fn redis_failure(error: RedisStoreError) -> Failure {
    if error.is_settings() { Failure::settings(error) } else { Failure::world(error) }
}
