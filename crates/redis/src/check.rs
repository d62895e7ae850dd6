//! What a server must be before state is trusted to it, read from `INFO`, which managed services allow too.

use crate::RedisStoreError;
use crate::settings::Target;
use redis::aio::MultiplexedConnection;
use redis::cmd;
use std::collections::HashMap;

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `redis_version`; Valkey says the Redis version it is compatible with.
    pub version: String,
    /// Bytes allocated, `used_memory`.
    pub used_memory: u64,
    /// The limit, 0 if there is none.
    pub maxmemory: u64,
    /// False: a restart loses everything, and it is folded from the log again.
    pub append_only: bool,
}

// === impl Server ===

impl Server {
    /// The oldest version that is tested.
    const OLDEST: u32 = 7;

    pub(crate) async fn ask(
        target: &Target,
        connection: &mut MultiplexedConnection,
    ) -> Result<Self, RedisStoreError> {
        let text: String = cmd("INFO")
            .query_async(connection)
            .await
            .map_err(RedisStoreError::on(&target.address, "ask INFO of"))?;
        let server = Self::judge(&text).map_err(|problem| RedisStoreError::Unfit {
            address: target.address.clone(),
            problem,
        })?;
        if !server.append_only {
            tracing::warn!(
                address = target.address,
                "Redis has appendonly off: after its restart all profiles are folded from the log"
            );
        }
        Ok(server)
    }

    /// Reads the text of `INFO`, or says why the server won't do.
    fn judge(info: &str) -> Result<Self, String> {
        let fields: HashMap<&str, &str> =
            info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
        let field = |name| fields.get(name).copied().unwrap_or_default();
        let number = |name| field(name).parse().unwrap_or_default();
        let version = field("redis_version").to_owned();
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < Self::OLDEST) {
            return Err(format!("has version {version:?}: 7.0 or newer is needed"));
        }
        if field("redis_mode") == "cluster" {
            return Err("is a cluster node, which is not built yet: use a single Redis".into());
        }
        if field("role") == "slave" {
            return Err("is a replica: connect to its master".into());
        }
        let policy = field("maxmemory_policy");
        if policy != "noeviction" {
            return Err(format!(
                "has maxmemory-policy {policy}, which throws profiles away: run `redis-cli config \
                 set maxmemory-policy noeviction` and write it into redis.conf"
            ));
        }
        Ok(Self {
            version,
            used_memory: number("used_memory"),
            maxmemory: number("maxmemory"),
            append_only: field("aof_enabled") == "1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\
        # Memory\r\nused_memory:1000\r\nmaxmemory:5000\r\nmaxmemory_policy:noeviction\r\n\
        aof_enabled:1\r\nrole:master\r\n";

    #[test]
    fn a_fit_server_is_taken() {
        let server = Server {
            version: "7.0.15".into(),
            used_memory: 1_000,
            maxmemory: 5_000,
            append_only: true,
        };
        assert_eq!(Server::judge(INFO), Ok(server));
    }

    #[test]
    fn an_unfit_server_is_told_what_to_do() {
        let cases = [
            ("noeviction", "allkeys-lru", "config set maxmemory-policy noeviction"),
            ("7.0.15", "6.2.14", "7.0 or newer"),
            ("standalone", "cluster", "single Redis"),
            ("role:master", "role:slave", "connect to its master"),
        ];
        for (from, to, hint) in cases {
            let problem = Server::judge(&INFO.replace(from, to)).unwrap_err();
            assert!(problem.contains(hint), "{problem}");
        }
    }
}
