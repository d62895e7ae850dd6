//! What is kept of a visitor's events, and what happens to it when an event is applied.
//!
//! The order of an application is part of the meaning: drop what is too old, insert, fold what is too many, merge items
//! that are too many, paint. Whether the event is a duplicate is asked before, of the history as it stands.

use crate::Settings;
use crate::fold::{Cell, fold, thin_out};
use crate::paint::Mark;
use tzeva_audience::Paint;
use tzeva_model::{Category, Event, Item, Level, NameId, NameKind, TagKey, UnixMillis, Value};

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
    /// The event as it came, save for items that had to be merged.
    pub(crate) event: Event,
}

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
        let mut event = event.clone();
        if event.items.len() > max_items {
            let rest = event.items.split_off(max_items);
            event.items.extend(merged(&rest));
        }
        let place = self.strokes.iter().filter(|stroke| stroke.at <= at).count();
        self.strokes.insert(place, Stroke { at, event });
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
                |stroke: &&mut Stroke| merged(&stroke.event.items).len() < stroke.event.items.len();
            let Some(stroke) = self.strokes.iter_mut().find(shrinks) else { return };
            stroke.event.items = merged(&stroke.event.items);
        }
    }
}

// === impl Stroke ===

impl Stroke {
    pub(crate) fn name(&self) -> NameId {
        self.event.name.id()
    }
}

/// One item for each distinct category among `items`, in order of first appearance: how many pieces in all.
fn merged(items: &[Item]) -> Vec<Item> {
    let mut merged: Vec<Item> = Vec::new();
    for item in items {
        let pieces = item.quantity.unwrap_or(1);
        match merged.iter_mut().find(|other| other.category == item.category) {
            Some(sum) => sum.quantity = sum.quantity.map(|sum| sum.saturating_add(pieces)),
            None => merged.push(Item {
                category: item.category.clone(),
                quantity: Some(pieces),
                ..Item::default()
            }),
        }
    }
    merged
}

/// The distinct tags that `event` carries: the shop, and of its items brands, categories of every depth, products.
pub(crate) fn tags(event: &Event) -> Vec<TagKey> {
    let mut tags = vec![shop()];
    for item in &event.items {
        let brand = item.brand.iter().map(|name| TagKey { level: Level::Brand, id: name.id() });
        let product =
            item.product.iter().map(|name| TagKey { level: Level::Product, id: name.id() });
        tags.extend(brand.chain(product));
        tags.extend(item.category.iter().flat_map(depths));
    }
    tags.sort();
    tags.dedup();
    tags
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
