use super::*;
use crate::samples::{anchor, claim, offset, record};
use crate::{Judge, Verdict};
use proptest::prelude::*;

fn counts(pairs: &[(u64, usize)]) -> Vec<Counted> {
    let one = |&(seq, at): &(u64, usize)| Counted { seq: Seq::new(seq), offset: offset(at) };
    pairs.iter().map(one).collect()
}

fn sent(ledger: &mut Ledger, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        assert!(ledger.append(Ticket(seq), Seq::new(seq), Part::Last));
    }
}

#[test]
fn contiguous_acks_count_at_once() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    sent(&mut ledger, 1..=2);
    let settled = ledger.acked(Ticket(1), offset(5));
    assert_eq!(settled, Settled { counts: counts(&[(1, 5)]), then: Then::Open });
    let settled = ledger.acked(Ticket(2), offset(6));
    assert_eq!(settled, Settled { counts: counts(&[(2, 6)]), then: Then::Open });
}

#[test]
fn nothing_behind_a_gap_counts_until_it_was_read() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    sent(&mut ledger, 1..=3);
    let then = Then::ReadGap { from: offset(5), to: offset(7) };
    assert_eq!(ledger.acked(Ticket(1), offset(7)), Settled { counts: vec![], then });
    let settled = ledger.acked(Ticket(2), offset(8));
    assert_eq!(settled, Settled { counts: vec![], then: Then::Reading });
    let settled = ledger.gap_read(&[(offset(5), record(2, 9, false))]);
    assert_eq!(settled, Settled { counts: counts(&[(1, 7), (2, 8)]), then: Then::Open });
}

#[test]
fn a_claim_in_a_gap_fences_for_good() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    sent(&mut ledger, 1..=2);
    let _ = ledger.acked(Ticket(1), offset(6));
    let over = Settled { counts: vec![], then: Then::Ended(End::Fenced(offset(5))) };
    assert_eq!(ledger.gap_read(&[(offset(5), claim(1))]), over);
    assert_eq!(ledger.acked(Ticket(2), offset(7)), over, "it looks contiguous, and is dead");
    assert!(!ledger.append(Ticket(3), Seq::new(3), Part::Last));
    assert_eq!(ledger.unsettled().collect::<Vec<_>>(), [Seq::new(1), Seq::new(2)]);
}

#[test]
fn the_first_unknown_append_ends_the_epoch() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    sent(&mut ledger, 1..=3);
    let _ = ledger.acked(Ticket(1), offset(5));
    let over = Settled { counts: vec![], then: Then::Ended(End::Unknown) };
    assert_eq!(ledger.unknown(Ticket(2)), over);
    assert_eq!(ledger.acked(Ticket(3), offset(6)), over);
}

#[test]
fn our_own_record_where_none_can_be_ends_the_epoch() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    sent(&mut ledger, 1..=1);
    let _ = ledger.acked(Ticket(1), offset(6));
    let over = Settled { counts: vec![], then: Then::Ended(End::Unknown) };
    assert_eq!(ledger.gap_read(&[(offset(5), record(4, 1, false))]), over);
}

#[test]
fn a_group_counts_when_its_closing_record_does() {
    let mut ledger = Ledger::new(offset(4), Seq::new(0));
    assert!(ledger.append(Ticket(1), Seq::new(1), Part::More));
    assert!(ledger.append(Ticket(2), Seq::new(2), Part::Last));
    assert_eq!(ledger.acked(Ticket(1), offset(5)).counts, vec![]);
    assert_eq!(ledger.acked(Ticket(2), offset(6)).counts, counts(&[(1, 5), (2, 6)]));
}

#[test]
fn a_seq_that_is_not_the_next_is_refused() {
    let mut ledger = Ledger::new(offset(4), Seq::new(6));
    assert!(!ledger.append(Ticket(1), Seq::new(8), Part::Last));
    assert!(ledger.append(Ticket(1), Seq::new(7), Part::Last));
}

/// One thing that happens around an owner.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Append { more: bool, written: bool },
    Ack,
    Lose,
    ForeignClaim,
    ForeignCommit,
    DeadCommit,
    Anchor,
    ReadGap,
}

/// An owner, its log as it truly is, and what it was told.
struct World {
    log: Vec<LogRecord>,
    foreign: Option<usize>,
    ledger: Ledger,
    waiting: VecDeque<(Ticket, Option<usize>)>,
    /// The offsets of acked appends, in order; up to the first loss.
    acked: Vec<(usize, bool)>,
    lost: bool,
    gap: Option<(LogOffset, LogOffset)>,
    counted: Vec<Counted>,
}

const CLAIM: usize = 1;

impl World {
    fn new() -> Self {
        Self {
            log: vec![anchor(), claim(1)],
            foreign: None,
            ledger: Ledger::new(offset(CLAIM), Seq::new(0)),
            waiting: VecDeque::new(),
            acked: Vec::new(),
            lost: false,
            gap: None,
            counted: Vec::new(),
        }
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Append { more, written } => self.append(more, written),
            Happens::Ack => self.answer(false),
            Happens::Lose => self.answer(true),
            Happens::ForeignClaim => {
                self.foreign = Some(self.log.len());
                self.log.push(claim(2));
            }
            Happens::ForeignCommit => {
                if let Some(epoch) = self.foreign {
                    let seq = self.counted.len() as u64 + 1;
                    self.log.push(record(epoch.try_into().unwrap(), seq, false));
                }
            }
            Happens::DeadCommit => self.log.push(record(0, 1, false)),
            Happens::Anchor => self.log.push(anchor()),
            Happens::ReadGap => self.read_gap(),
        }
    }

    fn append(&mut self, more: bool, written: bool) {
        let seq = self.ledger.expected();
        let part = if more { Part::More } else { Part::Last };
        if !self.ledger.append(Ticket(seq.get()), seq, part) {
            return;
        }
        let at = written.then_some(self.log.len());
        if written {
            self.log.push(record(CLAIM.try_into().unwrap(), seq.get(), more));
        }
        self.waiting.push_back((Ticket(seq.get()), at));
    }

    fn answer(&mut self, lose: bool) {
        let Some((ticket, at)) = self.waiting.pop_front() else { return };
        let settled = match at {
            Some(at) if !lose => {
                let LogRecord::Commit(commit) = &self.log[at] else { unreachable!() };
                if !self.lost {
                    self.acked.push((at, commit.more));
                }
                self.ledger.acked(ticket, offset(at))
            }
            _ => {
                self.lost = true;
                self.ledger.unknown(ticket)
            }
        };
        self.settled(settled);
    }

    fn read_gap(&mut self) {
        let Some((from, to)) = self.gap.take() else { return };
        let entries = self.log.iter().enumerate().map(|(at, record)| (offset(at), record.clone()));
        let entries: Vec<_> = entries.filter(|(at, _)| *at >= from && *at < to).collect();
        let settled = self.ledger.gap_read(&entries);
        self.settled(settled);
    }

    fn settled(&mut self, settled: Settled) {
        self.counted.extend(settled.counts);
        if let Then::ReadGap { from, to } = settled.then {
            assert_eq!(self.gap, None, "a gap is asked for once");
            self.gap = Some((from, to));
        }
    }

    /// What every reader of the log takes for true.
    fn true_offsets(&self) -> Vec<usize> {
        let mut judge = Judge::at_beginning();
        let mut held = Vec::new();
        let mut found = Vec::new();
        for (at, record) in self.log.iter().enumerate() {
            match judge.observe(offset(at), record) {
                Verdict::Held => held.push(at),
                Verdict::Counts { .. } => {
                    found.append(&mut held);
                    found.push(at);
                }
                Verdict::Claim | Verdict::Anchor => held.clear(),
                Verdict::Ignored(_) => {}
            }
        }
        found
    }

    /// Step by step: what was acked before any loss, up to the first claim or anchor in the log, whole groups.
    fn naive(&self) -> Vec<usize> {
        let fence = (CLAIM + 1..self.log.len())
            .find(|at| !matches!(self.log[*at], LogRecord::Commit(_)))
            .unwrap_or(self.log.len());
        let mut chain: Vec<_> = self.acked.iter().filter(|(at, _)| *at < fence).collect();
        while chain.last().is_some_and(|(_, more)| *more) {
            chain.pop();
        }
        chain.into_iter().map(|(at, _)| *at).collect()
    }
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    let append = (prop::bool::weighted(0.2), prop::bool::weighted(0.97))
        .prop_map(|(more, written)| Happens::Append { more, written });
    let one = prop_oneof![
        8 => append,
        8 => Just(Happens::Ack),
        1 => Just(Happens::Lose),
        1 => Just(Happens::ForeignClaim),
        2 => Just(Happens::ForeignCommit),
        2 => Just(Happens::DeadCommit),
        1 => Just(Happens::Anchor),
        4 => Just(Happens::ReadGap),
    ];
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_counts_here_counts_for_every_reader(story in happenings()) {
        let mut world = World::new();
        for what in story {
            world.happens(what);
            let truth = world.true_offsets();
            for one in &world.counted {
                prop_assert!(truth.contains(&usize::try_from(one.offset.get()).unwrap()));
            }
        }
        while world.gap.is_some() {
            world.read_gap();
        }
        let found = world.counted.iter().map(|one| usize::try_from(one.offset.get()).unwrap());
        let expected = world.naive();
        // A loss ends the ledger at once, also while an earlier ack waits for a gap to be read.
        if world.lost {
            prop_assert!(expected.starts_with(&found.collect::<Vec<_>>()));
        } else {
            prop_assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }
}
