//! Rules and events in few words, and changes as lines: `1h v +cart deadline Leaf(1)`.

use std::sync::Arc;
use tzeva_audience::{
    Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest, HalfLives,
    InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RuleSet, Stay, Test, Where,
};
use tzeva_engine::{Draft, Engine, Rules, Settings};
use tzeva_model::{
    Category, Change, Direction, Event, EventId, Item, Level, Millis, Name, NameKind, Outcome,
    RulesVersion, TagKey, UnixMillis, VisitorId,
};

/// 2026-11-22T10:00:00Z; every offset counts from here.
pub(crate) const START: i64 = 1_795_341_600_000;
pub(crate) const M: i64 = 60_000;
pub(crate) const H: i64 = 60 * M;
pub(crate) const D: i64 = 24 * H;

pub(crate) const ONE: CountTest = CountTest::Is(Compare::AtLeast, 1);

/// An engine with its inputs so far.
pub(crate) struct Run {
    pub(crate) engine: Engine,
    pub(crate) draft: Draft,
    /// The names of all audiences that there ever were.
    names: Vec<Name>,
}

// === impl Run ===

impl Run {
    pub(crate) fn new(audiences: Vec<Audience>) -> Self {
        Self::with(audiences, Settings::default())
    }

    pub(crate) fn with(audiences: Vec<Audience>, settings: Settings) -> Self {
        let names = audiences.iter().map(|audience| audience.name.clone()).collect();
        let engine = Engine::new(Arc::new(rule_set(audiences)), settings, at(0));
        Self { engine, draft: Draft::default(), names }
    }

    /// From `offset` on these audiences decide.
    pub(crate) fn activate(&mut self, offset: i64, audiences: Vec<Audience>) {
        self.activate_set(offset, RuleSet { version: RulesVersion::new(8), ..rule_set(audiences) });
    }

    /// From `offset` on this set decides.
    pub(crate) fn activate_set(&mut self, offset: i64, set: RuleSet) {
        self.engine.fire_until(at(offset), &mut self.draft);
        self.names.extend(set.audiences.iter().map(|audience| audience.name.clone()));
        self.engine.activate(Rules::compile(Arc::new(set), Settings::default().max_age));
    }

    /// Sweeps everybody at `offset`.
    pub(crate) fn sweep(&mut self, offset: i64) {
        self.engine.fire_until(at(offset), &mut self.draft);
        self.engine.sweep(&[visitor("v")], &mut self.draft);
        self.engine.end_sweep();
    }

    /// An event of `v` that is recorded when it occurs.
    pub(crate) fn event(&mut self, offset: i64, name: &str) {
        assert_eq!(self.take(offset, &event(offset, name)), Outcome::Painted);
    }

    pub(crate) fn take(&mut self, record_offset: i64, event: &Event) -> Outcome {
        self.engine.fire_until(at(record_offset), &mut self.draft);
        self.engine.take(at(record_offset), event, &mut self.draft)
    }

    /// Fires every deadline up to and including `offset`.
    pub(crate) fn until(&mut self, offset: i64) {
        self.engine.fire_until(at(offset + 1), &mut self.draft);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.draft.changes.iter().map(|change| line(&self.names, change)).collect()
    }
}

/// `1h v +cart deadline Leaf(1)`
fn line(names: &[Name], change: &Change) -> String {
    let audience = names.iter().find(|name| name.id() == change.audience).unwrap();
    let sign = match change.direction {
        Direction::Entered => '+',
        Direction::Exited => '-',
    };
    let when = change.effective_at - at(0);
    let (kind, place) = (change.reason.kind.word(), change.reason.place);
    format!("{when} {} {sign}{} {kind} {place:?}", change.visitor, audience.text())
}

pub(crate) fn at(offset: i64) -> UnixMillis {
    UnixMillis::new(START + offset)
}

pub(crate) fn visitor(text: &str) -> VisitorId {
    VisitorId::try_new(text).unwrap()
}

pub(crate) fn rule_set(audiences: Vec<Audience>) -> RuleSet {
    let name = |text| Name::new(NameKind::Event, text).id();
    let paint = |text, weight, product| PaintEvent {
        event: name(text),
        shop: Some(Dose::Add(weight)),
        brand: Some(Dose::Add(weight)),
        category: Some(Dose::Add(weight)),
        product: Some(product),
    };
    let mut events = vec![
        paint("product_viewed", 1.0, Dose::Add(1.0)),
        paint("product_added", 3.0, Dose::Add(3.0)),
        paint("order_completed", 4.0, Dose::Clear),
    ];
    events.sort_by_key(|e| e.event);
    let day = Millis::DAY;
    let half_life =
        HalfLives { shop: day.times(30), brand: day.times(30), category: day, product: day };
    let falloff = Falloff { category: 0.5 };
    let paint = Paint { half_life, events, forget_below: 0.05, falloff };
    RuleSet { version: RulesVersion::new(7), audiences, paint }
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
        name: Name::new(NameKind::Event, event),
        filter: Where::default(),
        count,
        within: within.map(Millis::new),
        after: None,
    }
}

pub(crate) fn counted(event: &str, count: CountTest, within: i64) -> Node {
    Node::Leaf(Leaf::Event(leaf(event, count, Some(within))))
}

pub(crate) fn some(event: &str, within: i64) -> Node {
    counted(event, ONE, within)
}

pub(crate) fn since(event: &str, after: &str) -> Node {
    let after = Some(Name::new(NameKind::Event, after));
    Node::Leaf(Leaf::Event(EventLeaf { after, ..leaf(event, ONE, None) }))
}

pub(crate) fn in_category(event: &str, path: &str, within: i64) -> Node {
    let names = vec![Name::new(NameKind::Category, path)];
    let filter = Where {
        item: vec![FieldTest { field: Field::Category, test: Test::In(names) }],
        event: Vec::new(),
    };
    Node::Leaf(Leaf::Event(EventLeaf { filter, ..leaf(event, ONE, Some(within)) }))
}

pub(crate) fn last(event: &str, at_least: bool, ago: i64) -> Node {
    let event = Name::new(NameKind::Event, event);
    let ago = Millis::new(ago);
    Node::Leaf(Leaf::Last(LastLeaf { event, filter: Where::default(), at_least, ago }))
}

pub(crate) fn interest(path: &str, threshold: f64) -> Node {
    let depth = u8::try_from(path.split('/').count()).unwrap();
    let id = Name::new(NameKind::Category, path).id();
    let tag = TagKey { level: Level::Category(depth), id };
    let text = format!("category/{path}");
    Node::Leaf(Leaf::Interest(InterestLeaf { tag, text, at_least: true, threshold }))
}

pub(crate) fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

pub(crate) fn event(offset: i64, name: &str) -> Event {
    Event {
        visitor: visitor("v"),
        id: EventId::new(&format!("{name}@{offset}")),
        name: Name::new(NameKind::Event, name),
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
    }
}

/// The same event about one product of a category.
pub(crate) fn about(mut event: Event, product: &str, path: &str) -> Event {
    event.items.push(Item {
        product: Some(Name::new(NameKind::Product, product)),
        category: Category::from_parts(path.split('/')),
        ..Item::default()
    });
    event
}
