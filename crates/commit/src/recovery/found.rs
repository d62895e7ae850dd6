//! What a recovery is told, and what it finds.

use super::Refusal;
use crate::{Commit, DeadLetter, NewName, Sweep};
use tzeva_model::{
    Change, ChangeNumber, Epoch, Incarnation, LogOffset, RulesVersion, Seq, Shard, SourceOffset,
    UnixMillis,
};
use tzeva_profile::Delta;

/// What this process expects of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The number of partitions of every topic.
    pub partitions: u16,
    /// The source topics in the order of the settings.
    pub topics: Vec<Box<str>>,
}

/// Where the partition stands after all that was fed and counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The life of the log.
    pub incarnation: Incarnation,
    /// The latest claim; `None`: nobody claimed since the anchor.
    pub epoch: Option<Epoch>,
    /// The last seq.
    pub seq: Seq,
    /// The last change's number.
    pub n: ChangeNumber,
    /// Engine time.
    pub until: UnixMillis,
    /// Broker time when the last commit was cut; the next may not be cut earlier. An anchor's `until` if there is none.
    pub clock: UnixMillis,
    /// The rules in force.
    pub rules_version: RulesVersion,
    /// Where to read on, a source topic each in order.
    pub inputs: Vec<SourceOffset>,
    /// The highest change that the log knows to be published.
    pub projected: ChangeNumber,
    /// The first change whose content was read.
    pub readable_from: ChangeNumber,
    /// The sweep that is under way.
    pub sweep: Option<Sweep>,
}

/// A delta that a shard of the store lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Lacking {
    /// The shard.
    pub shard: Shard,
    /// The commit's seq.
    pub seq: Seq,
    /// The delta.
    pub delta: Delta,
}

/// The effects of one commit that may not be published.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// The commit's seq.
    pub seq: Seq,
    /// Where it lies.
    pub offset: LogOffset,
    /// When it was cut.
    pub clock: UnixMillis,
    /// The rules it was decided under.
    pub rules_version: RulesVersion,
    /// The number of the first change, or of the next one if there is none.
    pub changes_from: ChangeNumber,
    /// The changes.
    pub changes: Vec<Change>,
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// The names.
    pub names: Vec<NewName>,
}

// === impl Recovered ===

impl Recovered {
    /// The number of the next change to publish, when `tail` is the highest one found in the topic.
    ///
    /// # Errors
    /// [`Refusal::Unpublished`] if it was not read: a marker has passed what was not published.
    pub fn publish_from(&self, tail: Option<ChangeNumber>) -> Result<ChangeNumber, Refusal> {
        let next = self.projected.max(tail.unwrap_or_default()).next();
        if next < self.readable_from {
            return Err(Refusal::Unpublished { next, readable: self.readable_from });
        }
        Ok(next)
    }
}

// === impl Effects ===

impl Effects {
    /// The last change's number; the one before `changes_from` if there is none.
    #[must_use]
    pub fn last_change(&self) -> ChangeNumber {
        let behind = self.changes_from.get().saturating_add(self.changes.len() as u64);
        ChangeNumber::new(behind.saturating_sub(1))
    }
}

/// Moves to what `commit` says.
pub(super) fn advance(stands: &mut Recovered, commit: &Commit) {
    stands.seq = commit.seq;
    let behind = commit.changes_from.get().saturating_add(commit.changes.len() as u64);
    stands.n = ChangeNumber::new(behind.saturating_sub(1));
    stands.until = stands.until.max(commit.until);
    stands.clock = stands.clock.max(commit.clock);
    stands.rules_version = commit.rules_version;
    stands.projected = stands.projected.max(commit.projected);
    for range in &commit.inputs {
        if let Some(position) = stands.inputs.get_mut(usize::from(range.topic.get())) {
            *position = range.next;
        }
    }
    if !commit.more {
        stands.sweep.clone_from(&commit.sweep);
    }
}
