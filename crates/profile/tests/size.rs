//! How large a profile is: visitors with 20 events in the manner of the benchmark's workload. The goal is a mean of 442
//! bytes, which Redis holds in 540 with a key of 36.

mod visitors;

use std::collections::BTreeMap;
use tzeva_profile::{StrokeItem, stored};
use visitors::visitor;

const VISITORS: u64 = 2_000;
const GOAL: f64 = 442.0;

#[test]
fn a_profile_of_twenty_events_is_442_bytes_in_the_mean_or_less() {
    let (mut bytes, mut tags, mut ids, mut standings) = (0, 0, 0, 0);
    let mut sizes = BTreeMap::<usize, u32>::new();
    for seed in 0..VISITORS {
        let profile = visitor(seed);
        let stored = stored::encode(&profile);
        assert_eq!(stored::decode(&stored).as_ref(), Ok(&profile));
        bytes += stored.len();
        tags += profile.tags.len();
        standings += profile.standings.len();
        let items = profile.strokes.iter().flat_map(|stroke| &stroke.items);
        let keys: std::collections::BTreeSet<_> = items.flat_map(StrokeItem::tag_keys).collect();
        ids += keys.len();
        *sizes.entry(stored.len() / 50 * 50).or_default() += 1;
    }
    let mean = |sum: usize| sum as f64 / VISITORS as f64;
    println!(
        "mean {:.1} bytes; {:.1} tags, {:.1} distinct ids, {:.1} standings; by size {sizes:?}",
        mean(bytes),
        mean(tags),
        mean(ids),
        mean(standings),
    );
    assert!(mean(bytes) <= GOAL, "{}", mean(bytes));
}
