//! Arbitrary profiles and ops, for the laws of both byte forms.

use crate::{Cell, Delta, Extra, Op, Profile, Standing, State, Stroke, StrokeItem, Tag};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use std::sync::Arc;
use tzeva_model::{
    Amount, Currency, Level, NameId, NameKind, RulesVersion, Seq, TagKey, UnixMillis, Value,
    VisitorId,
};

/// Ids: known ones, a few that repeat, and any.
fn id() -> impl Strategy<Value = NameId> + Clone {
    prop_oneof![
        2 => Just(NameId::of(NameKind::Event, "product_viewed")),
        1 => Just(NameId::of(NameKind::Shop, "")),
        6 => (0_u64..12).prop_map(NameId::new),
        1 => any::<u64>().prop_map(NameId::new),
    ]
}

/// Instants: near each other, at the ends, any.
fn at() -> impl Strategy<Value = UnixMillis> + Clone {
    prop_oneof![
        8 => (0_i64..40).prop_map(|k| UnixMillis::new(1_795_341_600_000 + k * 40_000)),
        4 => (0_i64..1 << 37).prop_map(|k| UnixMillis::new(1_695_341_600_000 + k)),
        1 => prop_oneof![Just(UnixMillis::MIN), Just(UnixMillis::MAX), Just(UnixMillis::new(0))],
        1 => any::<i64>().prop_map(UnixMillis::new),
    ]
}

fn amount() -> impl Strategy<Value = Amount> + Clone {
    prop_oneof![
        4 => (0_i64..5).prop_map(|k| Amount::new(k * 199_900)),
        2 => (-1_000_i64..1 << 40).prop_map(Amount::new),
        1 => any::<i64>().prop_map(Amount::new),
    ]
}

fn text() -> impl Strategy<Value = Box<str>> + Clone {
    prop_oneof![
        3 => prop_oneof![Just("web"), Just("DE"), Just("")].prop_map(Box::from),
        1 => "\\PC{0,90}".prop_map(String::into_boxed_str),
    ]
}

fn value() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        amount().prop_map(Value::Number),
        text().prop_map(Value::Text),
    ]
}

fn score() -> impl Strategy<Value = f32> + Clone {
    prop_oneof![
        4 => (1_u8..30).prop_map(|tenths| f32::from(tenths) / 10.0),
        1 => (1_u32..0x7f80_0000).prop_map(f32::from_bits),
    ]
}

fn key() -> impl Strategy<Value = TagKey> + Clone {
    let level = prop_oneof![
        Just(Level::Shop),
        Just(Level::Brand),
        Just(Level::Product),
        (1_u8..4).prop_map(Level::Category),
        any::<u8>().prop_map(Level::Category),
    ];
    (level, id()).prop_map(|(level, id)| TagKey { level, id })
}

fn tag() -> impl Strategy<Value = Tag> + Clone {
    (key(), score(), at()).prop_map(|(key, score, at)| Tag { key, score, at })
}

fn standing() -> impl Strategy<Value = Standing> + Clone {
    let state = prop_oneof![
        at().prop_map(|since| State::In { since }),
        (of(at()), any::<bool>(), of(at())).prop_map(|(last_exit, disarmed, pending)| {
            State::Out { last_exit, disarmed, pending }
        }),
    ];
    (id(), state).prop_map(|(audience, state)| Standing { audience, state })
}

fn item() -> impl Strategy<Value = StrokeItem> + Clone {
    let quantity = of(prop_oneof![Just(1_u32), Just(1), any::<u32>()]);
    let merged = prop_oneof![5 => Just(None), 1 => of(amount())];
    (of(id()), of(id()), vec(id(), 0..4), of(amount()), quantity, merged).prop_map(
        |(product, brand, category, price, quantity, merged)| StrokeItem {
            product,
            brand,
            category: category.into(),
            price,
            quantity,
            merged,
        },
    )
}

fn properties() -> impl Strategy<Value = Vec<(Box<str>, Value)>> + Clone {
    vec((text(), value()), 0..3).prop_map(|list| sorted_by(list, |(name, _)| name.clone()))
}

fn extra() -> impl Strategy<Value = Option<Arc<Extra>>> + Clone {
    let some = (of(text()), of(text()), of(text()), of(text()), properties()).prop_map(
        |(coupon, channel, country, page_path, properties)| {
            let extra = Extra { coupon, channel, country, page_path, properties };
            (extra != Extra::default()).then(|| Arc::new(extra))
        },
    );
    prop_oneof![2 => Just(None), 1 => some]
}

fn stroke() -> impl Strategy<Value = Stroke> + Clone {
    let items = prop_oneof![4 => vec(item(), 0..2), 1 => vec(item(), 0..20)];
    let currency = of(prop_oneof![Just("EUR"), Just("XTS")]);
    let rest = (of(amount()), currency, extra(), any::<bool>());
    (at(), id(), any::<u32>(), items, rest).prop_map(
        |(at, event, id_bits, items, (revenue, currency, extra, summed))| {
            let sum = items.iter().map(StrokeItem::amount).sum::<Option<Amount>>();
            Stroke {
                at,
                event,
                id_bits,
                items: items.into(),
                revenue: if summed { sum } else { revenue },
                currency: currency.and_then(Currency::try_new),
                extra,
            }
        },
    )
}

fn cell() -> impl Strategy<Value = Cell> + Clone {
    (id(), key(), any::<i32>(), 1_u32.., amount(), at(), at()).prop_map(
        |(event, tag, day, count, sum, first, last)| Cell {
            event,
            tag,
            day,
            count,
            sum,
            first,
            last,
        },
    )
}

/// A profile as the ops could have made it: sorted, no doubles. Some tags lie where a stroke painted them last.
pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    let head = (any::<u64>(), prop_oneof![Just(0), any::<u64>()], at(), of(at()), of(at()));
    let traits = vec((text(), value(), at()), 0..4);
    let lists = (vec(stroke(), 0..30), vec(cell(), 0..6), vec(tag(), 0..20), traits);
    let painted = vec((any::<prop::sample::Index>(), score()), 0..20);
    (head, lists, painted, vec(standing(), 0..20)).prop_map(
        |((seq, stamp, seen, deadline, exact_since), lists, painted, standings)| {
            let (mut strokes, cells, mut tags, traits) = lists;
            strokes.sort_by_key(|stroke| stroke.at);
            for (place, score) in painted.into_iter().filter(|_| !strokes.is_empty()) {
                let stroke = &strokes[place.index(strokes.len())];
                let shop = TagKey { level: Level::Shop, id: NameId::of(NameKind::Shop, "") };
                let keys = stroke.items.iter().flat_map(StrokeItem::tag_keys).chain([shop]);
                tags.extend(keys.map(|key| Tag { key, score, at: stroke.at }));
            }
            Profile {
                seq: Seq::new(seq),
                stamp: RulesVersion::new(stamp),
                seen,
                deadline,
                exact_since,
                strokes,
                cells: sorted_by(cells, |cell| (cell.event, cell.tag, cell.day)),
                tags: sorted_by(tags, |tag| tag.key),
                traits: sorted_by(traits, |(name, _, _)| name.clone()),
                standings: sorted_by(standings, |standing| standing.audience),
            }
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => stroke().prop_map(Op::Stroke),
        1 => any::<u16>().prop_map(Op::DropStroke),
        1 => any::<u16>().prop_map(Op::FoldStroke),
        1 => (any::<u16>(), vec(item(), 0..4)).prop_map(|(at, items)| Op::MergeItems(at, items)),
        1 => at().prop_map(Op::DropCells),
        1 => (id(), any::<i32>()).prop_map(|(event, day)| Op::DropDay(event, day)),
        1 => at().prop_map(Op::ExactSince),
        6 => tag().prop_map(Op::Tag),
        1 => key().prop_map(Op::Untag),
        1 => (text(), value(), at()).prop_map(|(name, value, at)| Op::Trait(name, value, at)),
        1 => standing().prop_map(Op::Stand),
        1 => id().prop_map(Op::Unstand),
        1 => at().prop_map(Op::Seen),
        1 => of(at()).prop_map(Op::Deadline),
        1 => any::<u64>().prop_map(|stamp| Op::Stamp(RulesVersion::new(stamp))),
        1 => Just(Op::Forget),
    ]
}

pub(crate) fn delta() -> impl Strategy<Value = Delta> {
    ("[a-zא-ת]{1,40}", vec(op(), 0..20)).prop_map(|(visitor, ops)| {
        let visitor = VisitorId::try_new(&visitor).unwrap();
        Delta { visitor, ops }
    })
}

/// Overwrites bytes here and there.
pub(crate) fn mutate(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    bytes
}

fn sorted_by<T, K: Ord>(mut list: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    list.sort_by_key(&key);
    list.dedup_by(|a, b| key(a) == key(b));
    list
}
