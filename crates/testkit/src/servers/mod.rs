//! Real servers for tests, without containers: Kafka and the schema registry from Maven Central, Redis from the system.
//!
//! Each server runs on a free port in a temporary folder and is stopped by its process id, also when the test process
//! dies half-way (a watcher notices). Its output goes to a file under `target/servers/logs`, which stays.
//!
//! A test that is content with a shared server calls [`kafka`], [`redis`] or [`registry`] and keeps to its own topics
//! and keys; these answer with, in this order, the address in the environment (`TZEVA_TEST_KAFKA`, `TZEVA_TEST_REDIS`,
//! `TZEVA_TEST_REGISTRY`), the server that `cargo xtask servers up` left running, or one started for this process. A
//! test that kills, freezes or floods its server starts one of its own: [`Kafka::start`], [`Redis::start`].

mod fetch;
mod java;
mod kafka;
mod launch;
mod redis;
mod registry;
mod shared;

use std::path::{Path, PathBuf};

pub use java::find_java;
pub use kafka::Kafka;
pub use launch::Running;
pub use redis::{Redis, find_redis};
pub use registry::Registry;
pub use shared::{Kind, Up, down, kafka, redis, registry, state, up};

/// Something that has to be on the machine first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is missing: {how_to_install}")]
pub struct Missing {
    /// What was looked for.
    pub what: String,
    /// What a person can type.
    pub how_to_install: String,
}

/// Why a server could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The machine lacks a tool.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A step failed.
    #[error("{attempt}: {outcome}")]
    Failed {
        /// What was attempted.
        attempt: String,
        /// What came of it, with the end of the server's output where there is one.
        outcome: String,
    },
}

// === impl ServerError ===

impl ServerError {
    fn failed(attempt: impl Into<String>, outcome: impl ToString) -> Self {
        Self::Failed { attempt: attempt.into(), outcome: outcome.to_string() }
    }
}

/// Where fetched servers, logs and the file of running servers lie: `$TZEVA_SERVERS`, else `target/servers`.
#[must_use]
pub fn cache_folder() -> PathBuf {
    match std::env::var_os("TZEVA_SERVERS") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers"),
    }
}

/// The first executable file called `name` on the search path.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
