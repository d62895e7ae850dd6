//! Profiles that show every part of the stored form, each under the name of its file of old bytes.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;
use tzeva_model::{
    Amount, Currency, Level, NameId, NameKind, RulesVersion, Seq, TagKey, UnixMillis, Value,
};
use tzeva_profile::{Extra, Op, Profile, Standing, State, Stroke, StrokeItem, Tag};

/// A name and its profile.
pub(crate) type Sample = (&'static str, Profile);

/// 2026-11-22T10:00:00Z.
pub(crate) const TEN: i64 = 1_795_341_600_000;

pub(crate) fn samples() -> Vec<Sample> {
    vec![
        ("nothing", Profile::default()),
        ("one-view", one_view()),
        ("order-of-three", order_of_three()),
        ("merged-items", merged_items()),
        ("standings", standings()),
        ("cells-and-traits", cells_and_traits()),
        ("more-than-half-a-byte-counts", many()),
        ("instants-at-the-ends", ends()),
        ("tags-painted-by-no-last-stroke", loose()),
    ]
}

pub(crate) fn at(after_ten: i64) -> UnixMillis {
    UnixMillis::new(TEN + after_ten)
}

fn id(kind: NameKind, name: &str) -> NameId {
    NameId::of(kind, name)
}

fn key(level: Level, id: NameId) -> TagKey {
    TagKey { level, id }
}

fn shop() -> TagKey {
    key(Level::Shop, id(NameKind::Shop, ""))
}

fn shoe(product: &str, price: Option<i64>) -> StrokeItem {
    StrokeItem {
        product: Some(id(NameKind::Product, product)),
        brand: Some(id(NameKind::Brand, "Acme")),
        category: ["Shoes", "Shoes/Running"]
            .map(|path| id(NameKind::Category, path))
            .into_iter()
            .collect(),
        price: price.map(Amount::new),
        quantity: Some(1),
        merged: None,
    }
}

fn stroke(at: UnixMillis, event: &str, items: Vec<StrokeItem>) -> Stroke {
    Stroke {
        at,
        event: id(NameKind::Event, event),
        id_bits: 0x0bad_cafe,
        items: items.into(),
        revenue: None,
        currency: Currency::try_new("EUR"),
        extra: None,
    }
}

fn made_of(ops: Vec<Op>) -> Profile {
    let mut profile = Profile::default();
    ops.iter().for_each(|op| profile.apply(op));
    profile
}

fn one_view() -> Profile {
    let item = shoe("shoe-1", Some(799_900));
    let tags = item.tag_keys().chain([shop()]).collect::<Vec<_>>();
    let mut ops = vec![Op::Stroke(stroke(at(0), "product_viewed", vec![item]))];
    ops.extend(tags.into_iter().map(|key| Op::Tag(Tag { key, score: 1.0, at: at(0) })));
    let since = State::In { since: at(60) };
    let audience = id(NameKind::Audience, "runners");
    ops.extend([
        Op::Seen(at(60)),
        Op::Stamp(RulesVersion::new(0x0123_4567_89ab_cdef)),
        Op::Deadline(Some(at(3_600_060))),
        Op::Stand(Standing { audience, state: since }),
    ]);
    Profile { seq: Seq::new(300), ..made_of(ops) }
}

fn order_of_three() -> Profile {
    let mut order = stroke(
        at(100_000),
        "order_completed",
        vec![
            shoe("shoe-1", Some(805_000)),
            StrokeItem { quantity: Some(3), ..shoe("shoe-2", Some(12_345)) },
            StrokeItem { quantity: None, ..shoe("shoe-1", Some(750_000)) },
        ],
    );
    order.revenue = Some(Amount::new(-1_599_900));
    order.currency = Currency::try_new("XTS");
    order.extra = Some(Arc::new(Extra {
        coupon: Some("SPRING".into()),
        channel: Some("web".into()),
        country: Some("DE".into()),
        page_path: Some("/checkout/thanks".into()),
        properties: vec![
            ("gift".into(), Value::Bool(true)),
            ("note".into(), Value::Text("צבע ✓".into())),
            ("points".into(), Value::Number(Amount::new(12_345))),
        ],
    }));
    let mut paid = stroke(at(0), "order_completed", vec![shoe("shoe-1", Some(805_000))]);
    paid.revenue = Some(Amount::new(805_000));
    let mut summed = stroke(
        at(5),
        "order_completed",
        vec![shoe("shoe-1", Some(805_000)), shoe("shoe-2", Some(12_345))],
    );
    summed.revenue = Some(Amount::new(817_345));
    let searched = stroke(at(50), "a_custom_event", vec![]);
    let ops = [order, paid, summed, searched].map(Op::Stroke);
    made_of(ops.into_iter().chain([Op::Seen(at(100_000))]).collect())
}

fn merged_items() -> Profile {
    let merged = StrokeItem {
        product: None,
        brand: None,
        price: None,
        quantity: Some(7),
        merged: Some(Amount::new(4_500_000)),
        ..shoe("", None)
    };
    let priceless = StrokeItem { quantity: None, ..shoe("shoe-3", None) };
    let priced = shoe("shoe-3", Some(9_999_999_900));
    let mixed = stroke(at(1), "product_added", vec![merged, priceless.clone(), priced]);
    let bare = stroke(at(2), "product_viewed", vec![priceless]);
    made_of(vec![Op::Stroke(mixed), Op::Stroke(bare), Op::Seen(at(2))])
}

fn standings() -> Profile {
    let out = |last_exit, disarmed, pending| State::Out { last_exit, disarmed, pending };
    let states = [
        State::In { since: at(0) },
        State::In { since: at(-300) },
        State::In { since: at(-34_560_000_000) },
        State::In { since: at(7) },
        out(Some(at(-5)), false, None),
        out(None, true, None),
        out(None, false, Some(at(-1_000))),
        out(Some(at(-86_400_000)), true, Some(at(0))),
    ];
    let stands = states.into_iter().zip(0_u8..).map(|(state, number)| {
        let audience = id(NameKind::Audience, &format!("audience-{number}"));
        Op::Stand(Standing { audience, state })
    });
    made_of(std::iter::once(Op::Seen(at(0))).chain(stands).collect())
}

fn cells_and_traits() -> Profile {
    let day = 86_400_000;
    let mut ops = vec![Op::Seen(at(2 * day))];
    for ms in [0, 7_000, day] {
        let mut order = stroke(at(ms), "order_completed", vec![shoe("shoe-1", Some(805_000))]);
        order.revenue = Some(Amount::new(815_000));
        ops.extend([Op::Stroke(order), Op::FoldStroke(0), Op::ExactSince(at(ms + 1))]);
    }
    ops.push(Op::Stroke(stroke(at(day + 9), "product_viewed", vec![])));
    ops.push(Op::Stroke(stroke(at(-5 * day), "product_viewed", vec![])));
    ops.push(Op::FoldStroke(0));
    ops.push(Op::Trait("plan".into(), Value::Text("gold".into()), at(0)));
    ops.push(Op::Trait("vip".into(), Value::Bool(false), at(1)));
    ops.push(Op::Trait("age".into(), Value::Number(Amount::new(420_000)), at(2)));
    made_of(ops)
}

#[allow(clippy::cast_precision_loss, reason = "0 to 4")]
fn many() -> Profile {
    let mut ops = Vec::new();
    for number in 0..40_i64 {
        let mut item = shoe(&format!("shoe-{}", number % 20), Some(10_000 * (number % 20)));
        item.brand = Some(id(NameKind::Brand, &format!("brand-{}", number % 18)));
        let path = id(NameKind::Category, &format!("Shoes/{}", number % 17));
        item.category = [item.category[0], path].into_iter().collect();
        item.quantity = Some(1 + u32::from(number % 7 == 0));
        let events = ["product_viewed", "product_added", "wish", "fit", "size", "ask"];
        let stroke = stroke(
            at(number * 40_000),
            events[usize::try_from(number % 6).unwrap_or(0)],
            vec![item],
        );
        let keys: Vec<_> = stroke.items[0].tag_keys().chain([shop()]).collect();
        ops.push(Op::Stroke(stroke));
        for (key, step) in keys.into_iter().zip(0_u8..) {
            let score = 0.3 + f32::from(step) * 0.77 + (number % 5) as f32 * 41.0;
            ops.push(Op::Tag(Tag { key, score, at: at(number * 40_000) }));
        }
        let audience = id(NameKind::Audience, &format!("audience-{}", number % 19));
        ops.push(Op::Stand(Standing { audience, state: State::In { since: at(number) } }));
    }
    ops.push(Op::Seen(at(40 * 40_000)));
    made_of(ops)
}

fn ends() -> Profile {
    let ends = [UnixMillis::MIN, UnixMillis::new(0), UnixMillis::MAX, UnixMillis::new(i64::MAX)];
    let strokes = ends.map(|at| Op::Stroke(stroke(at, "page_viewed", vec![])));
    let last = [
        Op::Seen(UnixMillis::MIN),
        Op::Deadline(Some(UnixMillis::MAX)),
        Op::ExactSince(UnixMillis::new(i64::MAX)),
    ];
    let profile = made_of(strokes.into_iter().chain(last).collect());
    Profile { seq: Seq::new(u64::MAX), ..profile }
}

fn loose() -> Profile {
    let item = shoe("shoe-1", Some(500_000));
    let brand = key(Level::Brand, id(NameKind::Brand, "Acme"));
    let gone = key(Level::Product, id(NameKind::Product, "shoe-9"));
    let deep = key(Level::Category(7), id(NameKind::Category, "a/b/c/d/e/f/g"));
    let tag = |key, score, at| Op::Tag(Tag { key, score, at });
    made_of(vec![
        Op::Stroke(stroke(at(0), "product_viewed", vec![item.clone()])),
        Op::Stroke(stroke(at(40_000), "product_viewed", vec![item])),
        tag(brand, 2.5, at(0)),
        tag(gone, 0.123, at(-50_000)),
        tag(deep, f32::MAX, at(40_000)),
        tag(shop(), f32::MIN_POSITIVE, at(40_000)),
        Op::Seen(at(40_000)),
    ])
}
