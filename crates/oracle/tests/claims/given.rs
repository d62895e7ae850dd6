//! Rules and events in few words, and changes as lines: `1h v entered cart, deadline Leaf(1)`.

use tzeva_audience::{
    Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest, HalfLives,
    InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RuleSet, Stay, Test, Where,
};
use tzeva_model::{
    Category, Change, Event, EventId, Item, Millis, Name, NameId, NameKind, RulesVersion, TagKey,
    UnixMillis, VisitorId,
};
use tzeva_oracle::{Input, Settings, run};

/// 2026-11-22T10:00:00Z; every offset counts from here.
pub(crate) const START: i64 = 1_795_341_600_000;
pub(crate) const S: i64 = 1_000;
pub(crate) const M: i64 = 60 * S;
pub(crate) const H: i64 = 60 * M;
pub(crate) const D: i64 = 24 * H;

pub(crate) fn name(text: &str) -> Name {
    Name::new(NameKind::Event, text)
}

pub(crate) fn at(offset: i64) -> UnixMillis {
    UnixMillis::new(START + offset)
}

pub(crate) fn audience(name: &str, enter: Node) -> Audience {
    Audience {
        name: Name::new(NameKind::Audience, name),
        version: 1,
        describe: None,
        owner: None,
        labels: Vec::new(),
        enter,
        exit_when: None,
        enter_after: Millis::ZERO,
        stay: Stay::default(),
        reenter_after: Millis::ZERO,
    }
}

pub(crate) fn leaf(event: &str, count: CountTest, within: Option<i64>) -> EventLeaf {
    EventLeaf {
        name: name(event),
        filter: Where::default(),
        count,
        within: within.map(Millis::new),
        after: None,
    }
}

/// At least one such event in the last `within`.
pub(crate) fn some(event: &str, within: i64) -> Node {
    Node::Leaf(Leaf::Event(leaf(event, AT_LEAST_ONE, Some(within))))
}

/// At least one such event ever.
pub(crate) fn ever(event: &str) -> Node {
    Node::Leaf(Leaf::Event(leaf(event, AT_LEAST_ONE, None)))
}

/// At least one such event since the last `after`.
pub(crate) fn since(event: &str, after: &str) -> Node {
    let leaf = leaf(event, AT_LEAST_ONE, None);
    Node::Leaf(Leaf::Event(EventLeaf { after: Some(name(after)), ..leaf }))
}

pub(crate) fn counted(event: &str, count: CountTest, within: i64) -> Node {
    Node::Leaf(Leaf::Event(leaf(event, count, Some(within))))
}

pub(crate) const AT_LEAST_ONE: CountTest = CountTest::Is(Compare::AtLeast, 1);

pub(crate) fn last(event: &str, at_least: bool, ago: i64) -> Node {
    let event = name(event);
    let ago = Millis::new(ago);
    Node::Leaf(Leaf::Last(LastLeaf { event, filter: Where::default(), at_least, ago }))
}

pub(crate) fn interest(tag: TagKey, threshold: f64) -> Node {
    let text = String::new();
    Node::Leaf(Leaf::Interest(InterestLeaf { tag, text, at_least: true, threshold }))
}

pub(crate) fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

pub(crate) fn item_is(field: Field, names: Vec<Name>) -> Where {
    Where { item: vec![FieldTest { field, test: Test::In(names) }], event: Vec::new() }
}

pub(crate) fn product(text: &str) -> Name {
    Name::new(NameKind::Product, text)
}

/// An event of the visitor `v` that is recorded when it happens.
pub(crate) fn event(offset: i64, event: &str) -> Input {
    of("v", offset, event)
}

pub(crate) fn of(visitor: &str, offset: i64, event: &str) -> Input {
    let event = Event {
        visitor: VisitorId::try_new(visitor).unwrap(),
        id: EventId::new(&format!("{event}@{offset}")),
        name: name(event),
        occurred_at: at(offset),
        items: Vec::new(),
        revenue: None,
        currency: None,
        coupon: None,
        channel: None,
        country: None,
        page_path: None,
        properties: Vec::new(),
        traceparent: None,
        traits: Vec::new(),
    };
    Input { record_time: at(offset), event }
}

/// The same event, of these products.
pub(crate) fn with(mut input: Input, products: &[&str]) -> Input {
    input.event.items = products
        .iter()
        .map(|text| Item { product: Some(product(text)), ..Item::default() })
        .collect();
    input
}

pub(crate) fn with_categories(mut input: Input, paths: &[&str]) -> Input {
    let category = |path: &&str| Category::from_parts(path.split('/'));
    input.event.items =
        paths.iter().map(|path| Item { category: category(path), ..Item::default() }).collect();
    input
}

/// The same event, recorded so much later than it happened.
pub(crate) fn late(mut input: Input, by: i64) -> Input {
    input.record_time = input.event.occurred_at + Millis::new(by);
    input
}

pub(crate) fn paint(events: Vec<PaintEvent>) -> Paint {
    let day = Millis::DAY;
    let half_life = HalfLives { shop: day, brand: day, category: day, product: day };
    let falloff = Falloff { category: 1.0 };
    Paint { half_life, events, forget_below: 0.05, falloff }
}

pub(crate) fn paints(event: &str, category: Option<Dose>, product: Option<Dose>) -> PaintEvent {
    PaintEvent { event: name(event).id(), shop: None, brand: None, category, product }
}

pub(crate) fn rules(audiences: Vec<Audience>) -> RuleSet {
    RuleSet { version: RulesVersion::default(), audiences, paint: paint(Vec::new()) }
}

/// The changes of one audience, up to ten days after the start.
pub(crate) fn told(audience: Audience, inputs: &[Input]) -> Vec<String> {
    told_of(&rules(vec![audience]), &Settings::default(), inputs)
}

pub(crate) fn told_of(rules: &RuleSet, settings: &Settings, inputs: &[Input]) -> Vec<String> {
    run(rules, settings, inputs, at(10 * D)).iter().map(|change| line(rules, change)).collect()
}

fn line(rules: &RuleSet, change: &Change) -> String {
    let of = |id: NameId| rules.audiences.iter().find(|a| a.name.id() == id).unwrap();
    let reason = &change.reason;
    format!(
        "{} {} {} {}, {} {:?}{}",
        change.effective_at - at(0),
        change.visitor,
        change.direction.word(),
        of(change.audience).name.text(),
        reason.kind.word(),
        reason.place,
        if reason.exact { "" } else { ", not exact" },
    )
}
