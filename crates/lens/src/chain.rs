//! Sequences: the latest chain of strokes that meet the steps one after the other.
//!
//! The last stroke as late as can be, then the latest one before it that meets the step before, and so on: of all chains
//! with this end it begins latest, so it is the one that fits a span if any does. Cells know no order: they count nothing.

use crate::direct::{Lens, Mark, window};
use crate::matching::matches;
use crate::verdict::Verdict;
use crate::view::View;
use smallvec::SmallVec;
use tzeva_audience::SequenceLeaf;
use tzeva_model::{Millis, UnixMillis};

/// Strokes that meet some step, oldest first: place, instant, and a bit for each step that it meets.
type Steps = SmallVec<[(usize, UnixMillis, u16); 16]>;

/// Strokes of a chain, newest first.
pub(crate) type Chain = SmallVec<[Mark; 4]>;

/// The verdict on a sequence.
pub(crate) fn sequence(
    lens: Lens,
    leaf: &SequenceLeaf,
    view: View<'_>,
    now: UnixMillis,
) -> Verdict {
    let chain = chain(lens, leaf, view, now);
    let (Some(end), Some(start)) = (chain.first(), chain.last()) else {
        return Verdict::settled(false);
    };
    // A later chain neither ends earlier nor begins earlier, so none outlasts the latest.
    let next = (end.at + window(leaf.within, lens.max_age)).min(start.at + lens.max_age);
    Verdict { holds: true, next }
}

/// The latest chain; empty if there is none.
pub(crate) fn chain(lens: Lens, leaf: &SequenceLeaf, view: View<'_>, now: UnixMillis) -> Chain {
    let steps = steps(leaf, view, now, lens.max_age);
    let window = window(leaf.within, lens.max_age);
    let last = leaf.steps.len() - 1;
    for (from, &(place, end, met)) in steps.iter().enumerate().rev() {
        if now >= end + window {
            break;
        }
        if met >> last & 1 == 0 {
            continue;
        }
        let mut chain = Chain::new();
        chain.push(Mark { at: end, count: 1, stroke: Some(place) });
        let mut before = &steps[..from];
        for step in (0..last).rev() {
            let Some(found) = before.iter().rposition(|(_, _, met)| met >> step & 1 == 1) else {
                // What comes before an earlier end is even less.
                return Chain::new();
            };
            let (place, at, _) = before[found];
            chain.push(Mark { at, count: 1, stroke: Some(place) });
            before = &before[..found];
        }
        let start = chain.last().map_or(end, |first| first.at);
        if leaf.span.is_none_or(|span| end - start < span) {
            return chain;
        }
    }
    Chain::new()
}

fn steps(leaf: &SequenceLeaf, view: View<'_>, now: UnixMillis, max_age: Millis) -> Steps {
    let mut found = Steps::new();
    for (place, stroke) in view.strokes() {
        if stroke.at > now || now >= stroke.at + max_age {
            continue;
        }
        let meets = |step: &tzeva_audience::Step| {
            stroke.event == step.name.id() && matches(stroke, &step.filter)
        };
        let met = (0..).zip(&leaf.steps).filter(|(_, step)| meets(step));
        let met = met.fold(0u16, |met, (bit, _)| met | 1 << bit);
        if met != 0 {
            found.push((place, stroke.at, met));
        }
    }
    found
}
