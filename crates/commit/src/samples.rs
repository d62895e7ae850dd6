//! Records for tests: all filled but the point.

use crate::{Anchor, AnchorCause, Claim, Commit, InputRange, LogRecord};
use tzeva_model::{
    ChangeNumber, Epoch, Incarnation, LogOffset, RulesVersion, Seq, SourceOffset, TopicIndex,
    UnixMillis,
};

pub(crate) fn offset(number: usize) -> LogOffset {
    LogOffset::new(number.try_into().unwrap())
}

pub(crate) fn anchor_of(cause: AnchorCause, incarnation: u64, seq: u64) -> Anchor {
    Anchor {
        incarnation: Incarnation::new(incarnation),
        partitions: 4,
        seq: Seq::new(seq),
        n: ChangeNumber::new(0),
        until: UnixMillis::new(1_000),
        inputs: vec![("visits".into(), SourceOffset::new(0))],
        rules_version: RulesVersion::new(7),
        swept: RulesVersion::new(7),
        cause,
        lost: Vec::new(),
    }
}

pub(crate) fn anchor() -> LogRecord {
    LogRecord::Anchor(anchor_of(AnchorCause::First, 1, 0))
}

pub(crate) fn claim(nonce: u64) -> LogRecord {
    LogRecord::Claim(Claim { owner: "shop-1".into(), nonce })
}

/// A commit that touches nothing and reads a record of its one topic per seq.
pub(crate) fn commit(epoch: i64, seq: u64) -> Commit {
    let next = i64::try_from(seq).unwrap();
    Commit {
        epoch: Epoch::new(epoch),
        seq: Seq::new(seq),
        until: UnixMillis::new(1_000 + next),
        clock: UnixMillis::new(2_000 + next),
        rules_version: RulesVersion::new(7),
        code_version: 1,
        inputs: vec![InputRange {
            topic: TopicIndex::new(0),
            from: SourceOffset::new(next - 1),
            next: SourceOffset::new(next),
        }],
        shards: Vec::new(),
        deltas: Vec::new(),
        names: Vec::new(),
        changes_from: ChangeNumber::new(1),
        changes: Vec::new(),
        dead_letters: Vec::new(),
        sweep: None,
        projected: ChangeNumber::new(0),
        more: false,
    }
}

pub(crate) fn record(epoch: i64, seq: u64, more: bool) -> LogRecord {
    LogRecord::Commit(Box::new(Commit { more, ..commit(epoch, seq) }))
}
