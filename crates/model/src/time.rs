//! Instants and durations, both whole milliseconds; there is no floating-point time anywhere.

use std::fmt;
use std::ops::{Add, Sub};

/// An instant.
///
/// Unit: milliseconds since the Unix epoch, UTC. Who supplies it depends on the field that holds it; no pure crate
/// ever reads a clock. Arithmetic saturates at the ends, so a deadline can't wrap into the past.
///
/// # Example
/// ```
/// use tzeva_model::{Millis, UnixMillis};
/// let ten = UnixMillis::new(36_000_000);
/// assert_eq!(ten + Millis::HOUR, UnixMillis::new(39_600_000));
/// assert_eq!((ten + Millis::HOUR) - ten, Millis::HOUR);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

/// A duration, of either sign when it is a difference.
///
/// Unit: milliseconds; a day is 86,400,000 of them exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(i64);

// === impl UnixMillis ===

impl UnixMillis {
    /// The earliest instant there is.
    pub const MIN: Self = Self(i64::MIN);
    /// 9999-12-31T23:59:59.999Z: instants stop here, and so does `--until max`.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// An instant `ms` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn new(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Add<Millis> for UnixMillis {
    type Output = Self;
    fn add(self, rhs: Millis) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub<Millis> for UnixMillis {
    type Output = Self;
    fn sub(self, rhs: Millis) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl Sub for UnixMillis {
    type Output = Millis;
    fn sub(self, rhs: Self) -> Millis {
        Millis(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Display for UnixMillis {
    /// Writes the RFC 3339 form with milliseconds, `2026-11-22T10:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(Millis::DAY.0);
        let ms = self.0.rem_euclid(Millis::DAY.0);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
            ms % 1_000
        )
    }
}

// === impl Millis ===

impl Millis {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// 1,000 ms.
    pub const SECOND: Self = Self(1_000);
    /// 60,000 ms.
    pub const MINUTE: Self = Self(60_000);
    /// 3,600,000 ms.
    pub const HOUR: Self = Self(3_600_000);
    /// 86,400,000 ms.
    pub const DAY: Self = Self(86_400_000);

    /// A duration of `ms` milliseconds.
    #[must_use]
    pub const fn new(ms: i64) -> Self {
        Self(ms)
    }

    /// The number of milliseconds.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `self` taken `times` times, stopping at the largest duration there is.
    #[must_use]
    pub const fn times(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Add for Millis {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub for Millis {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Display for Millis {
    /// Writes what the rule files read: `1h30m`, `3d`, `250ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.0.unsigned_abs();
        for (unit, name) in
            [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")]
        {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

/// Year, month and day of a day counted from the Unix epoch, proleptic Gregorian
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_as_rfc_3339_with_milliseconds() {
        assert_eq!(UnixMillis::new(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UnixMillis::new(1_795_341_600_060).to_string(), "2026-11-22T10:00:00.060Z");
        assert_eq!(UnixMillis::new(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
        assert_eq!(UnixMillis::new(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(UnixMillis::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn durations_print_as_rule_files_read_them() {
        assert_eq!(Millis::new(5_400_000).to_string(), "1h30m");
        assert_eq!(Millis::DAY.times(14).to_string(), "14d");
        assert_eq!(Millis::new(1_250).to_string(), "1s250ms");
        assert_eq!(Millis::ZERO.to_string(), "0s");
    }
}
