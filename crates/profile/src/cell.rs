//! Cells: strokes that history had no room for, folded by (event, tag, UTC day).

use tzeva_model::{Amount, NameId, TagKey, UnixMillis};

/// Which of a stroke's tags a cell counts for. Every folded stroke goes into the cell of the shop, and once into that of
/// each distinct brand, category path (every depth) and product among its items.
pub type CellTag = TagKey;

/// Folded strokes of one event name, one tag and one UTC day. They count as at the last one's instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The event's name.
    pub event: NameId,
    /// The tag.
    pub tag: CellTag,
    /// The UTC day: whole days since the Unix epoch.
    pub day: i32,
    /// How many strokes, at least 1.
    pub count: u32,
    /// Of the shop's cell the sum of revenues, of another the sum of price × quantity of the items that carry the tag.
    pub sum: Amount,
    /// The first instant folded in.
    pub first: UnixMillis,
    /// The last one.
    pub last: UnixMillis,
}
