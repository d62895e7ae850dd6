//! Levels: how the tags of one level compare, as of its last painting.
//!
//! All tags of a level fade alike, so neither their order nor their shares move with time. They are compared as of the
//! latest instant at which one of them was painted, where the strongest is far from nothing.

use crate::direct::{Lens, half_life};
use crate::view::View;
use smallvec::SmallVec;
use tzeva_audience::{RankLeaf, ShareLeaf};
use tzeva_model::{Level, TagKey, UnixMillis};
use tzeva_profile::{Tag, decay};

/// The tags of one level, ascending by key, each with its score as of the last painting.
#[derive(Debug)]
pub struct Scores(SmallVec<[(TagKey, f64); 16]>);

// === impl Scores ===

impl Scores {
    /// Those of `level` in `view`.
    pub fn of(lens: Lens, view: View<'_>, level: Level) -> Self {
        let tags = view.level(level);
        let painted = tags.iter().map(|tag| tag.at).max().unwrap_or(UnixMillis::MIN);
        let half_life = half_life(&lens.half_life, level);
        let score = |tag: &Tag| decay::faded(tag.score, tag.at, half_life, painted);
        Self(tags.iter().map(|tag| (tag.key, score(tag))).collect())
    }

    /// The tags.
    pub fn keys(&self) -> impl Iterator<Item = TagKey> {
        self.0.iter().map(|(key, _)| *key)
    }

    /// Whether a rank leaf holds.
    pub fn ranks(&self, leaf: &RankLeaf) -> bool {
        let Some(own) = self.score(leaf.tag) else { return false };
        let before =
            |&&(key, score): &&(TagKey, f64)| score > own || score == own && key < leaf.tag;
        let stronger = self.0.iter().filter(before).count();
        leaf.rank.holds(u32::try_from(stronger + 1).unwrap_or(u32::MAX))
    }

    /// Whether a share leaf holds; the sum is taken in order of key.
    pub fn shares(&self, leaf: &ShareLeaf) -> bool {
        let share = self
            .score(leaf.tag)
            .map_or(0.0, |own| own / self.0.iter().map(|(_, score)| score).sum::<f64>());
        (share >= leaf.share) == leaf.at_least
    }

    fn score(&self, tag: TagKey) -> Option<f64> {
        let place = self.0.binary_search_by(|(key, _)| key.cmp(&tag)).ok()?;
        Some(self.0[place].1)
    }
}
