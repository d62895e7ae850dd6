//! How far back a profile tells what was true.
//!
//! Strokes older than `history.max_age` were dropped and others folded, so of a window that reaches behind what is kept
//! it is not known what was in it: but a count that is reached by what is kept was reached, a last event that is kept
//! was the last, and nothing older than a kept Y comes after the last Y. Of a score nothing is known before its last
//! painting, of a trait before it was last said, of ranks and shares before an event last painted their level. Of
//! memberships the last entry is known, and an exit while it still matters.
//!
//! It is the past as history has it now: a late event counts as if it had come in time.

use tzeva_audience::{Compare, CountTest, EventLeaf, InLeaf, Leaf, Node, Paint, Where};
use tzeva_lens::view::{View, standing};
use tzeva_lens::{Verdict, matches, window};
use tzeva_model::{Level, Millis, NameId, UnixMillis};
use tzeva_profile::{Profile, State};

/// A profile, asked about its past.
pub(crate) struct Past<'a> {
    profile: &'a Profile,
    paint: &'a Paint,
    max_age: Millis,
    /// Every stroke at or after this is kept.
    whole_from: UnixMillis,
}

// === impl Past ===

impl<'a> Past<'a> {
    pub(crate) fn of(profile: &'a Profile, paint: &'a Paint, max_age: Millis) -> Self {
        let dropped = profile.seen - max_age + Millis::new(1);
        let whole_from = profile.exact_since.map_or(dropped, |since| since.max(dropped));
        Self { profile, paint, max_age, whole_from }
    }

    /// The first instant of anything that is kept.
    pub(crate) fn first(&self) -> Option<UnixMillis> {
        self.changed().min()
    }

    /// Instants at which the history changed, or at which something begins to be known about `node`; ascending.
    pub(crate) fn points(&self, node: &Node, now: UnixMillis) -> Vec<UnixMillis> {
        let mut all: Vec<_> = self.changed().collect();
        node.each_leaf(&mut |leaf| all.extend(self.surely_from(leaf)));
        all.retain(|&at| at <= now);
        all.sort_unstable();
        all.dedup();
        all
    }

    fn changed(&self) -> impl Iterator<Item = UnixMillis> + use<'a> {
        let strokes = self.profile.strokes.iter().map(|stroke| stroke.at);
        let cells = self.profile.cells.iter().map(|cell| cell.last);
        let tags = self.profile.tags.iter().map(|tag| tag.at);
        let traits = self.profile.traits.iter().map(|known| known.2);
        strokes.chain(cells).chain(tags).chain(traits)
    }

    /// Tells whether the truth of `node` at `at`, by what is kept, was its truth.
    pub(crate) fn tells(
        &self,
        node: &Node,
        view: View<'_>,
        at: UnixMillis,
        verdict: &dyn Fn(&Leaf) -> Verdict,
    ) -> bool {
        let mut tells = true;
        node.each_leaf(&mut |leaf| {
            tells &= self.surely_from(leaf).is_some_and(|from| at >= from)
                || self.told_by_what_is_kept(leaf, view, at, verdict);
        });
        tells
    }

    /// When the visitor entered another audience, or left it if that is still known.
    pub(crate) fn moved(&self, leaf: &InLeaf) -> Option<UnixMillis> {
        match standing(self.profile, leaf.audience.id())? {
            State::In { since } => Some(since),
            State::Out { last_exit, .. } => last_exit,
        }
    }

    /// From here on everything that `leaf` looks at is kept.
    fn surely_from(&self, leaf: &Leaf) -> Option<UnixMillis> {
        match leaf {
            Leaf::Event(leaf) if leaf.after.is_none() => Some(self.reaches(leaf.within)),
            Leaf::Sum(leaf) => Some(self.reaches(leaf.within)),
            Leaf::Event(_) | Leaf::Last(_) | Leaf::Sequence(_) => Some(self.reaches(None)),
            Leaf::Interest(leaf) => match self.profile.tags.iter().find(|t| t.key == leaf.tag) {
                Some(tag) => Some(tag.at),
                None => Some(self.painted(leaf.tag.level)),
            },
            Leaf::Rank(leaf) => Some(self.painted(leaf.tag.level)),
            Leaf::Share(leaf) => Some(self.painted(leaf.tag.level)),
            // What was never said isn't known, and never was.
            Leaf::Trait(leaf) => {
                let said = self.profile.traits.iter().find(|known| known.0 == leaf.name);
                Some(said.map_or(self.whole_from, |known| known.2))
            }
            Leaf::In(leaf) => self.moved(leaf),
        }
    }

    /// From when on a window lies in what is kept.
    fn reaches(&self, within: Option<Millis>) -> UnixMillis {
        self.whole_from + window(within, self.max_age)
    }

    /// Tells whether older events, whatever they were, would make no difference at `at`.
    fn told_by_what_is_kept(
        &self,
        leaf: &Leaf,
        view: View<'_>,
        at: UnixMillis,
        verdict: &dyn Fn(&Leaf) -> Verdict,
    ) -> bool {
        match leaf {
            Leaf::Event(event) => {
                let begins = event
                    .after
                    .as_ref()
                    .is_some_and(|y| self.has(view, y.id(), &Where::default(), at));
                begins || event.after.is_none() && more_is_no_harm(event) && verdict(leaf).holds
            }
            Leaf::Last(last) => self.has(view, last.event.id(), &last.filter, at),
            Leaf::Sequence(_) => verdict(leaf).holds,
            _ => false,
        }
    }

    /// Tells whether such an event, not later than `at` and not too old to count then, is kept as a stroke.
    fn has(&self, view: View<'_>, event: NameId, filter: &Where, at: UnixMillis) -> bool {
        view.strokes().any(|(_, stroke)| {
            let counts = stroke.at <= at && at < stroke.at + self.max_age;
            counts
                && stroke.at >= self.whole_from
                && stroke.event == event
                && matches(stroke, filter)
        })
    }

    /// When an event last painted or cleared a tag of a level, or might have.
    fn painted(&self, level: Level) -> UnixMillis {
        let touches = |event: NameId| {
            let found = self.paint.events.iter().find(|paint| paint.event == event);
            found.is_some_and(|paint| match level {
                Level::Shop => paint.shop.is_some(),
                Level::Brand => paint.brand.is_some(),
                Level::Category(_) => paint.category.is_some(),
                Level::Product => paint.product.is_some(),
            })
        };
        let tags = self.profile.tags.iter().filter(|tag| tag.key.level == level).map(|tag| tag.at);
        let strokes = self.profile.strokes.iter().filter(|stroke| touches(stroke.event));
        tags.chain(strokes.map(|stroke| stroke.at)).fold(self.whole_from, UnixMillis::max)
    }
}

/// Tells whether a count that holds would hold with more events too.
fn more_is_no_harm(leaf: &EventLeaf) -> bool {
    matches!(leaf.count, CountTest::Is(Compare::AtLeast | Compare::MoreThan, _))
}
