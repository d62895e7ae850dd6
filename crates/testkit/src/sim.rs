//! A simulated world: the log, the store, the changes topic and the sources of any number of painters, over one seed, on
//! virtual time, in one thread. It breaks on purpose, and the same seed breaks it the same way.
//!
//! Painters are the test's own: each gets [`Ports`] made with its sinks, and is handed answers while the test calls
//! [`World::step`], which carries out the next thing that is due. A request has two moments: when it takes effect, and
//! when its answer arrives; between them anything else may happen. Requests of one painter to one port and partition keep
//! their order in both, as the ports promise; nothing else is promised, and with [`Faults`] the rest is broken too:
//!
//! * An append is written though its answer is *unknown*, or isn't, or is written long after: a zombie's.
//! * An apply likewise, or half of it happens: profiles without the marker.
//! * The store fails over to an older state ([`World::fail_over`]) or is emptied ([`World::flush`]).
//! * Publishing stops half-way and goes on later; a painter that was replaced meanwhile repeats what others published.
//! * Source records are there, and counted by an end-offset query, before readers can see them.
//! * A painter crashes ([`World::crash`]): of what it had asked for, some still happens. Or it stands still
//!   ([`World::pause`]) and goes on later, not knowing.
//!
//! What never breaks is what Kafka promises: an acknowledged record stays, at its offset.

mod changes;
mod inbox;
mod log;
mod rng;
mod source;
mod state;
mod store;

pub use changes::Published;
pub use inbox::Inbox;
pub use source::NewRecord;
pub use store::StoredShard;

use state::State;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tzeva_commit::port::{
    Changes, ChangesReply, Log, LogEntry, LogReply, Sink, Source, SourceRecord, SourceReply, Store,
    StoreReply,
};
use tzeva_model::{Millis, Partition, Shard, SourceOffset, TopicIndex, UnixMillis};

/// The world. Clones are the same one.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

/// A painter's process; a restarted one is another painter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PainterId(pub u32);

/// Where a painter's answers go. They are called from within [`World::step`], and may call ports.
#[derive(Clone)]
pub struct Sinks {
    /// The log's.
    pub log: Sink<LogReply>,
    /// The store's.
    pub store: Sink<StoreReply>,
    /// The changes port's.
    pub changes: Sink<ChangesReply>,
    /// The source's.
    pub source: Sink<SourceReply>,
}

/// An answer, of any port.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The log's.
    Log(LogReply),
    /// The store's.
    Store(StoreReply),
    /// The changes port's.
    Changes(ChangesReply),
    /// The source's.
    Source(SourceReply),
}

/// A painter's ports.
pub struct Ports {
    /// The log.
    pub log: Box<dyn Log>,
    /// The store.
    pub store: Box<dyn Store>,
    /// The changes topic, dead letters and names.
    pub changes: Box<dyn Changes>,
    /// The source topics.
    pub source: Box<dyn Source>,
}

/// What there is in the world.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The number of partitions of everything.
    pub partitions: u16,
    /// The number of source topics.
    pub topics: u8,
    /// When it begins.
    pub begin: UnixMillis,
}

/// What breaks, in thousandths of the requests concerned; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Of the log.
    pub log: RequestFaults,
    /// Of applies, each shard by itself.
    pub apply: RequestFaults,
    /// Applies that stop half-way; unknown.
    pub half_applied: u32,
    /// Applies before which the store loses its last writes.
    pub fail_over: u32,
    /// Reads of any port that fail, and may be tried again.
    pub read_failed: u32,
    /// Publishes that stop half-way for a while.
    pub stalled: u32,
    /// Source records that readers see later than they are there.
    pub held_back: u32,
    /// The longest that a request takes each way; what is late comes some twenty times later.
    pub latency: Millis,
}

/// How a writing request may go wrong, in thousandths; each is answered `Unknown`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFaults {
    /// Done, and the answer is lost.
    pub answer_lost: u32,
    /// Never done.
    pub dropped: u32,
    /// Done long after the answer.
    pub delayed: u32,
}

/// What a step was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: UnixMillis,
    /// Whose request it belongs to, if it is anyone's.
    pub painter: Option<PainterId>,
    /// What happened, for a trace.
    pub what: &'static str,
}

// === impl World ===

impl World {
    /// A world in which nothing has happened yet.
    #[must_use]
    pub fn new(seed: u64, layout: Layout, faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed, layout, faults))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new painter's ports, which answer to `sinks`.
    #[must_use]
    pub fn ports(&self, painter: PainterId, sinks: Sinks) -> Ports {
        self.state().join(painter, sinks);
        Ports {
            log: Box::new(log::SimLog(self.clone(), painter)),
            store: Box::new(store::SimStore(self.clone(), painter)),
            changes: Box::new(changes::SimChanges(self.clone(), painter)),
            source: Box::new(source::SimSource(self.clone(), painter)),
        }
    }

    /// Carries out the next thing that is due, moving time to it; `None`: nothing is under way.
    pub fn step(&self) -> Option<Step> {
        let (step, deliveries) = {
            let mut state = self.state();
            let step = state.step()?;
            (step, state.take_deliveries())
        };
        for (sinks, reply) in deliveries {
            match reply {
                Reply::Log(reply) => (sinks.log)(reply),
                Reply::Store(reply) => (sinks.store)(reply),
                Reply::Changes(reply) => (sinks.changes)(reply),
                Reply::Source(reply) => (sinks.source)(reply),
            }
        }
        Some(step)
    }

    /// Now, which is the log's own time too.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.state().now
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_at(&self) -> Option<UnixMillis> {
        self.state().next_at()
    }

    /// Lets time pass up to `at`, but not beyond the next thing that is due.
    pub fn advance(&self, at: UnixMillis) {
        self.state().advance(at);
    }

    /// A number below `bound` (0 if that is 0) from the world's own seed, for what the test draws.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        self.state().rng.below(bound)
    }

    /// The group hints that `painter` should own `partition`.
    pub fn assign(&self, painter: PainterId, partition: Partition) {
        self.state().hint(painter, partition, SourceReply::Assigned(partition));
    }

    /// The group hints that `painter` should let go of `partition`.
    pub fn revoke(&self, painter: PainterId, partition: Partition) {
        self.state().hint(painter, partition, SourceReply::Revoked(partition));
    }

    /// `painter` is gone at once: it hears nothing more, and of what it asked for some still happens.
    pub fn crash(&self, painter: PainterId) {
        self.state().crash(painter);
    }

    /// `painter` stands still: answers wait for it.
    pub fn pause(&self, painter: PainterId) {
        self.state().pause(painter, true);
    }

    /// `painter` goes on: the answers that waited are due now.
    pub fn resume(&self, painter: PainterId) {
        self.state().pause(painter, false);
    }

    /// The store loses its last `writes` writes, at most those that it remembers.
    pub fn fail_over(&self, writes: usize) {
        self.state().store.fail_over(writes);
    }

    /// The store loses everything.
    pub fn flush(&self) {
        self.state().store.flush();
    }

    /// Appends to a source topic.
    pub fn produce(
        &self,
        topic: TopicIndex,
        partition: Partition,
        record: NewRecord,
    ) -> SourceOffset {
        self.state().produce(topic, partition, record)
    }

    /// All of a log.
    #[must_use]
    pub fn log(&self, partition: Partition) -> Vec<LogEntry> {
        self.state().logs.get(&partition).cloned().unwrap_or_default()
    }

    /// What the store holds of a shard.
    #[must_use]
    pub fn shard(&self, shard: Shard) -> StoredShard {
        self.state().store.shard(shard)
    }

    /// All that was published in a partition, in order, repeats included.
    #[must_use]
    pub fn published(&self, partition: Partition) -> Vec<Published> {
        self.state().published.get(&partition).cloned().unwrap_or_default()
    }

    /// The names that were published, by key.
    #[must_use]
    pub fn names(&self) -> BTreeMap<String, String> {
        self.state().names.iter().cloned().collect()
    }

    /// All of a source topic's partition.
    #[must_use]
    pub fn source(&self, topic: TopicIndex, partition: Partition) -> Vec<SourceRecord> {
        self.state().source_records(topic, partition)
    }

    /// The progress that was told last.
    #[must_use]
    pub fn progress(&self, partition: Partition) -> Option<Vec<SourceOffset>> {
        self.state().progress.get(&partition).cloned()
    }
}

// === impl Faults ===

impl Faults {
    /// Everything breaks, often.
    #[must_use]
    pub const fn all() -> Self {
        let requests = RequestFaults { answer_lost: 10, dropped: 10, delayed: 10 };
        Self {
            log: requests,
            apply: requests,
            half_applied: 10,
            fail_over: 5,
            read_failed: 20,
            stalled: 50,
            held_back: 100,
            latency: Millis::new(40),
        }
    }
}

#[cfg(test)]
mod tests;
