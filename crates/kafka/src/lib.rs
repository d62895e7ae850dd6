//! Kafka behind the ports of `tzeva-commit`: the only crate that names `rdkafka`.
//!
//! [`KafkaLog`] appends and reads commit records, [`KafkaChanges`] publishes, [`KafkaSource`] reads events and passes on
//! what the consumer group hints, [`RulesTopic`] reads and publishes rules; [`admin`] makes and checks topics and reads
//! them for people. Each port has threads of
//! its own and answers through a sink. No rule of the product lives here: what an unknown outcome or a gap means is the
//! owner's business; here it is only told apart from success.

pub mod admin;
mod append;
mod asker;
mod changes;
mod clients;
mod context;
mod group;
mod log;
mod lookup;
mod names;
mod outgoing;
mod publish;
mod reader;
mod rules;
mod settings;
mod source;
mod stream;
mod topic_reader;
mod watermark;
mod worker;

pub use changes::KafkaChanges;
pub use log::KafkaLog;
pub use lookup::N_HEADER;
pub use rules::{RulesFollower, RulesTopic};
pub use settings::{
    GroupProtocol, Protocol, Secret, Security, Settings, SettingsError, SourceTopic, Topics,
};
pub use source::KafkaSource;

/// Why a port could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are refused.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// librdkafka refused, or a broker did.
    #[error("{attempt}: {source}")]
    Client {
        /// What was attempted.
        attempt: String,
        /// What came of it.
        source: rdkafka::error::KafkaError,
    },
    /// The system gave no thread.
    #[error("start a thread: {0}")]
    Thread(std::io::Error),
}

// === impl Error ===

impl Error {
    pub(crate) fn client(
        attempt: impl Into<String>,
    ) -> impl FnOnce(rdkafka::error::KafkaError) -> Self {
        let attempt = attempt.into();
        move |source| Self::Client { attempt, source }
    }

    pub(crate) fn thread(source: std::io::Error) -> Self {
        Self::Thread(source)
    }
}
