//! The roster: who is in memory, and who is due when.
//!
//! A visitor may be armed without being loaded (a due set named it) and loaded without being there (the store knows no
//! such profile). Of a loaded visitor the armed instant is always the deadline of its profile; of another it is the
//! earliest instant heard of, which may be stale: loading it tells. Nobody is armed for the instant that never comes, nor
//! beyond it: whoever fired there would be due there again.

use crate::hash::Map;
use crate::pen::Visitor;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;
use tzeva_lens::NEVER;
use tzeva_model::{Millis, UnixMillis, VisitorId};

/// So many places of the queue may be stale beside one for everybody who is loaded.
const STALE: usize = 1_024;

/// Visitors by id, and by deadline.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    slots: Map<VisitorId, Slot>,
    armed: BTreeSet<(UnixMillis, VisitorId)>,
    /// Loaded visitors in order of loading, each with the number of its loading, for eviction by second chance. Who was let
    /// go may still be there, under a number that counts no more.
    queue: VecDeque<(u32, VisitorId)>,
    /// The number of the last loading.
    loadings: u32,
    loaded: usize,
}

/// What is known of one visitor.
#[derive(Debug, Default)]
struct Slot {
    held: Held,
    armed: Option<UnixMillis>,
    /// Touched since eviction last passed by.
    recent: bool,
    /// The number of its loading: where it stands in the queue.
    loading: u32,
}

/// What memory holds of a visitor.
#[derive(Debug, Default)]
pub(crate) enum Held {
    /// Nothing: the store has to be asked.
    #[default]
    Unknown,
    /// There is no profile.
    Absent,
    /// There is one.
    Here(Box<Visitor>),
}

// === impl Slot ===

impl Slot {
    /// Tells whether this is the place of the queue that counts: who was let go has none, who came back another one.
    fn stands_at(&self, loading: u32) -> bool {
        !matches!(self.held, Held::Unknown) && self.loading == loading
    }
}

// === impl Roster ===

impl Roster {
    /// How many visitors are loaded, known-absent ones too.
    pub(crate) fn len(&self) -> usize {
        self.loaded
    }

    /// The armed entries in `[from, until)`, in order.
    pub(crate) fn armed(
        &self,
        from: UnixMillis,
        until: UnixMillis,
    ) -> Vec<(UnixMillis, VisitorId)> {
        let from_end = self.armed.iter().skip_while(|(at, _)| *at < from);
        from_end.take_while(|(at, _)| *at < until).cloned().collect()
    }

    /// Tells whether `visitor` is loaded.
    pub(crate) fn holds(&self, visitor: &VisitorId) -> bool {
        self.slots.get(visitor).is_some_and(|slot| !matches!(slot.held, Held::Unknown))
    }

    /// What memory holds of `visitor`, if it is loaded and there is a profile.
    pub(crate) fn get(&self, visitor: &VisitorId) -> Option<&Visitor> {
        match &self.slots.get(visitor)?.held {
            Held::Here(known) => Some(known),
            Held::Absent | Held::Unknown => None,
        }
    }

    /// Takes the visitor out to be worked on; it must be handed back by `put`. What wasn't loaded counts as absent; whether
    /// it was comes first.
    pub(crate) fn take(&mut self, visitor: &VisitorId) -> (bool, Option<Box<Visitor>>) {
        let Some(slot) = self.slots.get_mut(visitor) else { return (false, None) };
        let known = match std::mem::take(&mut slot.held) {
            Held::Here(known) => Some(known),
            Held::Absent => None,
            Held::Unknown => return (false, None),
        };
        self.loaded -= 1;
        (true, known)
    }

    /// Lets everybody go.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.armed.clear();
        self.queue.clear();
        self.loaded = 0;
    }

    /// Puts a visitor in, or back, armed for the deadline of its profile.
    pub(crate) fn put(&mut self, visitor: &VisitorId, known: Option<Box<Visitor>>) {
        let deadline = known.as_ref().and_then(|known| known.profile.deadline);
        let deadline = deadline.filter(|at| *at < NEVER);
        let slot = match self.slots.get_mut(visitor) {
            Some(slot) => slot,
            None => self.slots.entry(visitor.clone()).or_default(),
        };
        slot.held = known.map_or(Held::Absent, Held::Here);
        slot.recent = true;
        self.loaded += 1;
        if slot.armed != deadline {
            let old = std::mem::replace(&mut slot.armed, deadline);
            // In before out: a set of few is not taken down and built up again.
            if let Some(new) = deadline {
                self.armed.insert((new, visitor.clone()));
            }
            if let Some(old) = old {
                self.armed.remove(&(old, visitor.clone()));
            }
        }
    }

    /// Loads a visitor from the store; one that is loaded already stays as it is, since it may be newer.
    pub(crate) fn load(&mut self, visitor: VisitorId, known: Option<Box<Visitor>>) {
        if !self.holds(&visitor) {
            self.put(&visitor, known);
            self.enlist(&visitor);
        }
    }

    /// Lets eviction know a visitor that came in otherwise than from the store.
    pub(crate) fn enlist(&mut self, visitor: &VisitorId) {
        let Some(slot) = self.slots.get_mut(visitor) else { return };
        self.loadings = self.loadings.wrapping_add(1);
        slot.loading = self.loadings;
        self.queue.push_back((self.loadings, visitor.clone()));
        // Each time at least as many came in as are gone through: a step of constant cost a loading.
        if self.queue.len() > 2 * self.loaded + STALE {
            let slots = &self.slots;
            self.queue.retain(|(loading, visitor)| {
                slots.get(visitor).is_some_and(|slot| slot.stands_at(*loading))
            });
        }
    }

    /// Notes that `visitor`, unless it is loaded, is due at `at` at the earliest.
    pub(crate) fn arm(&mut self, visitor: VisitorId, at: UnixMillis) {
        if at >= NEVER {
            return;
        }
        let slot = self.slots.entry(visitor.clone()).or_default();
        let earlier = slot.armed.is_none_or(|old| at < old);
        if matches!(slot.held, Held::Unknown) && earlier {
            if let Some(old) = slot.armed.replace(at) {
                self.armed.remove(&(old, visitor.clone()));
            }
            self.armed.insert((at, visitor));
        }
    }

    /// Visitors armed before `until` that are not loaded, at most `limit`, earliest first.
    pub(crate) fn wanted_before(&self, until: UnixMillis, limit: usize) -> Vec<VisitorId> {
        let due = self.armed.iter().take_while(|(at, _)| *at < until);
        due.filter(|(_, v)| !self.holds(v)).map(|(_, v)| v.clone()).take(limit).collect()
    }

    /// The earliest armed instant.
    pub(crate) fn next_deadline(&self) -> Option<UnixMillis> {
        self.armed.first().map(|(at, _)| *at)
    }

    /// The largest instant up to `until` before which at most about `limit` entries lie, at least one whole instant.
    pub(crate) fn until_within(&self, until: UnixMillis, limit: usize) -> UnixMillis {
        let mut due = self.armed.iter().map(|(at, _)| *at).take_while(|at| *at < until);
        let Some(first) = due.next() else { return until };
        match due.nth(limit.saturating_sub(1)) {
            Some(at) => at.max(first + Millis::new(1)),
            None => until,
        }
    }

    /// The first loaded visitor armed before `until`, behind `after` in the order of deadlines.
    pub(crate) fn due(
        &self,
        until: UnixMillis,
        after: Option<&(UnixMillis, VisitorId)>,
    ) -> Option<(UnixMillis, VisitorId)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut due = self.armed.range((from, Bound::Unbounded)).take_while(|(at, _)| *at < until);
        due.find(|(_, visitor)| self.holds(visitor)).cloned()
    }

    /// Drops loaded visitors for which `keep` is false until at most `target` are left: those loaded longest ago and not
    /// touched since they were last passed over. What they are armed for stays.
    pub(crate) fn evict(&mut self, keep: &dyn Fn(&VisitorId) -> bool, target: usize) {
        // Twice around: the first pass takes away the second chance of those that were touched.
        let mut left = self.queue.len() * 2;
        while self.loaded > target && left > 0 {
            left -= 1;
            let Some((loading, visitor)) = self.queue.pop_front() else { return };
            let Some(slot) = self.slots.get_mut(&visitor) else { continue };
            if !slot.stands_at(loading) {
                continue;
            }
            if std::mem::take(&mut slot.recent) || keep(&visitor) {
                self.queue.push_back((loading, visitor));
                continue;
            }
            self.let_go(&visitor);
        }
    }

    /// Drops a loaded visitor; what it is armed for stays.
    pub(crate) fn let_go(&mut self, visitor: &VisitorId) {
        let Some(slot) = self.slots.get_mut(visitor) else { return };
        if matches!(slot.held, Held::Unknown) {
            return;
        }
        slot.held = Held::Unknown;
        slot.recent = false;
        self.loaded -= 1;
        if slot.armed.is_none() {
            self.slots.remove(visitor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(count: usize) -> Vec<VisitorId> {
        (0..count).map(|number| VisitorId::try_new(&format!("v-{number}")).unwrap()).collect()
    }

    /// Every sweep loads everybody, and lets go of them again: the queue holds no more for it.
    #[test]
    fn the_queue_is_bounded_by_who_is_loaded() {
        let mut roster = Roster::default();
        let (staying, passing) = (visitors(1_100), visitors(1_000));
        let staying = &staying[1_000..];
        for visitor in staying {
            roster.load(visitor.clone(), None);
        }
        for _ in 0..10 {
            for page in passing.chunks(100) {
                page.iter().for_each(|visitor| roster.load(visitor.clone(), None));
                page.iter().for_each(|visitor| roster.let_go(visitor));
            }
        }
        assert_eq!(roster.len(), staying.len());
        let bound = 2 * (staying.len() + 100) + STALE;
        assert!(roster.queue.len() <= bound, "{} in the queue", roster.queue.len());
        // In the order of loading, as ever.
        roster.evict(&|_| false, 40);
        let left: Vec<_> = staying.iter().filter(|visitor| roster.holds(visitor)).collect();
        assert_eq!(left, staying[60..].iter().collect::<Vec<_>>());
    }

    #[test]
    fn whoever_was_let_go_and_loaded_again_is_the_youngest() {
        let mut roster = Roster::default();
        let three = visitors(3);
        for visitor in three.iter().chain(&three[..1]) {
            roster.let_go(visitor);
            roster.load(visitor.clone(), None);
        }
        roster.evict(&|_| false, 1);
        assert!(roster.holds(&three[0]));
    }
}
