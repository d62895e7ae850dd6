//! Why a partition is refused rather than recovered: going on would lose or double something.

use super::Expected;
use crate::{Anchor, Commit, Marker};
use tzeva_model::{ChangeNumber, Incarnation, LogOffset, Seq, Shard};

/// Why a partition can't be recovered, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No anchor was ever written.
    #[error("the log holds no anchor: on a first start say where to begin, with --from")]
    Empty,
    /// The log no longer holds what the store lacks.
    #[error(
        "the log begins at offset {begin}, but shard {shard} of the store needs it from {}: restore from a snapshot",
        start.map_or_else(|| "its anchor on".to_owned(), |start| format!("offset {start} on"))
    )]
    Truncated {
        /// The shard that is furthest behind.
        shard: Shard,
        /// The first offset that is still there.
        begin: LogOffset,
        /// The offset needed; `None`: the anchor's.
        start: Option<LogOffset>,
    },
    /// The store belongs to another life of the log.
    #[error(
        "shard {shard} of the store belongs to incarnation {:016x}, the log is {:016x}: point to the right store, or restore",
        marker.incarnation.get(), log.get()
    )]
    Incarnation {
        /// The shard.
        shard: Shard,
        /// Its marker.
        marker: Marker,
        /// The log's.
        log: Incarnation,
    },
    /// The store vouches for a commit that the log does not hold: the log lost what it had acknowledged.
    #[error(
        "the store vouches for seq {} at log offset {}, the log ends {}: find out what the log lost, then adopt",
        marker.seq, marker.offset, seq.map_or_else(|| "before".to_owned(), |seq| format!("with seq {seq}"))
    )]
    StoreAhead {
        /// What the store vouches for.
        marker: Marker,
        /// The last seq of the log, if any was read.
        seq: Option<Seq>,
    },
    /// Where the store says its commit lies, something else does.
    #[error(
        "the store vouches for seq {} at log offset {}, but another record lies at {offset}: the store is no view of this log; find out which is right, then restore or adopt",
        marker.seq, marker.offset
    )]
    Foreign {
        /// What the store vouches for.
        marker: Marker,
        /// The offset of the record that was found first.
        offset: LogOffset,
    },
    /// A restore began a new life of the log, and this shard was not restored with it.
    #[error("shard {shard} was not restored with the anchor at log offset {offset}: restore again")]
    Unrestored {
        /// The shard.
        shard: Shard,
        /// The anchor's offset.
        offset: LogOffset,
    },
    /// Changes that were not published lie before what was read.
    #[error(
        "change {next} is to be published next, what was read begins with change {readable}: the changes topic lost its end, or is another's"
    )]
    Unpublished {
        /// The next change to publish.
        next: ChangeNumber,
        /// The first change that was read.
        readable: ChangeNumber,
    },
    /// The log was opened for another number of partitions.
    #[error(
        "the log was opened for {anchor} partitions, the topics have {here}: partitions can't be added to a topic in use"
    )]
    Partitions {
        /// What the anchor says.
        anchor: u16,
        /// What the topics have.
        here: u16,
    },
    /// The log was opened for other source topics.
    #[error(
        "the log was opened for the sources {anchor:?}, the settings name {here:?}, in this order: set them back"
    )]
    Topics {
        /// What the anchor says.
        anchor: Vec<Box<str>>,
        /// What the settings say.
        here: Vec<Box<str>>,
    },
    /// A commit knows another number of source topics than the settings.
    #[error(
        "commit {seq} was decided over {commit} source topics, the settings name {here}: set them back"
    )]
    Sources {
        /// The commit.
        seq: Seq,
        /// How many it names.
        commit: usize,
        /// How many the settings name.
        here: usize,
    },
}

/// Refuses an anchor that was written for other topics.
pub(super) fn check_anchor(expected: &Expected, anchor: &Anchor) -> Result<(), Refusal> {
    if anchor.partitions != expected.partitions {
        let here = expected.partitions;
        return Err(Refusal::Partitions { anchor: anchor.partitions, here });
    }
    let topics = || anchor.inputs.iter().map(|(topic, _)| topic);
    if !topics().eq(&expected.topics) {
        let here = expected.topics.clone();
        return Err(Refusal::Topics { anchor: topics().cloned().collect(), here });
    }
    Ok(())
}

/// Refuses a commit over other topics; it names every one, touched or not.
pub(super) fn check_inputs(expected: &Expected, commit: &Commit) -> Result<(), Refusal> {
    let here = expected.topics.len();
    let named = commit.inputs.len();
    let all =
        commit.inputs.iter().enumerate().all(|(at, range)| usize::from(range.topic.get()) == at);
    if named == here && all {
        return Ok(());
    }
    Err(Refusal::Sources { seq: commit.seq, commit: named, here })
}
