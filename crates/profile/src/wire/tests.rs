//! Laws of the wire form over arbitrary deltas and arbitrary bytes, and how large an event is.

use super::*;
use crate::arbitrary::{delta, mutate};
use crate::{Op, Stroke, StrokeItem, Tag, fold};
use proptest::prelude::*;
use tzeva_model::{Amount, Level, Millis, NameId, NameKind, Seq, TagKey, UnixMillis, VisitorId};

fn bytes_of(delta: &Delta) -> Vec<u8> {
    let mut out = Vec::new();
    put_delta(&mut out, delta);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_delta_comes_back_and_leaves_what_follows(
        delta in delta(),
        after in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let bytes = [&bytes_of(&delta)[..], &after].concat();
        let mut input = &bytes[..];
        prop_assert_eq!(take_delta(&mut input), Ok(delta));
        prop_assert_eq!(input, &after[..]);
    }

    #[test]
    fn bytes_cut_short_are_refused_and_not_consumed(
        delta in delta(),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = bytes_of(&delta);
        let cut = &bytes[..cut.index(bytes.len())];
        let mut input = cut;
        prop_assert!(take_delta(&mut input).is_err());
        prop_assert_eq!(input, cut);
    }

    /// Never a panic, neither in reading nor in folding what was read; what is read has a form of its own.
    #[test]
    fn mutated_bytes_are_refused_or_make_a_delta_that_folds_or_is_refused(
        delta in delta(),
        changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4),
    ) {
        let bytes = mutate(bytes_of(&delta), &changes);
        if let Ok(read) = take_delta(&mut &bytes[..]) {
            prop_assert_eq!(take_delta(&mut &bytes_of(&read)[..]), Ok(read.clone()));
            if let Ok(Some(profile)) = fold(None, &read, Seq::new(1)) {
                let stored = crate::stored::encode(&profile);
                prop_assert_eq!(crate::stored::decode(&stored), Ok(profile));
            }
        }
    }

    #[test]
    fn random_bytes_are_refused_or_make_a_delta(
        tail in prop::collection::vec(prop_oneof![0_u8..20, any::<u8>()], 0..200),
    ) {
        let bytes = [&[1, b'v'][..], &tail].concat();
        if let Ok(read) = take_delta(&mut &bytes[..]) {
            prop_assert_eq!(take_delta(&mut &bytes_of(&read)[..]), Ok(read));
        }
    }
}

/// A view of a product with a brand and two depths of category: five tags, seen, deadline.
fn view(at: i64, score: f32) -> Vec<Op> {
    let at = UnixMillis::new(at);
    let item = StrokeItem {
        product: Some(NameId::new(1 << 60)),
        brand: Some(NameId::new(2 << 60)),
        category: [NameId::new(3 << 60), NameId::new(4 << 60)].into_iter().collect(),
        price: Some(Amount::new(799_900)),
        quantity: Some(1),
        merged: None,
    };
    let shop = TagKey { level: Level::Shop, id: NameId::of(NameKind::Shop, "") };
    let keys: Vec<TagKey> = item.tag_keys().chain([shop]).collect();
    let stroke = Stroke {
        at,
        event: NameId::of(NameKind::Event, "product_viewed"),
        id_bits: 0xdead_beef,
        items: [item].into_iter().collect(),
        revenue: None,
        currency: tzeva_model::Currency::try_new("EUR"),
        extra: None,
    };
    let scores = (0_u8..).map(|step| score + f32::from(step) * 0.0123);
    let tags = keys.into_iter().zip(scores).map(|(key, score)| Op::Tag(Tag { key, score, at }));
    let seen = at + Millis::new(300);
    std::iter::once(Op::Stroke(stroke))
        .chain(tags)
        .chain([Op::Seen(seen), Op::Deadline(Some(seen + Millis::HOUR))])
        .collect()
}

#[test]
fn a_further_event_of_ids_already_spelled_takes_about_sixty_bytes() {
    let visitor = VisitorId::try_new("0a1b2c3d-0000-4000-8000-123456789abc").unwrap();
    let one = Delta { visitor: visitor.clone(), ops: view(1_795_341_600_000, 1.234) };
    let mut ops = one.ops.clone();
    ops.extend(view(1_795_341_640_000, 2.345));
    let (one, two) = (bytes_of(&one).len(), bytes_of(&Delta { visitor, ops }).len());
    println!("a first event {one} bytes, of which the visitor 37; the next {}", two - one);
    assert!(one <= 140, "{one}");
    assert!(two - one <= 62, "{}", two - one);
}
