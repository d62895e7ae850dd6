//! The real owner over simulated ports: two painters, every fault mixed by a seed, and after each run the checks of
//! `check.rs`. `TZEVA_SEEDS=N` runs N seeds, `TZEVA_SEED=S` only that one.
#![allow(clippy::disallowed_methods, reason = "the number of seeds is told by the environment")]
#![allow(clippy::print_stdout, reason = "a run tells what it met")]
#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

mod blow;
mod check;
mod codes;
mod points;
mod process;
mod rules;
mod scenarios;
mod seen;
mod shop;

use process::Run;
use seen::Seen;
use tzeva_testkit::sim::Faults;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("TZEVA_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("TZEVA_SEEDS").unwrap_or(60)).collect(),
    }
}

fn each_seed(name: &str, run: impl Fn(u64) -> Run) -> Seen {
    let mut all = Seen::default();
    for seed in seeds() {
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let run = run(seed);
            check::no_record_is_behind_engine_time(&run);
            Seen { cut: check::all(&run), ..run.seen }
        }));
        let Ok(seen) = seen else {
            panic!("{name} fails with seed {seed}: run it again with TZEVA_SEED={seed}");
        };
        all.join(&seen);
    }
    println!("{name}: {} seeds, {all:?}", seeds().len());
    all
}

#[test]
fn without_faults_everything_is_decided_once_and_published() {
    let seen = each_seed("calm", |seed| Run::new(seed, Faults::default()).finish(400));
    assert_eq!((seen.fenced, seen.unknown, seen.store_moved), (0, 0, 0), "a calm world is calm");
}

#[test]
fn new_rules_come_into_force_at_one_point_of_each_log_and_reach_everybody() {
    let seen =
        each_seed("rules", |seed| Run::new(seed, Faults::default()).with_new_rules().finish(300));
    assert!(seen.activations > 0 && seen.swept > 0, "rules changed: {seen:?}");
}

#[test]
fn with_every_fault_mixed_new_rules_are_never_half_in_force() {
    let run = |seed| Run::new(seed, Faults::all()).with_new_rules().with_chaos().finish(300);
    let seen = each_seed("rules in a storm", run);
    assert!(seeds().len() < 20 || seen.all_met(), "every kind of trouble was met: {seen:?}");
    assert!(seen.activations > 0 && seen.swept > 0, "rules changed: {seen:?}");
}

#[test]
fn with_every_fault_mixed_nothing_is_lost_and_nothing_doubled() {
    let seen = each_seed("storm", |seed| Run::new(seed, Faults::all()).with_chaos().finish(400));
    assert!(seeds().len() < 20 || seen.all_met(), "every kind of trouble was met: {seen:?}");
}
