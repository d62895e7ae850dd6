//! Laws of the stored form over arbitrary profiles and arbitrary bytes.

use super::*;
use crate::arbitrary::{mutate, profile};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_profile_comes_back(profile in profile()) {
        let bytes = encode(&profile);
        let read = decode(&bytes);
        prop_assert_eq!(read.as_ref(), Ok(&profile));
        prop_assert_eq!(&encode(&decode(&bytes).unwrap()), &bytes);
        prop_assert!(bytes.len() <= size_bound(&profile), "{} {}", bytes.len(), size_bound(&profile));
        let head = Profile {
            strokes: vec![], cells: vec![], tags: vec![], traits: vec![], standings: vec![], ..profile
        };
        prop_assert_eq!(decode_head(&bytes), Ok(head));
    }

    #[test]
    fn bytes_cut_short_are_refused(profile in profile(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&profile);
        let end = cut.index(bytes.len());
        prop_assert!(decode(&bytes[..end]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(decode(&longer), Err(Corrupt::Trailing.into()));
    }

    /// Never a panic; and what is accepted is a proper profile, which keeps its laws.
    #[test]
    fn mutated_bytes_are_refused_or_make_a_proper_profile(
        profile in profile(),
        changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4),
    ) {
        let bytes = mutate(encode(&profile), &changes);
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&read)), Ok(read));
        }
    }

    #[test]
    fn random_bytes_are_refused_or_make_a_proper_profile(
        tail in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), 0_u8..20, any::<u8>()], 0..300),
    ) {
        let bytes = [&[FORMAT, MIN_READER][..], &tail].concat();
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&read)), Ok(read));
        }
    }
}

#[test]
fn a_form_of_a_newer_version_is_refused_by_name() {
    let newer = StoredError::Newer { format: 3, min_reader: 2 };
    assert_eq!(decode(&[3, 2, 0, 0]), Err(newer));
    assert_eq!(decode_head(&[3, 2]), Err(newer));
    assert_eq!(
        newer.to_string(),
        "profile has format 3, which needs a reader of format 2 or newer"
    );
    // A newer format that this reader can read is read.
    let mut bytes = encode(&Profile::default());
    bytes[0] = 9;
    assert_eq!(decode(&bytes), Ok(Profile::default()));
    assert_eq!(decode(&[]), Err(Corrupt::Short.into()));
}

#[test]
fn a_few_bytes_do_not_unfold_to_much() {
    use crate::{Stroke, StrokeItem};
    // A path of 2,000 depths under each of 3,000 items.
    let path: smallvec::SmallVec<[_; 2]> = (0..2_000).map(tzeva_model::NameId::new).collect();
    let item = StrokeItem { category: path, ..StrokeItem::default() };
    let stroke = Stroke {
        at: tzeva_model::UnixMillis::new(1),
        event: tzeva_model::NameId::new(1),
        id_bits: 0,
        items: std::iter::repeat_n(item, 3_000).collect(),
        revenue: None,
        currency: None,
        extra: None,
    };
    let profile = Profile { strokes: vec![stroke], ..Profile::default() };
    let bytes = encode(&profile);
    assert!(bytes.len() < 25_000, "{}", bytes.len());
    assert_eq!(decode(&bytes), Err(Corrupt::Unfolds.into()));
}
