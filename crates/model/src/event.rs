//! Events: one thing that a visitor did, at an instant, already decoded and canonical.

use crate::{Amount, Category, Currency, Name, UnixMillis, VisitorId};
use xxhash_rust::xxh3::xxh3_64;

/// What the producer calls this event; a repeat with an equal id and instant is a duplicate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId(Box<str>);

/// One event.
///
/// An `identify` call is an event too: its name is `identify`, it carries `traits`, and it leaves a stroke as any
/// other does, so that a repeat of it is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who did it.
    pub visitor: VisitorId,
    /// The producer's id of it, else a hash of the record.
    pub id: EventId,
    /// What was done, in snake case: `product_added`.
    pub name: Name,
    /// When, by the producer's clock; the engine clamps what lies after the record time.
    pub occurred_at: UnixMillis,
    /// The products it is about. An event without a `products` list has one item made of its own fields, or none if it
    /// names neither product, category, brand, price nor quantity.
    pub items: Vec<Item>,
    /// What an order earned: `revenue`, else `total`, else the sum of price × quantity. `None` where none is known.
    pub revenue: Option<Amount>,
    /// The currency of all its amounts; `None`: the settings' own.
    pub currency: Option<Currency>,
    /// The coupon used.
    pub coupon: Option<Box<str>>,
    /// The channel: `web`, `app`, `store`.
    pub channel: Option<Box<str>>,
    /// The country, as sent.
    pub country: Option<Box<str>>,
    /// The page's path, if `history.keep` names `page.path`.
    pub page_path: Option<Box<str>>,
    /// The properties that `history.keep` names, sorted by name; names without `properties.`.
    pub properties: Vec<(Box<str>, Value)>,
    /// The W3C trace context that came with it, handed on to the changes it causes.
    pub traceparent: Option<Box<str>>,
    /// What an `identify` says about the visitor, sorted by name.
    pub traits: Vec<(Box<str>, Value)>,
}

/// One product of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// `product_id`, else `sku`.
    pub product: Option<Name>,
    /// The brand.
    pub brand: Option<Name>,
    /// The category path.
    pub category: Option<Category>,
    /// The price of one piece.
    pub price: Option<Amount>,
    /// How many pieces; `None` counts as one.
    pub quantity: Option<u32>,
}

/// A property or a trait.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, at most 8 KiB.
    Text(Box<str>),
    /// A number, kept as an exact decimal of four places.
    Number(Amount),
    /// True or false.
    Bool(bool),
}

// === impl EventId ===

impl EventId {
    /// The id `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 32 bits of it that a stroke keeps: the low half of its xxh3.
    #[must_use]
    pub fn bits(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is kept")]
        let low = xxh3_64(self.0.as_bytes()) as u32;
        low
    }
}
