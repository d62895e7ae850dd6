//! A draft: what decisions want to change, before a log has acked it.
//!
//! A visitor has one delta, in order of first touch. Ops that a later op of the same commit overrules are written once,
//! with the last value: `Seen`, `Deadline`, `Stamp`, `ExactSince`, and per key the set or removal of a tag or a
//! standing. None of these looks at another op, so the fold of the shorter list is the fold of the longer one.
//! `Forget` overrules all that came before it.

use crate::hash::Map;
use smallvec::SmallVec;
use tzeva_model::{Change, NameId, TagKey, VisitorId};
use tzeva_profile::{Delta, Op};

/// What decisions have changed since the draft was begun.
#[derive(Debug, Default)]
pub struct Draft {
    /// One delta a visitor, in order of first touch.
    pub deltas: Vec<Delta>,
    /// Transitions, in order of decision.
    pub changes: Vec<Change>,
    /// What was counted on the way.
    pub counts: Counts,
    index: Map<VisitorId, usize>,
    places: Vec<Places>,
    /// Deltas are not wanted.
    changes_only: bool,
    /// Of the reason of a change only its place and kind are wanted.
    places_only: bool,
}

/// What a metric may want to know about decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events whose instant lay after their record time.
    pub clamped: u64,
    /// Events whose record time lay behind engine time.
    pub behind_engine_time: u64,
    /// Events that came more than `late_after` behind their record time.
    pub late: u64,
    /// Events older than all kept strokes of a profile that has let strokes go: a repeat would not have been seen.
    pub duplicate_window_missed: u64,
    /// Events whose amounts were left out: nobody said what their currency is worth.
    pub without_rate: u64,
    /// Orders of visitors never seen before.
    pub purchases_without_history: u64,
    /// Deadlines fired: evaluations without an event.
    pub deadlines_fired: u64,
    /// Profiles ended because their visitor was idle.
    pub forgotten: u64,
    /// Strokes folded into cells.
    pub folded: u64,
    /// Days of an event name whose cells went because there were too many.
    pub days_dropped: u64,
    /// Times that a profile's stored size was measured.
    pub measured: u64,
    /// Audiences evaluated.
    pub evaluated: u64,
}

/// Where in a delta the ops lie that a later one overrules.
#[derive(Clone, Debug, Default)]
struct Places {
    seen: Option<usize>,
    deadline: Option<usize>,
    stamp: Option<usize>,
    exact_since: Option<usize>,
    tags: SmallVec<[(TagKey, usize); 8]>,
    standings: SmallVec<[(NameId, usize); 4]>,
}

/// A draft's state before an event, to go back to if the event turns out to be too large.
#[derive(Debug)]
pub(crate) struct Bookmark {
    at: Option<usize>,
    delta: Option<(Delta, Places)>,
    changes: usize,
    counts: Counts,
}

// === impl Counts ===

impl Counts {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, more: &Self) {
        self.clamped += more.clamped;
        self.behind_engine_time += more.behind_engine_time;
        self.late += more.late;
        self.duplicate_window_missed += more.duplicate_window_missed;
        self.without_rate += more.without_rate;
        self.purchases_without_history += more.purchases_without_history;
        self.deadlines_fired += more.deadlines_fired;
        self.forgotten += more.forgotten;
        self.folded += more.folded;
        self.days_dropped += more.days_dropped;
        self.measured += more.measured;
        self.evaluated += more.evaluated;
    }
}

// === impl Draft ===

impl Draft {
    /// A draft that keeps changes and counts but no deltas: for whoever stores no profiles.
    #[must_use]
    pub fn of_changes() -> Self {
        Self { changes_only: true, ..Self::default() }
    }

    /// A draft as [`Draft::of_changes`], of whose reasons only kind, place and cause are right: for whoever counts them.
    #[must_use]
    pub fn of_counts() -> Self {
        Self { changes_only: true, places_only: true, ..Self::default() }
    }

    /// Tells whether nothing was drafted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty() && self.changes.is_empty()
    }

    /// Tells whether it is wanted what bears a change out.
    pub(crate) const fn tells_why(&self) -> bool {
        !self.places_only
    }

    /// Tells whether ops are wanted.
    pub(crate) const fn keeps_deltas(&self) -> bool {
        !self.changes_only
    }

    /// The place of `visitor`'s delta, begun if need be.
    pub(crate) fn open(&mut self, visitor: &VisitorId) -> usize {
        if self.changes_only {
            return 0;
        }
        if let Some(&at) = self.index.get(visitor) {
            return at;
        }
        let at = self.deltas.len();
        self.index.insert(visitor.clone(), at);
        self.deltas.push(Delta { visitor: visitor.clone(), ops: Vec::with_capacity(8) });
        self.places.push(Places::default());
        at
    }

    /// Takes back the delta at `at`, which was opened last, if nothing was added to it.
    pub(crate) fn close(&mut self, at: usize) {
        if self.deltas.get(at).is_some_and(|delta| delta.ops.is_empty()) {
            self.index.remove(&self.deltas[at].visitor);
            self.deltas.truncate(at);
            self.places.truncate(at);
        }
    }

    /// Adds `op` to the delta at `at`, in place of the op that it overrules if there is one.
    pub(crate) fn push(&mut self, at: usize, op: Op) {
        if self.changes_only {
            return;
        }
        let ops = &mut self.deltas[at].ops;
        let places = &mut self.places[at];
        if matches!(op, Op::Forget) {
            ops.clear();
            *places = Places::default();
        }
        let next = ops.len();
        let place = match &op {
            Op::Seen(_) => places.seen.get_or_insert(next),
            Op::Deadline(_) => places.deadline.get_or_insert(next),
            Op::Stamp(_) => places.stamp.get_or_insert(next),
            Op::ExactSince(_) => places.exact_since.get_or_insert(next),
            Op::Tag(tag) => keyed(&mut places.tags, tag.key, next),
            Op::Untag(key) => keyed(&mut places.tags, *key, next),
            Op::Stand(standing) => keyed(&mut places.standings, standing.audience, next),
            Op::Unstand(audience) => keyed(&mut places.standings, *audience, next),
            _ => {
                ops.push(op);
                return;
            }
        };
        if *place == next { ops.push(op) } else { ops[*place] = op }
    }

    /// Remembers all that an event of `visitor` could change.
    pub(crate) fn bookmark(&self, visitor: &VisitorId) -> Bookmark {
        let at = self.index.get(visitor).copied();
        Bookmark {
            at,
            delta: at.map(|at| (self.deltas[at].clone(), self.places[at].clone())),
            changes: self.changes.len(),
            counts: self.counts,
        }
    }

    /// Goes back to `mark`, which was taken before the last event.
    pub(crate) fn back_to(&mut self, mark: Bookmark, visitor: &VisitorId) {
        match (mark.at, mark.delta) {
            (Some(at), Some((delta, places))) => {
                self.deltas[at] = delta;
                self.places[at] = places;
            }
            _ => {
                if let Some(at) = self.index.remove(visitor) {
                    self.deltas.truncate(at);
                    self.places.truncate(at);
                }
            }
        }
        self.changes.truncate(mark.changes);
        self.counts = mark.counts;
    }
}

fn keyed<'a, K: PartialEq + 'a, A: smallvec::Array<Item = (K, usize)>>(
    places: &'a mut SmallVec<A>,
    key: K,
    next: usize,
) -> &'a mut usize {
    let found = places.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
        places.push((key, next));
        places.len() - 1
    });
    &mut places[found].1
}
