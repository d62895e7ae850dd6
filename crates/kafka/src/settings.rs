//! What a shop may set of its Kafka, and what is refused before any client is made: librdkafka takes many wrong
//! settings in silence, a consumer's key on a producer for one.

use crate::clients;
use std::collections::BTreeMap;
use std::fmt;

/// Where Kafka is and what is called how there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `host:port,...` of some brokers.
    pub bootstrap: String,
    /// The consumer group, which only hints who should own a partition.
    pub group: String,
    /// A name that survives a restart (`group.instance.id`), such as the pod's.
    pub instance: Option<String>,
    /// Which protocol the group speaks.
    pub group_protocol: GroupProtocol,
    /// How brokers are talked to.
    pub security: Security,
    /// What the topics are called.
    pub topics: Topics,
    /// Further librdkafka keys (`kafka.extra`); they add, they never change ours.
    pub extra: BTreeMap<String, String>,
}

/// How members of the group agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupProtocol {
    /// By a leader among them; every broker can.
    #[default]
    Classic,
    /// By the broker (KIP-848); Kafka 4 and later.
    Consumer,
}

/// How brokers are talked to.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// `security.protocol`.
    pub protocol: Protocol,
    /// `sasl.mechanism`: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`.
    pub mechanism: Option<String>,
    /// `sasl.username`.
    pub username: Option<String>,
    /// `sasl.password`.
    pub password: Option<Secret>,
    /// `ssl.ca.location`: a file with the authorities that sign the brokers' certificates.
    pub ca_location: Option<String>,
}

/// `security.protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// Encrypted.
    Ssl,
    /// Authenticated.
    SaslPlaintext,
    /// Both.
    SaslSsl,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Names of topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Where events come from; their order breaks ties of record time.
    pub sources: Vec<SourceTopic>,
    /// Commit records.
    pub log: String,
    /// Changes out.
    pub changes: String,
    /// Names of ids.
    pub names: String,
    /// Rule sets.
    pub rules: String,
    /// Records that could not be applied.
    pub dead_letters: String,
}

/// A topic that events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTopic {
    /// Its name.
    pub name: String,
    /// True if its records carry the producer's time.
    pub create_time: bool,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

// === impl Settings ===

impl Settings {
    /// Settings with every default for brokers without encryption.
    #[must_use]
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            group: "tzeva".to_owned(),
            instance: None,
            group_protocol: GroupProtocol::default(),
            security: Security::default(),
            topics: Topics::default(),
            extra: BTreeMap::new(),
        }
    }

    /// Looks for everything that would be refused, or taken in silence and mean something else.
    ///
    /// # Errors
    /// With all that is wrong at once.
    pub fn check(&self) -> Result<(), SettingsError> {
        let mut wrong = self.security.problems();
        if self.bootstrap.trim().is_empty() {
            wrong.push("kafka.bootstrap: name at least one broker as host:port".to_owned());
        }
        if self.topics.sources.is_empty() {
            wrong.push("topics: name at least one source topic".to_owned());
        }
        for key in self.extra.keys().filter(|key| clients::is_ours(key)) {
            wrong.push(format!(
                "kafka.extra.{key}: this key is set by tzeva and what it promises rests on it; remove it"
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(SettingsError(wrong)) }
    }
}

// === impl Security ===

impl Security {
    fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let name = self.protocol.name();
        if self.protocol.needs_tls() && !cfg!(feature = "tls") {
            wrong.push(format!(
                "kafka.security.protocol: {name} needs a build with the feature `tls` \
                 (cargo build --features tls); this build has none"
            ));
        }
        if self.protocol.needs_sasl() {
            match self.mechanism.as_deref() {
                None => wrong.push(format!(
                    "kafka.security.mechanism: {name} needs one: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
                )),
                Some("PLAIN") => {}
                Some("SCRAM-SHA-256" | "SCRAM-SHA-512") if cfg!(feature = "tls") => {}
                Some(scram @ ("SCRAM-SHA-256" | "SCRAM-SHA-512")) => wrong.push(format!(
                    "kafka.security.mechanism: {scram} needs a build with the feature `tls`"
                )),
                Some(other) => {
                    wrong.push(format!("kafka.security.mechanism: {other} is not supported"));
                }
            }
            if self.username.is_none() || self.password.is_none() {
                wrong.push(format!("kafka.security: {name} needs a username and a password"));
            }
        } else if self.mechanism.is_some() {
            wrong.push(format!("kafka.security.mechanism: {name} doesn't authenticate"));
        }
        wrong
    }
}

// === impl Protocol ===

impl Protocol {
    /// As librdkafka calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    /// The protocol of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }

    const fn needs_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    const fn needs_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

// === impl Secret ===

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

// === impl Topics ===

impl Default for Topics {
    fn default() -> Self {
        let source = |name: &str| SourceTopic { name: name.to_owned(), create_time: false };
        Self {
            sources: vec![source("tzeva.site-visits"), source("tzeva.purchases")],
            log: "tzeva.log".to_owned(),
            changes: "tzeva.changes".to_owned(),
            names: "tzeva.names".to_owned(),
            rules: "tzeva.rules".to_owned(),
            dead_letters: "tzeva.dead-letters".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: &Settings) -> Vec<String> {
        settings.check().err().map_or_else(Vec::new, |e| e.0)
    }

    #[test]
    fn plain_defaults_are_fine() {
        assert_eq!(wrong(&Settings::new("localhost:9092")), Vec::<String>::new());
    }

    #[test]
    fn an_extra_key_may_add_but_not_change_ours_by_any_name() {
        let mut settings = Settings::new("localhost:9092");
        settings.extra.insert("client.rack".into(), "a".into());
        assert_eq!(wrong(&settings), Vec::<String>::new());
        for key in ["acks", "request.required.acks", "isolation.level", "transactional.id"] {
            settings.extra.insert(key.into(), "1".into());
        }
        assert_eq!(wrong(&settings).len(), 4);
        assert!(wrong(&settings)[0].starts_with("kafka.extra.acks: "));
    }

    #[test]
    fn sasl_without_a_mechanism_is_refused_as_the_default_is_not_built_in() {
        let mut settings = Settings::new("localhost:9092");
        settings.security.protocol = Protocol::SaslPlaintext;
        assert_eq!(wrong(&settings).len(), 2);
        settings.security.mechanism = Some("PLAIN".into());
        settings.security.username = Some("shop".into());
        settings.security.password = Some(Secret::new("s3cret"));
        assert_eq!(wrong(&settings), Vec::<String>::new());
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn encryption_without_the_feature_is_refused_by_its_name() {
        let mut settings = Settings::new("localhost:9093");
        settings.security.protocol = Protocol::Ssl;
        assert!(wrong(&settings)[0].contains("feature `tls`"));
    }
}
