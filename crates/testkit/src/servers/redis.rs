//! A Redis server from the system's package.

use super::launch::{Running, Spec, Tie, free_port, fresh_folder};
use super::{Missing, ServerError, on_path};
use std::path::PathBuf;

/// A server; stopped and removed when dropped.
#[derive(Debug)]
pub struct Redis(Running);

// === impl Redis ===

impl Redis {
    /// Starts a server as this project ships it (AOF, fsync every second, no eviction, 256 MB); `extra` are further
    /// arguments and win, such as `["--appendfsync", "no"]` or `["--replicaof", "127.0.0.1 6379"]`.
    ///
    /// # Errors
    /// If Redis is missing or doesn't come up.
    pub fn start(extra: &[&str]) -> Result<Self, ServerError> {
        Self::launch(extra, Tie::Process).map(Self)
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.0.address().to_string()
    }

    /// `redis://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.0.address())
    }

    /// The process behind it, to kill, freeze and start again.
    pub const fn process(&mut self) -> &mut Running {
        &mut self.0
    }

    pub(super) fn launch(extra: &[&str], tie: Tie) -> Result<Running, ServerError> {
        let program = find_redis()?;
        let folder = fresh_folder("redis")?;
        let port = free_port()?;
        let mut args: Vec<String> = ["--bind", "127.0.0.1", "--port"].map(str::to_owned).to_vec();
        args.extend([port.to_string(), "--dir".to_owned(), folder.to_string_lossy().into_owned()]);
        let ours = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
        let memory = ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction"];
        args.extend(ours.iter().chain(&memory).chain(extra).map(|&word| word.to_owned()));
        let says = Some("Ready to accept connections");
        Running::start(Spec { name: "redis", program, args, folder, port, says }, tie)
    }
}

/// Where `redis-server` is.
///
/// # Errors
/// If it isn't on the search path.
pub fn find_redis() -> Result<PathBuf, Missing> {
    on_path("redis-server").ok_or_else(|| Missing {
        what: "redis-server".to_owned(),
        how_to_install: "apt-get install redis-server".to_owned(),
    })
}
