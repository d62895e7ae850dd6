//! Seeded randomness: splitmix64 (Steele, Lea and Flood 2014), a few lines that give the same numbers everywhere.

/// A stream of numbers that follows from its seed.
///
/// # Example
/// ```
/// use tzeva_bench::Random;
/// assert_eq!(Random::new(7).next(), Random::new(7).next());
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

// === impl Random ===

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for `part` of what `seed` stands for.
    #[must_use]
    pub fn of_part(seed: u64, part: u64) -> Self {
        let mut mixed = Self(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(mixed.next())
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "a stream without end is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0. The bias, below `end` / 2^64, is beneath notice.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True with a chance of `parts` in 1,000.
    pub fn per_mille(&mut self, parts: u64) -> bool {
        self.below(1_000) < parts
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A waiting time of this mean, exponentially distributed, rounded down.
    pub fn wait(&mut self, mean: i64) -> i64 {
        let wait = -(1.0 - self.unit()).ln() * mean as f64;
        #[expect(clippy::cast_possible_truncation, reason = "at most 37 means; `as` saturates")]
        let wait = wait as i64;
        wait
    }
}
