//! SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"): our own, so that a seed means the
//! same for ever.

#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

// === impl Rng ===

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`; 0 if that is 0.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }

    /// True in so many of a thousand draws.
    pub(super) const fn per_mille(&mut self, of_thousand: u32) -> bool {
        self.below(1_000) < of_thousand as u64
    }
}
