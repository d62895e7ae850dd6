//! Random cases. Durations are few and small and events fall on few instants, so that edges and ties are hit often;
//! limits of history are tight, so that folding and merging happen.

use crate::Sure;
use crate::activations::activations;
use crate::case::{BASE, Case, Move};
use crate::random::Random;
use crate::rules::rules;
use tzeva_model::{
    Amount, Category, Currencies, Currency, Event, EventId, Item, Millis, Name, NameKind, Rate,
    UnixMillis, Value, VisitorId,
};
use tzeva_oracle::{Input, Settings};

pub(crate) const EVENTS: [&str; 4] = ["x", "y", "z", "identify"];
pub(crate) const PRODUCTS: [&str; 3] = ["p1", "p2", "p3"];
pub(crate) const BRANDS: [&str; 3] = ["b1", "b2", "b3"];
pub(crate) const CATEGORIES: [&str; 5] = ["A", "A/B", "A/B/C", "A/D", "E"];
pub(crate) const TEXTS: [&str; 3] = ["app", "wap", "web"];
pub(crate) const MONEY: [&str; 2] = ["EUR", "USD"];
pub(crate) const PATHS: [&str; 3] = ["/p", "/p/1", "/q"];

/// What a case may hold.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Policies beside `enter`.
    pub policies: bool,
    /// The clock moves engine time too, records come behind engine time, and some runs are backtests.
    pub unsteady: bool,
    /// Now and then a long history and many rules.
    pub long: bool,
    /// The rules change on the way.
    pub activations: bool,
}

/// The case of `seed`, with everything.
#[must_use]
pub fn case(seed: u64) -> Case {
    case_with(seed, Wanted { policies: true, unsteady: true, long: true, activations: true })
}

/// The case of `seed` that holds no more than is wanted.
#[must_use]
pub fn case_with(seed: u64, wanted: Wanted) -> Case {
    let random = &mut Random::new(seed);
    let max_age = random.pick(&[20, 50, 100, 1_000, 1_000]);
    let idle = random.pick(&[max_age, max_age, 2 * max_age]);
    let backtest = wanted.unsteady && random.chance(15);
    let settings = Settings {
        max_strokes: random.pick(&[1, 2, 3, 5, 50, 50]),
        max_cells: random.pick(&[1, 2, 4, 8, 12, 500, 500]),
        max_age: Millis::new(max_age),
        max_items: random.pick(&[1, 2, 3, 50]),
        max_total_items: random.pick(&[2, 4, 50]),
        idle: Millis::new(idle),
        late_after: Millis::new(random.pick(&[0, 5, 30])),
        currencies: currencies(random),
        backtest,
    };
    // Long ones let counts run up and rules share what they look at.
    let (audiences, events) = if wanted.long && random.chance(4) { (12, 80) } else { (4, 20) };
    let rules = rules(random, (max_age, wanted.policies), audiences);
    let events = random.within(1, events);
    let visitors = random.pick(&[&["v"][..], &["v", "v", "v", "w", "u"]]);
    let moves = if backtest {
        backtest_moves(random, events, visitors)
    } else {
        moves(random, events, (wanted, visitors))
    };
    let last = moves.iter().map(Move::time).max().unwrap_or(UnixMillis::new(BASE));
    let until = last + Millis::new(random.pick(&[0, 1, 10, 50, 200, 3_000]));
    let mut case = Case { settings, rules, moves, until };
    if wanted.activations {
        // A stream of its own: without them the case is the same.
        activations(&mut Random::new(!seed), &mut case);
    }
    case
}

fn currencies(random: &mut Random) -> Currencies {
    let home = random.maybe(50, |r| Currency::try_new(r.pick(&MONEY)).sure());
    let rate = |r: &mut Random| Rate::from_billionths(r.pick(&[500_000_000, 1_333_333_333])).sure();
    let other = home
        .map(|home| MONEY.iter().filter_map(|m| Currency::try_new(m)).find(|m| *m != home).sure());
    let rate = other.and_then(|other| random.maybe(60, |r| (other, rate(r))));
    Currencies { home, rates: rate.into_iter().collect() }
}

fn moves(random: &mut Random, events: i64, (wanted, visitors): (Wanted, &[&str])) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut now = 0;
    let mut past: Vec<Event> = Vec::new();
    for number in 0..events {
        now += random.pick(&[0, 0, 1, 5, 5, 10, 10, 20, 40]);
        if wanted.unsteady && random.chance(6) {
            moves.push(Move::Clock(UnixMillis::new(BASE + now + random.pick(&[0, 1, 5, 10]))));
        }
        if random.chance(10) && !past.is_empty() {
            let event = random.pick(&past);
            moves.push(record(now, event));
            continue;
        }
        let off = match random.below(10) {
            0..6 => 0,
            6 | 7 => -random.pick(&[1, 5, 5, 10, 20, 50, 100]),
            8 => -random.within(0, 60),
            _ => random.pick(&[1, 5, 20]),
        };
        let behind = if wanted.unsteady && random.chance(5) { random.pick(&[1, 5, 10]) } else { 0 };
        let event = event(random, visitors, number, now - behind + off);
        past.push(event.clone());
        moves.push(record(now - behind, event));
    }
    moves
}

/// In a backtest events come in order, each recorded when it happened.
fn backtest_moves(random: &mut Random, events: i64, visitors: &[&str]) -> Vec<Move> {
    let mut now = 0;
    (0..events)
        .map(|number| {
            now += random.pick(&[0, 0, 1, 5, 5, 10, 10, 20, 40]);
            let number = if random.chance(10) { 0 } else { number };
            let event = event(random, visitors, number, now);
            record(now, event)
        })
        .collect()
}

fn record(at: i64, event: Event) -> Move {
    Move::Record(Box::new(Input { record_time: UnixMillis::new(BASE + at), event }))
}

fn event(random: &mut Random, visitors: &[&str], number: i64, at: i64) -> Event {
    let name = random.pick(&["x", "x", "x", "y", "y", "z", "identify"]);
    let items = random.pick(&[0, 1, 1, 1, 2, 3, 4]);
    let text = |random: &mut Random, percent| random.maybe(percent, |r| r.pick(&TEXTS).into());
    Event {
        visitor: VisitorId::try_new(random.pick(visitors)).ok().sure(),
        id: EventId::new(&format!("e{number}")),
        name: Name::new(NameKind::Event, name),
        occurred_at: UnixMillis::new(BASE + at),
        items: (0..items).map(|_| item(random)).collect(),
        revenue: random
            .maybe(70, |r| Amount::new(r.pick(&[-2, -1, -1, 0, 1, 1, 2, 2, 3, 4]) * 10_000)),
        currency: random.maybe(40, |r| Currency::try_new(r.pick(&MONEY)).sure()),
        coupon: text(random, 50),
        channel: text(random, 50),
        country: text(random, 50),
        page_path: random.maybe(60, |r| r.pick(&PATHS).into()),
        properties: random.maybe(70, |r| ("k".into(), value(r))).into_iter().collect(),
        traceparent: random.maybe(10, |_| "00-1-2-01".into()),
        traits: random.maybe(25, |r| ("tier".into(), value(r))).into_iter().collect(),
    }
}

fn value(random: &mut Random) -> Value {
    match random.below(3) {
        0 => Value::Text(random.pick(&TEXTS).into()),
        1 => Value::Number(Amount::new(random.within(0, 2) * 10_000)),
        _ => Value::Bool(random.chance(50)),
    }
}

fn item(random: &mut Random) -> Item {
    Item {
        product: random.maybe(70, |r| Name::new(NameKind::Product, r.pick(&PRODUCTS))),
        brand: random.maybe(40, |r| Name::new(NameKind::Brand, r.pick(&BRANDS))),
        category: random.maybe(60, |r| category(r.pick(&CATEGORIES))),
        price: random.maybe(70, |r| Amount::new(r.within(0, 2) * 10_000)),
        quantity: random.maybe(60, |r| u32::try_from(r.within(0, 3)).ok().sure()),
    }
}

pub(crate) fn category(path: &str) -> Category {
    Category::from_parts(path.split('/')).sure()
}
