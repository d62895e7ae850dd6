//! What an owner has to be told before it starts.

use crate::clock::ClockLimits;
use crate::gate::SweepGate;
use crate::merge::TimeKind;
use crate::names::SharedNames;
use crate::rules::SharedRules;
use tzeva_model::{Millis, SourceOffset};

/// Settings of all owners of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who claims, for people: host and process.
    pub owner: String,
    /// The number of partitions.
    pub partitions: u16,
    /// The source topics, in merge order.
    pub topics: Vec<Topic>,
    /// The rules that were published.
    pub rules: SharedRules,
    /// Who of the process may sweep.
    pub sweeps: SweepGate,
    /// What the engine needs to know.
    pub engine: tzeva_engine::Settings,
    /// What ids stand for, as the names topic tells.
    pub names: SharedNames,
    /// Limits and pace.
    pub pace: Pace,
}

/// A source topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How its record times come to be.
    pub time: TimeKind,
    /// How long a record may be on its way; taken off a proof. 50 ms by default.
    pub grace: Millis,
}

/// Limits and pace of an owner.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Records a commit takes at most.
    pub batch: usize,
    /// Bytes a log record has at most, before compression.
    pub record_bytes: usize,
    /// Appends in flight at most.
    pub flights: usize,
    /// Deadlines a commit fires at most (but always all of one instant).
    pub deadlines: usize,
    /// Dirty profiles of a shard that are applied at once.
    pub dirty: usize,
    /// How long a dirty profile waits at most.
    pub flush_after: Millis,
    /// How often markers of idle shards move up.
    pub marker_every: Millis,
    /// How long an owner appends nothing before it appends an empty commit.
    pub heartbeat: Millis,
    /// Profiles kept in memory, over all; dirty ones are kept beyond it.
    pub profiles: usize,
    /// New names a minute of engine time.
    pub names_per_minute: u32,
    /// How often far deadlines are filed.
    pub file_every: Millis,
    /// How far ahead they are filed.
    pub file_ahead: Millis,
    /// Profiles that a sweep under new rules meets at a time.
    pub sweep_page: usize,
    /// Profiles that a process's sweeps meet a second at most.
    pub sweep_per_second: u32,
    /// How long an owner waits before it claims again, the first time; doubles up to thirty times that.
    pub claim_again: Millis,
    /// How far clocks may part.
    pub clock: ClockLimits,
}

/// Where a partition's sources are read from when its log is empty.
pub type FirstStart = Option<Vec<SourceOffset>>;

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch: 1_600,
            record_bytes: 480 * 1024,
            flights: 8,
            deadlines: 4_000,
            dirty: 64,
            flush_after: Millis::new(250),
            marker_every: Millis::new(5_000),
            heartbeat: Millis::new(10_000),
            profiles: 500_000,
            names_per_minute: 10_000,
            file_every: Millis::HOUR,
            file_ahead: Millis::HOUR.times(2),
            sweep_page: 256,
            sweep_per_second: 50_000,
            claim_again: Millis::SECOND,
            clock: ClockLimits::REAL,
        }
    }
}
