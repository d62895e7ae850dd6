//! The direct way: what a leaf says about a history, read off strokes, cells and tags.
//!
//! Slow and plain. It serves what is rare: the reason of a transition, with the truth before it and the evidence, ties
//! at one millisecond, and the tests of the fast way.

use crate::chain;
use crate::level::Scores;
use crate::matching::{matches, value_meets};
use crate::sum::in_cells;
use crate::verdict::{NEVER, Verdict, flips_below};
use crate::view::View;
use tzeva_audience::{EventLeaf, Field, HalfLives, InterestLeaf, LastLeaf, Leaf, Test, Where};
use tzeva_model::{Level, Millis, NameId, NameKind, TagKey, UnixMillis};
use tzeva_profile::decay;

/// Events that a leaf looks at: one stroke, or a cell of them.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// When; of a cell its last instant.
    pub at: UnixMillis,
    /// How many.
    pub count: u32,
    /// The stroke's place; `None`: a cell.
    pub stroke: Option<usize>,
}

/// What a direct look needs beside the history.
#[derive(Clone, Copy, Debug)]
pub struct Lens {
    /// How long anything counts.
    pub max_age: Millis,
    /// How interest fades.
    pub half_life: HalfLives,
}

// === impl Lens ===

impl Lens {
    /// The verdict of `leaf` on `view` at `now`.
    pub fn leaf(self, leaf: &Leaf, view: View<'_>, now: UnixMillis) -> Verdict {
        match leaf {
            Leaf::Event(event) => self.event(event, view, now),
            Leaf::Sum(sum) => self.sum(sum, view, now),
            Leaf::Last(last) => self.last(last, view, now),
            Leaf::Interest(interest) => self.interest(interest, view, now),
            Leaf::Rank(leaf) => {
                Verdict::settled(Scores::of(self, view, leaf.tag.level).ranks(leaf))
            }
            Leaf::Share(leaf) => {
                Verdict::settled(Scores::of(self, view, leaf.tag.level).shares(leaf))
            }
            Leaf::Sequence(leaf) => chain::sequence(self, leaf, view, now),
            Leaf::Trait(leaf) => Verdict::settled(value_meets(view.value(&leaf.name), &leaf.test)),
            // Whoever becomes a member or ceases to be one wakes those that ask for it.
            Leaf::In(leaf) => Verdict::settled(view.is_member(leaf.audience.id())),
        }
    }

    /// The half-life of a level.
    #[inline]
    pub fn half_life(self, level: Level) -> Millis {
        half_life(&self.half_life, level)
    }

    /// What makes the truth of `leaf`: the events that it counts, newest first. Nothing if it isn't about events.
    pub fn marks(self, leaf: &Leaf, view: View<'_>, now: UnixMillis) -> Vec<Mark> {
        match leaf {
            Leaf::Event(event) => self.counted(event, view, now),
            Leaf::Sum(sum) => {
                let window = window(sum.within, self.max_age);
                let mut marks = self.matched(sum.event.id(), &sum.filter, view, now);
                let told = |mark: &Mark| mark.stroke.is_some() || in_cells(&sum.of, &sum.filter);
                marks.retain(|mark| now < mark.at + window && told(mark));
                marks
            }
            Leaf::Last(last) => self.matched(last.event.id(), &last.filter, view, now),
            Leaf::Sequence(leaf) => chain::chain(self, leaf, view, now).into_vec(),
            _ => Vec::new(),
        }
    }

    fn event(self, leaf: &EventLeaf, view: View<'_>, now: UnixMillis) -> Verdict {
        let marks = self.counted(leaf, view, now);
        let window = window(leaf.within, self.max_age);
        let pairs = || marks.iter().map(|mark| (mark.at, mark.count));
        let count = pairs().fold(0u32, |sum, (_, count)| sum.saturating_add(count));
        let next = match flips_below(leaf.count, count) {
            Some(left) => expiry(pairs(), left, window),
            None => NEVER,
        };
        Verdict { holds: leaf.count.holds(count), next }
    }

    fn last(self, leaf: &LastLeaf, view: View<'_>, now: UnixMillis) -> Verdict {
        let marks = self.matched(leaf.event.id(), &leaf.filter, view, now);
        last_verdict(marks.first().map(|mark| mark.at), leaf, self.max_age, now)
    }

    fn interest(self, leaf: &InterestLeaf, view: View<'_>, now: UnixMillis) -> Verdict {
        let half_life = self.half_life(leaf.tag.level);
        let reaches = match view.tag(leaf.tag) {
            Some(tag) => {
                let score = decay::faded(tag.score, tag.at, half_life, now.max(tag.at));
                if score >= leaf.threshold {
                    let next = decay::fades_below(tag, half_life, leaf.threshold);
                    Verdict { holds: true, next }
                } else {
                    Verdict::settled(false)
                }
            }
            None => Verdict::settled(false),
        };
        if leaf.at_least { reaches } else { reaches.negated() }
    }

    fn counted(self, leaf: &EventLeaf, view: View<'_>, now: UnixMillis) -> Vec<Mark> {
        let window = window(leaf.within, self.max_age);
        let mut marks = self.matched(leaf.name.id(), &leaf.filter, view, now);
        marks.retain(|mark| now < mark.at + window);
        if let Some(floor) = self.floor(leaf, view, now) {
            marks.retain(|mark| match (mark.stroke, floor.stroke) {
                (Some(mark), Some(floor)) => mark > floor,
                _ => mark.at > floor.at,
            });
        }
        marks
    }

    /// The last event after which `leaf` counts.
    pub(crate) fn floor(self, leaf: &EventLeaf, view: View<'_>, now: UnixMillis) -> Option<Mark> {
        // A stroke comes behind a cell of the same instant: what was folded was the older.
        let all = self.matched(leaf.after.as_ref()?.id(), &Where::default(), view, now);
        all.first().copied()
    }

    /// All live events of this name that meet `filter`, newest first.
    fn matched(self, event: NameId, filter: &Where, view: View<'_>, now: UnixMillis) -> Vec<Mark> {
        let live = |at: UnixMillis| at <= now && now < at + self.max_age;
        let mut marks: Vec<Mark> = view
            .strokes()
            .rev()
            .filter(|(_, stroke)| stroke.event == event && live(stroke.at))
            .filter(|(_, stroke)| matches(stroke, filter))
            .map(|(place, stroke)| Mark { at: stroke.at, count: 1, stroke: Some(place) })
            .collect();
        if let Some(tag) = cell_tag(filter) {
            let cells = view.cells(event, tag).iter().filter(|cell| live(cell.last));
            marks.extend(cells.map(|c| Mark { at: c.last, count: c.count, stroke: None }));
            marks.sort_by_key(|mark| std::cmp::Reverse(mark.at));
        }
        marks
    }
}

/// The window of a leaf: no longer than history counts.
#[inline]
pub fn window(within: Option<Millis>, max_age: Millis) -> Millis {
    within.unwrap_or(max_age).min(max_age)
}

/// When so many of `marks` (newest first) have left the window that at most `left` are in it.
fn expiry(marks: impl Iterator<Item = (UnixMillis, u32)>, left: u32, window: Millis) -> UnixMillis {
    let mut sum = 0u32;
    for (at, count) in marks {
        sum = sum.saturating_add(count);
        if sum > left {
            return at + window;
        }
    }
    NEVER
}

/// The verdict of a `last` leaf whose last event was at `last`.
#[inline]
pub fn last_verdict(
    last: Option<UnixMillis>,
    leaf: &LastLeaf,
    max_age: Millis,
    now: UnixMillis,
) -> Verdict {
    let Some(last) = last.filter(|&last| now < last + max_age) else {
        return Verdict::settled(false);
    };
    let (turn, end) = (last + leaf.ago, last + max_age);
    match (leaf.at_least, now < turn) {
        (true, true) => Verdict { holds: false, next: if turn < end { turn } else { NEVER } },
        (true, false) => Verdict { holds: true, next: end },
        (false, true) => Verdict { holds: true, next: turn.min(end) },
        (false, false) => Verdict::settled(false),
    }
}

/// The half-life of a level.
#[inline]
pub fn half_life(half_lives: &HalfLives, level: Level) -> Millis {
    match level {
        Level::Shop => half_lives.shop,
        Level::Brand => half_lives.brand,
        Level::Category(_) => half_lives.category,
        Level::Product => half_lives.product,
    }
}

/// The tag of the whole shop.
#[inline]
pub fn shop() -> TagKey {
    TagKey { level: Level::Shop, id: NameId::of(NameKind::Shop, "") }
}

/// The tag whose cells count for `filter`; `None`: cells can't tell whether they match.
pub fn cell_tag(filter: &Where) -> Option<TagKey> {
    let (item, event) = (filter.item.as_slice(), filter.event.as_slice());
    let (field, name) = match (item, event) {
        ([], []) => return Some(shop()),
        ([only], []) => match &only.test {
            Test::In(names) if names.len() == 1 => (&only.field, &names[0]),
            _ => return None,
        },
        _ => return None,
    };
    let level = match field {
        Field::Product => Level::Product,
        Field::Brand => Level::Brand,
        Field::Category => {
            Level::Category(u8::try_from(name.text().split('/').count()).unwrap_or(u8::MAX))
        }
        _ => return None,
    };
    Some(TagKey { level, id: name.id() })
}
