//! A year and more of very busy visitors: the last events cost what earlier ones did, none is refused, and no profile
//! comes near its limit. Costs are counts of work done, since seconds depend on the machine.
#![cfg(test)]

#[path = "claims/given.rs"]
#[expect(dead_code, reason = "this test needs a part of it")]
mod given;

use given::{
    D, Run, about, audience, counted, event, in_category, interest, last, not, since, some, visitor,
};
use tzeva_audience::{Audience, Compare, CountTest, Node};
use tzeva_cases::Random;
use tzeva_engine::{Counts, Settings};
use tzeva_model::{Event, Outcome};
use tzeva_profile::stored;

const EVENTS: i64 = 200_000;
const VISITORS: usize = 200;
const DAYS: i64 = 420;
const PRODUCTS: usize = 2_000;
/// Names, a flood of views and few orders.
const NAMES: [&str; 10] = [
    "product_viewed",
    "product_viewed",
    "product_viewed",
    "product_viewed",
    "product_list_viewed",
    "product_list_viewed",
    "product_added",
    "product_removed",
    "cart_viewed",
    "order_completed",
];

/// Event number `number`: more than half are of one visitor, 300 a day, the rest of fewer and fewer.
fn nth(number: i64, random: &mut Random) -> (i64, Event) {
    let who =
        if random.chance(60) { 0 } else { random.below(VISITORS).min(random.below(VISITORS)) };
    let product = random.below(PRODUCTS);
    let name = NAMES[random.below(NAMES.len())];
    let offset = number * (DAYS * D / EVENTS);
    let category = format!("c{}/c{}", product % 10, product % 100);
    let event = Event { visitor: visitor(&format!("v{who}")), ..event(offset, name) };
    (offset, about(event, &format!("p{product}"), &category))
}

fn audiences() -> Vec<Audience> {
    let many = |count| CountTest::Is(Compare::AtLeast, count);
    let mut all = vec![
        audience(
            "abandoned",
            Node::All(vec![
                last("product_added", true, D / 24),
                not(since("order_completed", "product_added")),
            ]),
        ),
        audience("lapsed", last("order_completed", true, 30 * D)),
        audience("heavy", counted("product_viewed", many(200), 30 * D)),
        audience("year", counted("product_list_viewed", many(1_000), 400 * D)),
        audience(
            "browsing",
            Node::All(vec![some("product_viewed", D), not(some("order_completed", 7 * D))]),
        ),
    ];
    for category in 0..10 {
        let path = format!("c{category}");
        all.push(audience(&format!("seen-{path}"), in_category("product_viewed", &path, 3 * D)));
        all.push(audience(&format!("fan-{path}"), interest(&path, 5.0)));
    }
    all
}

/// What costs time.
fn work(counts: Counts) -> [u64; 5] {
    let Counts { evaluated, deadlines_fired, measured, folded, days_dropped, .. } = counts;
    [evaluated, deadlines_fired, measured, folded, days_dropped]
}

#[test]
fn a_year_of_busy_visitors_neither_slows_down_nor_is_refused() {
    let random = &mut Random::new(7);
    let mut run = Run::with(audiences(), Settings::default());
    let (mut counts, mut first_half) = (Counts::default(), [0; 5]);
    let mut largest = 0;
    for number in 0..EVENTS {
        let (offset, event) = nth(number, random);
        assert_eq!(run.take(offset, &event), Outcome::Painted);
        let profile = run.engine.profile(&event.visitor).unwrap();
        assert!(profile.cells.len() <= 2_000 && profile.strokes.len() <= 256);
        if number % 1_000 == 999 {
            largest = largest.max(stored::encode(profile).len());
            counts.add(&std::mem::take(&mut run.draft).counts);
        }
        if number == EVENTS / 2 - 1 {
            first_half = work(counts);
        }
    }
    for (all, first) in work(counts).into_iter().zip(first_half) {
        assert!(
            all - first <= first + first / 2,
            "{:?} in all, {first_half:?} at half",
            work(counts)
        );
    }
    println!("{counts:?}, the largest profile {largest} bytes");
    assert!(counts.days_dropped > 1_000, "the limit of cells was met");
    assert!(counts.measured * 100 < EVENTS.unsigned_abs(), "sizes are measured rarely");
    assert!(largest < 128 * 1024, "half of what is allowed: {largest}");
}
