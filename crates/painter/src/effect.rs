//! What an owner takes in and what it asks for: the two closed enums around [`Owner::apply`](crate::Owner::apply).

use crate::clock::Moment;
use tzeva_commit::port::{
    Apply, ChangesReply, LogReply, Outgoing, SourceReply, StoreReply, Ticket,
};
use tzeva_decode::SchemaKey;
use tzeva_model::{LogOffset, Shard, SourceOffset, TopicIndex, UnixMillis, VisitorId};

/// Everything that can happen to an owner.
#[derive(Debug)]
pub enum Input {
    /// A source told something.
    Source(SourceReply),
    /// The log answered.
    Log(LogReply),
    /// The store answered.
    Store(StoreReply),
    /// The changes port answered.
    Changes(ChangesReply),
    /// The registry answered: the schema's text, or that there is none. (Trouble that passes is retried outside.)
    Schema(SchemaKey, Option<String>),
    /// Time passed.
    Tick,
    /// The process is to end: drain, append, apply, leave.
    Stop,
}

/// An input and when it came.
#[derive(Debug)]
pub struct Happening {
    /// When, by the driver's clocks.
    pub now: Moment,
    /// What.
    pub input: Input,
}

/// Everything that an owner can ask for.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Append to the log.
    Append(Ticket, Vec<u8>),
    /// Read the log, from and up to.
    ReadLog(Ticket, LogOffset, Option<LogOffset>),
    /// Renew the log's producer, if it is still the one that this append went through.
    RenewLog(Ticket),
    /// Read profiles with their markers.
    ReadStore(Ticket, Vec<(Shard, Vec<VisitorId>)>),
    /// Apply to the store.
    ApplyStore(Ticket, Vec<Apply>),
    /// Read a page of a shard.
    Scan(Ticket, Shard, u64),
    /// Read a due set.
    Due(Ticket, Shard, UnixMillis),
    /// Remove a due set.
    ForgetDue(Shard, UnixMillis),
    /// Find the highest published n.
    Tail(Ticket),
    /// Publish.
    Publish(Ticket, Vec<Outgoing>),
    /// Read the sources from here on.
    Open(u64, Vec<SourceOffset>),
    /// Stop reading the sources.
    Close,
    /// Pause or go on with a topic.
    Pause(TopicIndex, bool),
    /// Prove the end of the sources.
    Prove(Ticket, UnixMillis),
    /// Tell the group how far it has come.
    Progress(Vec<SourceOffset>),
    /// Fetch a schema.
    FetchSchema(SchemaKey),
    /// The partition was let go, and nothing more will be asked for.
    Released,
    /// The partition can't be owned until a person acts: why, and what to do.
    Refused(String),
}
