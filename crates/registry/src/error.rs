//! Why a question to the registry has no answer. That there is no such schema is an answer, not an error.

/// Why the registry gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{attempted} at the schema registry")]
pub struct RegistryError {
    /// What was asked, without credentials.
    pub attempted: String,
    #[source]
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the settings can't be used: {0}")]
    Settings(String),
    #[error("no connection, or it broke")]
    Connection(#[source] reqwest::Error),
    #[error("status {status}: {message}")]
    Status { status: u16, message: String },
    #[error("an answer that can't be read: {0}")]
    Answer(String),
}

// === impl RegistryError ===

impl RegistryError {
    pub(crate) fn new(attempted: impl Into<String>, kind: Kind) -> Self {
        Self { attempted: attempted.into(), kind }
    }

    /// Tells whether asking again may help: a registry that is away, overloaded or breaking. A refusal of our
    /// credentials or of the question stays one until somebody acts; it says nothing of the record that led to it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.kind {
            Kind::Connection(_) => true,
            Kind::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            Kind::Settings(_) | Kind::Answer(_) => false,
        }
    }

    /// The status of the registry's refusal, if it gave one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match &self.kind {
            Kind::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}
