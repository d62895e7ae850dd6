//! The simulated store: shards under the guard, an undo log for failovers, and applies that go wrong.

use super::state::{Door, Fate, State, trouble};
use super::{PainterId, Reply, World};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, ApplyResult, ScanPage, ShardRead, Store, StoreReply, Ticket};
use tzeva_model::{Partition, Seq, Shard, UnixMillis, VisitorId, murmur2};

pub(super) struct SimStore(pub(super) World, pub(super) PainterId);

/// What the store holds of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredShard {
    /// Its marker.
    pub marker: Option<Marker>,
    /// The stored form of each profile.
    pub profiles: BTreeMap<VisitorId, Vec<u8>>,
    /// The due sets, by the start of their ten minutes.
    pub due: BTreeMap<UnixMillis, BTreeSet<VisitorId>>,
}

#[derive(Default)]
pub(super) struct StoreState {
    shards: BTreeMap<Shard, Arc<StoredShard>>,
    /// What each write replaced, newest last.
    undo: VecDeque<(Shard, Option<Arc<StoredShard>>)>,
}

/// How many writes a failover can take back.
const UNDO: usize = 64;
/// How many a failover takes back that comes by itself.
const FAIL_OVER: u64 = 8;
/// A page of a walk has at least so many profiles, if there are as many.
const SCAN: usize = 100;

// === impl SimStore ===

impl Store for SimStore {
    fn read(&mut self, partition: Partition, ticket: Ticket, wanted: Vec<(Shard, Vec<VisitorId>)>) {
        let lane = (self.1, Door::Store, partition);
        self.0.state().request(lane, "profiles are read", move |state| {
            let read = match state.read_fails("read profiles") {
                Some(error) => Err(error),
                None => Ok(wanted.into_iter().map(|wanted| state.store.read(wanted)).collect()),
            };
            state.answer(lane, Reply::Store(StoreReply::Read(partition, ticket, read)));
        });
    }

    fn apply(&mut self, partition: Partition, ticket: Ticket, steps: Vec<Apply>) {
        let lane = (self.1, Door::Store, partition);
        self.0.state().request(lane, "an apply is carried out", move |state| {
            if state.rng.per_mille(state.faults.fail_over) {
                let writes = 1 + state.rng.below(FAIL_OVER);
                state.store.fail_over(usize::try_from(writes).unwrap_or(UNDO));
            }
            let done = steps.into_iter().map(|step| (step.shard, state.apply(lane.0, step)));
            let done = done.collect();
            state.answer(lane, Reply::Store(StoreReply::Applied(partition, ticket, done)));
        });
    }

    fn scan(&mut self, partition: Partition, ticket: Ticket, shard: Shard, cursor: u64) {
        let lane = (self.1, Door::Store, partition);
        self.0.state().request(lane, "a shard is walked", move |state| {
            let page = match state.read_fails("walk a shard") {
                Some(error) => Err(error),
                None => Ok(state.store.scan(shard, cursor)),
            };
            state.answer(lane, Reply::Store(StoreReply::Scanned(partition, ticket, page)));
        });
    }

    fn due(&mut self, partition: Partition, ticket: Ticket, shard: Shard, bucket: UnixMillis) {
        let lane = (self.1, Door::Store, partition);
        self.0.state().request(lane, "a due set is read", move |state| {
            let due = match state.read_fails("read a due set") {
                Some(error) => Err(error),
                None => Ok(state.store.shard(shard).due.remove(&bucket).unwrap_or_default()),
            };
            let due = due.map(|due| due.into_iter().collect());
            state.answer(lane, Reply::Store(StoreReply::Due(partition, ticket, due)));
        });
    }

    fn forget_due(&mut self, partition: Partition, shard: Shard, bucket: UnixMillis) {
        let lane = (self.1, Door::Store, partition);
        self.0.state().request(lane, "a due set is forgotten", move |state| {
            state.store.write(shard, |stored| {
                stored.due.remove(&bucket);
            });
        });
    }
}

impl State {
    fn apply(&mut self, painter: PainterId, step: Apply) -> ApplyResult {
        let unknown = ApplyResult::Unknown(trouble("apply"));
        if self.rng.per_mille(self.faults.half_applied) {
            let happens = self.rng.below(1 + step.writes.len() as u64);
            self.store.apply_half(&step, usize::try_from(happens).unwrap_or(usize::MAX));
            return unknown;
        }
        let faults = self.faults.apply;
        match self.fate(faults) {
            Fate::Well => self.store.apply(&step),
            Fate::AnswerLost => {
                let _ = self.store.apply(&step);
                unknown
            }
            Fate::Dropped => unknown,
            Fate::Delayed => {
                self.later(painter, "a late apply is carried out", move |state| {
                    let _ = state.store.apply(&step);
                });
                unknown
            }
        }
    }
}

// === impl StoreState ===

impl StoreState {
    pub(super) fn shard(&self, shard: Shard) -> StoredShard {
        self.shards.get(&shard).map(|stored| (**stored).clone()).unwrap_or_default()
    }

    pub(super) fn flush(&mut self) {
        self.shards.clear();
        self.undo.clear();
    }

    pub(super) fn fail_over(&mut self, writes: usize) {
        for _ in 0..writes {
            match self.undo.pop_back() {
                Some((shard, Some(before))) => drop(self.shards.insert(shard, before)),
                Some((shard, None)) => drop(self.shards.remove(&shard)),
                None => return,
            }
        }
    }

    fn read(&self, (shard, visitors): (Shard, Vec<VisitorId>)) -> ShardRead {
        let stored = self.shards.get(&shard);
        let profile = |visitor| stored.and_then(|stored| stored.profiles.get(visitor).cloned());
        ShardRead {
            shard,
            marker: stored.and_then(|stored| stored.marker),
            profiles: visitors.iter().map(profile).collect(),
        }
    }

    /// Walks in order of a hash, so that writes in the meantime move nothing out of the way.
    fn scan(&self, shard: Shard, cursor: u64) -> ScanPage {
        let all = self.shard(shard).profiles;
        let place = |visitor: &VisitorId| u64::from(murmur2(visitor.as_str().as_bytes()));
        let mut rest: Vec<_> = all.into_iter().filter(|(id, _)| place(id) >= cursor).collect();
        rest.sort_by_key(|(visitor, _)| place(visitor));
        let mut cut = rest.len().min(SCAN);
        while cut < rest.len() && place(&rest[cut].0) == place(&rest[cut - 1].0) {
            cut += 1;
        }
        let next = (cut < rest.len()).then(|| place(&rest[cut].0));
        rest.truncate(cut);
        ScanPage { shard, profiles: rest, next }
    }

    fn write(&mut self, shard: Shard, change: impl FnOnce(&mut StoredShard)) {
        let before = self.shards.get(&shard).cloned();
        let stored = self.shards.entry(shard).or_default();
        change(Arc::make_mut(stored));
        self.undo.push_back((shard, before));
        if self.undo.len() > UNDO {
            self.undo.pop_front();
        }
    }

    /// The guard, then all of the step.
    fn apply(&mut self, step: &Apply) -> ApplyResult {
        if let Some(refused) = self.guard(step) {
            return refused;
        }
        self.write(step.shard, |stored| {
            add_due(stored, step);
            put(stored, step, step.writes.len());
            stored.marker = Some(step.marker);
        });
        ApplyResult::Applied
    }

    /// The guard, then the due sets and so many of the writes, and no marker.
    fn apply_half(&mut self, step: &Apply, writes: usize) {
        if self.guard(step).is_none() {
            self.write(step.shard, |stored| {
                add_due(stored, step);
                put(stored, step, writes);
            });
        }
    }

    fn guard(&self, step: &Apply) -> Option<ApplyResult> {
        let marker = self.shards.get(&step.shard).and_then(|stored| stored.marker);
        match marker {
            None if step.prev == Seq::new(0) => None,
            None => Some(ApplyResult::Behind(None)),
            Some(there)
                if there.incarnation != step.marker.incarnation || there.seq < step.prev =>
            {
                Some(ApplyResult::Behind(Some(there)))
            }
            Some(there) if there.seq >= step.marker.seq => Some(ApplyResult::Already(there)),
            Some(_) => None,
        }
    }
}

fn add_due(stored: &mut StoredShard, step: &Apply) {
    for (bucket, visitor) in &step.due {
        stored.due.entry(*bucket).or_default().insert(visitor.clone());
    }
}

fn put(stored: &mut StoredShard, step: &Apply, writes: usize) {
    for write in step.writes.iter().take(writes) {
        match &write.profile {
            Some(profile) => drop(stored.profiles.insert(write.visitor.clone(), profile.clone())),
            None => drop(stored.profiles.remove(&write.visitor)),
        }
    }
}
