//! A made-up shop to measure with: categories in three levels (20, 300, 3,000), products and visitors by Zipf's law,
//! visits of some events 40 s apart; audiences from templates, half of them on categories, three of five with a negation.

use tzeva_audience::{
    Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest, HalfLives,
    InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RuleSet, Stay, Test, Where,
};
use tzeva_engine::{Draft, Engine};
use tzeva_model::{
    Amount, Category, Event, EventId, Item, Level, Millis, Name, NameId, NameKind, Outcome,
    RulesVersion, TagKey, UnixMillis, VisitorId,
};

const VISITORS: usize = 30_000;
const PRODUCTS: usize = 20_000;

/// splitmix64 (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

// === impl Random ===

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 to `end` - 1, the first the likeliest: Zipf's law with exponent `s`, by its continuous form.
    fn zipf(&mut self, end: usize, s: f64) -> usize {
        let top = (end as f64).powf(1.0 - s) - 1.0;
        let drawn = (1.0 + self.unit() * top).powf(1.0 / (1.0 - s)) - 1.0;
        (drawn as usize).min(end - 1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Time that this thread has had on a processor, so that a busy machine doesn't count; elsewhere than on Linux, time.
pub(crate) fn processor_ns() -> u64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    let since = |t: std::time::SystemTime| t.elapsed().unwrap_or_default().as_nanos() as u64;
    spent.unwrap_or_else(|| since(std::time::SystemTime::UNIX_EPOCH))
}

/// Decides these events, which are in order, each when it occurred.
pub(crate) fn pass(engine: &mut Engine, events: &[Event]) -> (tzeva_engine::Counts, u64) {
    let mut counts = tzeva_engine::Counts::default();
    let mut changes = 0;
    for batch in events.chunks(1_000) {
        let mut draft = Draft::default();
        for event in batch {
            engine.fire_until(event.occurred_at, &mut draft);
            let outcome = engine.take(event.occurred_at, event, &mut draft);
            assert_eq!(outcome, Outcome::Painted);
        }
        counts.add(&draft.counts);
        changes += draft.changes.len() as u64;
    }
    (counts, changes)
}

/// The first `count` events of the shop, in order.
pub(crate) fn events(count: usize) -> Vec<Event> {
    let random = &mut Random(7);
    let visitors: Vec<VisitorId> = (0..VISITORS)
        .filter_map(|n| VisitorId::try_new(&format!("6f1c0f6e-8c1e-4c37-9d2b-{n:012}")).ok())
        .collect();
    let start = 1_795_341_600_000i64;
    // Visits begin all over thirty days; the events of all of them are put in order.
    let mut drawn: Vec<(i64, usize)> = Vec::with_capacity(count);
    while drawn.len() < count {
        let visitor = random.zipf(VISITORS, 0.6);
        let mut at = start + random.below(30 * 86_400) as i64 * 1_000;
        while drawn.len() < count {
            drawn.push((at, visitor));
            at += 1_000 + random.below(80_000) as i64;
            if random.below(8) == 0 {
                break;
            }
        }
    }
    drawn.sort_unstable();
    let one = |(number, (at, visitor)): (usize, (i64, usize))| {
        event(random, number, UnixMillis::new(at), visitors[visitor].clone())
    };
    drawn.into_iter().enumerate().map(one).collect()
}

fn event(random: &mut Random, number: usize, at: UnixMillis, visitor: VisitorId) -> Event {
    let name = match random.below(100) {
        0..85 => "product_viewed",
        85..95 => "product_added",
        _ => "order_completed",
    };
    let product = random.zipf(PRODUCTS, 0.9);
    let item = Item {
        product: Some(Name::new(NameKind::Product, &format!("p-{product}"))),
        brand: Some(Name::new(NameKind::Brand, &format!("b-{}", product % 200))),
        category: Category::from_parts(path(product % 3_000).split('/')),
        price: Some(Amount::new(10_000 * (5 + product as i64 % 200))),
        quantity: Some(1),
    };
    Event {
        visitor,
        id: EventId::new(&format!("m-{number}")),
        name: Name::new(NameKind::Event, name),
        occurred_at: at,
        revenue: (name == "order_completed").then_some(Amount::new(500_000)),
        items: vec![item],
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

fn path(leaf: usize) -> String {
    format!("c{}/d{}/e{leaf}", leaf % 20, leaf % 300)
}

/// So many audiences.
pub(crate) fn rules(count: usize) -> RuleSet {
    let random = &mut Random(11);
    let audiences = (0..count).map(|number| audience(random, number)).collect();
    let dose = |weight| Some(Dose::Add(weight));
    let paint = |name, weight, product| PaintEvent {
        event: NameId::of(NameKind::Event, name),
        shop: dose(weight),
        brand: dose(weight),
        category: dose(weight),
        product: Some(product),
    };
    let mut events = vec![
        paint("product_viewed", 1.0, Dose::Add(1.0)),
        paint("product_added", 3.0, Dose::Add(5.0)),
        paint("order_completed", 4.0, Dose::Clear),
    ];
    events.sort_by_key(|event| event.event);
    let day = Millis::DAY;
    let half_life = HalfLives {
        shop: day.times(30),
        brand: day.times(30),
        category: day.times(14),
        product: day.times(7),
    };
    let falloff = Falloff { category: 1.0 };
    let paint = Paint { half_life, events, forget_below: 0.05, falloff };
    RuleSet { version: RulesVersion::new(1), audiences, paint }
}

/// The audience `audience-<number>`.
pub(crate) fn audience(random: &mut Random, number: usize) -> Audience {
    let mut parts = vec![match random.below(100) {
        0..60 => counted(random),
        60..75 => recent(random),
        75..90 => interest(random),
        _ => since(random),
    }];
    if random.below(3) == 0 {
        parts.push(if random.below(4) == 0 { visits(random) } else { counted(random) });
    }
    if random.below(100) < 60 {
        let days = random.pick(&[7, 14, 30]);
        let bought = leaf("order_completed", Where::default(), 1, Some(days));
        parts.push(Node::Not(Box::new(bought)));
    }
    let delay = if random.below(10) == 0 { Millis::HOUR } else { Millis::ZERO };
    Audience {
        name: Name::new(NameKind::Audience, &format!("audience-{number}")),
        version: 1,
        describe: None,
        owner: None,
        labels: Vec::new(),
        enter: Node::All(parts),
        exit_when: None,
        enter_after: delay,
        stay: Stay::default(),
        reenter_after: Millis::ZERO,
    }
}

fn leaf(event: &str, filter: Where, count: u32, days: Option<i64>) -> Node {
    Node::Leaf(Leaf::Event(EventLeaf {
        name: Name::new(NameKind::Event, event),
        filter,
        count: CountTest::Is(Compare::AtLeast, count),
        within: days.map(|days| Millis::DAY.times(days)),
        after: None,
    }))
}

/// `where: { category }`, mostly of the lower depths; now and then with a price.
fn filter(random: &mut Random) -> Where {
    let text = path(random.below(3_000));
    let depth = random.pick(&[1, 2, 2, 3, 3, 3, 3, 3]);
    let text = text.split('/').take(depth).collect::<Vec<_>>().join("/");
    let names = vec![Name::new(NameKind::Category, &text)];
    let mut item = vec![FieldTest { field: Field::Category, test: Test::In(names) }];
    if random.below(4) == 0 {
        let low = Some((Amount::new(800_000), true));
        item.push(FieldTest { field: Field::Price, test: Test::Number { low, high: None } });
    }
    Where { item, event: Vec::new() }
}

fn counted(random: &mut Random) -> Node {
    let event = random.pick(&["product_viewed", "product_viewed", "product_added"]);
    let (count, days) = (random.pick(&[1, 2, 3, 5]), random.pick(&[1, 3, 7, 14, 30]));
    leaf(event, filter(random), count, Some(days))
}

fn recent(random: &mut Random) -> Node {
    Node::Leaf(Leaf::Last(LastLeaf {
        event: Name::new(NameKind::Event, random.pick(&["product_viewed", "product_added"])),
        filter: filter(random),
        at_least: random.below(2) == 0,
        ago: Millis::HOUR.times(random.pick(&[1, 2, 24, 72])),
    }))
}

fn interest(random: &mut Random) -> Node {
    let text = path(random.below(3_000));
    let depth = random.pick(&[1u8, 2, 2, 3, 3, 3, 3, 3]);
    let text = text.split('/').take(usize::from(depth)).collect::<Vec<_>>().join("/");
    let id = NameId::of(NameKind::Category, &text);
    Node::Leaf(Leaf::Interest(InterestLeaf {
        tag: TagKey { level: Level::Category(depth), id },
        text: format!("category/{text}"),
        at_least: true,
        threshold: random.pick(&[1.5, 3.0, 6.0]),
    }))
}

fn since(random: &mut Random) -> Node {
    Node::Leaf(Leaf::Event(EventLeaf {
        name: Name::new(NameKind::Event, "product_added"),
        filter: filter(random),
        count: CountTest::Is(Compare::AtLeast, 1),
        within: Some(Millis::DAY.times(7)),
        after: Some(Name::new(NameKind::Event, "order_completed")),
    }))
}

/// "Any visit and ...": true of almost everybody who is there.
fn visits(random: &mut Random) -> Node {
    leaf("product_viewed", Where::default(), random.pick(&[1, 3, 5]), Some(random.pick(&[1, 7])))
}
