//! Tags: the nodes of interest that events paint.

use crate::NameId;

/// The level of a tag. Tags compete (rank, share) only within their level, categories only within one depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The shop as a whole: one tag.
    Shop,
    /// Brands.
    Brand,
    /// Categories of one depth; 1 is `Shoes`, 2 is `Shoes/Running`.
    Category(u8),
    /// Products.
    Product,
}

/// Which tag: its level and the id of the thing it stands for (of the shop: `NameKind::Shop` and the empty name).
///
/// A tag has no id of its own: the tag `brand/Acme` is the brand `Acme` seen as interest, so a profile that holds the
/// id for its strokes needs no second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagKey {
    /// The level.
    pub level: Level,
    /// The id of the shop, brand, category path or product.
    pub id: NameId,
}
