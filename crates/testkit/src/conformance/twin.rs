//! A store against its naive twin: random steps on both, and they agree on every answer and on what is there after it.

use super::store::{Asked, step, write};
use super::{Replies, visitors_of_one_shard};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, ApplyResult, Store, StoreReply};
use tzeva_model::{Incarnation, Seq, UnixMillis, VisitorId};

/// One shard, kept the dull way.
#[derive(Default)]
struct Twin {
    marker: Option<Marker>,
    profiles: BTreeMap<VisitorId, Vec<u8>>,
    due: BTreeMap<UnixMillis, BTreeSet<VisitorId>>,
}

/// Numbers that look random, the same for a seed everywhere.
struct Draw(u64);

/// Applies `rounds` random steps to one empty shard and compares with the twin after each.
///
/// # Panics
/// If store and twin differ; the message holds the seed.
pub fn store_equals_its_naive_twin(
    store: &mut dyn Store,
    replies: &mut Replies<StoreReply>,
    count: u16,
    (seed, rounds): (u64, u32),
) {
    let (shard, visitors) = visitors_of_one_shard(12);
    let mut asked = Asked { store, replies, partition: shard.partition(count) };
    let (mut twin, mut draw) = (Twin::default(), Draw(seed));
    let buckets = [0, 600_000].map(UnixMillis::new);
    for round in 0..rounds {
        let at = twin.marker.map_or(0, |marker| marker.seq.get());
        // Around the marker: now behind, now equal, now ahead.
        let prev = (at + draw.below(6)).saturating_sub(3);
        let mut one = step(shard, prev, prev + 1 + draw.below(4));
        if draw.below(20) == 0 {
            one.marker.incarnation = Incarnation::new(draw.below(3));
        }
        let fill = draw.below(256).to_string().into_bytes();
        for visitor in &visitors {
            match draw.below(4) {
                0 => one.writes.push(write(visitor, Some(&fill))),
                1 => one.writes.push(write(visitor, None)),
                2 => one.due.push((buckets[usize::from(draw.below(2) == 1)], visitor.clone())),
                _ => {}
            }
        }
        let expected = twin.apply(&one);
        let context = format!("seed {seed}, round {round}, step {one:?}");
        assert_eq!(asked.apply(one), expected, "{context}");
        let there = asked.read(vec![(shard, visitors.clone())]).remove(0);
        assert_eq!(there.marker, twin.marker, "{context}");
        let profiles: Vec<_> = visitors.iter().map(|v| twin.profiles.get(v).cloned()).collect();
        assert_eq!(there.profiles, profiles, "{context}");
        for bucket in buckets {
            let due = twin.due.get(&bucket).cloned().unwrap_or_default();
            assert_eq!(asked.due(shard, bucket), due, "{context}");
        }
    }
    let walked: BTreeMap<_, _> = asked.scan(shard, 0).profiles.into_iter().collect();
    assert_eq!(walked, twin.profiles, "seed {seed}");
}

// === impl Twin ===

impl Twin {
    fn apply(&mut self, step: &Apply) -> ApplyResult {
        if let Some(there) = self.marker {
            if there.incarnation != step.marker.incarnation {
                return ApplyResult::Behind(Some(there));
            }
            if there.seq >= step.marker.seq {
                return ApplyResult::Already(there);
            }
            if there.seq < step.prev {
                return ApplyResult::Behind(Some(there));
            }
        } else if step.prev > Seq::new(0) {
            return ApplyResult::Behind(None);
        }
        for (bucket, visitor) in &step.due {
            self.due.entry(*bucket).or_default().insert(visitor.clone());
        }
        for write in &step.writes {
            match &write.profile {
                Some(profile) => self.profiles.insert(write.visitor.clone(), profile.clone()),
                None => self.profiles.remove(&write.visitor),
            };
        }
        self.marker = Some(step.marker);
        ApplyResult::Applied
    }
}

// === impl Draw ===

impl Draw {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
