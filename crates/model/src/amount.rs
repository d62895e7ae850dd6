//! Money, as integers of 1/10,000 of a currency unit, so that sums are exact in any order.

use std::fmt;
use std::ops::{Add, Neg, Sub};

/// An amount of money without its currency.
///
/// Unit: 1/10,000 of the currency unit. Arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// A currency: three ASCII capitals, ISO 4217 by custom; not checked against the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits, one sign, one point, one exponent.
    #[error("not a decimal number")]
    NotANumber,
    /// Beyond ±922 trillion units.
    #[error("out of range")]
    OutOfRange,
}

// === impl Amount ===

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `ten_thousandths` / 10,000.
    #[must_use]
    pub const fn new(ten_thousandths: i64) -> Self {
        Self(ten_thousandths)
    }

    /// Ten-thousandths of the currency unit.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `self` taken `quantity` times.
    #[must_use]
    pub const fn times(self, quantity: i64) -> Self {
        Self(self.0.saturating_mul(quantity))
    }

    /// Reads a decimal such as `80`, `-3.5`, `1.2e3`; more than four decimals are rounded half to even, exactly, from
    /// the text and not by way of a float.
    ///
    /// # Errors
    /// See [`AmountError`]; a retry never helps.
    ///
    /// # Example
    /// ```
    /// use tzeva_model::Amount;
    /// assert_eq!(Amount::parse("80.5").unwrap().get(), 805_000);
    /// assert_eq!(Amount::parse("0.00005").unwrap().get(), 0);
    /// assert_eq!(Amount::parse("0.00015").unwrap().get(), 2);
    /// ```
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
            Some(at) => {
                let exponent =
                    unsigned[at + 1..].parse::<i32>().map_err(|_| AmountError::NotANumber)?;
                (&unsigned[..at], exponent)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty()
            || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
        {
            return Err(AmountError::NotANumber);
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0');
        let kept = i64::try_from(whole.len()).map_err(|_| AmountError::OutOfRange)?
            + i64::from(exponent)
            + 4;
        let magnitude = scale(digits, kept)?;
        Ok(Self(if negative { -magnitude } else { magnitude }))
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, abs) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, fraction) = (abs / 10_000, abs % 10_000);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:04}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

// === impl Currency ===

impl Currency {
    /// The currency written `text`; lower case is raised. `None` unless it is three ASCII letters.
    #[must_use]
    pub fn try_new(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The three capitals, for a stored form.
    #[must_use]
    pub const fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&b| write!(f, "{}", char::from(b)))
    }
}

/// The first `kept` of `digits` as a number, rounded half to even by the rest; missing digits are zeros.
fn scale(digits: impl Iterator<Item = u8>, kept: i64) -> Result<i64, AmountError> {
    let (mut value, mut place) = (0i64, 0i64);
    let (mut first_cut, mut more_cut) = (0u8, false);
    for digit in digits {
        if place < kept {
            value = push(value, digit)?;
        } else if place == kept {
            first_cut = digit;
        } else {
            more_cut |= digit != 0;
        }
        // A digit that lies right of the first cut place even though it comes first: 0.00…01 with a negative `kept`.
        if kept < 0 && digit != 0 {
            more_cut = true;
            first_cut = 0;
        }
        place += 1;
    }
    while place < kept && value != 0 {
        value = push(value, 0)?;
        place += 1;
    }
    let up = first_cut > 5 || first_cut == 5 && (more_cut || value % 2 == 1);
    value.checked_add(i64::from(up)).ok_or(AmountError::OutOfRange)
}

fn push(value: i64, digit: u8) -> Result<i64, AmountError> {
    value
        .checked_mul(10)
        .and_then(|v| v.checked_add(i64::from(digit)))
        .ok_or(AmountError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_rounded_half_to_even() {
        for (text, want) in [
            ("80", 800_000),
            ("-3.5", -35_000),
            ("1.2e3", 12_000_000),
            ("12e-1", 12_000),
            ("0.12345", 1_234),
            ("0.12355", 1_236),
            ("0.123450001", 1_235),
            ("5e-5", 0),
            ("0.5e-4", 0),
            ("0.6e-4", 1),
            ("9e-9", 0),
            (".5", 5_000),
            ("0e99", 0),
        ] {
            assert_eq!(Amount::parse(text), Ok(Amount::new(want)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "-", "1,5", "NaN", "1e", "0x10", "1 "] {
            assert_eq!(Amount::parse(text), Err(AmountError::NotANumber), "{text}");
        }
        assert_eq!(Amount::parse("1e30"), Err(AmountError::OutOfRange));
    }

    #[test]
    fn amounts_print_without_trailing_zeros() {
        assert_eq!(Amount::new(805_000).to_string(), "80.5");
        assert_eq!(Amount::new(-1).to_string(), "-0.0001");
        assert_eq!(Amount::new(800_000).to_string(), "80");
    }
}
