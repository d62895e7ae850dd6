//! The three records of a log, as values.

use tzeva_model::{
    Change, ChangeNumber, Epoch, Incarnation, LogOffset, NameId, NameKind, RejectionCode,
    RulesVersion, Seq, Shard, SourceOffset, TopicIndex, UnixMillis, VisitorId,
};
use tzeva_profile::Delta;

/// A record of a log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogRecord {
    /// Opens the log, or skips inputs.
    Anchor(Anchor),
    /// An owner takes the partition.
    Claim(Claim),
    /// A micro-batch that became true, if it is valid.
    Commit(Box<Commit>),
}

/// Opens every log; the only way to skip inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// Which life of the log this is.
    pub incarnation: Incarnation,
    /// The number of partitions of all topics.
    pub partitions: u16,
    /// The seq before the first commit.
    pub seq: Seq,
    /// The number before the first change.
    pub n: ChangeNumber,
    /// Engine time to start from.
    pub until: UnixMillis,
    /// Where reading starts, for every source topic of the partition, in order of the topics: topic name and offset.
    pub inputs: Vec<(Box<str>, SourceOffset)>,
    /// The rules in force.
    pub rules_version: RulesVersion,
    /// Up to which rules each profile was swept.
    pub swept: RulesVersion,
    /// Why it was written.
    pub cause: AnchorCause,
    /// What is given up.
    pub lost: Vec<LostRange>,
}

/// Why an anchor was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorCause {
    /// A first start.
    First,
    /// A restore from snapshots.
    Restore,
    /// Sources were lost during an outage.
    Outage,
    /// The partition count grew.
    Grow,
}

/// Source offsets that will never be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostRange {
    /// The topic.
    pub topic: Box<str>,
    /// The first lost offset.
    pub from: SourceOffset,
    /// One past the last.
    pub to: SourceOffset,
}

/// An owner takes the partition; the record's own offset is its epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who, for people: host and process.
    pub owner: Box<str>,
    /// Drawn afresh for each claim, so that a claimer knows its own record among others.
    pub nonce: u64,
}

/// One micro-batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The claim it was decided under.
    pub epoch: Epoch,
    /// Dense.
    pub seq: Seq,
    /// Engine time after it.
    pub until: UnixMillis,
    /// Broker time when it was cut: what `decided_at` shows and CreateTime is bounded by.
    pub clock: UnixMillis,
    /// The rules it was decided under.
    pub rules_version: RulesVersion,
    /// The version of the deciding code, for people and for replays.
    pub code_version: u32,
    /// What it decided of each source topic of the partition, in order of the topics, touched or not.
    pub inputs: Vec<InputRange>,
    /// The shards it touches, ascending, and the seq that touched each before.
    pub shards: Vec<ShardLink>,
    /// What it changes, a delta a visitor, in order of first touch.
    pub deltas: Vec<Delta>,
    /// Names first seen in this partition.
    pub names: Vec<NewName>,
    /// The number of the first of `changes`, or of the next change if there is none.
    pub changes_from: ChangeNumber,
    /// Transitions in order of decision.
    pub changes: Vec<Change>,
    /// Records that could not be applied.
    pub dead_letters: Vec<DeadLetter>,
    /// The sweep that is under way after it; `None`: every profile is up to date.
    pub sweep: Option<Sweep>,
    /// The highest change known to be projected when it was cut.
    pub projected: ChangeNumber,
    /// True if the next record goes on with the same decision; a reader takes the group whole.
    pub more: bool,
}

/// What a commit decided of one source topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputRange {
    /// The topic.
    pub topic: TopicIndex,
    /// The first offset that was not decided before.
    pub from: SourceOffset,
    /// One past the last offset decided; equal to `from`: none.
    pub next: SourceOffset,
}

/// A shard that a commit touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardLink {
    /// The shard.
    pub shard: Shard,
    /// The commit that touched it before; 0: none in this log.
    pub prev: Seq,
}

/// A name first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewName {
    /// Its kind.
    pub kind: NameKind,
    /// Its id.
    pub id: NameId,
    /// Its canonical text.
    pub text: Box<str>,
}

/// A record that could not be applied. The whole original is copied from the source when it is projected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its topic.
    pub topic: TopicIndex,
    /// Its offset.
    pub offset: SourceOffset,
    /// Why.
    pub code: RejectionCode,
    /// A sentence for people, at most 1 KiB.
    pub error: Box<str>,
    /// The first 4 KiB of its value.
    pub head: Box<[u8]>,
}

/// New rules on their way to every profile. Every commit says how far, but those that go on with the next one, so that a
/// reader may start at any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The rules before those of the commit: a profile that wasn't met yet stands under these.
    pub former: RulesVersion,
    /// When the commit's rules came into force.
    pub since: UnixMillis,
    /// Who was met; `None`: nobody yet.
    pub met: Option<Met>,
}

/// Up to where a sweep got: shard by shard, each in order of visitor id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The shard being swept; all before it are done.
    pub shard: Shard,
    /// The last visitor met; `None`: the shard is done.
    pub last: Option<VisitorId>,
}

/// What a shard of the store vouches for: the last commit folded into it. A reader that starts behind it needs all four
/// to judge what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The life of the log.
    pub incarnation: Incarnation,
    /// Where the commit lies.
    pub offset: LogOffset,
    /// The epoch it was decided under.
    pub epoch: Epoch,
    /// Its seq.
    pub seq: Seq,
    /// All deadlines of the shard before this instant are in its due sets.
    pub filed_until: UnixMillis,
}
