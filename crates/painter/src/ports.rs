//! Doors between owners and the world: the inbox that all answers arrive in, and the ports that effects go out by.
//!
//! Every request has one answer, and owners bound their requests, so the inbox needs no bound of its own.

use crate::effect::{Effect, Input};
use crate::names::{self, SharedNames};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tzeva_commit::port::{
    AppendResult, Changes, ChangesReply, Log, LogReply, Sink, Source, SourceReply, Store,
    StoreReply, Ticket,
};
use tzeva_decode::SchemaKey;
use tzeva_model::Partition;

/// Where answers go, to be made before the ports that answer.
#[derive(Clone)]
pub struct Inbox {
    lanes: Arc<Vec<Sender<(Partition, Input)>>>,
    names: SharedNames,
}

/// The other ends of an inbox, a lane each.
pub struct Lanes(pub(crate) Vec<Receiver<(Partition, Input)>>);

/// The ports of a process, shared by its lanes: every call returns at once.
#[derive(Clone)]
pub struct Ports {
    log: Arc<Mutex<LogDoor>>,
    store: Arc<Mutex<Box<dyn Store>>>,
    changes: Arc<Mutex<Box<dyn Changes>>>,
    source: Arc<Mutex<Box<dyn Source>>>,
    schemas: Arc<dyn Schemas>,
}

/// The log, and the appends that went through its present producer: a producer is renewed once for all of them.
struct LogDoor {
    log: Box<dyn Log>,
    present: HashSet<(Partition, Ticket)>,
}

/// Where schemas come from. Trouble that passes is retried there; the answer goes to the inbox.
pub trait Schemas: Send + Sync {
    /// Fetches the schema under `key` for `partition`, and answers `Input::Schema`.
    fn fetch(&self, partition: Partition, key: SchemaKey, inbox: &Inbox);
}

// === impl Inbox ===

impl Inbox {
    /// An inbox of so many lanes, which keeps the names that the changes port tells in `names`.
    #[must_use]
    pub fn new(lanes: usize, names: SharedNames) -> (Self, Lanes) {
        let (senders, receivers) = (0..lanes.max(1)).map(|_| unbounded()).unzip();
        (Self { lanes: Arc::new(senders), names }, Lanes(receivers))
    }

    /// Hands an input to the owner of a partition. One that has ended hears nothing.
    pub fn send(&self, partition: Partition, input: Input) {
        let lane = usize::from(partition.get()) % self.lanes.len();
        let _ = self.lanes[lane].send((partition, input));
    }

    /// Tells every partition below `count` that the process is to end.
    pub fn stop(&self, count: u16) {
        (0..count).for_each(|partition| self.send(Partition::new(partition), Input::Stop));
    }

    /// Where a log answers.
    #[must_use]
    pub fn log(&self) -> Sink<LogReply> {
        let inbox = self.clone();
        Arc::new(move |reply| {
            let (LogReply::Appended(partition, ..) | LogReply::Read(partition, ..)) = reply;
            inbox.send(partition, Input::Log(reply));
        })
    }

    /// Where a store answers.
    #[must_use]
    pub fn store(&self) -> Sink<StoreReply> {
        let inbox = self.clone();
        Arc::new(move |reply| {
            let (StoreReply::Read(partition, ..)
            | StoreReply::Applied(partition, ..)
            | StoreReply::Scanned(partition, ..)
            | StoreReply::Due(partition, ..)) = reply;
            inbox.send(partition, Input::Store(reply));
        })
    }

    /// Where a changes port answers.
    #[must_use]
    pub fn changes(&self) -> Sink<ChangesReply> {
        let inbox = self.clone();
        Arc::new(move |reply| {
            let partition = match reply {
                ChangesReply::Names(names) => return inbox.names.extend(names::table(names)),
                ChangesReply::Tail(partition, ..) | ChangesReply::Published(partition, ..) => {
                    partition
                }
            };
            inbox.send(partition, Input::Changes(reply));
        })
    }

    /// Where a source answers.
    #[must_use]
    pub fn source(&self) -> Sink<SourceReply> {
        let inbox = self.clone();
        Arc::new(move |reply| {
            let partition = match &reply {
                SourceReply::Assigned(partition)
                | SourceReply::Revoked(partition)
                | SourceReply::Lost(partition, _)
                | SourceReply::Ends(partition, ..)
                | SourceReply::Records { partition, .. } => *partition,
            };
            inbox.send(partition, Input::Source(reply));
        })
    }
}

// === impl Ports ===

impl Ports {
    /// Ports to share.
    #[must_use]
    pub fn new(
        log: Box<dyn Log>,
        store: Box<dyn Store>,
        changes: Box<dyn Changes>,
        source: Box<dyn Source>,
        schemas: Arc<dyn Schemas>,
    ) -> Self {
        Self {
            log: Arc::new(Mutex::new(LogDoor { log, present: HashSet::new() })),
            store: Arc::new(Mutex::new(store)),
            changes: Arc::new(Mutex::new(changes)),
            source: Arc::new(Mutex::new(source)),
            schemas,
        }
    }

    /// Carries out one effect. `Released` and `Refused` are the lane's.
    pub(crate) fn perform(&self, partition: Partition, effect: Effect, inbox: &Inbox) {
        match effect {
            Effect::Append(ticket, record) => {
                let mut door = locked(&self.log);
                door.present.insert((partition, ticket));
                door.log.append(partition, ticket, record);
            }
            Effect::ReadLog(ticket, from, to) => {
                locked(&self.log).log.read(partition, ticket, from, to);
            }
            Effect::RenewLog(ticket) => {
                let mut door = locked(&self.log);
                if door.present.contains(&(partition, ticket)) {
                    door.present.clear();
                    door.log.renew();
                }
            }
            Effect::ReadStore(ticket, wanted) => {
                locked(&self.store).read(partition, ticket, wanted);
            }
            Effect::ApplyStore(ticket, steps) => {
                locked(&self.store).apply(partition, ticket, steps);
            }
            Effect::Scan(ticket, shard, cursor) => {
                locked(&self.store).scan(partition, ticket, shard, cursor);
            }
            Effect::Due(ticket, shard, from) => {
                locked(&self.store).due(partition, ticket, shard, from);
            }
            Effect::ForgetDue(shard, from) => {
                locked(&self.store).forget_due(partition, shard, from);
            }
            Effect::Tail(ticket) => locked(&self.changes).tail(partition, ticket),
            Effect::Publish(ticket, messages) => {
                locked(&self.changes).publish(partition, ticket, messages);
            }
            Effect::Open(session, at) => locked(&self.source).open(partition, session, at),
            Effect::Close => locked(&self.source).close(partition),
            Effect::Pause(topic, paused) => locked(&self.source).pause(partition, topic, paused),
            Effect::Prove(ticket, now) => locked(&self.source).prove(partition, ticket, now),
            Effect::Progress(at) => locked(&self.source).progress(partition, at),
            Effect::FetchSchema(key) => self.schemas.fetch(partition, key, inbox),
            Effect::Released | Effect::Refused(_) => {}
        }
    }

    /// Notes that an append of the present producer has its place.
    pub(crate) fn answered(&self, partition: Partition, input: &Input) {
        if let Input::Log(LogReply::Appended(_, ticket, result)) = input
            && matches!(result, AppendResult::At(..))
        {
            locked(&self.log).present.remove(&(partition, *ticket));
        }
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves a port as usable as before: every call is complete in itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
