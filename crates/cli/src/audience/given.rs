//! What a command that only looks at rules is given: settings that bear on meaning.
//!
//! Servers are no part of it, so nothing of them is checked here.

use crate::exit::Failure;
use crate::wiring;
use std::path::Path;
use tzeva_audience::CheckSettings;
use tzeva_settings::{self, Settings};

/// Settings, for what they say about history, profiles and categories.
pub(crate) struct Given {
    pub(crate) settings: Settings,
}

// === impl Given ===

impl Given {
    /// Reads the settings file and the environment; without a file, defaults.
    pub(crate) fn load(config: Option<&Path>) -> Result<Self, Failure> {
        match tzeva_settings::load(config, std::env::vars()) {
            Ok(loaded) => Ok(Self { settings: loaded.settings }),
            Err(problems) => Err(Failure::settings(anyhow::anyhow!(
                "the settings are refused:\n  {}",
                problems.join("\n  ")
            ))),
        }
    }

    /// What rules are checked against.
    pub(crate) fn check_settings(&self) -> CheckSettings {
        wiring::check_settings(&self.settings)
    }
}
