//! The words of the domain as types: visitor, event, tag, instant, change, reason, outcome.
//!
//! Everything else in tzeva speaks in these. Nothing here knows a wire format, a rule, a clock or a client; whoever
//! needs a wire form makes a twin of its own at the edge and converts.
#![deny(missing_docs)]

mod amount;
mod change;
mod event;
mod name;
mod outcome;
mod position;
mod rate;
mod tag;
mod time;
mod visitor;

pub use amount::{Amount, AmountError, Currency};
pub use change::{Cause, Change, Direction, Evidence, Origin, Place, Reason, ReasonKind};
pub use event::{Event, EventId, Item, Value};
pub use name::{Category, Name, NameId, NameKind, snake_case};
pub use outcome::{Outcome, Rejection, RejectionCode};
pub use position::{
    ChangeNumber, Epoch, Incarnation, LogOffset, Partition, RulesVersion, Seq, Shard, SourceOffset,
    TopicIndex,
};
pub use rate::{Currencies, Rate};
pub use tag::{Level, TagKey};
pub use time::{Millis, UnixMillis};
pub use visitor::{SHARDS, VisitorId, VisitorIdError, murmur2};
