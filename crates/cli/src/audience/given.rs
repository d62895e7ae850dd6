//! What a command that only looks at rules is given: settings that bear on meaning.
//!
//! Servers are no part of it, so nothing of them is checked here.

use crate::exit::Failure;
use crate::wiring;
use std::path::Path;
use tzeva_audience::{CheckSettings, Compiled, Severity, SourceFile};
use tzeva_settings::{self, Settings};
use tzeva_trial::Trial;

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

    /// Reads the tests of a folder; what is wrong with them joins the problems, and refuses the rules as well.
    pub(crate) fn read_tests(
        &self,
        files: &[SourceFile],
        compiled: &mut Compiled,
    ) -> Result<Vec<Trial>, Failure> {
        let mut keep = self.settings.history.keep.clone();
        keep.extend(compiled.fields_to_keep.iter().cloned());
        let decoder = tzeva_trial::decoder(self.settings.category_separator.clone(), keep);
        let mut decoder = decoder.map_err(Failure::settings)?;
        let read = tzeva_trial::read(files, &compiled.tests, &compiled.names, &mut decoder);
        compiled.problems.extend(read.problems);
        tzeva_script::problem::sort(&mut compiled.problems);
        if compiled.problems.iter().any(|problem| problem.severity == Severity::Error) {
            compiled.rules = None;
        }
        Ok(read.trials)
    }

    /// What rules are checked against.
    pub(crate) fn check_settings(&self) -> CheckSettings {
        wiring::check_settings(&self.settings)
    }
}
