//! The log-first commit as an explicit-state search: two owners, a log, a store of two shards with a marker each, a
//! projector; every interleaving of what they do with claims, crashes, zombies, lost, dropped and late appends, late and
//! half-executed applies, and failovers that lose acknowledged writes. The log never loses an acknowledged record.
//!
//! The protocol holds. Each *mutant* leaves one check out, and the search must find how that breaks; the shortest way
//! there is printed (`--nocapture`). An owner that was replaced and doesn't know it goes on: nothing stops it but its own
//! acks.

#![expect(clippy::print_stdout, reason = "a search tells how far it came, and how a mutant broke")]

#[path = "model/rules.rs"]
mod rules;
#[path = "model/search.rs"]
mod search;
#[path = "model/state.rs"]
mod state;
#[path = "model/steps.rs"]
mod steps;

use rules::judge;
use search::{Found, exhaust, shortest};
use state::{Budget, Rec, Shard, State};
use std::collections::HashSet;
use tzeva_commit::{Anchor, AnchorCause, Claim, Commit, Judge, LogRecord, Marker, Verdict};
use tzeva_model::{ChangeNumber, Epoch, Incarnation, LogOffset, RulesVersion, Seq, UnixMillis};

/// The protocol, or a mutant of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    /// How many commits there may be.
    seqs: u8,
    budget: Budget,
    store: bool,
    projects: bool,
    groups: bool,
    claims: bool,
    contiguity: bool,
    guards: bool,
    checks_reads: bool,
    profiles_know_seq: bool,
    marker_elsewhere: bool,
    trusts_unknown: bool,
    counts_parts: bool,
}

// === impl Protocol ===

impl Protocol {
    const fn of(seqs: u8, budget: Budget) -> Self {
        Self {
            seqs,
            budget,
            store: true,
            projects: false,
            groups: false,
            claims: true,
            contiguity: true,
            guards: true,
            checks_reads: true,
            profiles_know_seq: true,
            marker_elsewhere: false,
            trusts_unknown: false,
            counts_parts: false,
        }
    }

    fn first(&self) -> State {
        let mut state = State { budget: self.budget, ..State::default() };
        for past in &mut state.past {
            past[0] = Some(Shard::default());
        }
        state
    }
}

const CALM: Budget =
    Budget { claims: 2, crashes: 0, failovers: 0, lost: 0, orphans: 0, halves: 0, gaps: 0 };
const ROUGH: Budget =
    Budget { claims: 3, crashes: 1, failovers: 1, lost: 1, orphans: 1, halves: 0, gaps: 0 };

/// Sees every state there is.
fn holds(name: &str, protocol: &Protocol) {
    match exhaust(protocol, usize::MAX, &mut |_| {}) {
        Found::Holds(states) => println!("{name}: holds in all {states} states"),
        Found::Bounded(states) => panic!("{name} stopped after {states} states"),
        Found::Broken(_, trace) => panic!("{name} breaks:\n  {}", trace.join("\n  ")),
    }
}

/// Too large to see it all: looks at so many states, deepest first.
fn holds_as_far_as(name: &str, protocol: &Protocol, bound: usize) {
    match exhaust(protocol, bound, &mut |_| {}) {
        Found::Holds(states) => println!("{name}: holds in all {states} states"),
        Found::Bounded(states) => println!("{name}: holds in {states} states, there are more"),
        Found::Broken(_, trace) => panic!("{name} breaks:\n  {}", trace.join("\n  ")),
    }
}

fn caught(name: &str, mutant: &Protocol) {
    match shortest(mutant, 3_000_000) {
        Found::Broken(states, trace) => {
            let steps = trace.len();
            println!("{name}: caught in {steps} steps, {states} states:\n  {}", trace.join("\n  "));
        }
        Found::Holds(states) | Found::Bounded(states) => {
            panic!("nothing breaks in {states} states when {name}");
        }
    }
}

#[test]
fn it_holds_over_failovers_and_late_applies() {
    let budget = Budget { failovers: 1, orphans: 1, ..CALM };
    holds_as_far_as("failover, late apply, zombie", &Protocol::of(2, budget), 800_000);
}

#[test]
fn it_holds_over_failovers() {
    let budget = Budget { failovers: 1, ..CALM };
    holds("failover, zombie", &Protocol::of(2, budget));
}

#[test]
fn it_holds_over_crashes() {
    let budget = Budget { failovers: 1, crashes: 1, ..CALM };
    holds("failover, crash, zombie", &Protocol::of(2, budget));
}

#[test]
fn it_holds_over_appends_of_unknown_fate() {
    let budget = Budget { failovers: 1, lost: 1, ..CALM };
    holds("failover, unknown append, zombie", &Protocol::of(2, budget));
}

#[test]
fn it_holds_over_half_executed_applies() {
    let budget = Budget { halves: 1, ..CALM };
    holds("half an apply, zombie", &Protocol::of(2, budget));
}

#[test]
fn it_holds_with_groups() {
    let two = Protocol { groups: true, ..Protocol::of(2, CALM) };
    holds("a group, zombie", &two);
    let three = Protocol { groups: true, ..Protocol::of(3, CALM) };
    holds_as_far_as("groups, zombie", &three, 500_000);
}

#[test]
fn it_holds_when_all_of_it_happens() {
    let protocol = Protocol { projects: true, groups: true, ..Protocol::of(3, ROUGH) };
    holds_as_far_as("all of it", &protocol, 800_000);
}

#[test]
fn what_is_published_has_no_gap() {
    let budget = Budget { claims: 3, crashes: 1, lost: 1, ..CALM };
    let protocol = Protocol { projects: true, store: false, ..Protocol::of(3, budget) };
    holds("projector, three claims", &protocol);
}

#[test]
fn mutant_without_contiguity() {
    caught(
        "acks count without contiguity",
        &Protocol { contiguity: false, ..Protocol::of(3, ROUGH) },
    );
}

#[test]
fn mutant_without_guard() {
    caught("applies are not guarded", &Protocol { guards: false, ..Protocol::of(3, ROUGH) });
}

#[test]
fn mutant_with_unchecked_reads() {
    caught(
        "reads don't check the marker",
        &Protocol { checks_reads: false, ..Protocol::of(3, ROUGH) },
    );
}

#[test]
fn mutant_with_the_marker_elsewhere() {
    let mutant = Protocol { marker_elsewhere: true, ..Protocol::of(3, ROUGH) };
    caught("the marker lies in another key than the data", &mutant);
}

#[test]
fn mutant_that_takes_unknown_for_success() {
    let budget = Budget { lost: 1, ..CALM };
    let mutant = Protocol { trusts_unknown: true, ..Protocol::of(2, budget) };
    caught("an append of unknown fate is taken for a success", &mutant);
}

#[test]
fn mutant_that_recovers_without_a_claim() {
    caught(
        "an owner recovers without a claim",
        &Protocol { claims: false, ..Protocol::of(3, ROUGH) },
    );
}

#[test]
fn mutant_whose_profiles_know_no_seq() {
    let budget = Budget { halves: 1, ..CALM };
    let mutant = Protocol { profiles_know_seq: false, ..Protocol::of(2, budget) };
    caught("profiles don't carry the seq that wrote them", &mutant);
}

#[test]
fn mutant_with_a_projector_gap() {
    let budget = Budget { gaps: 1, ..CALM };
    let mutant = Protocol { projects: true, store: false, ..Protocol::of(3, budget) };
    caught("the projector goes on behind a permanent error", &mutant);
}

#[test]
fn mutant_that_counts_half_a_group() {
    let mutant = Protocol { groups: true, counts_parts: true, ..Protocol::of(3, CALM) };
    caught("the records of a group count one by one", &mutant);
}

/// Every log that owners can write, as real records, and the offset of each epoch's claim.
fn logs() -> HashSet<Vec<Rec>> {
    let budget = Budget { claims: 3, crashes: 1, lost: 1, ..CALM };
    let protocol = Protocol { store: false, groups: true, ..Protocol::of(3, budget) };
    let mut logs = HashSet::new();
    let found = exhaust(&protocol, usize::MAX, &mut |state| {
        logs.insert(state.records().to_vec());
    });
    let Found::Holds(states) = found else { panic!("the search broke or did not end") };
    println!("{} logs in {states} states", logs.len());
    logs
}

fn real(log: &[Rec]) -> Vec<LogRecord> {
    let claims = (0_i64..).zip(log).filter(|(_, rec)| **rec == Rec::CLAIM);
    let claims: Vec<i64> = claims.map(|(at, _)| at).collect();
    log.iter()
        .map(|rec| {
            if *rec == Rec::CLAIM {
                return LogRecord::Claim(Claim { owner: "owner".into(), nonce: 0 });
            }
            LogRecord::Commit(Box::new(Commit {
                epoch: Epoch::new(claims[usize::from(rec.epoch()) - 1]),
                seq: Seq::new(rec.seq().into()),
                until: UnixMillis::new(0),
                clock: UnixMillis::new(0),
                rules_version: RulesVersion::new(0),
                code_version: 0,
                inputs: Vec::new(),
                shards: Vec::new(),
                deltas: Vec::new(),
                names: Vec::new(),
                changes_from: ChangeNumber::new(1),
                changes: Vec::new(),
                dead_letters: Vec::new(),
                sweep: None,
                projected: ChangeNumber::new(0),
                more: rec.more(),
            }))
        })
        .collect()
}

fn offset(at: usize) -> LogOffset {
    LogOffset::new(i64::try_from(at).unwrap_or(i64::MAX))
}

/// The offsets that count for a reader that begins with `judge` at `from`.
fn read(mut judge: Judge, log: &[LogRecord], from: usize) -> Vec<usize> {
    let (mut held, mut counts) = (Vec::new(), Vec::new());
    for (at, record) in log.iter().enumerate().skip(from) {
        match judge.observe(offset(at), record) {
            Verdict::Held => held.push(at),
            Verdict::Counts { .. } => {
                counts.append(&mut held);
                counts.push(at);
            }
            Verdict::Claim | Verdict::Anchor => held.clear(),
            Verdict::Ignored(_) => {}
        }
    }
    counts
}

fn beginning() -> Judge {
    let anchor = Anchor {
        incarnation: Incarnation::new(1),
        partitions: 1,
        seq: Seq::new(0),
        n: ChangeNumber::new(0),
        until: UnixMillis::new(0),
        inputs: Vec::new(),
        rules_version: RulesVersion::new(0),
        swept: RulesVersion::new(0),
        cause: AnchorCause::First,
        lost: Vec::new(),
    };
    Judge::from_anchor(LogOffset::new(-1), &anchor)
}

/// A marker for the commit at `at`; with another epoch, if the reader has to guess it.
fn marker(log: &[LogRecord], at: usize, epoch: Option<Epoch>) -> Option<Marker> {
    let LogRecord::Commit(commit) = &log[at] else { return None };
    (!commit.more).then(|| Marker {
        incarnation: Incarnation::new(1),
        offset: offset(at),
        epoch: epoch.unwrap_or(commit.epoch),
        seq: commit.seq,
        filed_until: UnixMillis::new(0),
    })
}

#[test]
fn readers_agree_wherever_they_start_if_they_know_epoch_and_seq() {
    let protocol = Protocol { store: false, groups: true, ..Protocol::of(3, CALM) };
    let (mut starts, mut wrong) = (0, 0);
    for log in logs() {
        let records = real(&log);
        let truth = read(beginning(), &records, 0);
        let model: Vec<Rec> = judge(&log, &protocol).counts.iter().collect();
        assert_eq!(truth.iter().map(|at| log[*at]).collect::<Vec<_>>(), model, "{log:?}");
        for (number, &at) in truth.iter().enumerate() {
            let Some(full) = marker(&records, at, None) else { continue };
            starts += 1;
            let rest = &truth[number + 1..];
            assert_eq!(
                read(Judge::from_marker(&full), &records, at + 1),
                rest,
                "{log:?} from {at}"
            );
            // A reader that knows the seq alone takes the first commit's epoch that it meets for the present one. It
            // may start anywhere up to the next commit that counts.
            let until = rest.first().copied().unwrap_or(records.len());
            for from in at + 1..=until {
                let guess = records[from..].iter().find_map(|record| match record {
                    LogRecord::Commit(commit) => Some(commit.epoch),
                    LogRecord::Anchor(_) | LogRecord::Claim(_) => None,
                });
                let Some(blind) = guess.and_then(|epoch| marker(&records, at, Some(epoch))) else {
                    continue;
                };
                wrong += usize::from(read(Judge::from_marker(&blind), &records, from) != rest);
            }
        }
    }
    println!("{starts} starts; a reader that knows no epoch is wrong in {wrong}");
    assert!(wrong > 0, "a reader that knows seq but not epoch was never wrong");
}
