//! History's limits: what an event adds, and what has to go for it.
//!
//! Strokes too old to count are dropped. Beyond `max_strokes` the event name with the most strokes gives up its oldest,
//! which folds into cells: so a flood of page views can't push out purchases. Beyond `max_total_items` the oldest orders
//! have their items merged by category. What was folded or merged is said: `exact_since`. Beyond `max_cells` the event
//! name with the most cells gives up its oldest day.

use crate::live::Live;
use crate::money::Money;
use crate::pen::Pen;
use crate::settings::Settings;
use crate::wake::{Before, Woken};
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::sync::Arc;
use tzeva_lens::shop;
use tzeva_lens::view::{CellKey, Gone, Undo, cell};
use tzeva_model::{Amount, Event, Item, Millis, NameId, TagKey, UnixMillis};
use tzeva_profile::{Cell, Extra, Op, Profile, Stroke, StrokeItem, day};

/// Tells whether an event with this instant and these bits of its id has left a stroke.
pub(crate) fn is_known(profile: &Profile, at: UnixMillis, id_bits: u32) -> bool {
    let from = profile.strokes.partition_point(|stroke| stroke.at < at);
    profile.strokes[from..].iter().take_while(|s| s.at == at).any(|s| s.id_bits == id_bits)
}

/// Tells whether a repeat of an event at `at` might go unseen: strokes of that time may be gone.
pub(crate) fn may_repeat_unseen(profile: &Profile, at: UnixMillis) -> bool {
    profile.exact_since.is_some_and(|since| at < since)
        && profile.strokes.first().is_some_and(|oldest| at < oldest.at)
}

/// The stroke that `event`, counted as at `at`, leaves in `profile`.
pub(crate) fn stroke(
    profile: &Profile,
    event: &Event,
    at: UnixMillis,
    settings: &Settings,
) -> Stroke {
    let money = Money::of(event, profile, &settings.currencies);
    let mut items: SmallVec<[StrokeItem; 1]> =
        event.items.iter().map(|one| item(one, money)).collect();
    if items.len() > settings.max_items {
        let rest = merged_by_category(&items[settings.max_items..]);
        items.truncate(settings.max_items);
        items.extend(rest);
    }
    Stroke {
        at,
        event: event.name.id(),
        id_bits: event.id.bits(),
        items,
        revenue: money.count(event.revenue),
        currency: money.currency(),
        extra: extra(profile, event),
    }
}

/// What few events have; shared with the last stroke, if that has the same.
fn extra(profile: &Profile, event: &Event) -> Option<Arc<Extra>> {
    let is_same = |known: &Extra| {
        known.channel == event.channel
            && known.country == event.country
            && known.coupon == event.coupon
            && known.page_path == event.page_path
            && known.properties == event.properties
    };
    let last = profile.strokes.last().and_then(|stroke| stroke.extra.as_ref());
    if let Some(known) = last.filter(|known| is_same(known)) {
        return Some(Arc::clone(known));
    }
    if is_same(&Extra::default()) {
        return None;
    }
    Some(Arc::new(Extra {
        coupon: event.coupon.clone(),
        channel: event.channel.clone(),
        country: event.country.clone(),
        page_path: event.page_path.clone(),
        properties: event.properties.clone(),
    }))
}

/// Drops what is too old to count at `now`. No truth changes by it.
pub(crate) fn forget_old(pen: &mut Pen<'_>, max_age: Millis, undo: &mut Undo) {
    let now = pen.now;
    let old_strokes = pen.profile.strokes.partition_point(|stroke| stroke.at + max_age <= now);
    for _ in 0..old_strokes {
        let stroke = pen.profile.strokes[0].clone();
        let matched = pen.program.matched(&stroke);
        pen.live.remove(pen.program, &matched, &stroke);
        undo.note(Gone::Dropped(0, stroke));
        pen.write(Op::DropStroke(0));
    }
    let oldest_live = now - max_age + Millis::new(1);
    let gone = |cell: &Cell| cell.last < oldest_live;
    if pen.profile.cells.iter().any(gone) {
        let cells = pen.profile.cells.iter().filter(|cell| gone(cell)).copied().collect();
        undo.note(Gone::Cells(cells));
        pen.write(Op::DropCells(oldest_live));
        *pen.live = Live::of(pen.program, pen.profile);
    }
}

/// Inserts the stroke of an event.
pub(crate) fn insert(pen: &mut Pen<'_>, stroke: Stroke, undo: &mut Undo, woken: &mut Woken) {
    let (at, event) = (stroke.at, stroke.event);
    let matched = pen.program.matched(&stroke);
    let before = woken.watch(|| Before::stroke(pen.look(), &matched, (event, at)));
    undo.inserted(pen.profile.strokes.partition_point(|other| other.at <= at));
    pen.live.add(pen.program, &matched, &stroke);
    pen.write(Op::Stroke(stroke));
    if let Some(before) = before {
        woken.compare(pen.look(), &before);
        woken.counted(pen.look(), &matched, at);
    }
}

/// Takes in what an event says about the visitor itself.
pub(crate) fn learn(
    pen: &mut Pen<'_>,
    (event, at): (&Event, UnixMillis),
    undo: &mut Undo,
    woken: &mut Woken,
) {
    for (name, value) in &event.traits {
        let known = pen.profile.traits.iter().find(|(n, ..)| n == name);
        if known.is_some_and(|(_, _, said)| at < *said) {
            continue;
        }
        if !undo.traits.iter().any(|(n, _)| n == name) {
            undo.traits.push((name.clone(), known.map(|(_, value, _)| value.clone())));
        }
        let asking = pen.program.by_trait.get(name).map_or(&[][..], Vec::as_slice);
        let look = pen.look();
        let truth = |&clause: &u32| (clause, look.clause(look.clauses(clause)).holds);
        let before: SmallVec<[(u32, bool); 8]> = asking.iter().map(truth).collect();
        pen.write(Op::Trait(name.clone(), value.clone(), at));
        if !woken.all {
            woken.turned(pen.look(), &before);
        }
    }
}

/// Folds and merges until the profile is within its limits.
pub(crate) fn make_room(
    pen: &mut Pen<'_>,
    (event, settings): (&Event, &Settings),
    undo: &mut Undo,
    woken: &mut Woken,
) {
    while pen.profile.strokes.len() > settings.max_strokes {
        fold(pen, undo, woken);
    }
    if pen.profile.cells.len() > settings.max_cells {
        let kept = settings.max_cells - settings.max_cells / 8;
        while pen.profile.cells.len() > kept {
            drop_day(pen, undo);
        }
        // Counts of the name fall, and those of others that start after its last event may rise.
        woken.all = true;
    }
    // Their sum grows by strokes with several alone; without one there is nothing to merge that was not there before.
    while event.items.len() > 1 && total_items(pen.profile) > settings.max_total_items {
        let mergeable = pen.profile.strokes.iter().enumerate().find_map(|(place, stroke)| {
            let merged = merged_by_category(&stroke.items);
            (merged.len() < stroke.items.len()).then_some((place, merged))
        });
        let Some((place, merged)) = mergeable else { break };
        let stroke = &pen.profile.strokes[place];
        let at = stroke.at;
        undo.note(Gone::Merged(place, stroke.items.clone()));
        pen.write(Op::MergeItems(index(place), merged));
        exact_after(pen, at);
        *pen.live = Live::of(pen.program, pen.profile);
        woken.all = true;
    }
}

/// Folds one stroke.
fn fold(pen: &mut Pen<'_>, undo: &mut Undo, woken: &mut Woken) {
    let place = to_fold(pen.profile);
    let stroke = pen.profile.strokes[place].clone();
    let at = stroke.at;
    let matched = pen.program.matched(&stroke);
    let later = &pen.profile.strokes[place + 1..];
    // Counting after the last of this name would start from a cell now, whose instant may be another.
    woken.all |= !later.iter().any(|other| other.event == stroke.event);
    let before = woken.watch(|| Before::fold(pen.look(), &matched));
    let cells = cells_of(pen.profile, &stroke);
    pen.write(Op::FoldStroke(index(place)));
    exact_after(pen, at);
    pen.live.remove(pen.program, &matched, &stroke);
    undo.note(Gone::Folded(place, stroke, cells));
    if let Some(before) = before {
        woken.compare(pen.look(), &before);
    }
    pen.draft.counts.folded += 1;
}

/// Lets the oldest day of the event name with the most cells go; of two such names, the one with the older day, and of
/// two such days that of the smaller id.
fn drop_day(pen: &mut Pen<'_>, undo: &mut Undo) {
    let of_a_name = pen.profile.cells.chunk_by(|a, b| a.event == b.event);
    let days = of_a_name.map(|cells| {
        let day = cells.iter().map(|cell| cell.day).min().unwrap_or(0);
        (Reverse(cells.len()), day, cells[0].event)
    });
    let Some((_, day, event)) = days.min() else { return };
    let going = pen.profile.cells.iter().filter(|cell| (cell.event, cell.day) == (event, day));
    undo.note(Gone::Cells(going.copied().collect()));
    pen.write(Op::DropDay(event, day));
    pen.draft.counts.days_dropped += 1;
}

/// The cells that `stroke` folds into, as they are.
fn cells_of(profile: &Profile, stroke: &Stroke) -> Vec<(CellKey, Option<Cell>)> {
    let mut keys: SmallVec<[TagKey; 8]> = SmallVec::from_slice(&[shop()]);
    for key in stroke.items.iter().flat_map(StrokeItem::tag_keys) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let keys = keys.into_iter().map(|tag| (stroke.event, tag, day(stroke.at)));
    keys.map(|key| (key, cell(profile, key))).collect()
}

fn exact_after(pen: &mut Pen<'_>, at: UnixMillis) {
    let since = at + Millis::new(1);
    if pen.profile.exact_since.is_none_or(|old| old < since) {
        pen.write(Op::ExactSince(since));
    }
}

/// The place of the stroke to fold: the oldest of the name that has the most; of two such names, the one whose oldest
/// comes first.
fn to_fold(profile: &Profile) -> usize {
    // (name, place of its oldest, how many), in order of the oldest.
    let mut names: SmallVec<[(NameId, usize, usize); 8]> = SmallVec::new();
    for (place, stroke) in profile.strokes.iter().enumerate() {
        match names.iter_mut().find(|(name, ..)| *name == stroke.event) {
            Some((_, _, count)) => *count += 1,
            None => names.push((stroke.event, place, 1)),
        }
    }
    let most = names.iter().map(|&(_, _, count)| count).max().unwrap_or(0);
    names.iter().find(|&&(_, _, count)| count == most).map_or(0, |&(_, place, _)| place)
}

/// Items of strokes that have more than one.
fn total_items(profile: &Profile) -> usize {
    profile.strokes.iter().map(|s| s.items.len()).filter(|&items| items > 1).sum()
}

/// One item for each distinct category path, in order of first appearance.
fn merged_by_category(items: &[StrokeItem]) -> Vec<StrokeItem> {
    let mut merged: Vec<StrokeItem> = Vec::new();
    for item in items {
        let quantity = item.quantity.unwrap_or(1);
        match merged.iter_mut().find(|m| m.category == item.category) {
            Some(into) => {
                into.quantity = Some(into.quantity.unwrap_or(1).saturating_add(quantity));
                into.merged = sum(into.merged, item.amount());
            }
            None => merged.push(StrokeItem {
                category: item.category.clone(),
                quantity: Some(quantity),
                merged: item.amount(),
                ..StrokeItem::default()
            }),
        }
    }
    merged
}

fn sum(a: Option<Amount>, b: Option<Amount>) -> Option<Amount> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    }
}

fn item(item: &Item, money: Money) -> StrokeItem {
    let depths = item.category.as_ref().map_or(&[][..], |category| category.depths());
    StrokeItem {
        product: item.product.as_ref().map(tzeva_model::Name::id),
        brand: item.brand.as_ref().map(tzeva_model::Name::id),
        category: depths.iter().map(tzeva_model::Name::id).collect(),
        price: money.count(item.price),
        quantity: item.quantity,
        merged: None,
    }
}

fn index(place: usize) -> u16 {
    // A profile holds at most `max_strokes` + 1 strokes, and settings cap those far below.
    u16::try_from(place).unwrap_or(u16::MAX)
}
