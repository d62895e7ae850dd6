use super::*;
use crate::samples::{anchor, anchor_of, claim, offset, record};
use proptest::prelude::*;

fn verdicts(judge: &mut Judge, log: &[LogRecord], from: usize) -> Vec<Verdict> {
    let rest = log.iter().enumerate().skip(from);
    rest.map(|(at, record)| judge.observe(offset(at), record)).collect()
}

#[test]
fn a_former_owners_commit_behind_a_claim_counts_for_nothing() {
    let log = [
        anchor(),
        claim(1),
        record(1, 1, false),
        claim(2),
        record(1, 2, false),
        record(3, 2, false),
        record(3, 2, false),
    ];
    let counts = Verdict::Counts { held: 0 };
    assert_eq!(
        verdicts(&mut Judge::at_beginning(), &log, 0),
        [
            Verdict::Anchor,
            Verdict::Claim,
            counts,
            Verdict::Claim,
            Verdict::Ignored(Why::DeadEpoch),
            counts,
            Verdict::Ignored(Why::WrongSeq),
        ]
    );
}

#[test]
fn a_group_counts_whole_or_not_at_all() {
    let log = [
        anchor(),
        claim(1),
        record(1, 1, true),
        record(1, 2, true),
        claim(2),
        record(1, 3, false),
        record(4, 3, false),
        record(4, 1, true),
        record(4, 2, false),
    ];
    let mut judge = Judge::at_beginning();
    assert_eq!(
        verdicts(&mut judge, &log, 0)[2..],
        [
            Verdict::Held,
            Verdict::Held,
            Verdict::Claim,
            Verdict::Ignored(Why::DeadEpoch),
            Verdict::Ignored(Why::WrongSeq),
            Verdict::Held,
            Verdict::Counts { held: 1 },
        ]
    );
    assert_eq!(judge.seq(), Seq::new(2));
}

#[test]
fn only_the_first_of_two_opening_anchors_opens() {
    let mut judge = Judge::at_beginning();
    let second = LogRecord::Anchor(anchor_of(AnchorCause::First, 2, 0));
    let log = [claim(0), anchor(), second, claim(1), record(3, 1, false)];
    assert_eq!(
        verdicts(&mut judge, &log, 0),
        [
            Verdict::Ignored(Why::Unanchored),
            Verdict::Anchor,
            Verdict::Ignored(Why::StaleAnchor),
            Verdict::Claim,
            Verdict::Counts { held: 0 },
        ]
    );
    assert_eq!(judge.incarnation(), Some(Incarnation::new(1)));
}

#[test]
fn a_later_anchor_counts_only_where_it_was_meant() {
    let outage = |seq| LogRecord::Anchor(anchor_of(AnchorCause::Outage, 1, seq));
    let restore = LogRecord::Anchor(anchor_of(AnchorCause::Restore, 9, 4));
    let log = [
        anchor(),
        claim(1),
        outage(1),
        record(1, 1, false),
        outage(1),
        record(1, 2, false),
        claim(2),
        restore.clone(),
        restore,
    ];
    let stale = Verdict::Ignored(Why::StaleAnchor);
    assert_eq!(
        verdicts(&mut Judge::at_beginning(), &log, 0)[2..],
        [
            stale,
            Verdict::Counts { held: 0 },
            Verdict::Anchor,
            Verdict::Ignored(Why::DeadEpoch),
            Verdict::Claim,
            Verdict::Anchor,
            stale,
        ]
    );
}

#[test]
fn what_lies_behind_the_start_is_passed_over() {
    let mut judge = Judge::from_anchor(offset(4), &anchor_of(AnchorCause::First, 1, 0));
    assert_eq!(judge.observe(offset(3), &claim(1)), Verdict::Ignored(Why::Seen));
    assert_eq!(judge.observe(offset(9), &claim(1)), Verdict::Claim);
    assert_eq!(judge.epoch(), Some(Epoch::new(9)));
}

/// The rule once more, the slow way: for the stretch behind each claim, the commits of its epoch, of them those that
/// follow on, of them those up to the last that closes a group.
fn naive(log: &[LogRecord]) -> Vec<usize> {
    let mut valid = Vec::new();
    let claims = (0..log.len()).filter(|at| matches!(log[*at], LogRecord::Claim(_)));
    let claims: Vec<usize> = claims.collect();
    for (number, &start) in claims.iter().enumerate() {
        let end = claims.get(number + 1).copied().unwrap_or(log.len());
        let mut chain: Vec<(usize, bool)> = Vec::new();
        for (at, record) in log.iter().enumerate().take(end).skip(start) {
            let LogRecord::Commit(commit) = record else { continue };
            let wanted = (valid.len() + chain.len() + 1) as u64;
            if commit.epoch == offset(start).as_epoch() && commit.seq.get() == wanted {
                chain.push((at, commit.more));
            }
        }
        while chain.last().is_some_and(|(_, more)| *more) {
            chain.pop();
        }
        valid.extend(chain.into_iter().map(|(at, _)| at));
    }
    valid
}

fn counted(mut judge: Judge, log: &[LogRecord]) -> Vec<usize> {
    let mut held = Vec::new();
    let mut valid = Vec::new();
    for (at, record) in log.iter().enumerate() {
        match judge.observe(offset(at), record) {
            Verdict::Held => held.push(at),
            Verdict::Counts { held: count } => {
                assert_eq!(count, held.len() as u64);
                valid.append(&mut held);
                valid.push(at);
            }
            Verdict::Claim | Verdict::Anchor => held.clear(),
            Verdict::Ignored(_) => {}
        }
    }
    valid
}

fn logs() -> impl Strategy<Value = Vec<LogRecord>> {
    let made = prop_oneof![
        1 => Just(None),
        5 => (0_usize..4, 0_u64..3, any::<bool>()).prop_map(Some),
    ];
    prop::collection::vec(made, 0..40).prop_map(|records| {
        let mut log = vec![anchor()];
        let mut claims = Vec::new();
        for made in records {
            log.push(match made {
                None => claim(0),
                Some((back, ahead, more)) => {
                    let claims: &Vec<usize> = &claims;
                    let epoch = claims.iter().rev().nth(back).copied().unwrap_or(0);
                    let seq = counted(Judge::at_beginning(), &log).len() as u64 + ahead;
                    record(epoch.try_into().unwrap(), seq, more)
                }
            });
            if matches!(log[log.len() - 1], LogRecord::Claim(_)) {
                claims.push(log.len() - 1);
            }
        }
        log
    })
}

proptest! {
    #[test]
    fn the_judge_agrees_with_the_slow_reading(log in logs()) {
        prop_assert_eq!(counted(Judge::at_beginning(), &log), naive(&log));
    }

    #[test]
    fn a_reader_that_starts_behind_any_marker_agrees(log in logs()) {
        let all = naive(&log);
        for (number, &at) in all.iter().enumerate() {
            let LogRecord::Commit(commit) = &log[at] else { unreachable!() };
            if commit.more {
                continue;
            }
            let marker = Marker {
                incarnation: Incarnation::new(1),
                offset: offset(at),
                epoch: commit.epoch,
                seq: commit.seq,
                filed_until: tzeva_model::UnixMillis::new(0),
            };
            prop_assert_eq!(&counted(Judge::from_marker(&marker), &log), &all[number + 1..]);
        }
    }
}
