//! What is true by the log and not yet in the store, shard by shard.
//!
//! A commit passes through here in three steps: it *counts* (the log has it), it is *projected* (its changes are
//! published), it is *applied* (a marker has passed it). Only projected commits are applied, so recovery, which reads
//! from the lowest marker, always meets what still has to be projected. A profile stays here until a marker is known to
//! have passed it; the engine must not evict it before.

use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, Write};
use tzeva_model::{Millis, Seq, Shard, UnixMillis, VisitorId};
use tzeva_profile::{Profile, stored};

/// A profile as a commit left it; `None`: it ended.
pub(crate) type Snapshot = (VisitorId, Option<Profile>);

/// The unapplied part of a partition.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    shards: BTreeMap<Shard, ShardView>,
    /// The last commit that touched each visitor, while it is not known to be in the store.
    pinned: HashMap<VisitorId, Seq>,
}

#[derive(Debug, Default)]
struct ShardView {
    /// The marker that the next read must find: that of the last apply sent, or the one found when recovering.
    expected: Option<Marker>,
    /// Deadlines before this are in due sets once the next apply is done.
    filed_until: UnixMillis,
    /// The last commit that touched the shard.
    touched: Seq,
    /// Projected, and not yet sent.
    dirty: BTreeMap<VisitorId, Option<Profile>>,
    dirty_since: Option<Millis>,
    /// Visitors of the apply that is under way.
    sent: Option<(Seq, Vec<VisitorId>)>,
    due: Vec<(UnixMillis, VisitorId)>,
}

/// Ten minutes: the width of a due set.
pub(crate) const BUCKET: Millis = Millis::new(600_000);

// === impl Overlay ===

impl Overlay {
    /// A view of shards whose markers were found so.
    #[must_use]
    pub(crate) fn new(markers: &[(Shard, Option<Marker>)]) -> Self {
        let view = |marker: Option<Marker>| ShardView {
            expected: marker,
            filed_until: marker.map_or(UnixMillis::MIN, |marker| marker.filed_until),
            touched: Seq::new(0),
            ..ShardView::default()
        };
        let shards = markers.iter().map(|&(shard, marker)| (shard, view(marker))).collect();
        Self { shards, pinned: HashMap::default() }
    }

    /// The marker that a read of `shard` sent now must find.
    #[must_use]
    pub(crate) fn expected(&self, shard: Shard) -> Option<Marker> {
        self.shards.get(&shard).and_then(|view| view.expected)
    }

    /// The last commit that touched `shard`; 0: none that this owner knows.
    #[must_use]
    pub(crate) fn touched(&self, shard: Shard) -> Seq {
        self.shards.get(&shard).map_or(Seq::new(0), |view| view.touched)
    }

    /// `seq` touches `shard`.
    pub(crate) fn touch(&mut self, shard: Shard, seq: Seq) {
        self.shards.entry(shard).or_default().touched = seq;
    }

    /// Keeps a visitor in memory until `seq` is in the store.
    pub(crate) fn pin(&mut self, visitor: &VisitorId, seq: Seq) {
        self.pinned.insert(visitor.clone(), seq);
    }

    /// True if the store may not have all of a visitor's commits.
    #[must_use]
    pub(crate) fn pinned(&self, visitor: &VisitorId) -> bool {
        self.pinned.contains_key(visitor)
    }

    /// All of them, by shard.
    #[must_use]
    pub(crate) fn pinned_by_shard(&self) -> BTreeMap<Shard, BTreeSet<VisitorId>> {
        let mut all: BTreeMap<Shard, BTreeSet<VisitorId>> = BTreeMap::new();
        for visitor in self.pinned.keys() {
            all.entry(visitor.shard()).or_default().insert(visitor.clone());
        }
        all
    }

    /// How many visitors are pinned.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.pinned.len()
    }

    /// Takes in what a projected commit left.
    pub(crate) fn projected(&mut self, snapshots: Vec<Snapshot>, monotonic: Millis) {
        for (visitor, profile) in snapshots {
            let view = self.shards.entry(visitor.shard()).or_default();
            view.dirty_since.get_or_insert(monotonic);
            view.dirty.insert(visitor, profile);
        }
    }

    /// Files the deadlines of `due` (visitor and instant) in the due sets, and says that from the next apply on all
    /// before `until` are there.
    pub(crate) fn file(&mut self, due: &[(UnixMillis, VisitorId)], until: UnixMillis) {
        for (at, visitor) in due {
            let view = self.shards.entry(visitor.shard()).or_default();
            view.due.push((bucket(*at), visitor.clone()));
        }
        for view in self.shards.values_mut() {
            view.filed_until = view.filed_until.max(until);
        }
    }

    /// The instant before which every shard's deadlines are in due sets.
    #[must_use]
    pub(crate) fn filed_until(&self) -> UnixMillis {
        self.shards.values().map(|view| view.filed_until).min().unwrap_or(UnixMillis::MIN)
    }

    /// The steps that are due: shards with at least `dirty` profiles, or with one that is older than `after`, or with
    /// anything at all if `all`. `last` is the marker of the last projected commit, its `filed_until` apart.
    pub(crate) fn flush(&mut self, last: Marker, when: Flush) -> Vec<Apply> {
        let mut steps = Vec::new();
        for (&shard, view) in &mut self.shards {
            let due = match when {
                Flush::Ready { dirty, before } => {
                    view.dirty.len() >= dirty
                        || view.dirty_since.is_some_and(|since| since <= before)
                }
                Flush::All => true,
            };
            let behind = view.expected.is_none_or(|marker| {
                marker.seq < last.seq || marker.filed_until < view.filed_until
            });
            if due && behind && view.sent.is_none() && view.advances(last) {
                steps.push(view.step(shard, last));
            }
        }
        steps
    }

    /// An apply of `shard` went through: what it held is in the store.
    pub(crate) fn applied(&mut self, shard: Shard) {
        let Some(view) = self.shards.get_mut(&shard) else { return };
        let Some((seq, visitors)) = view.sent.take() else { return };
        for visitor in visitors {
            if self.pinned.get(&visitor).is_some_and(|&pin| pin <= seq) {
                self.pinned.remove(&visitor);
            }
        }
    }

    /// True if nothing waits to be applied or is under way.
    #[must_use]
    pub(crate) fn settled(&self) -> bool {
        self.shards.values().all(|view| view.dirty.is_empty() && view.sent.is_none())
    }
}

/// Which shards a flush takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flush {
    /// Those that are ready.
    Ready {
        /// At least so many dirty profiles,
        dirty: usize,
        /// or one that is dirty since then.
        before: Millis,
    },
    /// All whose marker can move.
    All,
}

// === impl ShardView ===

impl ShardView {
    /// A step moves the marker's seq; a store that holds the seq already would refuse it.
    fn advances(&self, last: Marker) -> bool {
        self.expected.map_or(Seq::new(0), |marker| marker.seq) < last.seq
    }

    fn step(&mut self, shard: Shard, last: Marker) -> Apply {
        let prev = self.expected.map_or(Seq::new(0), |marker| marker.seq);
        let marker = Marker { filed_until: self.filed_until, ..last };
        let dirty = std::mem::take(&mut self.dirty);
        self.dirty_since = None;
        let mut due = std::mem::take(&mut self.due);
        let mut visitors = Vec::with_capacity(dirty.len());
        let mut writes = Vec::with_capacity(dirty.len());
        for (visitor, profile) in dirty {
            let deadline = profile.as_ref().and_then(|profile| profile.deadline);
            if let Some(at) = deadline.filter(|&at| at < self.filed_until) {
                due.push((bucket(at), visitor.clone()));
            }
            visitors.push(visitor.clone());
            writes.push(Write { visitor, profile: profile.as_ref().map(stored::encode) });
        }
        self.expected = Some(marker);
        self.sent = Some((last.seq, visitors));
        Apply { shard, prev, marker, writes, due }
    }
}

/// The start of the ten minutes that `at` lies in.
#[must_use]
pub(crate) const fn bucket(at: UnixMillis) -> UnixMillis {
    UnixMillis::new(at.get().div_euclid(BUCKET.get()) * BUCKET.get())
}
