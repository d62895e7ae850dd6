//! Cells: events that history had no room for, counted by (event name, tag, UTC day).

use crate::history::{Stroke, item_tags, tags};
use tzeva_audience::{Field, FieldTest, Test, Where};
use tzeva_model::{Level, Millis, NameId, TagKey, UnixMillis};

/// Folded events of one name, tag and day; they all count as at the last one's instant.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) event: NameId,
    pub(crate) tag: TagKey,
    day: i64,
    pub(crate) count: u32,
    pub(crate) last: UnixMillis,
    /// Of the shop's cell what was earned, of another what the items with its tag cost; in ten-thousandths.
    pub(crate) sum: i128,
}

/// Counts `stroke` in the cell of each of its tags.
pub(crate) fn fold(cells: &mut Vec<Cell>, stroke: &Stroke) {
    let day = stroke.at.get().div_euclid(Millis::DAY.get());
    for tag in tags(&stroke.event) {
        let same = |cell: &&mut Cell| (cell.event, cell.tag, cell.day) == (stroke.name(), tag, day);
        match cells.iter_mut().find(same) {
            Some(cell) => {
                cell.count = cell.count.saturating_add(1);
                cell.last = cell.last.max(stroke.at);
                cell.sum += worth(stroke, tag);
            }
            None => {
                let (event, last, sum) = (stroke.name(), stroke.at, worth(stroke, tag));
                cells.push(Cell { event, tag, day, count: 1, last, sum });
            }
        }
    }
}

/// What a stroke is worth to the cell of one of its tags.
fn worth(stroke: &Stroke, tag: TagKey) -> i128 {
    if tag.level == Level::Shop {
        return stroke.event.revenue.map_or(0, |revenue| revenue.get().into());
    }
    let items = stroke.event.items.iter().zip(&stroke.merged);
    let with_tag = items.filter(|(item, _)| item_tags(item).contains(&tag));
    let cost = with_tag.map(|(item, merged)| match (merged, item.price) {
        (Some(sum), _) => i128::from(sum.get()),
        (None, Some(price)) => i128::from(price.get()) * i128::from(item.quantity.unwrap_or(1)),
        (None, None) => 0,
    });
    cost.sum()
}

/// Beyond `limit` cells: until an eighth of the limit is free again, the event name that has the most of them loses all
/// of its oldest day.
pub(crate) fn thin_out(cells: &mut Vec<Cell>, limit: usize) {
    if cells.len() <= limit {
        return;
    }
    while cells.len() > limit - limit / 8 {
        let many = |cell: &Cell| cells.iter().filter(|other| other.event == cell.event).count();
        let most = cells.iter().map(many).max();
        let crowded = cells.iter().filter(|cell| Some(many(cell)) == most);
        // Of several such names that with the oldest day, and then the smaller id.
        let Some((day, event)) = crowded.map(|cell| (cell.day, cell.event)).min() else { return };
        cells.retain(|cell| (cell.event, cell.day) != (event, day));
    }
}

/// Tells whether there are cells for `filter` at all.
pub(crate) fn has_cells(filter: &Where) -> bool {
    let named = |test: &FieldTest| {
        let has_tag = [Field::Product, Field::Brand, Field::Category].contains(&test.field);
        has_tag && matches!(&test.test, Test::In(names) if names.len() == 1)
    };
    filter.event.is_empty() && filter.item.len() <= 1 && filter.item.iter().all(named)
}

/// Tells whether cells of `tag` can stand for events that pass `filter`: the shop's cells do when there is no test at
/// all, a product's, brand's or category's when that one name is the only test. Of anything else cells know nothing.
pub(crate) fn answers(tag: TagKey, filter: &Where) -> bool {
    match (filter.item.as_slice(), filter.event.as_slice()) {
        ([], []) => tag.level == Level::Shop,
        ([only], []) => {
            let Test::In(names) = &only.test else { return false };
            let level = match tag.level {
                Level::Product => only.field == Field::Product,
                Level::Brand => only.field == Field::Brand,
                Level::Category(_) => only.field == Field::Category,
                Level::Shop => false,
            };
            level && names.len() == 1 && names[0].id() == tag.id
        }
        _ => false,
    }
}
