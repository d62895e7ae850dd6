//! What a sweep costs a profile, after an activation under 1,000 audiences: `cargo bench -p tzeva-engine --bench sweep`.
//!
//! Prints the nanoseconds that a profile takes to decode and load, and then, for several kinds of activations, what it
//! takes to sweep; and how many are written, how many audiences are evaluated and how many changes come of it, a profile.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::cast_precision_loss, reason = "means of counts")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "draws in range")]

mod shop;

use shop::{Random, audience, events, pass, processor_ns, rules};
use std::collections::BTreeSet;
use std::sync::Arc;
use tzeva_audience::{Audience, Paint, RuleSet};
use tzeva_engine::{Draft, Engine, Rules, Settings};
use tzeva_model::{Millis, RulesVersion, UnixMillis, VisitorId};
use tzeva_profile::stored;

const AUDIENCES: usize = 1_000;
const EVENTS: usize = 1_000_000;
/// Visitors a page.
const PAGE: usize = 1_000;

fn main() {
    let former = rules(AUDIENCES);
    let events = events(EVENTS);
    let settings = Settings::default();
    let compiled = Rules::compile(Arc::new(former.clone()), settings.max_age);
    let mut engine = Engine::under(compiled, settings, UnixMillis::new(0));
    pass(&mut engine, &events);
    let visitors: BTreeSet<VisitorId> = events.iter().map(|event| event.visitor.clone()).collect();
    let mut visitors: Vec<_> = visitors.into_iter().map(|v| (v.shard(), v)).collect();
    visitors.sort();
    let stored: Vec<(VisitorId, Vec<u8>)> = visitors
        .into_iter()
        .filter_map(|(_, id)| Some((id.clone(), stored::encode(engine.profile(&id)?))))
        .collect();
    let bytes: usize = stored.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} profiles, {} bytes each", stored.len(), bytes / stored.len());
    for (name, next) in activations(&former) {
        run(name, &engine, next, &stored);
    }
}

/// What may be activated.
fn activations(former: &RuleSet) -> Vec<(&'static str, RuleSet)> {
    let random = &mut Random(13);
    let mut with = |name, change: &mut dyn FnMut(&mut Random, &mut RuleSet)| {
        let mut next = RuleSet { version: RulesVersion::new(2), ..former.clone() };
        change(random, &mut next);
        (name, next)
    };
    vec![
        with("an equal set", &mut |_, _| {}),
        with("one audience more", &mut |random, next| {
            next.audiences.push(audience(random, AUDIENCES));
        }),
        with("one audience less", &mut |_, next| drop(next.audiences.remove(7))),
        with("one audience edited", &mut |_, next| {
            let one = &mut next.audiences[7];
            *one = Audience { version: 2, enter_after: Millis::HOUR, ..one.clone() };
        }),
        with("a hundred edited", &mut |random, next| {
            for (number, one) in next.audiences.iter_mut().enumerate().take(100) {
                *one = Audience { version: 2, ..audience(random, number) };
            }
        }),
        with("another half-life", &mut |_, next| {
            let mut half_life = next.paint.half_life;
            half_life.product = Millis::DAY.times(8);
            next.paint = Paint { half_life, ..next.paint.clone() };
        }),
    ]
}

/// Loads everybody from bytes, and sweeps them page by page, a draft each, as an owner does.
fn run(name: &str, engine: &Engine, next: RuleSet, stored: &[(VisitorId, Vec<u8>)]) {
    let rules = Rules::compile(Arc::new(next), Settings::default().max_age);
    let mut swept = engine.afresh(engine.engine_time());
    swept.activate(rules);
    // All of each at once: the clock of a thread goes by its time slices.
    let started = processor_ns();
    for (id, bytes) in stored {
        swept.load(id.clone(), stored::decode(bytes).ok());
    }
    let loaded = processor_ns();
    let ids: Vec<VisitorId> = stored.iter().map(|(id, _)| id.clone()).collect();
    let (mut written, mut changes) = (0, 0);
    let mut counts = tzeva_engine::Counts::default();
    for page in ids.chunks(PAGE) {
        let mut draft = Draft::default();
        swept.sweep(page, &mut draft);
        (written, changes) = (written + draft.deltas.len(), changes + draft.changes.len());
        counts.add(&draft.counts);
    }
    let (load, sweep) = (loaded - started, processor_ns() - loaded);
    let per = |n: u64| n as f64 / stored.len() as f64;
    println!(
        "{name:>20}: {:>6.0} ns to load, {:>6.0} ns to sweep; {:.4} written, {:.4} evaluated, {:.4} changes",
        per(load),
        per(sweep),
        per(written as u64),
        per(counts.evaluated),
        per(changes as u64),
    );
}
