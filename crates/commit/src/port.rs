//! The ports: what a partition's owner needs of the world. Kafka and Redis, `fjall`, and the simulation of `testkit` each
//! stand behind them.
//!
//! Every call hands over a request and returns at once; the answer comes later through the [`Sink`] that the port was
//! made with, from any thread, each request exactly one answer unless the port was dropped. Requests of one partition to
//! one port are carried out in the order of the calls.

use crate::Marker;
use std::sync::Arc;
use tzeva_model::{
    ChangeNumber, LogOffset, Partition, Shard, SourceOffset, TopicIndex, UnixMillis, VisitorId,
};

/// Where a port's answers go; must return quickly and never block.
pub type Sink<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Tells an answer's request; the caller draws it, the port only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The world failed: what was attempted, on what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{attempt}")]
pub struct PortError {
    /// What was attempted, on what, and what came of it: one line.
    pub attempt: String,
    /// True if the same call may go through later; false: a person has to act first.
    pub transient: bool,
}

/// How an append ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendResult {
    /// It lies at this offset; the log's own time of it.
    At(LogOffset, UnixMillis),
    /// Nobody knows whether it was written: a timeout, a purge, a lost connection, no offset.
    Unknown(PortError),
    /// It was surely not written, and can't be: too large, topic gone, not allowed.
    Refused(PortError),
}

/// A record read from a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Where it lies.
    pub offset: LogOffset,
    /// The log's own time of it, never decreasing within a partition.
    pub time: UnixMillis,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Answers of a log.
#[derive(Clone, Debug)]
pub enum LogReply {
    /// To `append`.
    Appended(Partition, Ticket, AppendResult),
    /// To `read`: entries in order of offset, where the log begins and ends now, and where to read on: equal to the end
    /// asked for when all has been read. (Offsets may have gaps.)
    Read(Partition, Ticket, Result<LogPage, PortError>),
}

/// A page of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Where to read on.
    pub next: LogOffset,
    /// The first offset that is still there.
    pub begin: LogOffset,
    /// One past the last offset when the page was read.
    pub end: LogOffset,
}

/// The log of each partition: the truth.
pub trait Log: Send {
    /// Appends `record`; answered in order of the calls for one partition. Several may be in flight.
    fn append(&mut self, partition: Partition, ticket: Ticket, record: Vec<u8>);
    /// Reads from `from` on, up to `to` or the end as it is now, a page of at most some megabytes.
    fn read(
        &mut self,
        partition: Partition,
        ticket: Ticket,
        from: LogOffset,
        to: Option<LogOffset>,
    );
    /// Gives up what is in flight (each is answered `Unknown`) and appends by a new producer from now on.
    fn renew(&mut self);
}

/// A profile to write, or to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Whose.
    pub visitor: VisitorId,
    /// The stored form; `None`: remove it.
    pub profile: Option<Vec<u8>>,
}

/// One guarded, atomic step on one shard for the commits (prev, marker.seq].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// The shard.
    pub shard: Shard,
    /// The marker's seq must be in [prev, marker.seq).
    pub prev: tzeva_model::Seq,
    /// The marker to set, of the same incarnation as the one that is there. Where none is there, the step goes through
    /// only if `prev` is 0; else the store went back.
    pub marker: Marker,
    /// Whole profiles; at most one a visitor.
    pub writes: Vec<Write>,
    /// Visitors to add to due sets: the start of the ten minutes, the visitor.
    pub due: Vec<(UnixMillis, VisitorId)>,
}

/// How an apply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyResult {
    /// Written; the marker is the new one.
    Applied,
    /// The marker was there already, or past it: nothing was written.
    Already(Marker),
    /// The store went back, or is another's: nothing was written. The marker that is there, if any.
    Behind(Option<Marker>),
    /// Nobody knows: recover before the next read.
    Unknown(PortError),
}

/// Profiles of one shard read together with its marker, in one atomic step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRead {
    /// The shard.
    pub shard: Shard,
    /// Its marker; `None`: the shard is empty.
    pub marker: Option<Marker>,
    /// The stored form of each visitor asked for, in the order asked.
    pub profiles: Vec<Option<Vec<u8>>>,
}

/// A page of a walk over a shard: stored profiles in any order, each at least once over a whole walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanPage {
    /// The shard.
    pub shard: Shard,
    /// Visitors and their stored profiles.
    pub profiles: Vec<(VisitorId, Vec<u8>)>,
    /// Where to go on; `None`: this was the last page.
    pub next: Option<u64>,
}

/// Answers of a store.
#[derive(Clone, Debug)]
pub enum StoreReply {
    /// To `read`, the shards in the order asked.
    Read(Partition, Ticket, Result<Vec<ShardRead>, PortError>),
    /// To `apply`, each in the order asked.
    Applied(Partition, Ticket, Vec<(Shard, ApplyResult)>),
    /// To `scan`.
    Scanned(Partition, Ticket, Result<ScanPage, PortError>),
    /// To `due`: the visitors of the set, in any order, perhaps stale.
    Due(Partition, Ticket, Result<Vec<VisitorId>, PortError>),
}

/// The store of profiles: a view of the log.
pub trait Store: Send {
    /// Reads profiles and the marker of each shard named; an empty list of visitors reads the marker alone.
    fn read(&mut self, partition: Partition, ticket: Ticket, wanted: Vec<(Shard, Vec<VisitorId>)>);
    /// Applies; each shard's step is atomic by itself.
    fn apply(&mut self, partition: Partition, ticket: Ticket, steps: Vec<Apply>);
    /// Reads a page of all profiles of a shard; `cursor` 0 begins. A cursor that is of no use any more is answered with a
    /// transient error, and the walk has to begin anew.
    fn scan(&mut self, partition: Partition, ticket: Ticket, shard: Shard, cursor: u64);
    /// Reads the due set of `shard` for the ten minutes from `bucket` on.
    fn due(&mut self, partition: Partition, ticket: Ticket, shard: Shard, bucket: UnixMillis);
    /// Removes due sets that are past; unanswered, a hint.
    fn forget_due(&mut self, partition: Partition, shard: Shard, bucket: UnixMillis);
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A change: its n, key, headers, value. Never overtakes a smaller n.
    Change {
        /// Dense per partition.
        n: ChangeNumber,
        /// The visitor id.
        key: Vec<u8>,
        /// Names and values.
        headers: Vec<(String, Vec<u8>)>,
        /// The body.
        value: Vec<u8>,
    },
    /// A dead letter: the port copies the original (key, value, headers) from the source; if it is gone there it uses
    /// `head` and adds `dlq.truncated`.
    DeadLetter {
        /// The source topic.
        topic: TopicIndex,
        /// The original's offset.
        offset: SourceOffset,
        /// `dlq.*` headers to add.
        headers: Vec<(String, Vec<u8>)>,
        /// The first 4 KiB of the value.
        head: Vec<u8>,
    },
    /// A name for `tzeva.names`: key `<kind>/<16 hex digits>`, value the text.
    Name {
        /// The key.
        key: String,
        /// The canonical text.
        text: String,
    },
}

/// Answers of a changes port.
#[derive(Clone, Debug)]
pub enum ChangesReply {
    /// Before the answer to a `tail`: names that came onto the topic since this port was last asked, the first time all
    /// of them; key and text as in [`Outgoing::Name`]. They concern the whole process: whoever made the sink keeps them.
    Names(Vec<(String, String)>),
    /// To `tail`: the highest n in the tail of the partition; `None`: it is empty.
    Tail(Partition, Ticket, Result<Option<ChangeNumber>, PortError>),
    /// To `publish`: all of it is written, or a permanent error stops the partition.
    Published(Partition, Ticket, Result<(), PortError>),
}

/// Where changes, dead letters and names go.
pub trait Changes: Send {
    /// Finds the highest n that was published, and tells the names that others may have published. As markers move only
    /// over what is published, whoever recovers behind them then knows every name of every profile.
    fn tail(&mut self, partition: Partition, ticket: Ticket);
    /// Publishes in order; retries what is transient by itself.
    fn publish(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>);
}

/// A record read from a source topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its offset.
    pub offset: SourceOffset,
    /// The broker's time, or the producer's on a topic declared `create_time`.
    pub time: UnixMillis,
    /// The Kafka key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Vec<u8>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What a source tells.
#[derive(Clone, Debug)]
pub enum SourceReply {
    /// The group hints that this process should own the partition.
    Assigned(Partition),
    /// The group hints that it should let go.
    Revoked(Partition),
    /// Records of one topic, in order of offset; `position` is where reading goes on, which may lie beyond the last
    /// record; `at_end` if the port had nothing more of it at hand when it cut the batch.
    Records {
        /// The partition.
        partition: Partition,
        /// Which `open` of the partition these belong to; older ones are stale.
        session: u64,
        /// The topic.
        topic: TopicIndex,
        /// The records; may be empty when only `position` moved.
        records: Vec<SourceRecord>,
        /// The next offset to be read.
        position: SourceOffset,
        /// Nothing more was at hand.
        at_end: bool,
        /// One past the topic's last record as far as the port knows, `position` or beyond: what is lag is told by it.
        end: SourceOffset,
    },
    /// To `prove`: an end-offset query sent at `sent_at` (log time) found these ends, a topic each in order.
    Ends(Partition, Ticket, Result<(UnixMillis, Vec<SourceOffset>), PortError>),
    /// To `open`, when a position lies outside what the topic holds, or the topic is not what it was.
    Lost(Partition, PortError),
}

/// The source topics.
pub trait Source: Send {
    /// Starts (or restarts) reading the partition's source topics at these offsets, a topic each in order.
    fn open(&mut self, partition: Partition, session: u64, at: Vec<SourceOffset>);
    /// Stops reading the partition.
    fn close(&mut self, partition: Partition);
    /// Stops or goes on fetching one topic of the partition; back-pressure.
    fn pause(&mut self, partition: Partition, topic: TopicIndex, paused: bool);
    /// Asks for the end of every source topic of the partition, `read_uncommitted`. `now` is broker time at the call.
    fn prove(&mut self, partition: Partition, ticket: Ticket, now: UnixMillis);
    /// Tells the group how far the partition has been decided and projected; a hint for lag tools.
    fn progress(&mut self, partition: Partition, at: Vec<SourceOffset>);
}
