//! Tags: interest with the instant it was last painted.

use tzeva_model::{TagKey, UnixMillis};

/// One tag's score as of its last painting; it fades from there by its level's half-life, which is the rules' matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tag {
    /// Which tag.
    pub key: TagKey,
    /// The score at `at`, rounded once per paint to f32; positive and finite.
    pub score: f32,
    /// When it was last painted.
    pub at: UnixMillis,
}
