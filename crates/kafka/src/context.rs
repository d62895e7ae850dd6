//! What clients report besides answers, and how their errors become ours.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tzeva_commit::port::PortError;

/// Writes what librdkafka says to the log of this process; statistics are asked for by nobody here.
pub(crate) struct Context;

// === impl Context ===

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // An end that was reached is what the readers asked to be told, not trouble.
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "kafka client");
        }
    }
}

impl ConsumerContext for Context {}

/// One line of librdkafka.
pub(crate) fn log_line(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
            tracing::debug!(facility, "{text}");
        }
        // Lost connections are librdkafka's daily bread: it heals them, and what doesn't heal comes back as an error.
        _ => tracing::warn!(facility, "{text}"),
    }
}

/// `error` of `attempt` as a port tells it.
pub(crate) fn port_error(attempt: impl Into<String>, error: &KafkaError) -> PortError {
    PortError {
        attempt: format!("{}: {error}", attempt.into()),
        transient: error.rdkafka_error_code().is_none_or(|code| !is_permanent(code)),
    }
}

/// True for what stays wrong until a person acts.
pub(crate) const fn is_permanent(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidRecord
            | Code::InvalidTopic
            | Code::InvalidArgument
            | Code::InvalidTimestamp
            | Code::PolicyViolation
            | Code::AutoOffsetReset
            | Code::OffsetOutOfRange
            | Code::FencedInstanceId
    )
}
