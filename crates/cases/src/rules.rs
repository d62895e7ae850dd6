//! Random rules: every leaf, node and policy of the language; nothing that the compiler would refuse.

use crate::Sure;
use crate::history::{BRANDS, CATEGORIES, EVENTS, PATHS, PRODUCTS, TEXTS, category};
use crate::random::Random;
use tzeva_audience::{
    AmountTest, Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest,
    HalfLives, InLeaf, InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RankLeaf, RuleSet,
    SequenceLeaf, ShareLeaf, Stay, Step, SumLeaf, Test, TraitLeaf, Where,
};
use tzeva_model::{Amount, Millis, Name, NameId, NameKind, RulesVersion, TagKey};

/// What a condition may say.
#[derive(Clone, Copy)]
struct Scope {
    /// No duration is longer.
    max_age: i64,
    /// So many audiences come before this one, so that it may be `in` them.
    earlier: i64,
}

/// At least one and at most `most` audiences, no duration longer than `max_age`.
pub(crate) fn rules(random: &mut Random, (max_age, policies): (i64, bool), most: i64) -> RuleSet {
    let count = random.within(1, most);
    let paint = paint(random);
    let audiences = (0..count)
        // Policies hide what the condition does: some audiences have none.
        .map(|number| match policies && random.chance(60) {
            true => audience(random, max_age, number),
            false => entry_alone(random, max_age, number),
        })
        .collect();
    RuleSet { version: RulesVersion::default(), audiences, paint }
}

/// The audience `a<number>`, which may be `in` any of the smaller numbers.
pub(crate) fn audience(random: &mut Random, max_age: i64, number: i64) -> Audience {
    let scope = Scope { max_age, earlier: number };
    let exit_when = random.maybe(40, |r| node(r, scope, 1));
    let short = |r: &mut Random| span(r, max_age.min(30));
    let at_most = random.maybe(35, |r| span(r, max_age));
    let at_least = match (&exit_when, at_most) {
        (Some(_), _) => Millis::ZERO,
        (None, at_most) => {
            let at_least = random.maybe(35, short).unwrap_or_default();
            at_most.map_or(at_least, |at_most| at_least.min(at_most))
        }
    };
    Audience {
        name: Name::new(NameKind::Audience, &format!("a{number}")),
        version: u32::try_from(number).ok().sure(),
        describe: None,
        owner: None,
        labels: Vec::new(),
        enter: node_of_some_depth(random, scope),
        exit_when,
        enter_after: random.maybe(30, short).unwrap_or_default(),
        stay: Stay { at_least, at_most },
        reenter_after: random.maybe(30, short).unwrap_or_default(),
    }
}

/// An audience without policies.
fn entry_alone(random: &mut Random, max_age: i64, number: i64) -> Audience {
    Audience {
        exit_when: None,
        enter_after: Millis::ZERO,
        stay: Stay::default(),
        reenter_after: Millis::ZERO,
        ..audience(random, max_age, number)
    }
}

fn span(random: &mut Random, longest: i64) -> Millis {
    let span = random.pick(&[1, 2, 5, 5, 10, 10, 20, 30, 50, 100]);
    Millis::new(span.min(longest))
}

/// Often a single leaf: below others few leaves ever decide.
fn node_of_some_depth(random: &mut Random, scope: Scope) -> Node {
    let depth = random.pick(&[0, 0, 1, 2, 2]);
    node(random, scope, depth)
}

fn node(random: &mut Random, scope: Scope, depth: usize) -> Node {
    let parts = |random: &mut Random| {
        (0..random.within(1, 3)).map(|_| node(random, scope, depth - 1)).collect()
    };
    match random.below(10) {
        0..3 if depth > 0 => Node::All(parts(random)),
        3 | 4 if depth > 0 => Node::Any(parts(random)),
        5 | 6 if depth > 0 => Node::Not(Box::new(node(random, scope, depth - 1))),
        _ => Node::Leaf(leaf(random, scope)),
    }
}

fn leaf(random: &mut Random, scope: Scope) -> Leaf {
    let max_age = scope.max_age;
    match random.below(20) {
        0..7 => Leaf::Event(EventLeaf {
            name: event(random),
            filter: filter(random),
            count: count(random),
            within: random.maybe(70, |r| span(r, max_age)),
            after: random.maybe(30, event),
        }),
        7 | 8 => Leaf::Sum(SumLeaf {
            event: event(random),
            filter: filter(random),
            of: match random.below(6) {
                0 => Field::Quantity,
                1 => Field::Price,
                2 => Field::Property("k".into()),
                _ => Field::Revenue,
            },
            is: amount_test(random),
            within: random.maybe(70, |r| span(r, max_age)),
        }),
        9..11 => Leaf::Last(LastLeaf {
            event: event(random),
            filter: filter(random),
            at_least: random.chance(60),
            ago: span(random, max_age),
        }),
        11 | 12 => {
            let (tag, text) = tag(random);
            let threshold = random.pick(&[0.5, 1.0, 1.5, 2.0, 3.0, 4.0]);
            Leaf::Interest(InterestLeaf { tag, text, at_least: random.chance(70), threshold })
        }
        13 => {
            let (tag, text) = tag(random);
            Leaf::Rank(RankLeaf { tag, text, rank: rank(random) })
        }
        14 => {
            let (tag, text) = tag(random);
            let share = random.pick(&[0.1, 0.25, 0.5, 0.75, 1.0]);
            Leaf::Share(ShareLeaf { tag, text, at_least: random.chance(70), share })
        }
        15 | 16 => Leaf::Sequence(SequenceLeaf {
            steps: (0..random.within(2, 3)).map(|_| step(random)).collect(),
            span: random.maybe(50, |r| span(r, max_age)),
            within: random.maybe(60, |r| span(r, max_age)),
        }),
        17 => Leaf::Trait(TraitLeaf { name: "tier".into(), test: property_test(random) }),
        _ if scope.earlier > 0 => {
            let other = random.within(0, scope.earlier - 1);
            Leaf::In(InLeaf { audience: Name::new(NameKind::Audience, &format!("a{other}")) })
        }
        _ => Leaf::Trait(TraitLeaf { name: "tier".into(), test: property_test(random) }),
    }
}

fn amount_test(random: &mut Random) -> AmountTest {
    let amount = |r: &mut Random| Amount::new(r.within(-1, 4) * 10_000);
    let (low, high) = (amount(random), amount(random));
    let is_in = random.chance(70);
    match random.below(4) {
        0 | 1 => AmountTest { low: Some((low, is_in)), high: None },
        2 => AmountTest { low: None, high: Some((high, is_in)) },
        _ => AmountTest { low: Some((low.min(high), true)), high: Some((low.max(high), true)) },
    }
}

fn step(random: &mut Random) -> Step {
    Step { name: event(random), filter: filter(random) }
}

fn event(random: &mut Random) -> Name {
    // As often as histories have them.
    Name::new(NameKind::Event, random.pick(&["x", "x", "x", "y", "y", "z", "identify"]))
}

fn count(random: &mut Random) -> CountTest {
    let k = u32::try_from(random.pick(&[1, 1, 1, 2, 2, 3])).ok().sure();
    match random.below(10) {
        0..5 => CountTest::Is(Compare::AtLeast, k),
        5 => CountTest::Is(Compare::MoreThan, k - 1),
        6 => CountTest::Is(Compare::AtMost, k - 1),
        7 => CountTest::Is(Compare::LessThan, k),
        8 => CountTest::Is(Compare::Equal, k - 1),
        _ => CountTest::Between(k - 1, k),
    }
}

/// Places begin with 1.
fn rank(random: &mut Random) -> CountTest {
    let k = u32::try_from(random.within(1, 3)).ok().sure();
    match random.below(9) {
        0..3 => CountTest::Is(Compare::AtMost, k),
        3 => CountTest::Is(Compare::LessThan, k + 1),
        4 => CountTest::Is(Compare::AtLeast, k),
        5 => CountTest::Is(Compare::MoreThan, k),
        6 => CountTest::Is(Compare::Equal, k),
        _ => CountTest::Between(k, k + 1),
    }
}

fn filter(random: &mut Random) -> Where {
    match random.below(10) {
        0 | 1 => Where::default(),
        2 => Where { item: vec![one_name(random)], event: Vec::new() },
        3 | 4 => Where { item: vec![item_test(random)], event: Vec::new() },
        5 => Where { item: vec![item_test(random), item_test(random)], event: Vec::new() },
        6 => Where { item: vec![item_test(random)], event: vec![event_test(random)] },
        _ => Where { item: Vec::new(), event: vec![event_test(random)] },
    }
}

/// A test that cells can answer.
fn one_name(random: &mut Random) -> FieldTest {
    let (field, name) = named(random);
    FieldTest { field, test: Test::In(vec![name]) }
}

fn named(random: &mut Random) -> (Field, Name) {
    match random.below(3) {
        0 => (Field::Product, Name::new(NameKind::Product, random.pick(&PRODUCTS))),
        1 => (Field::Brand, Name::new(NameKind::Brand, random.pick(&BRANDS))),
        _ => (Field::Category, category(random.pick(&CATEGORIES)).leaf().clone()),
    }
}

/// One or, now and then, all values of a field but one.
fn some<T: Clone>(random: &mut Random, one: T, all: &[T]) -> Vec<T> {
    let several = random.chance(50) && all.len() > 1;
    if several { all[..all.len().min(2)].to_vec() } else { vec![one] }
}

fn item_test(random: &mut Random) -> FieldTest {
    let (field, name) = named(random);
    let all: Vec<Name> = match field {
        Field::Product => PRODUCTS[1..].iter().map(|p| Name::new(NameKind::Product, p)).collect(),
        Field::Brand => BRANDS.iter().map(|b| Name::new(NameKind::Brand, b)).collect(),
        _ => ["A/B", "E"].map(|path| category(path).leaf().clone()).to_vec(),
    };
    let names = some(random, name, &all);
    let number = if random.chance(50) { Field::Price } else { Field::Quantity };
    match random.below(8) {
        0..3 => FieldTest { field, test: Test::In(names) },
        3 => FieldTest { field, test: Test::NotIn(names) },
        4 => FieldTest { field, test: Test::Exists(random.chance(50)) },
        5 => {
            // A quantity that is not given is 1: that there is none is refused.
            let there = random.chance(50) || number == Field::Quantity;
            FieldTest { field: number, test: Test::Exists(there) }
        }
        _ => FieldTest { field: number, test: number_test(random) },
    }
}

fn number_test(random: &mut Random) -> Test {
    let end = |r: &mut Random| (Amount::new(r.within(0, 2) * 10_000), r.chance(50));
    let numbers = |r: &mut Random| {
        let one = end(r).0;
        some(r, one, &[Amount::ZERO, Amount::new(20_000)])
    };
    match random.below(6) {
        0 => Test::NumberIn(numbers(random)),
        1 => Test::NumberNotIn(numbers(random)),
        2 => Test::Number { low: Some(end(random)), high: None },
        3 | 4 => {
            let (most, is_in) = end(random);
            // Less than nothing is no price.
            let is_in = is_in || most == Amount::ZERO;
            Test::Number { low: None, high: Some((most, is_in)) }
        }
        _ => {
            let (low, high) = (end(random), end(random));
            let (low, high) = if low.0 > high.0 { (high, low) } else { (low, high) };
            Test::Number { low: Some((low.0, true)), high: Some((high.0, true)) }
        }
    }
}

fn event_test(random: &mut Random) -> FieldTest {
    let field = match random.below(9) {
        0 => Field::Revenue,
        1 => Field::Coupon,
        2 => Field::Channel,
        3 => Field::Country,
        4 | 5 => Field::PagePath,
        _ => Field::Property("k".into()),
    };
    let text = random.pick(&TEXTS);
    let texts = some(random, text.into(), &TEXTS.map(Into::into));
    let test = match (&field, random.below(6)) {
        (Field::Property(_), _) => property_test(random),
        (_, 0) => Test::Exists(random.chance(50)),
        (Field::Revenue, _) => number_test(random),
        (Field::PagePath, 1) => Test::StartsWith("/p".into()),
        (Field::PagePath, 2) => Test::TextIn(patterns(random)),
        (Field::PagePath, 3) => Test::TextNotIn(patterns(random)),
        (Field::PagePath, _) => Test::TextIn(vec![random.pick(&PATHS).into()]),
        (_, 3) => Test::TextNotIn(texts),
        (_, 4) => Test::StartsWith(text[..1].into()),
        _ => Test::TextIn(texts),
    };
    FieldTest { field, test }
}

/// Of paths: prefixes, one of them only of what is below, and globs.
fn patterns(random: &mut Random) -> Vec<Box<str>> {
    let lists: [&[&str]; 6] =
        [&["/p/*"], &["*1", "/q/"], &["/p"], &["/p/"], &["/p/1", "/q"], &["/*"]];
    random.pick(&lists).iter().map(|&one| one.into()).collect()
}

/// A test of something that may hold a text, a number or a flag.
fn property_test(random: &mut Random) -> Test {
    let text = random.pick(&TEXTS);
    let texts = some(random, text.into(), &TEXTS.map(Into::into));
    match random.below(8) {
        0 => Test::Exists(random.chance(50)),
        1 => Test::Bool(random.chance(50)),
        2..5 => number_test(random),
        5 => Test::TextNotIn(texts),
        6 => Test::StartsWith(text[..1].into()),
        _ => Test::TextIn(texts),
    }
}

fn tag(random: &mut Random) -> (TagKey, String) {
    let text = match random.below(6) {
        0 => "shop".to_owned(),
        1 => format!("brand/{}", random.pick(&BRANDS)),
        2 | 3 => format!("category/{}", random.pick(&CATEGORIES)),
        _ => format!("product/{}", random.pick(&PRODUCTS)),
    };
    (crate::read::tag(&text), text)
}

/// How events paint.
pub(crate) fn paint(random: &mut Random) -> Paint {
    let half_life = |r: &mut Random| Millis::new(r.pick(&[1, 5, 10, 20, 50]));
    let dose = |r: &mut Random| {
        r.maybe(70, |r| {
            if r.chance(15) { Dose::Clear } else { Dose::Add(r.pick(&[0.5, 1.0, 1.0, 2.0, 2.5])) }
        })
    };
    let mut events = Vec::new();
    for name in EVENTS {
        if random.chance(60) {
            events.push(PaintEvent {
                event: NameId::of(NameKind::Event, name),
                shop: dose(random),
                brand: dose(random),
                category: dose(random),
                product: dose(random),
            });
        }
    }
    events.sort_by_key(|paint| paint.event);
    Paint {
        half_life: HalfLives {
            shop: half_life(random),
            brand: half_life(random),
            category: half_life(random),
            product: half_life(random),
        },
        events,
        forget_below: random.pick(&[0.0, 0.05, 0.5]),
        falloff: Falloff { category: random.pick(&[1.0, 0.5, 0.7]) },
    }
}
