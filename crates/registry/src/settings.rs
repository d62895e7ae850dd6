//! Where the registry is and how it is asked.

use std::fmt;
use std::time::Duration;

/// How the registry is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address, `http://host:port` and perhaps a path; `https` needs the feature `tls`.
    pub url: String,
    /// How it knows us.
    pub auth: Auth,
    /// How long one attempt may take, connecting included.
    pub timeout: Duration,
    /// How often a question is put before it counts as unanswered; at least 1.
    pub attempts: u32,
    /// The pause after the first failed attempt; each further one is twice as long, up to two seconds.
    pub pause: Duration,
    /// For how long "not found" is believed before the registry is asked again.
    pub forget_missing_after: Duration,
}

/// Credentials.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// None.
    #[default]
    Anonymous,
    /// A user's name and password, or a key and its secret.
    Basic {
        /// The user or key.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token.
    Bearer(Secret),
}

/// A text that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

// === impl Settings ===

impl Settings {
    /// The registry at `url`, asked without credentials.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            auth: Auth::Anonymous,
            timeout: Duration::from_secs(5),
            attempts: 4,
            pause: Duration::from_millis(100),
            forget_missing_after: Duration::from_secs(30),
        }
    }
}

// === impl Secret ===

impl Secret {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What it is, for the one request that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
