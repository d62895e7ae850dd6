//! Applying ops to a profile: the one place where a profile changes, for the engine's own copy and for whoever folds the
//! log into a store.
//!
//! The ops are data that the engine has already decided on, so nothing here reads a setting or a rule; the same ops give
//! the same profile in every version that can read them. An op that does not fit the profile it meets (an index past the
//! end) means that the log and the profile don't belong together: [`fold`] says so and never guesses.
//!
//! Replay: a delta is folded only if its seq is higher than the profile's, so folding it twice folds it once.

use crate::{Cell, Delta, Op, Profile, Stroke};
use smallvec::SmallVec;
use tzeva_model::{Amount, Level, Millis, NameId, NameKind, Seq, TagKey, UnixMillis};

/// Why a delta does not fit the profile that it was folded into: the two don't belong together, and a retry never helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("op {op} of the delta asks for stroke {stroke} of {strokes}")]
pub struct FoldError {
    /// The op's place in the delta, from 0.
    pub op: usize,
    /// The stroke it asks for.
    pub stroke: usize,
    /// How many strokes there are.
    pub strokes: usize,
}

// === impl Profile ===

impl Profile {
    /// Applies one op that was decided on this very profile.
    ///
    /// Every op that the engine makes fits. One that doesn't (an index past the end) changes nothing; to hear of it, as
    /// anybody who reads ops from bytes must, use [`Profile::try_apply`] or [`fold`].
    #[inline]
    pub fn apply(&mut self, op: &Op) {
        let fits = self.try_apply(op);
        debug_assert!(fits.is_ok(), "an op that was not decided on this profile: {fits:?}");
    }

    /// Applies one op that was decided on this very profile, as [`Profile::apply`] does, and keeps what it holds instead of
    /// a copy.
    #[inline]
    pub fn accept(&mut self, op: Op) {
        match op {
            Op::Stroke(stroke) => self.insert(stroke),
            op => self.apply(&op),
        }
    }

    /// Applies one op, or leaves the profile as it is.
    ///
    /// # Errors
    /// The op names a stroke that isn't there; `FoldError::op` is 0.
    #[inline]
    pub fn try_apply(&mut self, op: &Op) -> Result<(), FoldError> {
        match op {
            Op::Stroke(stroke) => self.insert(stroke.clone()),
            Op::DropStroke(index) => drop(self.take(*index)?),
            Op::FoldStroke(index) => {
                let stroke = self.take(*index)?;
                self.fold_stroke(&stroke);
            }
            Op::MergeItems(index, items) => {
                let place = self.place(*index)?;
                self.strokes[place].items = SmallVec::from(items.as_slice());
            }
            Op::DropCells(before) => self.cells.retain(|cell| cell.last >= *before),
            Op::DropDay(event, day) => {
                self.cells.retain(|cell| (cell.event, cell.day) != (*event, *day));
            }
            Op::ExactSince(at) => self.exact_since = self.exact_since.max(Some(*at)),
            Op::Tag(tag) => match self.tags.binary_search_by_key(&tag.key, |t| t.key) {
                Ok(place) => self.tags[place] = *tag,
                Err(place) => self.tags.insert(place, *tag),
            },
            Op::Untag(key) => {
                if let Ok(place) = self.tags.binary_search_by_key(key, |t| t.key) {
                    self.tags.remove(place);
                }
            }
            Op::Trait(name, value, at) => match self.traits.binary_search_by(|t| t.0.cmp(name)) {
                Ok(place) if self.traits[place].2 > *at => {}
                Ok(place) => self.traits[place] = (name.clone(), value.clone(), *at),
                Err(place) => self.traits.insert(place, (name.clone(), value.clone(), *at)),
            },
            Op::Stand(standing) => {
                match self.standings.binary_search_by_key(&standing.audience, |s| s.audience) {
                    Ok(place) => self.standings[place] = *standing,
                    Err(place) => self.standings.insert(place, *standing),
                }
            }
            Op::Unstand(audience) => {
                if let Ok(place) = self.standings.binary_search_by_key(audience, |s| s.audience) {
                    self.standings.remove(place);
                }
            }
            Op::Seen(at) => self.seen = *at,
            Op::Deadline(at) => self.deadline = *at,
            Op::Stamp(rules) => self.stamp = *rules,
            Op::Forget => *self = Self { seq: self.seq, ..Self::default() },
        }
        Ok(())
    }

    /// True if there is nothing left that could decide about anything: after a [`Op::Forget`] that nothing followed. A
    /// profile that holds nothing is no profile, and a store has no field for it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        *self == Self { seq: self.seq, ..Self::default() }
    }

    /// Inserts behind all strokes whose `at` is not later: the order is (`at`, arrival).
    fn insert(&mut self, stroke: Stroke) {
        let place = self.strokes.partition_point(|other| other.at <= stroke.at);
        self.strokes.insert(place, stroke);
    }

    fn take(&mut self, index: u16) -> Result<Stroke, FoldError> {
        let place = self.place(index)?;
        Ok(self.strokes.remove(place))
    }

    fn place(&self, index: u16) -> Result<usize, FoldError> {
        let (stroke, strokes) = (usize::from(index), self.strokes.len());
        if stroke < strokes { Ok(stroke) } else { Err(FoldError { op: 0, stroke, strokes }) }
    }

    /// Counts `stroke` once in the cell of the shop and once in that of each distinct tag among its items.
    fn fold_stroke(&mut self, stroke: &Stroke) {
        let mut sums: SmallVec<[(TagKey, Amount); 8]> = SmallVec::new();
        let shop = TagKey { level: Level::Shop, id: NameId::of(NameKind::Shop, "") };
        sums.push((shop, stroke.revenue.unwrap_or_default()));
        for item in &stroke.items {
            let amount = item.amount().unwrap_or_default();
            for key in item.tag_keys() {
                match sums.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, sum)) => *sum = *sum + amount,
                    None => sums.push((key, amount)),
                }
            }
        }
        for (tag, sum) in sums {
            self.count(stroke, tag, sum);
        }
    }

    fn count(&mut self, stroke: &Stroke, tag: TagKey, sum: Amount) {
        let at = stroke.at;
        let key = (stroke.event, tag, day(at));
        match self.cells.binary_search_by_key(&key, |cell| (cell.event, cell.tag, cell.day)) {
            Ok(place) => {
                let cell = &mut self.cells[place];
                cell.count = cell.count.saturating_add(1);
                cell.sum = cell.sum + sum;
                cell.first = cell.first.min(at);
                cell.last = cell.last.max(at);
            }
            Err(place) => {
                let (event, day) = (stroke.event, day(at));
                let cell = Cell { event, tag, day, count: 1, sum, first: at, last: at };
                self.cells.insert(place, cell);
            }
        }
    }
}

/// Folds what the commit `seq` changed about a visitor into their profile as it was before; `None` stands for nobody,
/// before and after.
///
/// Replay: a delta whose seq is not higher than the profile's is in it already and changes nothing.
///
/// # Errors
/// The delta was not decided on this profile.
pub fn fold(
    profile: Option<Profile>,
    delta: &Delta,
    seq: Seq,
) -> Result<Option<Profile>, FoldError> {
    if profile.as_ref().is_some_and(|profile| seq <= profile.seq) {
        return Ok(profile);
    }
    let mut profile = profile.unwrap_or_default();
    for (op, what) in delta.ops.iter().enumerate() {
        profile.try_apply(what).map_err(|error| FoldError { op, ..error })?;
    }
    profile.seq = seq;
    Ok((!profile.is_blank()).then_some(profile))
}

/// The UTC day of an instant, in whole days since the Unix epoch.
#[must_use]
pub fn day(at: UnixMillis) -> i32 {
    let days = at.get().div_euclid(Millis::DAY.get());
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests;
