//! Laws of the engine over random rules and histories, held against itself: what must not matter does not matter.
//! A failure names its seed.
#![cfg(test)]

mod files;
mod rules;
mod run;

use crate::run::{Case, Outcome, Run, case, engine};
use std::cell::Cell;
use std::collections::BTreeSet;
use tzeva_audience::{Audience, Leaf, RuleSet};
use tzeva_cases::Random;
use tzeva_engine::Draft;
use tzeva_model::Outcome as Decided;
use tzeva_model::{Change, Direction, Millis, NameId, ReasonKind, UnixMillis, VisitorId};
use tzeva_profile::{Profile, State};

/// So many cases a law; their seeds are 1 to this.
pub(crate) const CASES: u64 = 400;

/// Runs `law` on many cases.
fn check(policies: bool, law: impl Fn(&Case, &mut Random)) {
    for seed in 1..=CASES {
        // Printed if the law fails: the last one is the seed that broke it.
        println!("seed {seed}");
        law(&case(seed, policies), &mut Random::new(!seed));
    }
}

fn of(changes: &[Change], audience: NameId) -> Vec<&Change> {
    changes.iter().filter(|change| change.audience == audience).collect()
}

fn names(case: &Case) -> Vec<NameId> {
    case.rules.audiences.iter().map(|audience| audience.name.id()).collect()
}

/// Whom an audience is `in`.
fn needs(audience: &Audience) -> BTreeSet<NameId> {
    let mut needs = BTreeSet::new();
    let mut note = |leaf: &Leaf| {
        if let Leaf::In(leaf) = leaf {
            needs.insert(leaf.audience.id());
        }
    };
    audience.enter.each_leaf(&mut |leaf| note(leaf));
    audience.exit_when.iter().for_each(|x| x.each_leaf(&mut |leaf| note(leaf)));
    needs
}

#[test]
fn the_order_of_audiences_changes_nothing_about_any_of_them() {
    check(true, |case, random| {
        let mut left = case.rules.audiences.clone();
        let mut shuffled =
            Case { rules: RuleSet { audiences: vec![], ..case.rules.clone() }, ..case.clone() };
        while !left.is_empty() {
            // Whoever is `in` another comes behind it: more isn't asked of an order.
            let free = |a: &Audience| !left.iter().any(|other| needs(a).contains(&other.name.id()));
            let free: Vec<usize> = (0..left.len()).filter(|&place| free(&left[place])).collect();
            shuffled.rules.audiences.push(left.remove(random.pick(&free)));
        }
        let (one, other) = (Run::whole(case).changes, Run::whole(&shuffled).changes);
        for name in names(case) {
            assert_eq!(of(&one, name), of(&other, name));
        }
    });
}

#[test]
fn an_added_audience_changes_nothing_about_the_others() {
    check(true, |case, random| {
        let mut fewer = case.clone();
        let audiences = &case.rules.audiences;
        let spare =
            |a: &Audience| !audiences.iter().any(|other| needs(other).contains(&a.name.id()));
        let spare: Vec<usize> = (0..audiences.len()).filter(|&p| spare(&audiences[p])).collect();
        fewer.rules.audiences.remove(random.pick(&spare));
        let (more, fewer_changes) = (Run::whole(case).changes, Run::whole(&fewer).changes);
        for name in names(&fewer) {
            assert_eq!(of(&more, name), of(&fewer_changes, name));
        }
    });
}

#[test]
fn a_run_split_anywhere_and_begun_anew_from_bytes_says_the_same() {
    check(true, |case, _| {
        let whole = Run::whole(case);
        for split in 0..case.records.len() {
            let mut run = Run::new(case);
            for (number, (time, event)) in case.records.iter().enumerate() {
                let _ = run.record(*time, event);
                if number == split {
                    run.begin_anew();
                }
            }
            assert_eq!(run.finish(), whole, "split behind record {split}");
        }
    });
}

#[test]
fn evicting_at_any_moment_changes_nothing() {
    check(true, |case, random| {
        let mut run = Run::new(case);
        for (time, event) in &case.records {
            run.engine.evict(&|_| false, random.below(3));
            let _ = run.record(*time, event);
        }
        run.engine.evict(&|_| false, 0);
        assert_eq!(run.engine.len(), 0);
        assert_eq!(run.finish(), Run::whole(case));
    });
}

#[test]
fn no_deadline_is_late_or_early_by_a_millisecond() {
    let by_time = Cell::new(0);
    check(true, |case, _| {
        let mut run = Run::new(case);
        let step_to = |run: &mut Run<'_>, until: UnixMillis| {
            let mut passed = run.engine.engine_time().max(case.records[0].0);
            while passed < until {
                // The clock goes on by one: whatever that publishes, its instant is the one that has just passed.
                let told = run.outcome.changes.len();
                run.fire_until(passed + Millis::new(1));
                let news = &run.outcome.changes[told..];
                assert!(news.iter().all(|change| change.effective_at == passed), "{news:?}");
                passed = passed + Millis::new(1);
            }
        };
        for (time, event) in &case.records {
            step_to(&mut run, *time);
            let _ = run.record(*time, event);
        }
        step_to(&mut run, case.until + Millis::new(1));
        let changes = run.finish().changes;
        assert_eq!(changes, Run::whole(case).changes);
        let fired = changes.iter().filter(|change| change.reason.kind == ReasonKind::Deadline);
        by_time.set(by_time.get() + fired.count());
    });
    assert!(by_time.get() > 0, "deadlines fired");
}

#[test]
fn looking_at_every_millisecond_finds_nothing_that_deadlines_miss() {
    check(true, |case, random| {
        let mut run = Run::new(case);
        let until = case.until.min(case.records[case.records.len() - 1].0 + Millis::new(100));
        let ends = case.records.iter().map(|(time, _)| *time).chain([until]).skip(1);
        for ((time, event), end) in case.records.iter().zip(ends) {
            // Records of one instant go before anything else that this instant brings.
            let _ = run.record(*time, event);
            let mut now = *time;
            while now < end {
                run.look_at_all(now);
                now = now + Millis::new(1);
            }
            if random.chance(10) {
                run.begin_anew();
            }
        }
        let whole = Case { until: until - Millis::new(1), ..case.clone() };
        assert_eq!(run.outcome.changes, Run::whole(&whole).changes);
    });
}

#[test]
fn deadlines_fire_in_order_of_instant_and_visitor() {
    check(true, |case, _| {
        let mut run = Run::new(case);
        let mut told = 0;
        for (time, event) in &case.records {
            run.fire_until(*time);
            assert_ordered(&run.outcome, told);
            let _ = run.record(*time, event);
            told = run.outcome.changes.len();
        }
        assert_ordered(&run.finish(), told);
    });
}

fn assert_ordered(outcome: &Outcome, from: usize) {
    let key = |change: &Change| (change.effective_at, change.visitor.clone());
    let fired = &outcome.changes[from..];
    assert!(fired.is_sorted_by_key(key), "{fired:?}");
}

#[test]
fn a_refused_event_is_one_that_never_came() {
    let refused = Cell::new(0);
    check(true, |case, random| {
        let mut small = case.clone();
        small.settings.max_profile_bytes = random.pick(&[120, 180, 300]);
        let (mut with, mut without) = (Run::new(&small), Run::new(&small));
        for (time, event) in &case.records {
            if matches!(with.record(*time, event), Decided::Rejected(_)) {
                without.fire_until(*time);
                refused.set(refused.get() + 1);
            } else {
                let _ = without.record(*time, event);
            }
            assert_eq!(with.engine.next_deadline(), without.engine.next_deadline());
        }
        assert_eq!(with.profiles(), without.profiles());
        assert_eq!(with.finish(), without.finish());
    });
    assert!(refused.get() > 0, "events were refused");
}

#[test]
fn deciding_by_events_is_deciding_from_scratch() {
    let compared = Cell::new(0);
    check(false, |case, _| {
        let mut run = Run::new(case);
        for (time, event) in &case.records {
            let _ = run.record(*time, event);
            let now = run.engine.engine_time();
            let Some(profile) = run.profiles().remove(&event.visitor) else { continue };
            // A duplicate is no reason to look at anything.
            if profile.seen == now {
                let members = members(&profile);
                compared.set(compared.get() + members.len());
                assert_eq!(from_scratch(case, &event.visitor, profile, now), members);
            }
        }
    });
    assert!(compared.get() > 0, "there were members");
}

fn members(profile: &Profile) -> BTreeSet<NameId> {
    let members = profile.standings.iter().filter(|s| matches!(s.state, State::In { .. }));
    members.map(|standing| standing.audience).collect()
}

/// The audiences that a visitor who stands nowhere enters now, with the history of `profile`.
fn from_scratch(
    case: &Case,
    visitor: &VisitorId,
    profile: Profile,
    now: UnixMillis,
) -> BTreeSet<NameId> {
    let bare = Profile { standings: Vec::new(), deadline: Some(now), ..profile };
    let mut engine = engine(case, now);
    engine.load(visitor.clone(), Some(bare));
    let mut draft = Draft::default();
    engine.fire_until(now + Millis::new(1), &mut draft);
    let entered = draft.changes.iter().filter(|c| c.direction == Direction::Entered);
    entered.map(|change| change.audience).collect()
}
