//! The judge: which records of a log count. Every reader asks it, in order of offset, so all agree.
//!
//! * A log opens with an **anchor**. A second anchor of cause `first` is a loser of the race to open the log, or its late
//!   echo, and is ignored. A later anchor counts if it continues this log: the same incarnation, and the seq that it was
//!   written upon is still the last one. One of cause `restore` begins a new incarnation. After an anchor nobody owns the
//!   partition until the next claim.
//! * A **claim** takes the partition; its offset is the epoch from here on.
//! * A **commit** fits if it names the epoch of the latest claim and the seq after the last one that fits. Arrival order
//!   alone is never trusted: a former owner's append may lie behind its successor's claim.
//! * A commit with `more` is *held*: it counts when the group's closing record fits, and then the whole group counts. A
//!   claim or an anchor in between cuts the group off: what was held counts for nothing, and the next seq is the one that
//!   the group began with. So a decision is never half true.
//!
//! A reader starts at the log's beginning, at an anchor, or behind a marker, which holds incarnation, offset, epoch and
//! seq: whoever knows only the seq would take a dead owner's commit for a valid one. Nothing here reads or buffers
//! records; whoever folds them holds back a group until it is closed.

use crate::{Anchor, AnchorCause, Commit, LogRecord, Marker};
use tzeva_model::{Epoch, Incarnation, LogOffset, Seq};

/// Judges the records of one log in order of offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judge {
    incarnation: Option<Incarnation>,
    epoch: Option<Epoch>,
    seq: Seq,
    held: u64,
    at: Option<LogOffset>,
}

/// What a record is to every reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It opens the log or continues it elsewhere. Held records are dropped.
    Anchor,
    /// It takes the partition; whose it is only the claimer can tell. Held records are dropped.
    Claim,
    /// It fits, and counts once the closing record of its group does.
    Held,
    /// It counts, together with the records held before it.
    Counts {
        /// How many records were held before it; 0: it is no group.
        held: u64,
    },
    /// It counts for nothing.
    Ignored(Why),
}

/// Why a record counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It lies at or behind the offset that the judge has reached.
    Seen,
    /// No anchor came before it.
    Unanchored,
    /// An anchor that does not continue this log: an echo, or a loser.
    StaleAnchor,
    /// Its epoch is not the latest claim's.
    DeadEpoch,
    /// Its seq is not the next.
    WrongSeq,
}

// === impl Judge ===

impl Judge {
    /// A judge at the beginning of a log, before its anchor.
    #[must_use]
    pub const fn at_beginning() -> Self {
        Self { incarnation: None, epoch: None, seq: Seq::new(0), held: 0, at: None }
    }

    /// A judge right behind `anchor`, which lies at `offset` and counts.
    #[must_use]
    pub const fn from_anchor(offset: LogOffset, anchor: &Anchor) -> Self {
        Self {
            incarnation: Some(anchor.incarnation),
            epoch: None,
            seq: anchor.seq,
            held: 0,
            at: Some(offset),
        }
    }

    /// A judge right behind the commit that `marker` vouches for.
    #[must_use]
    pub const fn from_marker(marker: &Marker) -> Self {
        Self {
            incarnation: Some(marker.incarnation),
            epoch: Some(marker.epoch),
            seq: marker.seq,
            held: 0,
            at: Some(marker.offset),
        }
    }

    /// The life of the log; `None` before its anchor.
    #[must_use]
    pub const fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// The latest claim's offset; `None` since the last anchor.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// The last seq that counts; held records don't.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// Judges the record at `offset`; offsets come ascending, with or without gaps.
    ///
    /// Replay: the same records from the same start give the same verdicts, whatever lay before the start.
    pub fn observe(&mut self, offset: LogOffset, record: &LogRecord) -> Verdict {
        if self.at.is_some_and(|at| offset <= at) {
            return Verdict::Ignored(Why::Seen);
        }
        self.at = Some(offset);
        match record {
            LogRecord::Anchor(anchor) => self.anchor(anchor),
            LogRecord::Claim(_) if self.incarnation.is_none() => Verdict::Ignored(Why::Unanchored),
            LogRecord::Claim(_) => {
                self.epoch = Some(offset.as_epoch());
                self.held = 0;
                Verdict::Claim
            }
            LogRecord::Commit(commit) => self.commit(commit),
        }
    }

    fn anchor(&mut self, anchor: &Anchor) -> Verdict {
        let counts = match self.incarnation {
            None => true,
            Some(life) if life != anchor.incarnation => anchor.cause == AnchorCause::Restore,
            Some(_) => {
                matches!(anchor.cause, AnchorCause::Outage | AnchorCause::Grow)
                    && anchor.seq == self.seq
            }
        };
        if !counts {
            return Verdict::Ignored(Why::StaleAnchor);
        }
        self.incarnation = Some(anchor.incarnation);
        self.epoch = None;
        self.seq = anchor.seq;
        self.held = 0;
        Verdict::Anchor
    }

    fn commit(&mut self, commit: &Commit) -> Verdict {
        if self.incarnation.is_none() {
            return Verdict::Ignored(Why::Unanchored);
        }
        if self.epoch != Some(commit.epoch) {
            return Verdict::Ignored(Why::DeadEpoch);
        }
        let before = self.seq.get().saturating_add(self.held);
        if commit.seq.get().checked_sub(before) != Some(1) {
            return Verdict::Ignored(Why::WrongSeq);
        }
        if commit.more {
            self.held += 1;
            return Verdict::Held;
        }
        self.seq = commit.seq;
        Verdict::Counts { held: std::mem::take(&mut self.held) }
    }
}

#[cfg(test)]
mod tests;
