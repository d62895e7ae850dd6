//! Plans of new rules: what a service is asked for, and what they are made from here.

mod profiles;

pub(crate) use profiles::{Profiles, RedisProfiles};
pub(crate) use tzeva_plan::{Plan, hex};

use crate::exit::Failure;
use crate::{rules, wiring};
use serde::{Deserialize, Serialize};
use tzeva_audience::RuleSet;
use tzeva_plan::Given;
use tzeva_rulebook::{Publication, SourceFile};
use tzeva_settings::Settings;

/// Rule files that somebody wants a plan for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    files: Vec<AskedFile>,
}

/// A rule file on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedFile {
    path: String,
    text: String,
}

/// What it would mean if `new` took the place of the publication that counts, by all stored profiles.
pub(crate) fn make(
    settings: &Settings,
    (head, new): (Option<&Publication>, &RuleSet),
    profiles: &dyn Profiles,
    told: impl FnMut(u16, u64),
) -> Result<Plan, Failure> {
    let old = head.map(|head| rules::of_publication(head, settings)).transpose()?;
    let engine = wiring::engine_settings(settings);
    let given = Given { old: old.as_ref(), new, settings: engine, now: wiring::wall() };
    Plan::make(given, |shard| profiles.shard(shard), told)
        .map_err(|error| Failure::world(error.context("read the store for a plan")))
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
