//! What an owner takes in and what it asks for: the two closed enums around [`Owner::apply`](crate::Owner::apply), and
//! why it may give up.

use crate::clock::Moment;
use std::fmt;
use tzeva_commit::port::{
    Apply, ChangesReply, LogReply, Outgoing, PortError, SourceReply, StoreReply, Ticket,
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
    /// The partition can't be owned until somebody acts.
    Refused(Refusal),
}

/// Why a partition can't be owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is in the way, and what to do.
    pub why: String,
    /// Whose it is to mend.
    pub cause: Cause,
}

/// Whose it is to mend a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Settings, rules, the log or the store are not fit for this program, which read them: a retry never helps.
    Unfit,
    /// A server or a disk refused what was asked: it may do it after a restart.
    World,
    /// This program.
    Bug,
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn unfit(why: impl fmt::Display) -> Self {
        Self { why: why.to_string(), cause: Cause::Unfit }
    }

    pub(crate) fn world(error: &PortError) -> Self {
        Self { why: error.to_string(), cause: Cause::World }
    }

    pub(crate) fn bug(what: impl fmt::Display) -> Self {
        Self { why: format!("a bug: {what}"), cause: Cause::Bug }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}
