//! Prices in as few bytes as prices tend to need: most end in 99 hundredths or none, and nearly all fit two bytes.

use crate::bytes::{Corrupt, Input};
use tzeva_model::Amount;

/// A price as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Price {
    None,
    /// Up to 655.35.
    Cents(u16),
    /// Below [`WHOLE`]: so many and 99 hundredths; else whole units from 1 on.
    Byte(u8),
    Any(Amount),
}

/// The byte of 1 whole unit.
const WHOLE: u8 = 0xc0;

// === impl Price ===

impl Price {
    pub(super) fn of(price: Option<Amount>) -> Self {
        let Some(price) = price else { return Self::None };
        let (cents, finer) = (price.get() / 100, price.get() % 100);
        let Some(cents) = u16::try_from(cents).ok().filter(|_| finer == 0) else {
            return Self::Any(price);
        };
        let byte = match (u8::try_from(cents / 100), cents % 100) {
            (Ok(units), 99) if units < WHOLE => Some(units),
            (Ok(units @ 1..), 0) => (units - 1).checked_add(WHOLE),
            _ => None,
        };
        byte.map_or(Self::Cents(cents), Self::Byte)
    }

    pub(super) const fn code(self) -> usize {
        match self {
            Self::None => 0,
            Self::Cents(_) => 1,
            Self::Any(_) => 2,
            Self::Byte(_) => 3,
        }
    }

    pub(super) fn take(input: &mut Input<'_>, code: usize) -> Result<Option<Amount>, Corrupt> {
        let cents = match code {
            0 => return Ok(None),
            1 => i64::from(u16::from_le_bytes(input.array()?)),
            3 => match input.byte()? {
                byte @ WHOLE.. => i64::from(byte - WHOLE + 1) * 100,
                byte => i64::from(byte) * 100 + 99,
            },
            _ => return input.amount().map(Some),
        };
        Ok(Some(Amount::new(cents * 100)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::put_amount;

    #[test]
    fn every_price_comes_back_and_common_ones_are_short() {
        for (ten_thousandths, width) in [
            (0, 2),
            (9_900, 1),
            (10_000, 1),
            (640_000, 1),
            (650_000, 2),
            (1_919_900, 1),
            (1_929_900, 2),
            (6_553_500, 2),
            (6_553_600, 3),
            (6_553_501, 5),
            (-9_900, 2),
        ] {
            let amount = Amount::new(ten_thousandths);
            let price = Price::of(Some(amount));
            let mut out = Vec::new();
            match price {
                Price::None => {}
                Price::Cents(cents) => out.extend(cents.to_le_bytes()),
                Price::Byte(byte) => out.push(byte),
                Price::Any(any) => put_amount(&mut out, any),
            }
            assert_eq!(out.len(), width, "{amount}");
            let read = Price::take(&mut Input::new(&out), price.code());
            assert_eq!(read, Ok(Some(amount)));
        }
    }
}
