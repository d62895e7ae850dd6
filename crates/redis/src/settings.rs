//! Where the store is and how it is used.

use crate::RedisStoreError;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr};
use std::fmt;
use std::time::Duration;

/// How to reach the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `redis://[[user]:password@]host[:port][/db]`, or `rediss://` for TLS.
    pub url: String,
    /// What every key begins with: empty in production, fresh in each test.
    pub prefix: String,
    /// A Redis Cluster.
    pub cluster: bool,
    /// How long an answer may take; then the outcome of a write is unknown.
    pub response_timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// A client whose settings were checked.
#[derive(Clone)]
pub(crate) struct Target {
    client: Client,
    config: AsyncConnectionConfig,
    pub(crate) prefix: String,
    /// Host and port, or the path of a socket: no user, no password.
    pub(crate) address: String,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".into(),
            prefix: String::new(),
            cluster: false,
            response_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
        }
    }
}

impl fmt::Debug for Settings {
    /// Leaves out what may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.rsplit('@').next().unwrap_or_default();
        f.debug_struct("Settings")
            .field("at", &place)
            .field("prefix", &self.prefix)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<Target, RedisStoreError> {
        let refused = |text: &str| Err(RedisStoreError::Settings(text.into()));
        if self.cluster {
            return refused(
                "cluster: true is not built yet: use a single Redis, or one with replicas",
            );
        }
        if self.prefix.contains(['{', '}']) {
            return refused("the key prefix holds a brace, which would move the shards' slots");
        }
        if self.url.starts_with("rediss://") && !cfg!(feature = "tls") {
            return refused(
                "rediss:// needs a build with the cargo feature `tls` (cargo build --features tls)",
            );
        }
        #[cfg(feature = "tls")]
        if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
            // Whoever came first has chosen; ours is only for those who have not.
            tracing::debug!("a provider of cryptography was installed before");
        }
        let client = Client::open(self.url.as_str()).map_err(|error| {
            RedisStoreError::Settings(format!("the Redis URL can't be read: {error}"))
        })?;
        let address = match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                format!("{host}:{port}")
            }
            other => other.to_string(),
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout));
        Ok(Target { client, config, prefix: self.prefix.clone(), address })
    }
}

// === impl Target ===

impl Target {
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, RedisStoreError> {
        self.client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
            .map_err(RedisStoreError::on(&self.address, "connect"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(settings: Settings) -> String {
        match settings.check() {
            Ok(_) => panic!("{settings:?} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        let cluster = Settings { cluster: true, ..Settings::default() };
        assert!(refusal(cluster).contains("cluster"));
        if !cfg!(feature = "tls") {
            let tls = Settings { url: "rediss://h".into(), ..Settings::default() };
            assert!(refusal(tls).contains("feature `tls`"));
        }
        let braces = Settings { prefix: "a{b}".into(), ..Settings::default() };
        assert!(refusal(braces).contains("brace"));
        let url = Settings { url: "http://h".into(), ..Settings::default() };
        assert!(refusal(url).contains("URL"));
    }

    #[test]
    fn a_password_is_not_printed() {
        let url = "redis://painter:secret@shop.example:7000/1".into();
        let settings = Settings { url, ..Settings::default() };
        assert!(!format!("{settings:?}").contains("secret"));
        assert_eq!(settings.check().unwrap().address, "shop.example:7000");
    }
}
