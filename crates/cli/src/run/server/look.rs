//! Visitors and names for the pages, from Redis and Kafka by connections of their own.

use crate::kafka;
use std::sync::{Mutex, PoisonError};
use tzeva_kafka::admin::Admin;
use tzeva_model::VisitorId;
use tzeva_pages::Look;
use tzeva_painter::{NameTable, name_table};
use tzeva_redis::Viewer;
use tzeva_settings::Settings;

pub(super) struct ServersLook {
    settings: Settings,
    admin: Admin,
    /// Connected at the first request, and anew after a failed one.
    viewer: Mutex<Option<Viewer>>,
}

// === impl ServersLook ===

impl ServersLook {
    pub(super) fn new(settings: Settings, admin: Admin) -> Self {
        Self { settings, admin, viewer: Mutex::new(None) }
    }
}

impl Look for ServersLook {
    fn profile(&self, visitor: &VisitorId) -> anyhow::Result<Option<Vec<u8>>> {
        let mut held = self.viewer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut viewer = match held.take() {
            Some(viewer) => viewer,
            None => Viewer::connect(&kafka::redis_settings(&self.settings))?,
        };
        let profile = viewer.read_profile(visitor)?;
        *held = Some(viewer);
        Ok(profile)
    }

    fn names(&self) -> anyhow::Result<NameTable> {
        Ok(name_table(self.admin.read_names()?))
    }
}
