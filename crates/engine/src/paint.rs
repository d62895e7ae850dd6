//! Painting: what an event does to interest.
//!
//! An event paints each distinct tag that it carries once, whatever the number of items or pieces:
//! S ← S·2^(−(t'−t₀)/h) + w at t' = max(t₀, t), a late paint arriving already faded to t'. Then, in each level that was
//! painted or cleared, what has faded below `forget_below` at that instant is forgotten; never at another time.

use crate::pen::Pen;
use crate::wake::Woken;
use smallvec::SmallVec;
use tzeva_audience::{Dose, Paint, PaintEvent};
use tzeva_lens::view::{Undo, tag};
use tzeva_lens::{half_life, shop};
use tzeva_model::{Event, Level, NameId, TagKey, UnixMillis};
use tzeva_profile::{Op, Tag, decay};

/// The tags that an event paints, with the weight of each; `None` clears it.
type Strokes = SmallVec<[(TagKey, Option<f64>); 8]>;

/// Paints what `event`, counted as at `at`, carries. The tags as they were go to `undo`.
pub(crate) fn paint(
    pen: &mut Pen<'_>,
    event: &Event,
    at: UnixMillis,
    undo: &mut Undo,
    woken: &mut Woken,
) {
    let program = pen.program;
    let rules = &program.rules.paint;
    let Ok(found) = rules.events.binary_search_by(|e| e.event.cmp(&event.name.id())) else {
        return;
    };
    let strokes = carried(event, &rules.events[found], rules.falloff.category);
    let mut levels: SmallVec<[Level; 6]> = SmallVec::new();
    for &(key, dose) in &strokes {
        if !levels.contains(&key.level) {
            levels.push(key.level);
        }
        let before = tag(pen.profile, key).copied();
        match (dose, before) {
            (None, None) => {}
            (None, Some(_)) => set(pen, key, (before, None), undo),
            (Some(weight), before) => {
                set(pen, key, (before, painted(rules, key, before, (weight, at))), undo);
            }
        }
    }
    if rules.forget_below > 0.0 {
        forget(pen, rules, &levels, at, undo);
    }
    if !woken.all {
        woken.painted(pen.look(), undo);
    }
}

/// The tags of an event, each once: the shop, brands, category paths of every depth, products.
fn carried(event: &Event, doses: &PaintEvent, falloff: f64) -> Strokes {
    let mut strokes = Strokes::new();
    let weight = |dose: Dose| match dose {
        Dose::Add(weight) => Some(weight),
        Dose::Clear => None,
    };
    if let Some(dose) = doses.shop {
        strokes.push((shop(), weight(dose)));
    }
    let each = |level: Level, id: NameId, weight: Option<f64>, strokes: &mut Strokes| {
        let key = TagKey { level, id };
        match strokes.iter_mut().find(|(k, _)| *k == key) {
            // Only the depths of categories can weigh differently: the greatest counts.
            Some((_, known)) => *known = known.zip(weight).map(|(a, b)| a.max(b)),
            None => strokes.push((key, weight)),
        }
    };
    for item in &event.items {
        if let (Some(dose), Some(brand)) = (doses.brand, &item.brand) {
            each(Level::Brand, brand.id(), weight(dose), &mut strokes);
        }
        if let (Some(dose), Some(category)) = (doses.category, &item.category) {
            let mut here = weight(dose);
            for (depth, name) in category.depths().iter().enumerate().rev() {
                let level = Level::Category(u8::try_from(depth + 1).unwrap_or(u8::MAX));
                each(level, name.id(), here, &mut strokes);
                here = here.map(|weight| weight * falloff);
            }
        }
        if let (Some(dose), Some(product)) = (doses.product, &item.product) {
            each(Level::Product, product.id(), weight(dose), &mut strokes);
        }
    }
    strokes
}

/// The tag after `weight` was added at `at`; `None` if nothing is left of it in an f32.
fn painted(
    rules: &Paint,
    key: TagKey,
    before: Option<Tag>,
    (weight, at): (f64, UnixMillis),
) -> Option<Tag> {
    let half_life = half_life(&rules.half_life, key.level);
    let (score, at) = match before {
        None => (weight, at),
        Some(tag) if at < tag.at => {
            #[expect(clippy::cast_precision_loss, reason = "durations are far below 2^53 ms")]
            let late = (tag.at - at).get() as f64 / half_life.get() as f64;
            (f64::from(tag.score) + weight * decay::exp2(-late), tag.at)
        }
        Some(tag) => (decay::faded(tag.score, tag.at, half_life, at) + weight, at),
    };
    #[expect(clippy::cast_possible_truncation, reason = "rounded once, to what is stored")]
    let score = score.min(f64::from(f32::MAX)) as f32;
    (score > 0.0).then_some(Tag { key, score, at })
}

/// Removes, in `levels`, what is below `forget_below` at `at`.
fn forget(pen: &mut Pen<'_>, rules: &Paint, levels: &[Level], at: UnixMillis, undo: &mut Undo) {
    let mut faint: SmallVec<[Tag; 4]> = SmallVec::new();
    for tag in &pen.profile.tags {
        let half_life = half_life(&rules.half_life, tag.key.level);
        // Nearly all are far from it, which is told without a power.
        if !decay::is_far_above(tag, half_life, rules.forget_below, at)
            && levels.contains(&tag.key.level)
            && decay::faded(tag.score, tag.at, half_life, at.max(tag.at)) < rules.forget_below
        {
            faint.push(*tag);
        }
    }
    for tag in faint {
        set(pen, tag.key, (Some(tag), None), undo);
    }
}

/// Sets the tag under `key` from what it was to what it is to be.
fn set(
    pen: &mut Pen<'_>,
    key: TagKey,
    (before, value): (Option<Tag>, Option<Tag>),
    undo: &mut Undo,
) {
    if before.is_none() && value.is_none() {
        return;
    }
    undo.tags.push((key, before));
    match value {
        Some(tag) => pen.write(Op::Tag(tag)),
        None => pen.write(Op::Untag(key)),
    }
}
