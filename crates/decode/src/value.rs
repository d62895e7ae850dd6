//! From a value as it came to a value of the domain, or the refusal that names its field.

use crate::call::Scalar;
use crate::reject::{Refusal, refuse};
use std::borrow::Cow;
use tzeva_model::RejectionCode::BadValue;
use tzeva_model::{Amount, AmountError, Value};

#[cold]
pub(crate) fn bad(field: &str, expected: &str, found: &str) -> Refusal {
    refuse(BadValue, format!("`{field}` must be {expected}, found {found}"))
}

/// Text, or a number as it is written; nothing where nothing is.
///
/// # Errors
/// `bad_value`
pub(crate) fn text<'a>(field: &str, scalar: Scalar<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    match scalar {
        Scalar::Absent => Ok(None),
        Scalar::Text(text) => {
            let text = text.trim();
            Ok((!text.is_empty()).then_some(Cow::Borrowed(text)))
        }
        Scalar::Digits(digits) => Ok(Some(Cow::Borrowed(digits))),
        Scalar::Long(number) => Ok(Some(Cow::Owned(number.to_string()))),
        other => Err(bad(field, "text", other.what())),
    }
}

/// An amount, exact: of JSON from its digits, of a float from the shortest text that stands for it.
///
/// # Errors
/// `bad_value`
pub(crate) fn amount(field: &str, scalar: Scalar<'_>) -> Result<Option<Amount>, Refusal> {
    let parsed = match scalar {
        Scalar::Absent => return Ok(None),
        Scalar::Text(text) => match text.trim() {
            "" => return Ok(None),
            text => Amount::parse(text),
        },
        Scalar::Digits(text) => Amount::parse(text),
        Scalar::Long(number) => {
            number.checked_mul(10_000).map(Amount::new).ok_or(AmountError::OutOfRange)
        }
        Scalar::Float(float) => Amount::parse(&format!("{float:e}")),
        Scalar::Double(double) => Amount::parse(&format!("{double:e}")),
        Scalar::Decimal { unscaled, scale } => Amount::parse(&format!("{unscaled}e-{scale}")),
        other => return Err(bad(field, "a number", other.what())),
    };
    match parsed {
        Ok(amount) => Ok(Some(amount)),
        Err(AmountError::NotANumber) => Err(bad(field, "a number", "something else")),
        Err(AmountError::OutOfRange) => Err(bad(field, "at most 922 trillion", "more")),
    }
}

/// A price: an amount that is not below zero.
///
/// # Errors
/// `bad_value`
pub(crate) fn price(field: &str, scalar: Scalar<'_>) -> Result<Option<Amount>, Refusal> {
    match amount(field, scalar)? {
        Some(price) if price < Amount::ZERO => Err(bad(field, "zero or more", "less")),
        price => Ok(price),
    }
}

/// How many: a whole number from 0 to 4,294,967,295, `2.0` included.
///
/// # Errors
/// `bad_value`
pub(crate) fn quantity(field: &str, scalar: Scalar<'_>) -> Result<Option<u32>, Refusal> {
    let Some(amount) = amount(field, scalar)? else { return Ok(None) };
    let (whole, rest) = (amount.get() / 10_000, amount.get() % 10_000);
    match u32::try_from(whole) {
        Ok(quantity) if rest == 0 => Ok(Some(quantity)),
        _ => Err(bad(field, "a whole number from 0 on", "another number")),
    }
}

/// A property or a trait; nothing where it is null or has parts.
///
/// # Errors
/// `bad_value` for a number out of range.
pub(crate) fn value(field: &str, scalar: Scalar<'_>) -> Result<Option<Value>, Refusal> {
    match scalar {
        Scalar::Absent | Scalar::Composite(_) => Ok(None),
        Scalar::Text(text) => Ok(Some(Value::Text(text.into()))),
        Scalar::Bool(bool) => Ok(Some(Value::Bool(bool))),
        Scalar::Instant(ms) => {
            Ok(Some(Value::Text(tzeva_model::UnixMillis::new(ms).to_string().into())))
        }
        number => Ok(amount(field, number)?.map(Value::Number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_read_as_the_decimal_that_it_prints_as() {
        let amount = |s| amount("price", s).unwrap().unwrap().get();
        assert_eq!(amount(Scalar::Double(80.1)), 801_000);
        assert_eq!(amount(Scalar::Double(0.1 + 0.2)), 3_000);
        assert_eq!(amount(Scalar::Float(19.99)), 199_900);
        assert_eq!(amount(Scalar::Decimal { unscaled: -1_234_567, scale: 5 }), -123_457);
        assert_eq!(amount(Scalar::Long(3)), 30_000);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for scalar in [
            Scalar::Double(f64::NAN),
            Scalar::Double(f64::INFINITY),
            Scalar::Text("12 EUR"),
            Scalar::Long(i64::MAX),
            Scalar::Bool(true),
        ] {
            assert!(amount("price", scalar).is_err(), "{scalar:?}");
        }
    }

    #[test]
    fn a_quantity_is_whole() {
        assert_eq!(quantity("quantity", Scalar::Digits("2.0")), Ok(Some(2)));
        assert!(quantity("quantity", Scalar::Digits("2.5")).is_err());
        assert!(quantity("quantity", Scalar::Digits("-1")).is_err());
    }
}
