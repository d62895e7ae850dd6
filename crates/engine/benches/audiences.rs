//! What an event costs under 10 to 10,000 audiences: `cargo bench -p tzeva-engine`.
//!
//! Prints, for each number of audiences: nanoseconds an event, deadlines included; audiences evaluated, changes and deadlines an
//! event. The first half of the events warms up and is not timed.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::cast_precision_loss, reason = "means of counts")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "draws in range")]

mod shop;

use shop::{events, pass, processor_ns, rules};
use std::sync::Arc;
use tzeva_engine::{Engine, Settings};
use tzeva_model::{Event, UnixMillis};

const EVENTS: usize = 100_000;

fn main() {
    let events = events(EVENTS);
    for audiences in [10, 100, 1_000, 10_000] {
        run(audiences, &events);
    }
}

fn run(audiences: usize, events: &[Event]) {
    let rules = Arc::new(rules(audiences));
    let mut engine = Engine::new(rules, Settings::default(), UnixMillis::new(0));
    let (warm, timed) = events.split_at(events.len() / 2);
    pass(&mut engine, warm);
    let started = processor_ns();
    let (counts, changes) = pass(&mut engine, timed);
    let each = (processor_ns() - started) as f64 / timed.len() as f64;
    let per = |n: u64| n as f64 / timed.len() as f64;
    println!(
        "{audiences:>6} audiences: {each:>6.0} ns an event; {:.2} evaluated, {:.2} changes, {:.2} deadlines, {:.2} folds",
        per(counts.evaluated),
        per(changes),
        per(counts.deadlines_fired),
        per(counts.folded),
    );
}
