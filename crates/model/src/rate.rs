//! Currencies: in which one amounts are counted, and what others are worth in it.

use crate::{Amount, Currency};

/// What one unit of another currency is worth, in billionths of the home currency's unit; positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

/// In which currency amounts count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Currencies {
    /// The home currency, which an event without one is in. `None`: the first one that a visitor's history holds.
    pub home: Option<Currency>,
    /// What others are worth; of a currency that isn't here the amounts are not known.
    pub rates: Vec<(Currency, Rate)>,
}

// === impl Rate ===

impl Rate {
    /// How many billionths make one.
    const ONE: i128 = 1_000_000_000;

    /// So many billionths; `None` unless positive.
    #[must_use]
    pub const fn from_billionths(billionths: i64) -> Option<Self> {
        if billionths > 0 { Some(Self(billionths)) } else { None }
    }

    /// The billionths.
    #[must_use]
    pub const fn billionths(self) -> i64 {
        self.0
    }

    /// Reads a decimal above 0 with at most nine decimals and nine digits before the point.
    ///
    /// # Example
    /// ```
    /// use tzeva_model::{Amount, Rate};
    /// let rate = Rate::parse("0.92").unwrap();
    /// assert_eq!(rate.convert(Amount::parse("10").unwrap()).to_string(), "9.2");
    /// assert_eq!(Rate::parse("0"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) {
            return None;
        }
        Self::from_billionths(format!("{whole}{decimals:0<9}").parse().ok()?)
    }

    /// `amount` in the home currency, rounded half to even; what is beyond all amounts is the greatest.
    #[must_use]
    pub fn convert(self, amount: Amount) -> Amount {
        let product = i128::from(amount.get()) * i128::from(self.0);
        let (whole, rest) = (product.div_euclid(Self::ONE), product.rem_euclid(Self::ONE));
        let up = rest * 2 > Self::ONE || rest * 2 == Self::ONE && whole % 2 != 0;
        let rounded = whole + i128::from(up);
        Amount::new(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
    }
}

// === impl Currencies ===

impl Currencies {
    /// What `currency` is worth; `None`: nobody said.
    #[must_use]
    pub fn rate(&self, currency: Currency) -> Option<Rate> {
        self.rates.iter().find(|(other, _)| *other == currency).map(|(_, rate)| *rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversion_rounds_half_to_even() {
        let half = Rate::parse("0.5").unwrap();
        for (amount, want) in [(3, 2), (1, 0), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)] {
            assert_eq!(half.convert(Amount::new(amount)), Amount::new(want), "{amount}");
        }
        assert_eq!(
            Rate::parse("999999999").unwrap().convert(Amount::new(i64::MAX)).get(),
            i64::MAX
        );
    }

    #[test]
    fn a_rate_is_a_plain_decimal_above_nothing() {
        assert_eq!(Rate::parse("0.006123456").map(Rate::billionths), Some(6_123_456));
        for text in ["", ".5", "-1", "0.0", "1e3", "1.0123456789", "1 ", "1234567890"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
