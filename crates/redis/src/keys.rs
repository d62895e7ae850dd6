//! Names of keys. All keys of a shard carry the shard's tag, so that they lie in one slot of a cluster.

use tzeva_model::{Shard, UnixMillis};

/// The field of a shard's hash that holds its marker: no visitor id is empty.
pub(crate) const MARKER: &[u8] = b"";

/// The hash of a shard's profiles and its marker: `{s0421}:p`.
pub(crate) fn profiles(prefix: &str, shard: Shard) -> String {
    format!("{prefix}{{s{:04}}}:p", shard.get())
}

/// The set of those due in the ten minutes from `bucket` on: `{s0421}:d:<seconds since 1970>`.
pub(crate) fn due(prefix: &str, shard: Shard, bucket: UnixMillis) -> String {
    format!("{prefix}{{s{:04}}}:d:{}", shard.get(), bucket.get().div_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_their_shards_tag() {
        let shard = Shard::new(421);
        assert_eq!(profiles("", shard), "{s0421}:p");
        assert_eq!(profiles("t7:", shard), "t7:{s0421}:p");
        assert_eq!(due("", shard, UnixMillis::new(1_795_341_600_000)), "{s0421}:d:1795341600");
    }
}
