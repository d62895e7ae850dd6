//! What `explain` says of the past: since when a condition has been so, or from when on it is known to have been so.
//! Held against explanations made at every millisecond of that past, each from the profile as it was then.

use crate::{MS, visitors};
use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_cases::{Case, Move, Wanted, case_with, engine_settings, write};
use tzeva_engine::{Draft, Engine, Told, explain};
use tzeva_model::{UnixMillis, VisitorId};
use tzeva_profile::Profile;

/// A case whose history is kept whole and whose events came when they say: of others the profile knows less than what was
/// decided.
fn plain(seed: u64) -> Case {
    let wanted = Wanted { policies: true, unsteady: false, long: false, activations: false };
    let mut case = case_with(seed, wanted);
    case.settings.max_strokes = 50;
    case.settings.max_items = 50;
    case.settings.max_total_items = 50;
    // Of a short history little of the past is known.
    if seed.is_multiple_of(2) {
        (case.settings.max_age, case.settings.idle) = (MS.times(1_000), MS.times(2_000));
    }
    for step in &mut case.moves {
        if let Move::Record(input) = step {
            input.event.occurred_at = input.record_time;
        }
    }
    case
}

/// The profile of each visitor after each record, with the record's time.
fn lives(case: &Case) -> BTreeMap<VisitorId, Vec<(UnixMillis, Profile)>> {
    let rules = Arc::new(case.rules.clone());
    let mut engine = Engine::new(rules, engine_settings!(case), UnixMillis::MIN);
    let mut draft = Draft::default();
    let mut lives: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (time, event) in case.records() {
        engine.fire_until(time, &mut draft);
        engine.load(event.visitor.clone(), None);
        let _ = engine.take(time, &event, &mut draft);
        if let Some(profile) = engine.profile(&event.visitor) {
            lives.entry(event.visitor).or_default().push((time, profile.clone()));
        }
    }
    lives
}

/// Compares a node with what it was; counts what was told and what was only bounded.
fn holds_as_told(told: &Told, past: &BTreeMap<UnixMillis, Told>, counts: &mut (usize, usize)) {
    let at = |at: UnixMillis| past.get(&at).map(|then| then.holds);
    let from = told.since.or(told.so_from);
    for (when, then) in past.range(from.unwrap_or(UnixMillis::MAX)..) {
        assert_eq!(then.holds, told.holds, "at {when}, told {from:?}: {told:?}");
    }
    if let Some(since) = told.since {
        assert_ne!(at(since - MS), Some(told.holds), "just before {since}: {told:?}");
        counts.0 += 1;
    }
    counts.1 += usize::from(told.so_from.is_some());
    for (number, part) in told.parts.iter().enumerate() {
        let of_part = |(at, told): (&UnixMillis, &Told)| (*at, told.parts[number].clone());
        holds_as_told(part, &past.iter().map(of_part).collect(), counts);
    }
}

fn check(case: &Case, counts: &mut (usize, usize)) {
    let (rules, settings) = (Arc::new(case.rules.clone()), engine_settings!(case));
    let lives = lives(case);
    for visitor in visitors(case) {
        let Some(life) = lives.get(&visitor) else { continue };
        let (last, _) = life[life.len() - 1];
        let now = last + MS.times(7);
        for place in 0..rules.audiences.len() {
            let look = |at: UnixMillis| {
                let lived = life.partition_point(|(time, _)| *time <= at).checked_sub(1)?;
                let subject = (&visitor, life[lived].1.clone());
                let told = explain(&rules, &settings, subject, place, at)?;
                // Who was forgotten in between has no past.
                (told.forgotten_at > at).then_some(told.enter)
            };
            let Some(told) = look(now) else { continue };
            let mut past = BTreeMap::new();
            let mut at = now;
            while let Some(then) = look(at) {
                past.insert(at, then);
                at = at - MS;
            }
            holds_as_told(&told, &past, counts);
        }
    }
}

#[test]
fn what_explain_says_of_the_past_is_what_was() {
    let mut counts = (0, 0);
    for seed in 1..=200 {
        let case = plain(seed);
        let run = std::panic::AssertUnwindSafe(|| check(&case, &mut counts));
        assert!(std::panic::catch_unwind(run).is_ok(), "seed {seed}:\n{}", write(&case));
    }
    println!("{} told, {} bounded", counts.0, counts.1);
    assert!(counts.0 > 100 && counts.1 > 100, "{counts:?}");
}
