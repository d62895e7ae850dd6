//! Where a forecast reads profiles: an open folder, or Redis.

use crate::kafka;
use std::sync::{Mutex, PoisonError};
use tzeva_embedded::Folder;
use tzeva_model::Shard;
use tzeva_plan::Stored;
use tzeva_redis::Viewer;
use tzeva_settings::Settings;

/// Stored profiles, a shard at a time. Blocks.
pub(crate) trait Profiles: Send + Sync {
    fn shard(&self, shard: Shard) -> anyhow::Result<Stored>;
}

/// Redis by a connection of its own, made when it is needed.
pub(crate) struct RedisProfiles {
    settings: Settings,
    viewer: Mutex<Option<Viewer>>,
}

// === impl RedisProfiles ===

impl RedisProfiles {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, viewer: Mutex::default() }
    }
}

impl Profiles for RedisProfiles {
    fn shard(&self, shard: Shard) -> anyhow::Result<Stored> {
        let mut held = self.viewer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut viewer = match held.take() {
            Some(viewer) => viewer,
            None => Viewer::connect(&kafka::redis_settings(&self.settings))?,
        };
        let stored = viewer.read_shard(shard)?;
        *held = Some(viewer);
        Ok(stored)
    }
}

impl Profiles for Folder {
    fn shard(&self, shard: Shard) -> anyhow::Result<Stored> {
        Ok(self.read_shard(shard).collect::<Result<_, _>>()?)
    }
}
