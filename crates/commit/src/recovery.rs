//! The recovery fold: what a new owner must know before it decides anything, from the log alone.
//!
//! An owner that has claimed reads the log from [`Recovery::start`] up to its claim and feeds it in. What comes out is
//! where the partition stands, and what the store and the topics downstream may still lack:
//!
//! * **Deltas** behind a shard's marker. They are taken out in order of seq and folded into the stored profiles; a stored
//!   profile that is ahead of a delta (a half-executed apply) knows so by its own seq.
//! * **Effects** (changes, dead letters, names) that are not known to be published. An owner moves a marker only over
//!   commits whose effects were published, so what wasn't lies behind every marker, and is read.
//!
//! Deltas grow with what is read, which is the whole log when the store is empty: take them out between two pages. What is
//! taken out is exact as of [`Recovery::position`], a marker for what was folded. Effects shrink again as the log tells
//! what was published: take them at the end.
//!
//! Reading starts *at* the lowest marker's own commit, not behind it: if something else lies there, the store is not a
//! view of this log, and the commit tells `until`, rules and positions even if nothing follows it. What can't be recovered
//! is refused; see [`Refusal`].

mod found;
mod refusal;

pub use found::{Effects, Expected, Lacking, Recovered};
pub use refusal::Refusal;

use crate::{Anchor, AnchorCause, Commit, Judge, LogRecord, Marker, Verdict};
use found::advance;
use std::collections::{BTreeMap, VecDeque};
use tzeva_model::{ChangeNumber, LogOffset, Seq, Shard, SourceOffset, UnixMillis};

/// The fold, see the module.
#[derive(Clone, Debug)]
pub struct Recovery {
    judge: Judge,
    expected: Expected,
    start: LogOffset,
    /// The commit that must lie at the start; `None`: the log's anchor does, or it was found.
    sought: Option<Marker>,
    markers: BTreeMap<Shard, Option<Marker>>,
    /// The markers that were not met yet, by seq.
    vouched: BTreeMap<Seq, Marker>,
    /// Commits up to here have published their effects: a marker has passed them.
    published: Seq,
    touched: BTreeMap<Shard, Seq>,
    stands: Option<Recovered>,
    position: Option<Marker>,
    held: Vec<(LogOffset, Commit)>,
    lacking: Vec<Lacking>,
    effects: VecDeque<Effects>,
}

// === impl Recovery ===

impl Recovery {
    /// A fold for these shards, whose markers were read after the claim. `head` is the first record that the log still
    /// holds; `None`: it is empty.
    ///
    /// # Errors
    /// [`Refusal`]; a person has to act.
    pub fn begin(
        expected: Expected,
        markers: impl IntoIterator<Item = (Shard, Option<Marker>)>,
        head: Option<(LogOffset, &LogRecord)>,
    ) -> Result<Self, Refusal> {
        let (begin, record) = head.ok_or(Refusal::Empty)?;
        let markers: BTreeMap<_, _> = markers.into_iter().collect();
        let opening = match record {
            LogRecord::Anchor(anchor) => Some(anchor),
            LogRecord::Claim(_) | LogRecord::Commit(_) => None,
        };
        if let Some(anchor) = opening {
            refusal::check_anchor(&expected, anchor)?;
        }
        let lowest = markers.iter().map(|(shard, marker)| (*shard, *marker));
        let lowest = lowest.min_by_key(|(_, marker)| marker.map(|marker| marker.offset));
        let (start, sought) = match (lowest, opening) {
            (Some((_, Some(marker))), _) if marker.offset >= begin => (marker.offset, Some(marker)),
            (Some((shard, Some(marker))), _) => {
                return Err(Refusal::Truncated { shard, begin, start: Some(marker.offset) });
            }
            (Some((shard, None)), None) => {
                return Err(Refusal::Truncated { shard, begin, start: None });
            }
            (Some((shard, None)), Some(anchor)) if anchor.cause != AnchorCause::First => {
                return Err(Refusal::Unrestored { shard, offset: begin });
            }
            (_, Some(_)) => (begin, None),
            (None, None) => return Err(Refusal::Empty),
        };
        let judge = sought.as_ref().map_or_else(Judge::at_beginning, Judge::from_marker);
        let there = || markers.iter().filter_map(|(shard, marker)| Some((*shard, (*marker)?)));
        let touched = there().map(|(shard, marker)| (shard, marker.seq)).collect();
        let vouched: BTreeMap<_, _> = there().map(|(_, marker)| (marker.seq, marker)).collect();
        let published = vouched.keys().next_back().copied().unwrap_or_default();
        Ok(Self {
            judge,
            expected,
            start,
            sought,
            markers,
            vouched,
            published,
            touched,
            stands: None,
            position: None,
            held: Vec::new(),
            lacking: Vec::new(),
            effects: VecDeque::new(),
        })
    }

    /// Where reading starts; the record there is fed too.
    #[must_use]
    pub const fn start(&self) -> LogOffset {
        self.start
    }

    /// Takes the next record; offsets ascend.
    ///
    /// # Errors
    /// [`Refusal`]; a person has to act.
    pub fn feed(&mut self, offset: LogOffset, record: LogRecord) -> Result<Verdict, Refusal> {
        if let Some(marker) = self.sought.take() {
            return self.resume(marker, offset, record);
        }
        let verdict = self.judge.observe(offset, &record);
        match (verdict, record) {
            (Verdict::Anchor, LogRecord::Anchor(anchor)) => {
                self.held.clear();
                self.anchor(offset, &anchor)?;
            }
            (Verdict::Claim, _) => {
                self.held.clear();
                if let Some(stands) = &mut self.stands {
                    stands.epoch = Some(offset.as_epoch());
                }
            }
            (Verdict::Held, LogRecord::Commit(commit)) => self.held.push((offset, *commit)),
            (Verdict::Counts { .. }, LogRecord::Commit(commit)) => {
                for (offset, part) in std::mem::take(&mut self.held) {
                    self.fold(offset, part)?;
                }
                self.fold(offset, *commit)?;
            }
            _ => {}
        }
        Ok(verdict)
    }

    /// Where the partition stands; nothing may be fed any more.
    ///
    /// # Errors
    /// [`Refusal`] if the log ended before what the markers vouch for.
    pub fn finish(&self) -> Result<Recovered, Refusal> {
        let stands = self.stands.clone().ok_or(match self.sought {
            Some(marker) => Refusal::StoreAhead { marker, seq: None },
            None => Refusal::Empty,
        })?;
        for (shard, marker) in &self.markers {
            let Some(marker) = *marker else { continue };
            if marker.incarnation != stands.incarnation {
                let log = stands.incarnation;
                return Err(Refusal::Incarnation { shard: *shard, marker, log });
            }
            if marker.seq > stands.seq {
                return Err(Refusal::StoreAhead { marker, seq: Some(stands.seq) });
            }
        }
        if let Some((_, &marker)) = self.vouched.first_key_value() {
            return Err(Refusal::Foreign { marker, offset: marker.offset });
        }
        Ok(stands)
    }

    /// What vouches for all that was fed and counts; `None` before the first commit. Its `filed_until` is not known here,
    /// and stands at the beginning of time.
    #[must_use]
    pub const fn position(&self) -> Option<Marker> {
        self.position
    }

    /// The deltas that shards lack, found since the last call, in order of seq.
    pub fn take_lacking(&mut self) -> Vec<Lacking> {
        std::mem::take(&mut self.lacking)
    }

    /// The effects that may not be published, found since the last call, in order of seq; empty ones are left out.
    pub fn take_effects(&mut self) -> Vec<Effects> {
        std::mem::take(&mut self.effects).into()
    }

    /// For a commit's link to `shard`: no commit behind this one, up to what was fed, touches the shard. (The marker may
    /// have moved past the commit that touched it last.)
    #[must_use]
    pub fn touched(&self, shard: Shard) -> Seq {
        self.touched.get(&shard).copied().unwrap_or_default()
    }

    /// Starts at the commit that the lowest marker vouches for.
    fn resume(
        &mut self,
        marker: Marker,
        offset: LogOffset,
        record: LogRecord,
    ) -> Result<Verdict, Refusal> {
        let LogRecord::Commit(commit) = record else {
            return Err(Refusal::Foreign { marker, offset });
        };
        let same = (offset, commit.epoch, commit.seq, commit.more)
            == (marker.offset, marker.epoch, marker.seq, false);
        if !same {
            return Err(Refusal::Foreign { marker, offset });
        }
        let mut stands = Recovered {
            incarnation: marker.incarnation,
            epoch: Some(marker.epoch),
            seq: marker.seq,
            n: ChangeNumber::new(0),
            until: commit.until,
            clock: commit.clock,
            rules_version: commit.rules_version,
            inputs: vec![SourceOffset::new(0); self.expected.topics.len()],
            projected: commit.projected,
            readable_from: commit.changes_from,
            sweep: None,
        };
        refusal::check_inputs(&self.expected, &commit)?;
        advance(&mut stands, &commit);
        self.stands = Some(stands);
        self.position = Some(marker);
        self.vouched.remove(&marker.seq);
        self.keep(offset, *commit);
        Ok(Verdict::Counts { held: 0 })
    }

    fn anchor(&mut self, offset: LogOffset, anchor: &Anchor) -> Result<(), Refusal> {
        refusal::check_anchor(&self.expected, anchor)?;
        let first = self.stands.is_none();
        if anchor.cause == AnchorCause::Restore && !first {
            // Snapshots hold what came before; a shard that has not reached the anchor was not restored.
            let lacks = |marker: &Option<Marker>| marker.is_none_or(|one| one.offset < offset);
            if let Some((shard, _)) = self.markers.iter().find(|(_, marker)| lacks(marker)) {
                return Err(Refusal::Unrestored { shard: *shard, offset });
            }
            self.lacking.clear();
            self.effects.clear();
        }
        let before = self.stands.as_ref();
        self.stands = Some(Recovered {
            incarnation: anchor.incarnation,
            epoch: None,
            seq: anchor.seq,
            n: anchor.n,
            until: anchor.until,
            clock: anchor.until,
            rules_version: anchor.rules_version,
            inputs: anchor.inputs.iter().map(|(_, offset)| *offset).collect(),
            projected: before.map_or(anchor.n, |before| before.projected),
            readable_from: before.map_or(anchor.n.next(), |before| before.readable_from),
            sweep: None,
        });
        Ok(())
    }

    /// Folds a commit that counts.
    fn fold(&mut self, offset: LogOffset, mut commit: Commit) -> Result<(), Refusal> {
        let Some(stands) = &mut self.stands else { return Ok(()) };
        refusal::check_inputs(&self.expected, &commit)?;
        advance(stands, &commit);
        let position = Marker {
            incarnation: stands.incarnation,
            offset,
            epoch: commit.epoch,
            seq: commit.seq,
            filed_until: UnixMillis::MIN,
        };
        self.position = Some(position);
        if let Some(marker) = self.vouched.remove(&commit.seq) {
            let same = Marker { filed_until: position.filed_until, ..marker } == position;
            if !same || commit.more {
                return Err(Refusal::Foreign { marker, offset });
            }
        }
        for link in &commit.shards {
            let touched = self.touched.entry(link.shard).or_default();
            *touched = (*touched).max(commit.seq);
        }
        for delta in std::mem::take(&mut commit.deltas) {
            let shard = delta.visitor.shard();
            let marker = self.markers.get(&shard).copied().flatten();
            if marker.is_none_or(|marker| marker.seq < commit.seq) {
                self.lacking.push(Lacking { shard, seq: commit.seq, delta });
            }
        }
        self.keep(offset, commit);
        Ok(())
    }

    /// Keeps a commit's effects, and drops those that it says are published. A change that is published takes along
    /// all that was logged before it; whether what stands behind it was published can't be told.
    fn keep(&mut self, offset: LogOffset, mut commit: Commit) {
        if commit.seq <= self.published {
            commit.dead_letters.clear();
            commit.names.clear();
        }
        let done = |kept: &Effects| {
            let next = kept.changes_from.get().saturating_add(kept.changes.len() as u64);
            !kept.changes.is_empty() && next <= commit.projected.get().saturating_add(1)
        };
        if let Some(last) = self.effects.iter().rposition(done) {
            self.effects.drain(..=last);
        }
        if commit.changes.is_empty() && commit.dead_letters.is_empty() && commit.names.is_empty() {
            return;
        }
        self.effects.push_back(Effects {
            seq: commit.seq,
            offset,
            clock: commit.clock,
            rules_version: commit.rules_version,
            changes_from: commit.changes_from,
            changes: commit.changes,
            dead_letters: commit.dead_letters,
            names: commit.names,
        });
    }
}

#[cfg(test)]
mod tests;
