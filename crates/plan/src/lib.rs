//! What would change if other rules took the place of these: audiences, paint, and by the store who would enter and leave.
//!
//! A plan is made by the command line, or by a service that holds the store, which sends it as JSON. It is a forecast: who
//! moves is counted by the same engine that a sweep runs, over profiles that the caller reads, and nothing is decided here.
//!
//! Replay: the same rules, profiles and instant give the same plan.
#![deny(missing_docs)]

mod differences;
mod forecast;
mod guards;

pub use differences::Differences;
pub use forecast::{Forecast, Members, Stored};
pub use guards::{Allowed, Refusal, refusals};

use forecast::{Replaced, forecast};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_engine::Rules;
use tzeva_model::{RulesVersion, Shard, UnixMillis};

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version that holds now, 16 hex digits; what the plan was made against.
    pub parent: Option<String>,
    /// The hash of what the new rules mean.
    pub content: String,
    /// What the rules say differently.
    pub differences: Differences,
    /// What that would mean for visitors.
    pub forecast: Forecast,
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// The rules that count, under their publication's version; `None`: nothing was published yet.
    pub old: Option<&'a RuleSet>,
    /// The rules that shall.
    pub new: &'a RuleSet,
    /// The engine's settings, as the service has them.
    pub settings: tzeva_engine::Settings,
    /// When the new ones would take over.
    pub now: UnixMillis,
}

// === impl Plan ===

impl Plan {
    /// What it would mean if `given.new` took the place of `given.old`.
    ///
    /// `read` gives the stored profiles of a shard, and is not called if the rules say the same. `told` hears how many
    /// shards of all are done, and how many visitors were met. Takes as long as the store is large.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn make<E>(
        given: Given<'_>,
        read: impl FnMut(Shard) -> Result<Stored, E>,
        told: impl FnMut(u16, u64),
    ) -> Result<Self, E> {
        let Given { old, new, settings, now } = given;
        let mut plan = Self {
            parent: old.map(|old| hex(old.version)),
            content: hex(new.computed_version()),
            differences: Differences::between(old, new),
            forecast: Forecast::default(),
        };
        if plan.is_empty() {
            return Ok(plan);
        }
        // Before the first publication nothing is known of what ran.
        let nothing = || RuleSet {
            version: RulesVersion::default(),
            audiences: Vec::new(),
            paint: new.paint.clone(),
        };
        let rules = |set: RuleSet| Rules::compile(Arc::new(set), settings.max_age);
        let replaced = Replaced {
            old: rules(old.cloned().unwrap_or_else(nothing)),
            // No publication's: a profile with the stamp of an earlier one of the same content isn't up to date.
            new: rules(RuleSet { version: RulesVersion::new(u64::MAX), ..new.clone() }),
            settings,
            now,
        };
        plan.forecast = forecast(&replaced, read, told)?;
        Ok(plan)
    }

    /// Tells whether the rules say the same as those that count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parent.is_some() && self.differences.is_empty()
    }
}

/// A version as people and programs read it.
#[must_use]
pub fn hex(version: RulesVersion) -> String {
    format!("{:016x}", version.get())
}
