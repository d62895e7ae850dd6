//! What would change if other rules took the place of these: audiences, paint, and by the store who would enter and leave.
//!
//! A plan is made by the command line, or by a service that holds the store, which sends it as JSON.

mod differences;
mod forecast;
mod profiles;

pub(crate) use differences::Differences;
pub(crate) use forecast::{Forecast, Members};
pub(crate) use profiles::{Profiles, RedisProfiles};

use crate::exit::Failure;
use crate::{rules, wiring};
use forecast::Replaced;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_engine::Rules;
use tzeva_model::RulesVersion;
use tzeva_rulebook::{Publication, SourceFile};
use tzeva_settings::Settings;

/// Rule files that somebody wants a plan for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) files: Vec<AskedFile>,
}

/// A rule file on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The version that holds now, 16 hex digits; what the plan was made against.
    pub(crate) parent: Option<String>,
    /// The hash of what the new rules mean.
    pub(crate) content: String,
    pub(crate) differences: Differences,
    pub(crate) forecast: Forecast,
}

// === impl Plan ===

impl Plan {
    /// What it would mean if `new` took the place of the publication that counts. `told` hears how many shards of all are
    /// done, and how many visitors were met. Takes as long as the store is large; writes nothing.
    pub(crate) fn make(
        settings: &Settings,
        (head, new): (Option<&Publication>, &RuleSet),
        profiles: &dyn Profiles,
        told: impl FnMut(u16, u64),
    ) -> Result<Self, Failure> {
        let old = head.map(|head| rules::of_publication(head, settings)).transpose()?;
        let differences = Differences::between(old.as_ref(), new);
        let mut plan = Self {
            parent: head.map(|head| hex(head.version)),
            content: hex(new.computed_version()),
            differences,
            forecast: Forecast::default(),
        };
        if plan.is_empty() {
            return Ok(plan);
        }
        // Before the first publication nothing is known of what ran.
        let nothing = RuleSet {
            version: RulesVersion::default(),
            audiences: Vec::new(),
            paint: new.paint.clone(),
        };
        let engine = wiring::engine_settings(settings);
        let rules = |set: RuleSet| Rules::compile(Arc::new(set), engine.max_age);
        let replaced = Replaced {
            old: rules(old.unwrap_or(nothing)),
            // No publication's: a profile with the stamp of an earlier one of the same content isn't up to date.
            new: rules(RuleSet { version: RulesVersion::new(u64::MAX), ..new.clone() }),
            settings: engine,
            now: wiring::wall(),
        };
        let read = |shard| profiles.shard(shard);
        plan.forecast = forecast::forecast(&replaced, read, told)
            .map_err(|error| Failure::world(error.context("read the store for a plan")))?;
        Ok(plan)
    }

    /// Tells whether the rules say anything else than those that hold.
    pub(crate) fn is_empty(&self) -> bool {
        self.parent.is_some() && self.differences.is_empty()
    }
}

// === impl Asked ===

impl Asked {
    pub(crate) fn of(files: &[SourceFile]) -> Self {
        let file =
            |file: &SourceFile| AskedFile { path: file.path.clone(), text: file.text.clone() };
        Self { files: files.iter().map(file).collect() }
    }

    pub(crate) fn into_files(self) -> Vec<SourceFile> {
        let file = |file: AskedFile| SourceFile { path: file.path, text: file.text };
        self.files.into_iter().map(file).collect()
    }
}

/// A version as people and programs read it.
pub(crate) fn hex(version: RulesVersion) -> String {
    format!("{:016x}", version.get())
}
