//! What happened in an owner since somebody last asked, as plain numbers: the owner knows no metrics registry.

use crate::batch::Decided;
use std::collections::BTreeMap;
use tzeva_engine::Counts;
use tzeva_model::{Millis, RejectionCode};

/// Numbers that only grow until they are taken, and spans to put into histograms.
#[derive(Debug, Default)]
pub struct Observations {
    /// Records that left a stroke.
    pub painted: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Rejected records, by code.
    pub rejected: BTreeMap<RejectionCode, u64>,
    /// Changes that count.
    pub entered: u64,
    /// Changes that count.
    pub exited: u64,
    /// Commits that count.
    pub commits: u64,
    /// Bytes handed to the log.
    pub log_bytes: u64,
    /// Profiles handed to the store.
    pub profiles_written: u64,
    /// Claims written.
    pub claims: u64,
    /// Reigns that a foreign claim ended.
    pub fenced: u64,
    /// Appends whose fate is unknown.
    pub unknown_outcomes: u64,
    /// Reigns that ended because the store was not where it should be.
    pub store_moved: u64,
    /// Partitions refused.
    pub refused: u64,
    /// Panics caught.
    pub panics: u64,
    /// New names that the cap kept out of the log.
    pub names_capped: u64,
    /// Switches to new rules.
    pub activations: u64,
    /// Profiles met by sweeps under new rules.
    pub swept: u64,
    /// What the engine counted.
    pub engine: Counts,
    /// From handing over an append to its ack.
    pub append: Vec<Millis>,
    /// From handing over an apply to its answer.
    pub apply: Vec<Millis>,
    /// From a record's time to the publishing of a change that it caused.
    pub freshness: Vec<Millis>,
    /// From a deadline to the ack of the commit that fired it.
    pub lateness: Vec<Millis>,
}

// === impl Observations ===

impl Observations {
    /// Books what a batch came to.
    pub(crate) fn decided(&mut self, decided: &Decided) {
        self.painted += decided.painted;
        self.duplicates += decided.duplicates;
        for (&code, &count) in &decided.rejected {
            *self.rejected.entry(code).or_default() += count;
        }
        self.engine.add(&decided.draft.counts);
    }
}
