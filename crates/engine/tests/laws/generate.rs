//! Random rule sets and histories: few names, few and small durations, tight limits, so that edges and ties are hit.

use super::random::Random;
use tzeva_audience::{
    Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest, HalfLives,
    InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RuleSet, Stay, Test, Where,
};
use tzeva_engine::Settings;
use tzeva_model::{
    Amount, Category, Event, EventId, Item, Level, Millis, Name, NameId, NameKind, RulesVersion,
    TagKey, UnixMillis, VisitorId,
};

/// A millisecond of a day's end, so that cells of two days are met.
const BASE: i64 = 20_000 * 86_400_000 - 60;
const EVENTS: [&str; 3] = ["x", "y", "z"];
const PRODUCTS: [&str; 2] = ["p", "q"];
const CATEGORIES: [&str; 3] = ["A", "A/B", "C"];

/// A record: its time, and what it held.
pub(crate) type Record = (UnixMillis, Event);

/// What an engine is given.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: RuleSet,
    pub(crate) settings: Settings,
    pub(crate) records: Vec<Record>,
    pub(crate) until: UnixMillis,
}

/// The case of `seed`; with `policies` as the language has them, else with entry conditions alone.
pub(crate) fn case(seed: u64, policies: bool) -> Case {
    let random = &mut Random::new(seed);
    let max_age = random.pick(&[50, 200, 1_000]);
    let settings = Settings {
        max_strokes: random.pick(&[2, 4, 50]),
        max_cells: random.pick(&[3, 9, 500]),
        max_age: Millis::new(max_age),
        max_items: 2,
        max_total_items: random.pick(&[3, 50]),
        idle: Millis::new(random.pick(&[max_age, 2 * max_age])),
        late_after: Millis::new(20),
        ..Settings::default()
    };
    let audiences = (0..random.within(2, 6)).map(|number| audience(random, number, policies));
    let audiences = audiences.collect();
    let rules = RuleSet { version: RulesVersion::new(3), audiences, paint: paint(random) };
    let (mut now, mut records) = (0, Vec::new());
    for number in 0..random.within(3, 30) {
        now += random.pick(&[0, 0, 1, 5, 10, 10, 20, 40]);
        let late = if random.chance(20) { random.pick(&[1, 10, 30]) } else { 0 };
        let number = if random.chance(8) { 0 } else { number };
        records.push((at(now), event(random, number, now - late)));
    }
    Case { rules, settings, records, until: at(now + random.pick(&[10, 100, 2_500])) }
}

fn at(offset: i64) -> UnixMillis {
    UnixMillis::new(BASE + offset)
}

fn name(random: &mut Random) -> Name {
    Name::new(NameKind::Event, random.pick(&EVENTS))
}

fn span(random: &mut Random) -> Millis {
    Millis::new(random.pick(&[1, 5, 10, 10, 20, 40, 50]))
}

fn audience(random: &mut Random, number: i64, policies: bool) -> Audience {
    let mut wait = |percent| {
        let wait = random.chance(if policies { percent } else { 0 });
        if wait { span(random) } else { Millis::ZERO }
    };
    let (enter_after, reenter_after, at_least) = (wait(30), wait(30), wait(25));
    let exit_when = random.maybe(if policies { 35 } else { 0 }, |r| node(r, 1));
    let at_least = if exit_when.is_some() { Millis::ZERO } else { at_least };
    let at_most = random.maybe(if policies { 30 } else { 0 }, |r| span(r) + at_least);
    Audience {
        name: Name::new(NameKind::Audience, &format!("a{number}")),
        version: 1,
        describe: None,
        owner: None,
        labels: Vec::new(),
        enter: node(random, 2),
        exit_when,
        enter_after,
        stay: Stay { at_least, at_most },
        reenter_after,
    }
}

fn node(random: &mut Random, depth: usize) -> Node {
    let kind = if depth == 0 { 9 } else { random.below(10) };
    let mut parts = || (0..random.within(2, 3)).map(|_| node(random, depth - 1)).collect();
    match kind {
        0..4 => Node::All(parts()),
        4 | 5 => Node::Any(parts()),
        6 => Node::Not(Box::new(node(random, depth - 1))),
        _ => Node::Leaf(leaf(random)),
    }
}

fn leaf(random: &mut Random) -> Leaf {
    match random.below(10) {
        0..5 => Leaf::Event(EventLeaf {
            name: name(random),
            filter: filter(random),
            count: count(random),
            within: random.maybe(70, span),
            after: random.maybe(25, name),
        }),
        5..8 => Leaf::Last(LastLeaf {
            event: name(random),
            filter: filter(random),
            at_least: random.chance(60),
            ago: span(random),
        }),
        _ => interest(random),
    }
}

fn count(random: &mut Random) -> CountTest {
    let k = u32::try_from(random.within(1, 4)).unwrap();
    match random.below(7) {
        0..3 => CountTest::Is(Compare::AtLeast, k),
        3 => CountTest::Is(Compare::MoreThan, k - 1),
        4 => CountTest::Is(Compare::LessThan, k),
        5 => CountTest::Is(Compare::Equal, k - 1),
        _ => CountTest::Between(k - 1, k),
    }
}

fn filter(random: &mut Random) -> Where {
    let price = Test::Number { low: Some((Amount::new(random.within(0, 2)), true)), high: None };
    let product = vec![Name::new(NameKind::Product, random.pick(&PRODUCTS))];
    let category = vec![Name::new(NameKind::Category, random.pick(&CATEGORIES))];
    let test = |field, test| FieldTest { field, test };
    let item = match random.below(8) {
        0 => vec![test(Field::Product, Test::In(product))],
        1 | 2 => vec![test(Field::Category, Test::In(category))],
        3 => vec![test(Field::Category, Test::In(category)), test(Field::Price, price)],
        _ => Vec::new(),
    };
    Where { item, event: Vec::new() }
}

fn interest(random: &mut Random) -> Leaf {
    let path = random.pick(&CATEGORIES);
    let depth = u8::try_from(path.split('/').count()).unwrap();
    let tag =
        TagKey { level: Level::Category(depth), id: Name::new(NameKind::Category, path).id() };
    let threshold = random.pick(&[0.5, 1.0, 1.5, 2.5]);
    let text = format!("category/{path}");
    Leaf::Interest(InterestLeaf { tag, text, at_least: random.chance(70), threshold })
}

fn paint(random: &mut Random) -> Paint {
    let mut events: Vec<PaintEvent> = EVENTS[..2]
        .iter()
        .map(|name| PaintEvent {
            event: NameId::of(NameKind::Event, name),
            shop: None,
            brand: None,
            category: Some(if random.chance(15) { Dose::Clear } else { Dose::Add(1.0) }),
            product: Some(Dose::Add(0.5)),
        })
        .collect();
    events.sort_by_key(|paint| paint.event);
    let h = Millis::new(random.pick(&[5, 20, 50]));
    let half_life = HalfLives { shop: h, brand: h, category: h, product: h };
    Paint { half_life, events, forget_below: 0.1, falloff: Falloff { category: 0.5 } }
}

fn event(random: &mut Random, number: i64, offset: i64) -> Event {
    let item = |random: &mut Random| Item {
        product: random.maybe(70, |r| Name::new(NameKind::Product, r.pick(&PRODUCTS))),
        category: random
            .maybe(70, |r| r.pick(&CATEGORIES))
            .and_then(|path: &str| Category::from_parts(path.split('/'))),
        price: random.maybe(50, |r| Amount::new(r.within(0, 3))),
        ..Item::default()
    };
    Event {
        visitor: VisitorId::try_new(random.pick(&["u", "v", "v", "w"])).unwrap(),
        id: EventId::new(&format!("e{number}")),
        name: name(random),
        occurred_at: at(offset),
        items: (0..random.below(4)).map(|_| item(random)).collect(),
        revenue: None,
        currency: None,
        coupon: None,
        channel: None,
        country: None,
        page_path: None,
        properties: Vec::new(),
        traceparent: None,
        traits: Vec::new(),
    }
}
