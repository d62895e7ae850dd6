//! Interest: what an event paints and clears, and how a score fades.

use crate::history::{depths, tags};
use std::collections::BTreeSet;
use tzeva_audience::{Dose, Paint, PaintEvent};
use tzeva_model::{Event, Level, Millis, NameId, TagKey, UnixMillis};

/// A tag's score when it was last painted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) tag: TagKey,
    pub(crate) score: f32,
    pub(crate) at: UnixMillis,
}

// === impl Mark ===

impl Mark {
    /// The score at `now`, which is not before the mark was painted.
    pub(crate) fn faded(&self, paint: &Paint, now: UnixMillis) -> f64 {
        f64::from(self.score) * fade(now - self.at, half_life(paint, self.tag.level))
    }

    /// Tells whether the mark fades by another half-life under the one paint than under the other.
    pub(crate) fn fades_otherwise(&self, one: &Paint, other: &Paint) -> bool {
        half_life(one, self.tag.level) != half_life(other, self.tag.level)
    }

    /// The first instant at which the score is below `threshold`, by bisection over milliseconds.
    pub(crate) fn fades_below(&self, paint: &Paint, threshold: f64) -> UnixMillis {
        if self.faded(paint, self.at) < threshold {
            return self.at;
        }
        // After 1,300 half-lives the greatest f32 is below the smallest positive f64.
        let (mut above, mut below) = (0, half_life(paint, self.tag.level).times(1_300).get());
        while below - above > 1 {
            let middle = i64::midpoint(above, below);
            if self.faded(paint, self.at + Millis::new(middle)) < threshold {
                below = middle;
            } else {
                above = middle;
            }
        }
        self.at + Millis::new(below)
    }
}

/// Lets `event`, at its clamped instant `at`, paint and clear, then forgets what has become faint in the levels it
/// touched.
pub(crate) fn apply(marks: &mut Vec<Mark>, paint: &Paint, event: &Event, at: UnixMillis) {
    let Some(doses) = doses_of(paint, event.name.id()) else { return };
    let mut touched = BTreeSet::new();
    for tag in tags(event) {
        match dose(doses, tag.level) {
            Some(Dose::Add(weight)) => {
                add(marks, paint, (tag, weight * share_of(tag, event, paint)), at);
            }
            Some(Dose::Clear) => marks.retain(|mark| mark.tag != tag),
            None => continue,
        }
        touched.insert(tag.level);
    }
    marks.retain(|mark| {
        let score = mark.faded(paint, mark.at.max(at));
        !touched.contains(&mark.tag.level) || score >= paint.forget_below
    });
}

/// What the event named `name` does to tags of `level`.
pub(crate) fn dose_for(paint: &Paint, name: NameId, level: Level) -> Option<Dose> {
    doses_of(paint, name).and_then(|doses| dose(doses, level))
}

fn doses_of(paint: &Paint, name: NameId) -> Option<&PaintEvent> {
    paint.events.iter().find(|event| event.event == name)
}

fn dose(doses: &PaintEvent, level: Level) -> Option<Dose> {
    match level {
        Level::Shop => doses.shop,
        Level::Brand => doses.brand,
        Level::Category(_) => doses.category,
        Level::Product => doses.product,
    }
}

/// The older of the two, score or weight, arrives faded to the later one's instant.
fn add(marks: &mut Vec<Mark>, paint: &Paint, dab: (TagKey, f64), at: UnixMillis) {
    let (tag, weight) = dab;
    let half_life = half_life(paint, tag.level);
    match marks.iter_mut().find(|mark| mark.tag == tag) {
        None => marks.push(Mark { tag, score: rounded(weight), at }),
        Some(mark) => {
            let later = mark.at.max(at);
            let old = mark.faded(paint, later);
            mark.score = rounded(old + weight * fade(later - at, half_life));
            mark.at = later;
        }
    }
}

/// The part of the whole weight that a tag gets: all of it, save the upper depths of a category; of several ways down
/// the greatest.
fn share_of(tag: TagKey, event: &Event, paint: &Paint) -> f64 {
    if !matches!(tag.level, Level::Category(_)) {
        return 1.0;
    }
    let mut greatest = 0.0;
    for category in event.items.iter().filter_map(|item| item.category.as_ref()) {
        let path: Vec<TagKey> = depths(category).collect();
        let mut share = 1.0;
        for step in path.into_iter().rev() {
            if step == tag {
                greatest = f64::max(greatest, share);
            }
            share *= paint.falloff.category;
        }
    }
    greatest
}

fn half_life(paint: &Paint, level: Level) -> Millis {
    match level {
        Level::Shop => paint.half_life.shop,
        Level::Brand => paint.half_life.brand,
        Level::Category(_) => paint.half_life.category,
        Level::Product => paint.half_life.product,
    }
}

/// 2 to the power of −age / half-life.
fn fade(age: Millis, half_life: Millis) -> f64 {
    (-(age.get() as f64) / half_life.get() as f64).exp2()
}

/// Scores are kept as f32, rounded once a painting.
fn rounded(score: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "to the nearest f32 is what is meant")]
    let score = score as f32;
    score
}
