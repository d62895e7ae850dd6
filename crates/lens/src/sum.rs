//! Sums: what strokes and cells add, and when a comparison changes as they leave the window.
//!
//! With negative terms a sum can rise as well as fall while time passes, so the next change is found by letting the terms
//! go one instant after the other.

use crate::direct::{Lens, cell_tag, window};
use crate::matching::{item_meets, matches};
use crate::verdict::{NEVER, Verdict};
use crate::view::View;
use tzeva_audience::{AmountTest, Field, SumLeaf, Where};
use tzeva_model::{Amount, Millis, UnixMillis, Value};
use tzeva_profile::{Stroke, StrokeItem};

/// What one instant adds to a sum, in ten-thousandths.
pub type Term = (UnixMillis, i64);

/// What `stroke`, which meets `filter`, adds.
pub fn term(stroke: &Stroke, filter: &Where, of: &Field) -> i64 {
    let items = || stroke.items.iter().filter(|item| item_meets(item, filter));
    let sum = match of {
        Field::Revenue if filter.item.is_empty() => stroke.revenue.unwrap_or_default(),
        Field::Revenue => items().filter_map(StrokeItem::amount).sum(),
        Field::Quantity => {
            items().map(|item| Amount::new(10_000).times(item.quantity.unwrap_or(1).into())).sum()
        }
        Field::Price => items().filter_map(|item| item.price).sum(),
        Field::Property(name) => {
            let properties = stroke.extra.iter().flat_map(|extra| &extra.properties);
            match properties.into_iter().find(|(other, _)| other == name) {
                Some((_, Value::Number(number))) => *number,
                _ => Amount::ZERO,
            }
        }
        _ => Amount::ZERO,
    };
    sum.get()
}

/// Tells whether cells hold what is added up: of revenue they do, if they can tell whose.
#[inline]
pub fn in_cells(of: &Field, filter: &Where) -> bool {
    *of == Field::Revenue && cell_tag(filter).is_some()
}

/// The verdict on a sum of `terms`, which are ascending and in the window.
///
/// Its next instant is that at which the sum leaves the side of the range that it is on: below, within or above. A sum
/// above a range may leap over it, so this may be early. It has to be: told only if it stops in the range, it could
/// come sooner by a term more, which the engine relies on not to happen.
pub fn verdict(
    test: AmountTest,
    window: Millis,
    terms: impl Iterator<Item = Term> + Clone,
) -> Verdict {
    let mut sum = total(terms.clone());
    let (low, high) = test.range();
    let side = |sum: i128| (sum < low, sum > high);
    let (holds, now) = (test.holds(sum), side(sum));
    let mut terms = terms.peekable();
    while let Some((at, value)) = terms.next() {
        sum -= i128::from(value);
        let is_last_of_instant = terms.peek().is_none_or(|(next, _)| *next > at);
        if is_last_of_instant && side(sum) != now {
            return Verdict { holds, next: at + window };
        }
    }
    Verdict { holds, next: NEVER }
}

/// What terms add up to.
pub fn total(terms: impl Iterator<Item = Term>) -> i128 {
    terms.map(|(_, value)| i128::from(value)).sum()
}

// === impl Lens ===

impl Lens {
    /// The verdict on a sum, read off strokes and cells.
    pub(crate) fn sum(self, leaf: &SumLeaf, view: View<'_>, now: UnixMillis) -> Verdict {
        let window = window(leaf.within, self.max_age);
        let live = |at: UnixMillis| at <= now && now < at + window;
        let event = leaf.event.id();
        let strokes = view.strokes().map(|(_, stroke)| stroke);
        let strokes =
            strokes.filter(|s| s.event == event && live(s.at) && matches(s, &leaf.filter));
        let mut terms: Vec<Term> =
            strokes.map(|stroke| (stroke.at, term(stroke, &leaf.filter, &leaf.of))).collect();
        if let Some(tag) = cell_tag(&leaf.filter).filter(|_| in_cells(&leaf.of, &leaf.filter)) {
            let cells = view.cells(event, tag).iter().filter(|cell| live(cell.last));
            terms.extend(cells.map(|cell| (cell.last, cell.sum.get())));
            terms.sort_by_key(|(at, _)| *at);
        }
        verdict(leaf.is, window, terms.iter().copied())
    }
}
