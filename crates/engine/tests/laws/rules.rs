//! Rules that change: what a sweep may not depend on, and what it may not touch.

use crate::CASES;
use crate::run::{Case, Run, case};
use std::collections::BTreeMap;
use tzeva_audience::{Audience, RuleSet};
use tzeva_cases::{Move, Wanted, case_with};
use tzeva_model::{
    Change, Millis, Name, NameKind, Origin, ReasonKind, RulesVersion, Seq, VisitorId,
};
use tzeva_profile::{Op, Profile};

/// When a sweep goes on: after every so many records a page of at most so many visitors.
#[derive(Clone, Copy, Debug)]
struct Pace {
    records: usize,
    page: usize,
}

/// At once, slowly, in small steps, and only at the end.
const PACES: [Pace; 5] = [
    Pace { records: 1, page: usize::MAX },
    Pace { records: 1, page: 1 },
    Pace { records: 2, page: 2 },
    Pace { records: 5, page: 1 },
    Pace { records: usize::MAX, page: 1 },
];

/// What a visitor was told, and what is left of them.
type Told = (BTreeMap<VisitorId, Vec<Change>>, BTreeMap<VisitorId, Profile>);

/// Cases in which the rules change, each with the rules that come next.
fn changing() -> impl Iterator<Item = (Case, RuleSet)> {
    (1..=CASES).filter_map(|seed| {
        println!("seed {seed}");
        let wanted = Wanted { policies: true, unsteady: false, long: false, activations: true };
        let next = case_with(seed, wanted).moves.into_iter().find_map(|step| match step {
            Move::Activate(rules) => Some(*rules),
            _ => None,
        });
        Some((case(seed, true), next?))
    })
}

/// Plays the records; before the one at `at` `next` is activated, and swept at this pace.
fn played(case: &Case, next: Option<&RuleSet>, at: usize, pace: Pace) -> Told {
    let mut run = Run::new(case);
    let (mut swept, mut done) = (None, true);
    for (number, (time, event)) in case.records.iter().enumerate() {
        if let Some(next) = next.filter(|_| number == at) {
            run.fire_until(*time);
            run.activate(next);
            done = false;
        }
        if !done && (number - at).is_multiple_of(pace.records) && number > at {
            done = run.sweep(pace.page, &mut swept);
        }
        let _ = run.record(*time, event);
    }
    run.fire_until(case.until + Millis::new(1));
    while !done {
        done = run.sweep(pace.page, &mut swept);
    }
    let profiles = run.profiles();
    let mut told: BTreeMap<_, Vec<Change>> = BTreeMap::new();
    for mut change in run.finish().changes {
        let by_time = matches!(change.reason.kind, ReasonKind::Deadline | ReasonKind::Forgotten);
        if by_time && change.origin == Origin::Rules {
            // Whoever is met later hears of it later, and that it is late: no more.
            change.origin = Origin::Live;
        }
        told.entry(change.visitor.clone()).or_default().push(change);
    }
    let profiles = profiles.into_iter().map(|(id, p)| (id, Profile { seq: Seq::default(), ..p }));
    (told, profiles.collect())
}

#[test]
fn how_slowly_a_sweep_goes_and_where_it_is_split_changes_nothing() {
    let mut changes = 0;
    for (case, next) in changing() {
        for at in (0..case.records.len()).step_by(4) {
            let whole = played(&case, Some(&next), at, PACES[0]);
            for pace in PACES {
                assert_eq!(played(&case, Some(&next), at, pace), whole, "at {at}, {pace:?}");
            }
            let rules = |change: &&Change| change.origin == Origin::Rules;
            changes += whole.0.values().flatten().filter(rules).count();
        }
    }
    assert!(changes > 200, "activations move visitors: {changes}");
}

#[test]
fn an_equal_set_changes_nothing_but_versions() {
    for (case, _) in changing() {
        let equal = RuleSet { version: RulesVersion::new(99), ..case.rules.clone() };
        for at in 0..case.records.len() {
            let (told, profiles) = played(&case, Some(&equal), at, PACES[1]);
            let (same, others) = played(&case, None, at, PACES[1]);
            assert_eq!(told, same);
            let bare = |p: &Profile| Profile { stamp: RulesVersion::default(), ..p.clone() };
            assert!(profiles.values().map(bare).eq(others.values().map(bare)));
        }
    }
}

/// A run up to the end of its records.
fn ended(case: &Case) -> Run<'_> {
    let mut run = Run::new(case);
    for (time, event) in &case.records {
        let _ = run.record(*time, event);
    }
    run
}

/// The rules of a case and an audience more.
fn with_one_more(case: &Case, audience: Audience) -> RuleSet {
    let mut rules = RuleSet { version: RulesVersion::new(99), ..case.rules.clone() };
    rules.audiences.push(audience);
    rules
}

#[test]
fn a_set_that_differs_by_one_audience_is_swept_for_that_one_alone() {
    let (mut evaluated, mut untouched) = (0, 0);
    for (case, next) in changing() {
        let mut run = ended(&case);
        let Some(audience) = next.audiences.into_iter().next() else { continue };
        let name = Name::new(NameKind::Audience, "one-more");
        let id = name.id();
        run.activate(&with_one_more(&case, Audience { name, ..audience }));
        let before = run.profiles();
        run.counts = Default::default();
        let (told, commits) = (run.outcome.changes.len(), run.outcome.commits.len());
        run.sweep(usize::MAX, &mut None);
        let visitors = u64::try_from(before.len()).unwrap();
        assert!(run.counts.evaluated <= visitors, "one audience a visitor at most");
        assert!(run.outcome.changes[told..].iter().all(|change| change.audience == id));
        let deltas: Vec<_> = run.outcome.commits[commits..].iter().flatten().collect();
        for delta in &deltas {
            let says = |op: &Op| match op {
                Op::Stand(standing) => standing.audience == id,
                Op::Deadline(_) => true,
                _ => false,
            };
            let (ops, stamp) = (&delta.ops, Op::Stamp(RulesVersion::new(99)));
            assert!(ops.iter().any(says) && ops.iter().all(|op| says(op) || *op == stamp));
            assert!(ops.contains(&stamp));
        }
        evaluated += run.counts.evaluated;
        untouched += before.len() - deltas.len();
    }
    assert!(evaluated > 100 && untouched > 100, "{evaluated} evaluated, {untouched} untouched");
}

#[test]
fn whom_an_added_audience_does_not_concern_is_neither_evaluated_nor_written() {
    for (case, next) in changing() {
        let mut run = ended(&case);
        let Some(audience) = next.audiences.into_iter().next() else { continue };
        let never = tzeva_cases::read(NEVER).rules.audiences.remove(0);
        let name = Name::new(NameKind::Audience, "one-more");
        let audience = Audience { name, enter: never.enter, ..audience };
        run.activate(&with_one_more(&case, audience));
        run.counts = Default::default();
        let commits = run.outcome.commits.len();
        run.sweep(usize::MAX, &mut None);
        assert_eq!(run.counts.evaluated, 0);
        assert_eq!(run.outcome.commits.len(), commits, "nothing is written");
    }
}

/// An audience whose event never comes.
const NEVER: &str = "
settings max_strokes=1 max_cells=1 max_age=1 max_items=1 max_total_items=1 idle=1 late_after=1 backtest=false
half_life shop=1 brand=1 category=1 product=1 forget_below=0 falloff=1
audience a0 version=1 enter_after=0 at_least=0 reenter_after=0
  enter (all (event never >=1) (not (event x >=1)))
until 0
";
