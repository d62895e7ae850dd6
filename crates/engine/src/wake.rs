//! Which audiences an event can move: those of the clauses whose truth it flips, and of those it sets a time for.
//!
//! A clause's truth is compared at the instant of the decision, on the history before and after each step of it. What
//! does not flip can only have its next flip moved later, and a deadline may be early; with some exceptions, which wake
//! their audiences too: the first event of a `last` clause, which now has an instant to become true at, and a paint so
//! light that rounding may have made the score fade sooner. Sums with terms below nothing are a third: see `summed`.

use crate::live::Look;
use crate::program::{Asks, Clause, Matched};
use smallvec::SmallVec;
use tzeva_audience::Leaf;
use tzeva_lens::Scores;
use tzeva_lens::view::{self, Undo, View};
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
    sums: SmallVec<[SumBefore; 4]>,
    /// Sequences that the step may turn, which are so now.
    sequences: SmallVec<[(u32, bool); 4]>,
}

/// A sum as it is before a step.
#[derive(Debug)]
struct SumBefore {
    summand: u32,
    group: u32,
    sum: i128,
    /// A term is below nothing: then the sum may rise by time alone.
    rises: bool,
}

// === impl Before ===

impl Before {
    /// Notes what the stroke of an event at `at` may change otherwise than by counting one more.
    pub(crate) fn stroke(
        look: Look<'_>,
        matched: &Matched,
        (event, at): (NameId, UnixMillis),
    ) -> Self {
        let mut before = Self::default();
        // A stroke behind all others can only be the end of a chain; and a stroke more ends none.
        let is_last = look.profile.strokes.last().is_none_or(|other| other.at <= at);
        for &(clause, ends) in matched.iter().flat_map(|&f| &look.feature(f).sequences) {
            let has = |step: &u32| look.live.has(*step) || matched.contains(step);
            let can_turn = (ends || !is_last) && look.clauses(clause).steps.iter().all(has);
            if can_turn && !look.clause(look.clauses(clause)).holds {
                before.sequences.push((clause, false));
            }
        }
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
        for &(clause, _) in matched.iter().flat_map(|&f| &look.feature(f).sequences) {
            if look.clause(look.clauses(clause)).holds {
                before.sequences.push((clause, true));
            }
        }
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
        for &summand in &known.summands {
            let groups = &look.program.summands[summand as usize].groups;
            for (place, group) in (0..).zip(groups) {
                let (sum, rises) = look.sum(summand, group);
                self.sums.push(SumBefore { summand, group: place, sum, rises });
            }
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
        for before in &before.sums {
            self.summed(look, before);
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
        self.turned(look, &before.sequences);
    }

    /// Wakes the sums that a step has flipped; where terms are below nothing, also those whose next flip it may have made
    /// an earlier one.
    fn summed(&mut self, look: Look<'_>, before: &SumBefore) {
        let group = &look.program.summands[before.summand as usize].groups[before.group as usize];
        let (sum, rises) = look.sum(before.summand, group);
        let (low, high) = (before.sum.min(sum), before.sum.max(sum));
        let breaks = if rises || before.rises {
            &group.breaks[..]
        } else {
            let from = group.breaks.partition_point(|&(at, _)| at <= low);
            let to = group.breaks.partition_point(|&(at, _)| at <= high);
            &group.breaks[from..to]
        };
        breaks.iter().for_each(|&(_, clause)| self.clause(look, clause));
    }

    /// Wakes those of some clauses that are otherwise now.
    pub(crate) fn turned(&mut self, look: Look<'_>, before: &[(u32, bool)]) {
        self.candidates = None;
        for &(clause, held) in before {
            if look.clause(look.clauses(clause)).holds != held {
                self.clause(look, clause);
            }
        }
    }

    /// Wakes the ranks and shares that painting has turned.
    fn ranked(&mut self, look: Look<'_>, undo: &Undo) {
        let program = look.program;
        for &level in &program.ranked {
            if !undo.tags.iter().any(|(key, _)| key.level == level) {
                continue;
            }
            let scores = |view| Scores::of(program.lens, view, level);
            let before = scores(View::tags_before(look.profile, undo));
            let now = scores(View::now(look.profile));
            let mut keys: SmallVec<[TagKey; 16]> = before.keys().chain(now.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            let tags = keys.iter().filter_map(|key| program.by_tag.get(key));
            for &clause in tags.flat_map(|&tag| &program.tags[tag as usize].ranked) {
                let turned = match &look.clauses(clause).leaf {
                    Leaf::Rank(leaf) => before.ranks(leaf) != now.ranks(leaf),
                    Leaf::Share(leaf) => before.shares(leaf) != now.shares(leaf),
                    _ => false,
                };
                if turned {
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

    /// Wakes what painting has flipped; the first of a key in `undo.tags` is how the tag was.
    pub(crate) fn painted(&mut self, look: Look<'_>, undo: &Undo) {
        self.candidates = None;
        self.ranked(look, undo);
        let before = undo.tags.as_slice();
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
        let listeners = &look.clauses(clause).listeners;
        if listeners.len() > MANY {
            let candidates = self.candidates.get_or_insert_with(|| look.candidates());
            let listening = candidates.iter().filter(|c| listeners.binary_search(c).is_ok());
            self.audiences.extend(listening.copied());
            return;
        }
        self.audiences.extend(listeners.iter().copied().filter(|&a| look.is_worth_a_look(a)));
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
