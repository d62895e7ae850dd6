//! Amounts of an event in the home currency: as they are, converted, or not known.
//!
//! Done once, when the event is applied: a rate that changes later changes no past. Without a home currency in the
//! settings it is the one that the visitor's history holds; a second one then is worth nothing that anybody knows.

use tzeva_model::{Amount, Currencies, Currency, Event, Rate};
use tzeva_profile::Profile;

/// How the amounts of an event count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Money {
    /// As they are.
    Same(Option<Currency>),
    /// Each converted.
    Converted(Rate, Currency),
    /// Not at all.
    Unknown,
}

// === impl Money ===

impl Money {
    /// How those of `event` count for `profile`.
    pub(crate) fn of(event: &Event, profile: &Profile, currencies: &Currencies) -> Self {
        let Some(currency) = event.currency else { return Self::Same(None) };
        let held = || profile.strokes.iter().find_map(|stroke| stroke.currency);
        match currencies.home.or_else(held) {
            Some(home) if home != currency => {
                let rate = currencies.home.and_then(|_| currencies.rate(currency));
                rate.map_or(Self::Unknown, |rate| Self::Converted(rate, home))
            }
            _ => Self::Same(Some(currency)),
        }
    }

    /// The currency of the stroke.
    pub(crate) fn currency(self) -> Option<Currency> {
        match self {
            Self::Same(currency) => currency,
            Self::Converted(_, home) => Some(home),
            Self::Unknown => None,
        }
    }

    /// An amount of the event.
    pub(crate) fn count(self, amount: Option<Amount>) -> Option<Amount> {
        match self {
            Self::Same(_) => amount,
            Self::Converted(rate, _) => amount.map(|amount| rate.convert(amount)),
            Self::Unknown => None,
        }
    }
}
