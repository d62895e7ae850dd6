//! The shop's time: it begins at eight in the morning and runs `speed` times as fast as ours.

use std::time::{Duration, Instant};
use tzeva_model::{Millis, UnixMillis};

/// A clock that runs faster.
#[derive(Clone, Copy, Debug)]
pub struct ShopTime {
    begun: Instant,
    start: UnixMillis,
    speed: u32,
}

// === impl ShopTime ===

impl ShopTime {
    /// Starts at eight o'clock (UTC) of the day that `today` lies in.
    pub fn start(today: UnixMillis, speed: u32) -> Self {
        let midnight = today.get().div_euclid(Millis::DAY.get()) * Millis::DAY.get();
        let start = UnixMillis::new(midnight) + Millis::HOUR.times(8);
        Self { begun: Instant::now(), start, speed }
    }

    /// The instant at which the shop opened.
    pub const fn opened(&self) -> UnixMillis {
        self.start
    }

    /// How long it has been open.
    pub fn open_for(&self) -> Millis {
        let micros = self.begun.elapsed().as_micros().saturating_mul(u128::from(self.speed));
        Millis::new(i64::try_from(micros / 1_000).unwrap_or(i64::MAX))
    }

    /// The shop's time now.
    pub fn now(&self) -> UnixMillis {
        self.start + self.open_for()
    }

    /// How long the shop has been open when `real` has passed.
    pub fn in_shop(&self, real: Duration) -> Millis {
        let real = i64::try_from(real.as_millis()).unwrap_or(i64::MAX);
        Millis::new(real).times(i64::from(self.speed))
    }

    /// An instant as people of the shop say it: `day 2 14:05`.
    pub fn clock(&self, at: UnixMillis) -> String {
        let midnight = self.start - Millis::HOUR.times(8);
        let minutes = (at - midnight).get().div_euclid(Millis::MINUTE.get());
        let (day, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
        format!("day {} {:02}:{:02}", day + 1, minute / 60, minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_opens_at_eight_and_counts_its_days() {
        let time = ShopTime::start(UnixMillis::new(1_795_341_600_060), 3_600);
        assert_eq!(time.opened().to_string(), "2026-11-22T08:00:00.000Z");
        assert_eq!(time.clock(time.opened() + Millis::MINUTE.times(65)), "day 1 09:05");
        assert_eq!(time.clock(time.opened() + Millis::HOUR.times(16)), "day 2 00:00");
        assert_eq!(time.in_shop(Duration::from_millis(500)), Millis::MINUTE.times(30));
        assert!(time.now() >= time.opened());
    }
}
