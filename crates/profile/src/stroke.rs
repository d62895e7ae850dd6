//! Strokes: the compact mark that one event leaves in a profile's recent history.

use smallvec::SmallVec;
use std::sync::Arc;
use tzeva_model::{Amount, Currency, Level, NameId, TagKey, UnixMillis, Value};

/// What history keeps of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// When it occurred, clamped to its record time.
    pub at: UnixMillis,
    /// The event's name.
    pub event: NameId,
    /// 32 bits of the event's id, for dedupe: with an equal `at` it is the same event.
    pub id_bits: u32,
    /// Its items.
    pub items: SmallVec<[StrokeItem; 1]>,
    /// What it earned, see `Event::revenue`.
    pub revenue: Option<Amount>,
    /// The currency of its amounts.
    pub currency: Option<Currency>,
    /// What few events have; `None` if it would be empty. Strokes that have the same share it.
    pub extra: Option<Arc<Extra>>,
}

/// One product of a stroke.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrokeItem {
    /// The product.
    pub product: Option<NameId>,
    /// The brand.
    pub brand: Option<NameId>,
    /// The category path as ids, root first; empty: none.
    pub category: SmallVec<[NameId; 2]>,
    /// The price of one piece; `None` in a merged item.
    pub price: Option<Amount>,
    /// How many pieces; `None` counts as one.
    pub quantity: Option<u32>,
    /// Set in an item that stands for several, merged by category: the sum of their price × quantity.
    pub merged: Option<Amount>,
}

/// The fields of a stroke that few events have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// The coupon used.
    pub coupon: Option<Box<str>>,
    /// The channel.
    pub channel: Option<Box<str>>,
    /// The country.
    pub country: Option<Box<str>>,
    /// The page's path, if kept.
    pub page_path: Option<Box<str>>,
    /// Kept properties, sorted by name.
    pub properties: Vec<(Box<str>, Value)>,
}

// === impl StrokeItem ===

impl StrokeItem {
    /// Price × quantity, or the sum of a merged item; `None` if no price is known.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        let pieces = i64::from(self.quantity.unwrap_or(1));
        self.merged.or_else(|| self.price.map(|price| price.times(pieces)))
    }

    /// The keys of the tags it carries: brand, each depth of its category path, product. The shop's is the stroke's.
    pub fn tag_keys(&self) -> impl Iterator<Item = TagKey> {
        let brand = self.brand.map(|id| TagKey { level: Level::Brand, id });
        let product = self.product.map(|id| TagKey { level: Level::Product, id });
        // A depth is a u8 that starts at 1; deeper paths are no tags.
        let depths = (1..=u8::MAX).zip(&self.category);
        let category = depths.map(|(depth, &id)| TagKey { level: Level::Category(depth), id });
        brand.into_iter().chain(category).chain(product)
    }
}
