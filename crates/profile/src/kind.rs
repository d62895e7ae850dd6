//! Kinds: what strokes of one sort have in common. The stored form spells each once, the wire form with each stroke.

use crate::bytes::{Corrupt, Input, flag};
use crate::known::{Ids, Texts, put_currency, take_currency};
use crate::{Extra, Stroke, StrokeItem};
use std::sync::Arc;
use tzeva_model::{Amount, Currency, NameId};

/// What strokes of one sort have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kind<'a> {
    pub(crate) event: NameId,
    pub(crate) items: Items,
    pub(crate) revenue: Revenue,
    pub(crate) setting: Setting<'a>,
}

/// What strokes of most kinds have in common too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting<'a> {
    pub(crate) currency: Option<Currency>,
    pub(crate) channel: Option<&'a str>,
    pub(crate) country: Option<&'a str>,
    /// True if its strokes have a coupon, a page path or properties of their own.
    pub(crate) own: bool,
}

/// How the items of a stroke are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Items {
    None,
    /// Each with its own flags.
    Spelled,
    /// Forms alone: each item has the form's price, or none has a price; nothing is merged.
    Plain {
        many: bool,
        quantity: Quantity,
        price: bool,
    },
}

/// The quantities of plain items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantity {
    /// None has one.
    None,
    /// All are 1.
    One,
    /// Each is written.
    Each,
}

/// Where the revenue comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Revenue {
    None,
    /// The sum of the items' amounts.
    Sum,
    /// Written.
    Given,
}

/// The shape's setting field: an empty setting, that of the kind before, a currency alone, a byte that says more.
const EMPTY: u8 = 0;
const AS_BEFORE: u8 = 1;
const CURRENCY: u8 = 2;
const MORE: u8 = 3;

// === impl Kind ===

impl<'a> Kind<'a> {
    pub(crate) fn of(stroke: &'a Stroke) -> Self {
        let extra = stroke.extra.as_deref();
        Self {
            event: stroke.event,
            items: Items::of(&stroke.items),
            revenue: match stroke.revenue {
                None => Revenue::None,
                some if some == items_sum(&stroke.items) => Revenue::Sum,
                Some(_) => Revenue::Given,
            },
            setting: Setting {
                currency: stroke.currency,
                channel: extra.and_then(|extra| extra.channel.as_deref()),
                country: extra.and_then(|extra| extra.country.as_deref()),
                own: extra.is_some_and(has_own),
            },
        }
    }

    /// The extra of its strokes, unless they have something of their own.
    pub(crate) fn extra(&self) -> Option<Arc<Extra>> {
        if self.setting.own { None } else { self.setting.with(Extra::default()) }
    }

    /// `before` is the setting of the kind before.
    pub(crate) fn put(
        &self,
        out: &mut Vec<u8>,
        before: Setting<'a>,
        ids: &mut Ids,
        texts: &mut Texts<'a>,
    ) {
        ids.put(out, self.event);
        let setting = self.setting;
        let only_currency = Setting { currency: setting.currency, ..Setting::default() };
        let field = match setting {
            _ if setting == Setting::default() => EMPTY,
            _ if setting == before => AS_BEFORE,
            _ if setting == only_currency => CURRENCY,
            _ => MORE,
        };
        out.push(self.items.code() | (field << 4) | ((self.revenue as u8) << 6));
        if field == MORE {
            out.push(
                flag(setting.currency.is_some(), 1)
                    | flag(setting.channel.is_some(), 2)
                    | flag(setting.country.is_some(), 4)
                    | flag(setting.own, 8),
            );
        }
        if field == CURRENCY || field == MORE {
            if let Some(currency) = setting.currency {
                put_currency(out, currency);
            }
            for text in [setting.channel, setting.country].into_iter().flatten() {
                texts.put(out, text);
            }
        }
    }

    pub(crate) fn take(
        input: &mut Input<'a>,
        before: Setting<'a>,
        ids: &mut Ids,
        texts: &mut Texts<'a>,
    ) -> Result<Self, Corrupt> {
        let event = ids.take(input)?;
        let shape = input.byte()?;
        let items = Items::from_code(shape & 15)?;
        let revenue = match shape >> 6 {
            0 => Revenue::None,
            1 => Revenue::Sum,
            2 => Revenue::Given,
            _ => return Err(Corrupt::Code),
        };
        let setting = match (shape >> 4) & 3 {
            EMPTY => Setting::default(),
            AS_BEFORE => before,
            CURRENCY => Setting { currency: Some(take_currency(input)?), ..Setting::default() },
            _ => Setting::take(input, texts)?,
        };
        Ok(Self { event, items, revenue, setting })
    }
}

// === impl Setting ===

impl<'a> Setting<'a> {
    /// The extra of a stroke of this setting, `own` being what it doesn't share.
    pub(crate) fn with(&self, own: Extra) -> Option<Arc<Extra>> {
        let (channel, country) = (self.channel.map(Box::from), self.country.map(Box::from));
        let extra = Extra { channel, country, ..own };
        (extra != Extra::default()).then(|| Arc::new(extra))
    }

    fn take(input: &mut Input<'a>, texts: &mut Texts<'a>) -> Result<Self, Corrupt> {
        let flags = input.byte()?;
        if flags >> 4 != 0 {
            return Err(Corrupt::Code);
        }
        let currency = (flags & 1 != 0).then(|| take_currency(input)).transpose()?;
        let mut text = |bit| (flags & bit != 0).then(|| texts.take(input)).transpose();
        let (channel, country) = (text(2)?, text(4)?);
        Ok(Self { currency, channel, country, own: flags & 8 != 0 })
    }
}

impl PartialEq for Setting<'_> {
    /// Strokes mostly share their texts, so that where they lie says it all.
    fn eq(&self, other: &Self) -> bool {
        let same = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => std::ptr::eq(a, b) || a == b,
            (a, b) => a.is_none() && b.is_none(),
        };
        self.own == other.own
            && self.currency == other.currency
            && same(self.channel, other.channel)
            && same(self.country, other.country)
    }
}

// === impl Items ===

impl Items {
    fn of(items: &[StrokeItem]) -> Self {
        let Some(first) = items.first() else { return Self::None };
        let price = first.price.is_some();
        if items.iter().any(|item| item.merged.is_some() || item.price.is_some() != price) {
            return Self::Spelled;
        }
        let all = |quantity| items.iter().all(|item| item.quantity == quantity);
        let quantity = match (all(None), all(Some(1))) {
            (true, _) => Quantity::None,
            (_, true) => Quantity::One,
            _ => Quantity::Each,
        };
        Self::Plain { many: items.len() > 1, quantity, price }
    }

    const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Spelled => 1,
            Self::Plain { many, quantity, price } => {
                2 + 6 * many as u8 + 2 * quantity as u8 + price as u8
            }
        }
    }

    fn from_code(code: u8) -> Result<Self, Corrupt> {
        Ok(match code {
            0 => Self::None,
            1 => Self::Spelled,
            2..=13 => Self::Plain {
                many: code >= 8,
                quantity: match (code - 2) / 2 % 3 {
                    0 => Quantity::None,
                    1 => Quantity::One,
                    _ => Quantity::Each,
                },
                price: code % 2 == 1,
            },
            _ => return Err(Corrupt::Code),
        })
    }
}

/// The sum of the items' amounts, if there are items and every one has an amount.
pub(crate) fn items_sum(items: &[StrokeItem]) -> Option<Amount> {
    if items.is_empty() { None } else { items.iter().map(StrokeItem::amount).sum() }
}

/// True if `extra` has something that its kind doesn't hold.
pub(crate) fn has_own(extra: &Extra) -> bool {
    extra.coupon.is_some() || extra.page_path.is_some() || !extra.properties.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_items_comes_back() {
        for code in 0..14 {
            assert_eq!(Items::from_code(code).map(Items::code), Ok(code));
        }
        assert_eq!(Items::from_code(14), Err(Corrupt::Code));
    }
}
