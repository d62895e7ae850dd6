//! What each op does to a profile, and what the fold refuses.

use super::*;
use crate::{Standing, State, StrokeItem, Tag};
use smallvec::smallvec;
use tzeva_model::{RulesVersion, Value, VisitorId};

const DAY: i64 = 86_400_000;

fn at(ms: i64) -> UnixMillis {
    UnixMillis::new(ms)
}

fn name(number: u64) -> NameId {
    NameId::new(number)
}

fn stroke(ms: i64, id_bits: u32) -> Stroke {
    let (event, items, extra) = (name(1), SmallVec::new(), None);
    Stroke { at: at(ms), event, id_bits, items, revenue: None, currency: None, extra }
}

fn item(product: u64, price: i64, quantity: u32) -> StrokeItem {
    StrokeItem {
        product: Some(name(product)),
        brand: Some(name(50)),
        category: smallvec![name(60), name(61)],
        price: Some(Amount::new(price)),
        quantity: Some(quantity),
        merged: None,
    }
}

fn delta(ops: Vec<Op>) -> Delta {
    Delta { visitor: VisitorId::try_new("v-1").unwrap(), ops }
}

#[test]
fn strokes_lie_in_order_of_instant_then_arrival() {
    let mut profile = Profile::default();
    for (ms, bits) in [(5, 1), (3, 2), (5, 3), (4, 4), (3, 5)] {
        profile.apply(&Op::Stroke(stroke(ms, bits)));
    }
    let order: Vec<_> = profile.strokes.iter().map(|s| (s.at.get(), s.id_bits)).collect();
    assert_eq!(order, [(3, 2), (3, 5), (4, 4), (5, 1), (5, 3)]);
    profile.apply(&Op::DropStroke(1));
    let order: Vec<_> = profile.strokes.iter().map(|s| s.id_bits).collect();
    assert_eq!(order, [2, 4, 1, 3]);
}

#[test]
fn a_folded_stroke_counts_once_in_the_cell_of_each_distinct_tag() {
    let mut profile = Profile::default();
    let mut order = stroke(3 * DAY + 7, 1);
    order.items = smallvec![item(70, 100, 2), item(71, 10, 1)];
    order.revenue = Some(Amount::new(250));
    profile.apply(&Op::Stroke(order.clone()));
    profile.apply(&Op::Stroke(Stroke { at: at(3 * DAY + 9), id_bits: 2, ..order }));
    profile.apply(&Op::FoldStroke(0));
    profile.apply(&Op::FoldStroke(0));
    assert!(profile.strokes.is_empty());
    let seen: Vec<_> = (profile.cells.iter())
        .map(|c| (c.tag.level, c.count, c.sum.get(), c.day, c.first.get(), c.last.get()))
        .collect();
    let (first, last) = (3 * DAY + 7, 3 * DAY + 9);
    assert_eq!(
        seen,
        [
            (Level::Shop, 2, 500, 3, first, last),
            (Level::Brand, 2, 420, 3, first, last),
            (Level::Category(1), 2, 420, 3, first, last),
            (Level::Category(2), 2, 420, 3, first, last),
            (Level::Product, 2, 400, 3, first, last),
            (Level::Product, 2, 20, 3, first, last),
        ]
    );
    assert_eq!(profile.cells[0].tag.id, NameId::of(NameKind::Shop, ""));
}

#[test]
fn cells_are_apart_by_day_and_go_when_their_last_instant_is_too_old() {
    let mut profile = Profile::default();
    for ms in [DAY - 1, DAY, -1] {
        profile.apply(&Op::Stroke(stroke(ms, 0)));
        profile.apply(&Op::FoldStroke(0));
    }
    assert_eq!(profile.cells.iter().map(|c| c.day).collect::<Vec<_>>(), [-1, 0, 1]);
    profile.apply(&Op::DropCells(at(DAY - 1)));
    assert_eq!(profile.cells.iter().map(|c| c.day).collect::<Vec<_>>(), [0, 1]);
    profile.apply(&Op::DropCells(at(DAY)));
    assert_eq!(profile.cells.iter().map(|c| c.day).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_day_of_one_event_goes_and_leaves_other_days_and_events() {
    let mut profile = Profile::default();
    for (ms, event) in [(0, 1), (1, 2), (DAY, 1), (2, 1)] {
        profile.apply(&Op::Stroke(Stroke { event: name(event), ..stroke(ms, 0) }));
        profile.apply(&Op::FoldStroke(0));
    }
    profile.apply(&Op::DropDay(name(1), 0));
    let left: Vec<_> = profile.cells.iter().map(|cell| (cell.event, cell.day)).collect();
    assert_eq!(left, [(name(1), 1), (name(2), 0)]);
}

#[test]
fn tags_traits_and_standings_are_sorted_and_replaced() {
    let mut profile = Profile::default();
    let tag = |id, score| {
        Op::Tag(Tag { key: TagKey { level: Level::Brand, id: name(id) }, score, at: at(1) })
    };
    let stand = |audience, since| {
        Op::Stand(Standing { audience: name(audience), state: State::In { since: at(since) } })
    };
    let said = |name: &str, value, ms| Op::Trait(name.into(), Value::Bool(value), at(ms));
    for op in [
        tag(2, 1.0),
        tag(1, 2.0),
        tag(2, 3.0),
        stand(9, 1),
        stand(8, 2),
        stand(9, 3),
        said("b", true, 5),
        said("a", true, 5),
        said("b", false, 4),
        said("a", false, 5),
    ] {
        profile.apply(&op);
    }
    let tags: Vec<_> = profile.tags.iter().map(|t| (t.key.id.get(), t.score)).collect();
    assert_eq!(tags, [(1, 2.0), (2, 3.0)]);
    let standings: Vec<_> = profile.standings.iter().map(|s| (s.audience.get(), s.state)).collect();
    assert_eq!(standings, [(8, State::In { since: at(2) }), (9, State::In { since: at(3) })]);
    // What was said earlier does not overrule what was said later; at one instant the newer word counts.
    let traits: Vec<_> = profile.traits.iter().map(|(n, v, _)| (&**n, v.clone())).collect();
    assert_eq!(traits, [("a", Value::Bool(false)), ("b", Value::Bool(true))]);
    profile.apply(&Op::Untag(TagKey { level: Level::Brand, id: name(1) }));
    profile.apply(&Op::Untag(TagKey { level: Level::Product, id: name(2) }));
    profile.apply(&Op::Unstand(name(8)));
    profile.apply(&Op::Unstand(name(7)));
    assert_eq!((profile.tags.len(), profile.standings.len()), (1, 1));
}

#[test]
fn exact_since_never_goes_back() {
    let mut profile = Profile::default();
    profile.apply(&Op::ExactSince(at(7)));
    profile.apply(&Op::ExactSince(at(3)));
    assert_eq!(profile.exact_since, Some(at(7)));
}

#[test]
fn folding_twice_folds_once() {
    let once = fold(None, &delta(vec![Op::Stroke(stroke(1, 1)), Op::Seen(at(2))]), Seq::new(4));
    let once = once.unwrap().unwrap();
    assert_eq!((once.seq, once.strokes.len()), (Seq::new(4), 1));
    for seq in [3, 4] {
        let again = fold(Some(once.clone()), &delta(vec![Op::DropStroke(0)]), Seq::new(seq));
        assert_eq!(again, Ok(Some(once.clone())));
    }
}

#[test]
fn a_forgotten_visitor_is_gone_unless_they_come_back_in_the_same_commit() {
    let start =
        delta(vec![Op::Stroke(stroke(1, 1)), Op::Seen(at(2)), Op::Stamp(RulesVersion::new(3))]);
    let before = fold(None, &start, Seq::new(1)).unwrap();
    let gone = fold(before.clone(), &delta(vec![Op::Forget]), Seq::new(2)).unwrap();
    assert_eq!(gone, None);
    let back = vec![Op::Forget, Op::Stroke(stroke(9, 9)), Op::Seen(at(9))];
    let back = fold(before, &delta(back), Seq::new(2)).unwrap().unwrap();
    let fresh = Profile {
        seq: Seq::new(2),
        seen: at(9),
        strokes: vec![stroke(9, 9)],
        ..Profile::default()
    };
    assert_eq!(back, fresh);
}

#[test]
fn a_delta_of_another_profile_is_refused_and_named() {
    let ops = vec![Op::Stroke(stroke(1, 1)), Op::DropStroke(1)];
    let refused = FoldError { op: 1, stroke: 1, strokes: 1 };
    assert_eq!(fold(None, &delta(ops), Seq::new(1)), Err(refused));
    for op in [Op::DropStroke(0), Op::FoldStroke(9), Op::MergeItems(0, vec![])] {
        let mut profile = Profile::default();
        assert!(profile.try_apply(&op).is_err());
        assert_eq!(profile, Profile::default());
    }
}

#[test]
fn merged_items_take_the_place_of_a_strokes_own() {
    let mut profile = Profile::default();
    profile.apply(&Op::Stroke(stroke(1, 1)));
    let merged = StrokeItem { merged: Some(Amount::new(9)), ..StrokeItem::default() };
    profile.apply(&Op::MergeItems(0, vec![merged.clone()]));
    assert_eq!(profile.strokes[0].items[..], [merged]);
}
