//! Chance from a seed that is printed: `TZEVA_SEED` repeats it.

/// splitmix64.
pub(crate) struct Random(u64);

// === impl Random ===

impl Random {
    /// From `TZEVA_SEED`, else drawn; printed either way.
    pub(crate) fn from_environment() -> Self {
        let given = std::env::var("TZEVA_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            u64::from(since.subsec_nanos()) ^ since.as_secs()
        });
        println!("TZEVA_SEED={seed}");
        Self(seed)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let drawn = (z ^ (z >> 31)) % u64::try_from(end).unwrap();
        usize::try_from(drawn).unwrap()
    }
}
