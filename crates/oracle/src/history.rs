//! What is kept of a visitor's events, and what happens to it when an event is applied.
//!
//! The order of an application is part of the meaning: drop what is too old, insert, fold what is too many, merge items
//! that are too many, paint. Whether the event is a duplicate is asked before, of the history as it stands.

use crate::Settings;
use crate::fold::{Cell, fold, thin_out};
use crate::money::at_home;
use crate::paint::Mark;
use tzeva_audience::Paint;
use tzeva_model::{
    Amount, Category, Event, Item, Level, NameId, NameKind, TagKey, UnixMillis, Value,
};

/// A visitor's history: kept events in order of (instant, arrival), folded ones, and interest.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) marks: Vec<Mark>,
    /// What is known about the visitor: name, last known value, and when it was said.
    pub(crate) traits: Vec<(Box<str>, Value, UnixMillis)>,
}

/// A kept event.
#[derive(Clone, Debug)]
pub(crate) struct Stroke {
    /// Its instant, clamped.
    pub(crate) at: UnixMillis,
    /// The event as it came, save for amounts of another currency and items that had to be merged.
    pub(crate) event: Event,
    /// For each item: what those that were merged into it cost; `None` if it is one item.
    pub(crate) merged: Vec<Option<Amount>>,
}

/// An item, and if others were merged into it what all of them cost.
type Kept = (Item, Option<Amount>);

// === impl History ===

impl History {
    /// Tells whether an event of this instant and these id bits is kept.
    pub(crate) fn holds(&self, at: UnixMillis, id_bits: u32) -> bool {
        self.strokes.iter().any(|stroke| stroke.at == at && stroke.event.id.bits() == id_bits)
    }

    /// Applies `event`, whose clamped instant is `at`, at engine time `now`.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        at: UnixMillis,
        now: UnixMillis,
        rules: (&Paint, &Settings),
    ) {
        let (paint, settings) = rules;
        self.strokes.retain(|stroke| now < stroke.at + settings.max_age);
        self.cells.retain(|cell| now < cell.last + settings.max_age);
        let first = self.strokes.iter().find_map(|stroke| stroke.event.currency);
        let event = &at_home(event, first, &settings.currencies);
        self.insert(event, at, settings.max_items);
        while self.strokes.len() > settings.max_strokes {
            let oldest = self.strokes.remove(self.to_fold());
            fold(&mut self.cells, &oldest);
        }
        thin_out(&mut self.cells, settings.max_cells);
        self.merge_items(settings.max_total_items);
        crate::paint::apply(&mut self.marks, paint, event, at);
        self.learn(event, at);
    }

    /// What was said last counts, not what came last.
    fn learn(&mut self, event: &Event, at: UnixMillis) {
        for (name, value) in &event.traits {
            match self.traits.iter_mut().find(|(other, ..)| other == name) {
                Some((_, known, said)) if at >= *said => (*known, *said) = (value.clone(), at),
                Some(_) => {}
                None => self.traits.push((name.clone(), value.clone(), at)),
            }
        }
    }

    /// Inserts behind everything that is not later; of many items the first `max_items` stay as they are.
    fn insert(&mut self, event: &Event, at: UnixMillis, max_items: usize) {
        let mut items: Vec<Kept> = event.items.iter().map(|item| (item.clone(), None)).collect();
        if items.len() > max_items {
            let rest = items.split_off(max_items);
            items.extend(merged(&rest));
        }
        let place = self.strokes.iter().filter(|stroke| stroke.at <= at).count();
        let mut stroke = Stroke { at, event: event.clone(), merged: Vec::new() };
        stroke.set_items(items);
        self.strokes.insert(place, stroke);
    }

    /// The oldest stroke of the event name that has the most; of names that have equally many, the one whose oldest
    /// stroke comes first.
    fn to_fold(&self) -> usize {
        let many = |index: usize| {
            let name = self.strokes[index].event.name.id();
            self.strokes.iter().filter(|stroke| stroke.event.name.id() == name).count()
        };
        let most = (0..self.strokes.len()).map(many).max();
        (0..self.strokes.len()).find(|&index| Some(many(index)) == most).unwrap_or(0)
    }

    /// Merges the items of the oldest strokes until the strokes with more than one item have at most `limit` together.
    fn merge_items(&mut self, limit: usize) {
        loop {
            let lengths = self.strokes.iter().map(|stroke| stroke.event.items.len());
            if lengths.filter(|&length| length > 1).sum::<usize>() <= limit {
                return;
            }
            let shrinks =
                |stroke: &&mut Stroke| merged(&stroke.items()).len() < stroke.event.items.len();
            let Some(stroke) = self.strokes.iter_mut().find(shrinks) else { return };
            let items = merged(&stroke.items());
            stroke.set_items(items);
        }
    }
}

// === impl Stroke ===

impl Stroke {
    pub(crate) fn name(&self) -> NameId {
        self.event.name.id()
    }

    fn items(&self) -> Vec<Kept> {
        self.event.items.iter().cloned().zip(self.merged.iter().copied()).collect()
    }

    fn set_items(&mut self, items: Vec<Kept>) {
        (self.event.items, self.merged) = items.into_iter().unzip();
    }
}

/// One item for each distinct category among `items`, in order of first appearance: how many pieces in all, and what they
/// cost.
fn merged(items: &[Kept]) -> Vec<Kept> {
    let mut merged: Vec<Kept> = Vec::new();
    for (item, sum) in items {
        let pieces = item.quantity.unwrap_or(1);
        let price = item.price.map(|price| price.times(pieces.into()));
        let cost = sum.or(price).unwrap_or(Amount::ZERO);
        match merged.iter_mut().find(|(other, _)| other.category == item.category) {
            Some((into, total)) => {
                into.quantity = into.quantity.map(|sum| sum.saturating_add(pieces));
                *total = total.map(|total| total + cost);
            }
            None => {
                let category = item.category.clone();
                let into = Item { category, quantity: Some(pieces), ..Item::default() };
                merged.push((into, Some(cost)));
            }
        }
    }
    merged
}

/// The distinct tags that `event` carries: the shop, and of its items brands, categories of every depth, products.
pub(crate) fn tags(event: &Event) -> Vec<TagKey> {
    let mut tags = vec![shop()];
    tags.extend(event.items.iter().flat_map(item_tags));
    tags.sort();
    tags.dedup();
    tags
}

/// The tags of one item.
pub(crate) fn item_tags(item: &Item) -> Vec<TagKey> {
    let brand = item.brand.iter().map(|name| TagKey { level: Level::Brand, id: name.id() });
    let product = item.product.iter().map(|name| TagKey { level: Level::Product, id: name.id() });
    brand.chain(product).chain(item.category.iter().flat_map(depths)).collect()
}

/// The tag of the whole shop.
pub(crate) fn shop() -> TagKey {
    TagKey { level: Level::Shop, id: NameId::of(NameKind::Shop, "") }
}

/// A tag for each depth of a category, root first.
pub(crate) fn depths(category: &Category) -> impl Iterator<Item = TagKey> {
    (1u8..)
        .zip(category.depths())
        .map(|(depth, name)| TagKey { level: Level::Category(depth), id: name.id() })
}
