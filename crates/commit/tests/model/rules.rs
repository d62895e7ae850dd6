//! What holds in every state, and the rule by which readers judge a log.

use super::Protocol;
use super::state::{List, Rec, State};

/// What counts in a log, and what is held for the closing record of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) counts: List,
    pub(crate) held: List,
}

impl Judged {
    /// All that fits so far.
    pub(crate) fn fits(&self) -> List {
        let mut all = *self;
        all.counts.append(&mut all.held);
        all.counts
    }
}

/// Judges a log the way every reader does.
pub(crate) fn judge(log: &[Rec], protocol: &Protocol) -> Judged {
    let mut judged = Judged::default();
    let mut epoch = 0;
    for &rec in log {
        if rec == Rec::CLAIM {
            epoch += 1;
            judged.held = List::default();
        } else if rec.epoch() == epoch && rec.seq() == judged.counts.len + judged.held.len + 1 {
            judged.held.push(rec);
            if !rec.more() || protocol.counts_parts {
                let mut held = std::mem::take(&mut judged.held);
                judged.counts.append(&mut held);
            }
        }
    }
    judged
}

/// What is wrong with a state, if anything.
pub(crate) fn broken(state: &State, protocol: &Protocol) -> Option<&'static str> {
    let truth = judge(state.records(), protocol).counts;
    if truth.last().is_some_and(Rec::more) {
        return Some("half a decision counts");
    }
    if protocol.store {
        for shard in 0..2 {
            let there = state.shards[shard];
            let wanted = truth.fold(shard, 0, there.marker);
            if !wanted.within(there.bag) {
                return Some("the store vouches for what it does not hold");
            }
            if !there.bag.within(truth.fold(shard, 0, 15)) {
                return Some("the store holds what the log does not say, or twice");
            }
            if !state.half_done && there.bag != wanted {
                return Some("the store holds more than it vouches for");
            }
        }
    }
    let mut last = 0;
    for rec in &state.published[..usize::from(state.published_len)] {
        if rec.seq() <= last {
            continue;
        }
        if !truth.contains(*rec) {
            return Some("what was published is not in the log");
        }
        if rec.seq() != last + 1 {
            return Some("a change is missing, and no reader can tell");
        }
        last = rec.seq();
    }
    None
}
