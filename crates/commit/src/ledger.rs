//! The ledger: the owner's side of its own appends. A written record is not yet a true one.
//!
//! **A commit counts only if the one before it counts and no claim lies between the two offsets.** Contiguous offsets
//! leave no room for a claim. A gap has to be read first, for it shows only once: a fenced owner's later appends look
//! contiguous again. Records of dead epochs in it are harmless; a claim, anybody's, or an anchor fences, for every reader
//! has a new epoch from there on. (Even our own: a claim whose ack was lost may land behind the one that was acked.)
//!
//! The first append whose fate is unknown makes all later ones unknown, and ends the epoch: its offset could lie anywhere,
//! so nothing behind it is contiguous with anything. So does what can't happen on a healthy log: our own records out of
//! order, or one in a gap. What an ended ledger holds is in doubt; only reading the log to its end tells.
//!
//! A group (`more`) counts whole, when its closing record does. A fresh claim makes a fresh ledger.

use crate::LogRecord;
use crate::port::Ticket;
use std::collections::VecDeque;
use tzeva_model::{Epoch, LogOffset, Seq};

/// What became of the appends of one epoch.
#[derive(Clone, Debug)]
pub struct Ledger {
    epoch: Epoch,
    /// Everything of this epoch before it is known to be harmless or ours.
    next: LogOffset,
    /// The seq that the next append must have.
    expected: Seq,
    flight: VecDeque<Sent>,
    /// Acked and contiguous, in a group that isn't closed.
    held: Vec<Counted>,
    phase: Phase,
}

/// An append's part in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The next record goes on with the same decision.
    More,
    /// It closes its group, or is alone.
    Last,
}

/// A commit that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its seq.
    pub seq: Seq,
    /// Where it lies.
    pub offset: LogOffset,
}

/// What an answer settled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Settled {
    /// The commits that count from now on, in order; groups are whole.
    pub counts: Vec<Counted>,
    /// What comes next.
    pub then: Then,
}

/// What the owner does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Go on.
    Open,
    /// Read the log from `from` up to `to` (not included), and tell [`Ledger::gap_read`]; said once for a gap.
    ReadGap {
        /// The first offset to read.
        from: LogOffset,
        /// One past the last.
        to: LogOffset,
    },
    /// A gap is still being read.
    Reading,
    /// This epoch is over: nothing more will count in this ledger.
    Ended(End),
}

/// Why an epoch is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A claim or an anchor lies at this offset.
    Fenced(LogOffset),
    /// Nobody knows whether, or where, an append was written.
    Unknown,
}

#[derive(Clone, Debug)]
struct Sent {
    ticket: Ticket,
    seq: Seq,
    part: Part,
    at: Option<LogOffset>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Reading { to: LogOffset },
    Ended(End),
}

// === impl Ledger ===

impl Ledger {
    /// A ledger right after a claim that lies at `claim` was recovered; `counted` is the last seq that counts in the log
    /// up to there.
    #[must_use]
    pub const fn new(claim: LogOffset, counted: Seq) -> Self {
        Self {
            epoch: claim.as_epoch(),
            next: claim.next(),
            expected: counted.next(),
            flight: VecDeque::new(),
            held: Vec::new(),
            phase: Phase::Open,
        }
    }

    /// The epoch that appends are made under.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The seq that the next append must have.
    #[must_use]
    pub const fn expected(&self) -> Seq {
        self.expected
    }

    /// How many appends wait for an answer or for a gap to be read.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// How the epoch ended, if it did.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Open | Phase::Reading { .. } => None,
        }
    }

    /// The seqs that were appended and don't count yet: of an ended ledger those in doubt.
    pub fn unsettled(&self) -> impl Iterator<Item = Seq> {
        self.held.iter().map(|held| held.seq).chain(self.flight.iter().map(|sent| sent.seq))
    }

    /// Notes an append that is handed to the log now. `false`: the epoch is over, or `seq` is not the next; it must not
    /// be appended, and was not noted.
    #[must_use]
    pub fn append(&mut self, ticket: Ticket, seq: Seq, part: Part) -> bool {
        if self.end().is_some() || seq != self.expected {
            return false;
        }
        self.expected = seq.next();
        self.flight.push_back(Sent { ticket, seq, part, at: None });
        true
    }

    /// The append of `ticket` lies at `offset`. A ticket that isn't in flight changes nothing.
    pub fn acked(&mut self, ticket: Ticket, offset: LogOffset) -> Settled {
        if self.end().is_none()
            && let Some(sent) = self.flight.iter_mut().find(|sent| sent.ticket == ticket)
        {
            sent.at = Some(offset);
        }
        self.settle()
    }

    /// The append of `ticket` has no known fate, or was refused.
    pub fn unknown(&mut self, ticket: Ticket) -> Settled {
        if self.end().is_none() && self.flight.iter().any(|sent| sent.ticket == ticket) {
            self.phase = Phase::Ended(End::Unknown);
        }
        self.settle()
    }

    /// These records, in order of offset, are all that lies in the gap asked for; others are passed over.
    pub fn gap_read(&mut self, entries: &[(LogOffset, LogRecord)]) -> Settled {
        let Phase::Reading { to } = self.phase else { return self.settle() };
        let inside = entries.iter().filter(|(offset, _)| *offset >= self.next && *offset < to);
        let end = inside.filter_map(|(offset, record)| self.ends(*offset, record)).next();
        self.phase = end.map_or(Phase::Open, Phase::Ended);
        self.next = to;
        self.settle()
    }

    fn ends(&self, offset: LogOffset, record: &LogRecord) -> Option<End> {
        match record {
            LogRecord::Claim(_) | LogRecord::Anchor(_) => Some(End::Fenced(offset)),
            LogRecord::Commit(commit) if commit.epoch == self.epoch => Some(End::Unknown),
            LogRecord::Commit(_) => None,
        }
    }

    /// Settles from the front as far as acks reach.
    fn settle(&mut self) -> Settled {
        let mut counts = Vec::new();
        while self.phase == Phase::Open {
            let Some(sent) = self.flight.front() else { break };
            let Some(at) = sent.at else { break };
            if at > self.next {
                self.phase = Phase::Reading { to: at };
                return Settled { counts, then: Then::ReadGap { from: self.next, to: at } };
            }
            if at < self.next {
                self.phase = Phase::Ended(End::Unknown);
                break;
            }
            self.held.push(Counted { seq: sent.seq, offset: at });
            if sent.part == Part::Last {
                counts.append(&mut self.held);
            }
            self.next = at.next();
            self.flight.pop_front();
        }
        let then = match self.phase {
            Phase::Open => Then::Open,
            Phase::Reading { .. } => Then::Reading,
            Phase::Ended(end) => Then::Ended(end),
        };
        Settled { counts, then }
    }
}

#[cfg(test)]
mod tests;
