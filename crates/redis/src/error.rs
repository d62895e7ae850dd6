//! What can go wrong with the store, and who can mend it.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use tzeva_commit::port::PortError;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisStoreError {
    /// The settings name what can't be.
    #[error("{0}")]
    Settings(String),
    /// The server is not fit for state.
    #[error("Redis at {address} {problem}")]
    Unfit {
        /// Host and port.
        address: String,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// The server can't be reached, refused, or did not answer in time.
    #[error("{attempt} Redis at {address}")]
    Server {
        /// What was attempted.
        attempt: &'static str,
        /// Host and port.
        address: String,
        /// What came of it.
        #[source]
        source: RedisError,
    },
    /// The server answered something that is no answer to what was asked.
    #[error("{attempt} Redis at {address}: unexpected answer")]
    Answer {
        /// What was attempted.
        attempt: &'static str,
        /// Host and port.
        address: String,
    },
    /// No thread or runtime could be started.
    #[error("start a thread for Redis")]
    Thread(#[source] std::io::Error),
}

// === impl RedisStoreError ===

impl RedisStoreError {
    /// True if the same call may go through later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Settings(_) | Self::Unfit { .. } | Self::Answer { .. } => false,
            Self::Server { source, .. } => mends(source),
            Self::Thread(_) => true,
        }
    }

    /// True if settings or the server's own settings must change first.
    #[must_use]
    pub const fn is_settings(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Unfit { .. })
    }

    pub(crate) fn on(address: &str, attempt: &'static str) -> impl FnOnce(RedisError) -> Self {
        let address = address.to_owned();
        move |source| Self::Server { attempt, address, source }
    }

    /// One line, as a port tells it.
    pub(crate) fn port(&self) -> PortError {
        let attempt = match self {
            Self::Server { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        };
        PortError { attempt, transient: self.is_transient() }
    }
}

/// True unless a person has to act: a full, loading, failing-over or unreachable server may mend by itself.
fn mends(error: &RedisError) -> bool {
    let word = error.code().unwrap_or_default();
    let acts = ["WRONGTYPE", "NOAUTH", "WRONGPASS", "NOPERM"].contains(&word);
    !acts
        && !matches!(
            error.kind(),
            ErrorKind::AuthenticationFailed
                | ErrorKind::InvalidClientConfig
                | ErrorKind::Server(ServerErrorKind::NoPerm)
        )
}
