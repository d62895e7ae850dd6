//! Cutting an oversized decision into consecutive records: each under a limit, all but the last with `more`, inputs
//! unchanged and no sweep page on all but the last. A reader takes the group whole, so cutting changes no meaning.
//!
//! Names, deltas, changes and dead letters keep their order and are cut in this order; a delta is cut between two ops. A
//! shard that a former record of the group touched is linked to that record.

use crate::codec::{
    bytes_of_change, bytes_of_dead_letter, bytes_of_delta, bytes_of_name, bytes_of_op,
    encode_commit,
};
use crate::{Commit, InputRange, ShardLink};
use std::collections::BTreeMap;
use tzeva_model::{ChangeNumber, Seq, Shard};
use tzeva_profile::Delta;

/// The most bytes of a record before compression.
pub const RECORD_LIMIT: usize = 512 * 1024;

/// The most bytes that a link to a shard takes.
const LINK: usize = 12;
/// Room for counts, which grow as a record fills.
const COUNTS: usize = 40;

/// One effect is over the limit by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a single {what} takes {bytes} bytes, a record of {limit} bytes has room for {room}")]
pub struct TooLarge {
    /// What.
    pub what: &'static str,
    /// Its bytes.
    pub bytes: usize,
    /// The bytes that there is room for.
    pub room: usize,
    /// The limit given.
    pub limit: usize,
}

/// A record that is being filled.
struct Cutter {
    /// The links that the group still has to give out: the seq that touched the shard before.
    links: BTreeMap<Shard, Seq>,
    blank: Commit,
    limit: usize,
    base: usize,
    open: Commit,
    used: usize,
    done: Vec<Commit>,
}

/// Cuts `commit` into records of at most `limit` bytes, each with its bytes, in order; one if it fits. Their seqs follow
/// each other from the commit's own on.
///
/// # Errors
/// [`TooLarge`] if one effect alone is over the limit.
pub fn split(commit: Commit, limit: usize) -> Result<Vec<(Commit, Vec<u8>)>, TooLarge> {
    let bytes = encode_commit(&commit);
    if bytes.len() <= limit {
        return Ok(vec![(commit, bytes)]);
    }
    // What an op takes depends on the ops before it. Where the estimate was too low, aim lower.
    let mut aim = limit;
    loop {
        let group = cut(commit.clone(), aim)?;
        if group.iter().all(|(_, bytes)| bytes.len() <= limit) {
            return Ok(group);
        }
        aim -= aim / 8 + 1;
    }
}

/// Cuts by what the effects take at most, or nearly.
fn cut(commit: Commit, limit: usize) -> Result<Vec<(Commit, Vec<u8>)>, TooLarge> {
    let mut cutter = Cutter::new(&commit, limit);
    let Commit { names, deltas, changes, dead_letters, inputs, sweep, .. } = commit;
    for name in names {
        cutter.room("name", bytes_of_name(&name))?;
        cutter.open.names.push(name);
    }
    for delta in deltas {
        cutter.delta(delta)?;
    }
    for change in changes {
        cutter.room("change", bytes_of_change(&change))?;
        cutter.open.changes.push(change);
    }
    for letter in dead_letters {
        cutter.room("dead letter", bytes_of_dead_letter(&letter))?;
        cutter.open.dead_letters.push(letter);
    }
    let mut group = cutter.finish();
    if let Some(last) = group.last_mut() {
        last.inputs = inputs;
        last.sweep = sweep;
        last.more = false;
    }
    let encoded = |commit| {
        let bytes = encode_commit(&commit);
        (commit, bytes)
    };
    Ok(group.into_iter().map(encoded).collect())
}

// === impl Cutter ===

impl Cutter {
    fn new(commit: &Commit, limit: usize) -> Self {
        let stay = |range: &InputRange| InputRange { next: range.from, ..*range };
        let blank = Commit {
            epoch: commit.epoch,
            seq: commit.seq,
            until: commit.until,
            clock: commit.clock,
            rules_version: commit.rules_version,
            code_version: commit.code_version,
            inputs: commit.inputs.iter().map(stay).collect(),
            shards: Vec::new(),
            deltas: Vec::new(),
            names: Vec::new(),
            changes_from: commit.changes_from,
            changes: Vec::new(),
            dead_letters: Vec::new(),
            sweep: None,
            projected: commit.projected,
            more: true,
        };
        // The last record has the true inputs and the sweep page: room for the longer of the two in every one.
        let last =
            Commit { inputs: commit.inputs.clone(), sweep: commit.sweep.clone(), ..blank.clone() };
        let base = encode_commit(&blank).len().max(encode_commit(&last).len()) + COUNTS;
        let links = commit.shards.iter().map(|link| (link.shard, link.prev)).collect();
        Self { links, open: blank.clone(), blank, limit, base, used: base, done: Vec::new() }
    }

    /// Makes room for `bytes` more, in a new record if need be.
    fn room(&mut self, what: &'static str, bytes: usize) -> Result<(), TooLarge> {
        let room = self.limit.saturating_sub(self.base);
        if bytes > room {
            return Err(TooLarge { what, bytes, room, limit: self.limit });
        }
        if self.used + bytes > self.limit {
            self.turn();
        }
        self.used += bytes;
        Ok(())
    }

    /// Puts `delta` into the open record, or what fits of it there and the rest into the next ones.
    fn delta(&mut self, delta: Delta) -> Result<(), TooLarge> {
        let whole = bytes_of_delta(&delta) + LINK;
        if whole <= self.limit.saturating_sub(self.base) {
            self.room("delta", whole)?;
            self.touch(&delta);
            self.open.deltas.push(delta);
            return Ok(());
        }
        let head = delta.visitor.as_str().len() + LINK + COUNTS;
        let mut part = Delta { visitor: delta.visitor.clone(), ops: Vec::new() };
        for op in delta.ops {
            let bytes = bytes_of_op(&delta.visitor, &op);
            if self.used + head + bytes > self.limit && !part.ops.is_empty() {
                self.touch(&part);
                let rest = Delta { visitor: delta.visitor.clone(), ops: Vec::new() };
                self.open.deltas.push(std::mem::replace(&mut part, rest));
                self.turn();
            }
            self.room("step of a delta", if part.ops.is_empty() { head + bytes } else { bytes })?;
            part.ops.push(op);
        }
        self.touch(&part);
        self.open.deltas.push(part);
        Ok(())
    }

    /// Links the open record to what touched the delta's shard before.
    fn touch(&mut self, delta: &Delta) {
        let shard = delta.visitor.shard();
        if let Err(place) = self.open.shards.binary_search_by_key(&shard, |link| link.shard) {
            let prev = self.links.insert(shard, self.open.seq).unwrap_or_default();
            self.open.shards.insert(place, ShardLink { shard, prev });
        }
    }

    /// Closes the open record and opens the next.
    fn turn(&mut self) {
        let changes = self.open.changes.len() as u64;
        let next = Commit {
            seq: self.open.seq.next(),
            changes_from: ChangeNumber::new(self.open.changes_from.get() + changes),
            ..self.blank.clone()
        };
        self.done.push(std::mem::replace(&mut self.open, next));
        self.used = self.base;
    }

    fn finish(mut self) -> Vec<Commit> {
        self.done.push(self.open);
        self.done
    }
}

#[cfg(test)]
mod tests;
