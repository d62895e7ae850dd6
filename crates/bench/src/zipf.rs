//! Zipf's law without tables: rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from
//! monotone discrete distributions", 1996), so ten million ranks cost no memory and a draw takes about one try.

use crate::Random;

/// Ranks 1 to `n`, the k-th with a chance that goes as k^-exponent.
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    n: u64,
    exponent: f64,
    /// The integral of the hat at its two ends.
    low: f64,
    high: f64,
    /// How far below a rank its draw is taken without asking further.
    sure: f64,
}

// === impl Zipf ===

impl Zipf {
    /// The law of `exponent` over `n` ranks; the exponent is positive and not 1.
    #[must_use]
    pub fn new(n: u64, exponent: f64) -> Self {
        let mut zipf = Self { n, exponent, low: 0.0, high: 0.0, sure: 0.0 };
        zipf.low = zipf.integral(1.5) - 1.0;
        zipf.high = zipf.integral(n as f64 + 0.5);
        zipf.sure = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    /// A rank from 1 to `n`.
    pub fn draw(&self, random: &mut Random) -> u64 {
        loop {
            let u = self.high + random.unit() * (self.low - self.high);
            let x = self.inverse(u);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let rank = ((x + 0.5).floor().max(1.0) as u64).min(self.n);
            let k = rank as f64;
            if k - x <= self.sure || u >= self.integral(k + 0.5) - self.weight(k) {
                return rank;
            }
        }
    }

    fn weight(&self, x: f64) -> f64 {
        x.powf(-self.exponent)
    }

    /// The integral of x^-exponent.
    fn integral(&self, x: f64) -> f64 {
        x.powf(1.0 - self.exponent) / (1.0 - self.exponent)
    }

    fn inverse(&self, y: f64) -> f64 {
        (y * (1.0 - self.exponent)).powf(1.0 / (1.0 - self.exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_as_often_as_the_law_says() {
        for exponent in [0.8, 0.9] {
            let zipf = Zipf::new(1_000, exponent);
            let mut random = Random::new(1);
            let draws = 400_000_u32;
            let mut seen = vec![0_u32; 1_001];
            for _ in 0..draws {
                seen[usize::try_from(zipf.draw(&mut random)).unwrap()] += 1;
            }
            let total: f64 = (1..=1_000).map(|k| f64::from(k).powf(-exponent)).sum();
            for rank in [1_u32, 2, 3, 10, 100] {
                let expected = f64::from(rank).powf(-exponent) / total * f64::from(draws);
                let got = f64::from(seen[rank as usize]);
                // Five standard deviations of a count.
                let slack = 5.0 * expected.sqrt();
                assert!((got - expected).abs() < slack, "rank {rank}: {got}, not {expected}");
            }
            assert_eq!(seen[0], 0);
        }
    }
}
