//! Which audiences an event can move: those of the clauses whose truth it flips, and of those it sets a time for.
//!
//! A clause's truth is compared at the instant of the decision, on the history before and after each step of it. What
//! does not flip can only have its next flip moved later, and a deadline may be early; with two exceptions, which wake
//! their audiences too: the first event of a `last` clause, which now has an instant to become true at, and a paint so
//! light that rounding may have made the score fade sooner.

use crate::live::Look;
use crate::program::{Asks, Clause, Matched, Program};
use crate::view;
use smallvec::SmallVec;
use tzeva_audience::Leaf;
use tzeva_model::{NameId, TagKey, UnixMillis};
use tzeva_profile::{Tag, decay};

/// With more listeners than this it is cheaper to ask which of them can be true at all.
const MANY: usize = 48;

/// Audiences to evaluate.
#[derive(Debug, Default)]
pub(crate) struct Woken {
    /// Every audience is to be looked at, so which ones need not be noted.
    pub(crate) all: bool,
    audiences: SmallVec<[u32; 32]>,
    /// Those that can be true of the visitor, as of this step; found out when first wanted.
    candidates: Option<Vec<u32>>,
}

/// Counts and instants as they are before a step.
#[derive(Debug, Default)]
pub(crate) struct Before {
    counts: SmallVec<[(u32, u32, u32); 16]>,
    lasts: SmallVec<[(u32, Option<UnixMillis>); 8]>,
}

// === impl Before ===

impl Before {
    /// Notes what the stroke of an event may change otherwise than by counting one more.
    pub(crate) fn stroke(look: Look<'_>, matched: &Matched, event: NameId) -> Self {
        let mut before = Self::default();
        for &feature in matched {
            before.note(look, feature, |after| after.is_some());
        }
        let resets = look.program.events.get(&event).map_or(&[][..], |index| &index.resets);
        for &(feature, group) in resets.iter().filter(|(feature, _)| look.live.has(*feature)) {
            let groups = &look.program.features[feature as usize].groups;
            let count = look.count(feature, &groups[group as usize]);
            before.counts.push((feature, group, count));
        }
        before
    }

    /// Notes all that the fold of a stroke may change.
    pub(crate) fn fold(look: Look<'_>, matched: &Matched) -> Self {
        let mut before = Self::default();
        matched.iter().for_each(|&feature| before.note(look, feature, |_| true));
        before
    }

    fn note(&mut self, look: Look<'_>, feature: u32, wanted: impl Fn(Option<u32>) -> bool) {
        let known = &look.program.features[feature as usize];
        for (place, group) in (0..).zip(&known.groups).filter(|(_, group)| wanted(group.after)) {
            self.counts.push((feature, place, look.count(feature, group)));
        }
        if !known.lasts.is_empty() {
            self.lasts.push((feature, look.last(feature)));
        }
    }
}

// === impl Woken ===

impl Woken {
    /// None yet; or all.
    pub(crate) fn new(all: bool) -> Self {
        Self { all, ..Self::default() }
    }

    /// Takes note of what is before a step, unless all is looked at anyway.
    pub(crate) fn watch(&self, note: impl FnOnce() -> Before) -> Option<Before> {
        (!self.all).then(note)
    }

    /// Wakes what the step that `before` was taken for has flipped.
    pub(crate) fn compare(&mut self, look: Look<'_>, before: &Before) {
        self.candidates = None;
        for &(feature, place, old) in &before.counts {
            let group = &look.program.features[feature as usize].groups[place as usize];
            let new = look.count(feature, group);
            let (low, high) = (old.min(new), old.max(new));
            let from = group.breaks.partition_point(|&(at, _)| at <= low);
            for &(_, clause) in group.breaks[from..].iter().take_while(|(at, _)| *at <= high) {
                self.clause(look, clause);
            }
        }
        for &(feature, old) in &before.lasts {
            let new = look.last(feature);
            if new == old {
                continue;
            }
            for &clause in &look.program.features[feature as usize].lasts {
                if old.is_none() || distance(look, clause, old) != distance(look, clause, new) {
                    self.clause(look, clause);
                }
            }
        }
    }

    /// Wakes what one more event at `at` has flipped, in the windows that only count.
    pub(crate) fn counted(&mut self, look: Look<'_>, matched: &Matched, at: UnixMillis) {
        self.candidates = None;
        for &feature in matched {
            let groups = look.program.features[feature as usize].groups.iter();
            for group in groups.filter(|g| g.after.is_none() && look.now < at + g.window) {
                let count = look.count(feature, group);
                let from = group.breaks.partition_point(|&(at, _)| at < count);
                for &(_, clause) in group.breaks[from..].iter().take_while(|(at, _)| *at == count) {
                    self.clause(look, clause);
                }
            }
        }
    }

    /// Wakes what painting has flipped; `before` are the tags as they were, the first of a key counting.
    pub(crate) fn painted(&mut self, look: Look<'_>, before: &[(TagKey, Option<Tag>)]) {
        self.candidates = None;
        for (place, (key, old)) in before.iter().enumerate() {
            let Some(&number) = look.program.by_tag.get(key) else { continue };
            if before[..place].iter().any(|(earlier, _)| earlier == key) {
                continue;
            }
            let half_life = look.program.lens.half_life(key.level);
            let score = |tag: Option<&Tag>| {
                tag.map_or(0.0, |t| decay::faded(t.score, t.at, half_life, look.now))
            };
            let new = view::tag(look.profile, *key);
            let (old_score, new_score) = (score(old.as_ref()), score(new));
            let doubtful = new.is_some() && new_score <= old_score * (1.0 + 1e-12);
            let (low, high) = (old_score.min(new_score), old_score.max(new_score));
            for &(threshold, clause) in &look.program.tags[number as usize].clauses {
                if doubtful || low < threshold && threshold <= high {
                    self.clause(look, clause);
                }
            }
        }
    }

    /// The audiences, ascending, each once.
    pub(crate) fn into_audiences(mut self) -> SmallVec<[u32; 32]> {
        self.audiences.sort_unstable();
        self.audiences.dedup();
        self.audiences
    }

    /// Wakes the audiences that use `clause`, but those whose condition is false for another reason.
    ///
    /// Of a clause that many audiences share ("any visit and ...") the few that can be true of this visitor are picked
    /// out; the others are not even looked at.
    fn clause(&mut self, look: Look<'_>, clause: u32) {
        let Program { clauses, plans, rules, .. } = look.program;
        let listeners = &clauses[clause as usize].listeners;
        if listeners.len() > MANY {
            let candidates = self.candidates.get_or_insert_with(|| look.candidates());
            let listening = candidates.iter().filter(|c| listeners.binary_search(c).is_ok());
            self.audiences.extend(listening.copied());
            return;
        }
        let stands = |audience: u32| {
            let id = rules.audiences[audience as usize].name.id();
            look.profile.standings.binary_search_by(|s| s.audience.cmp(&id)).is_ok()
        };
        for &audience in listeners {
            if look.is_open(&plans[audience as usize]) || stands(audience) {
                self.audiences.push(audience);
            }
        }
    }
}

/// The truth of a `last` clause if the last event were at `last`.
fn distance(look: Look<'_>, clause: u32, last: Option<UnixMillis>) -> bool {
    match &look.program.clauses[clause as usize] {
        Clause { asks: Asks::Last { .. }, leaf: Leaf::Last(leaf), .. } => {
            last.is_some_and(|last| leaf.at_least == (look.now >= last + leaf.ago))
        }
        _ => false,
    }
}
