//! A visitor's live series: for each feature the instants of the strokes that match it, so that a clause is decided
//! without looking at strokes.
//!
//! Derived from the profile alone and never stored: built when a visitor is first worked on, kept up with every stroke
//! that comes or goes. Truths are not kept at all; they follow from the series and the instant. So a visitor that was
//! evicted and loaded again decides as one that never left memory.
//!
//! Cells are read where they lie: few visitors have any.

use crate::hash::Map;
use crate::program::{Asks, Clause, Feature, Gate, Group, Matched, Plan, Program, SumGroup, Tree};
use smallvec::SmallVec;
use tzeva_audience::Leaf;
use tzeva_lens::sum::{self, Term, term};
use tzeva_lens::view::{self, View};
use tzeva_lens::{NEVER, Verdict, flips_below, last_verdict};
use tzeva_model::{Millis, NameId, UnixMillis};
use tzeva_profile::{Cell, Profile, Standing, State, Stroke};

/// The instants of matching strokes, ascending.
type Series = SmallVec<[UnixMillis; 3]>;

/// Series by feature. A feature is here if a kept stroke or a cell matches it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    series: Map<u32, Series>,
    /// What each matching stroke adds, by summand, in order of instants.
    terms: Map<u32, SmallVec<[Term; 2]>>,
}

/// A visitor, as clauses look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// The rules.
    pub(crate) program: &'a Program,
    /// The visitor's profile.
    pub(crate) profile: &'a Profile,
    /// Its series.
    pub(crate) live: &'a Live,
    /// Engine time.
    pub(crate) now: UnixMillis,
}

/// What lies in a window: strokes and cells, ascending.
#[derive(Clone, Copy, Debug)]
struct Tally<'a> {
    times: &'a [UnixMillis],
    cells: &'a [Cell],
}

// === impl Live ===

impl Live {
    /// The series of `profile`.
    pub(crate) fn of(program: &Program, profile: &Profile) -> Self {
        let mut live = Self::default();
        for stroke in &profile.strokes {
            live.add(program, &program.matched(stroke), stroke);
        }
        let mut last = None;
        for cell in &profile.cells {
            let key = (cell.event, cell.tag);
            if last.replace(key) != Some(key) {
                for &feature in program.by_cell.get(&key).into_iter().flatten() {
                    live.series.entry(feature).or_default();
                }
            }
        }
        live
    }

    /// Adds a stroke to the series that it matches.
    pub(crate) fn add(&mut self, program: &Program, matched: &Matched, stroke: &Stroke) {
        let at = stroke.at;
        for &feature in matched {
            let known = &program.features[feature as usize];
            for &number in &known.summands {
                let of = &program.summands[number as usize].of;
                let terms = self.terms.entry(number).or_default();
                let place = terms.partition_point(|&(other, _)| other <= at);
                terms.insert(place, (at, term(stroke, &known.filter, of)));
            }
            let series = self.series.entry(feature).or_default();
            match series.last() {
                Some(&last) if last > at => {
                    let place = series.partition_point(|&other| other <= at);
                    series.insert(place, at);
                }
                _ => series.push(at),
            }
        }
    }

    /// Removes a stroke that was dropped or folded. Where it went into a cell the feature stays.
    pub(crate) fn remove(&mut self, program: &Program, matched: &Matched, stroke: &Stroke) {
        let at = stroke.at;
        for feature in matched {
            let known = &program.features[*feature as usize];
            for number in &known.summands {
                let gone =
                    (at, term(stroke, &known.filter, &program.summands[*number as usize].of));
                if let Some(terms) = self.terms.get_mut(number)
                    && let Some(place) = terms.iter().position(|term| *term == gone)
                {
                    terms.remove(place);
                }
            }
            if let Some(series) = self.series.get_mut(feature) {
                if let Ok(place) = series.binary_search(&at) {
                    series.remove(place);
                }
                if series.is_empty() && program.features[*feature as usize].cell_tag.is_none() {
                    self.series.remove(feature);
                }
            }
        }
    }

    /// Tells whether a feature is here.
    pub(crate) fn has(&self, feature: u32) -> bool {
        self.series.contains_key(&feature)
    }

    fn times(&self, feature: u32) -> &[UnixMillis] {
        self.series.get(&feature).map_or(&[], SmallVec::as_slice)
    }
}

// === impl Look ===

impl<'a> Look<'a> {
    /// The verdicts on E and X of an audience.
    pub(crate) fn plan(self, plan: &Plan) -> (Verdict, Verdict) {
        let exit = plan.exit.as_ref().map_or(Verdict::settled(false), |tree| self.tree(tree));
        (self.tree(&plan.enter), exit)
    }

    fn tree(self, tree: &Tree) -> Verdict {
        match tree {
            Tree::All(trees) => Verdict::all(trees.iter().map(|tree| self.tree(tree))),
            Tree::Any(trees) => Verdict::any(trees.iter().map(|tree| self.tree(tree))),
            Tree::Not(tree) => self.tree(tree).negated(),
            Tree::Clause(clause) => self.clause(&self.program.clauses[*clause as usize]),
        }
    }

    /// The clause of this number.
    pub(crate) fn clauses(self, clause: u32) -> &'a Clause {
        &self.program.clauses[clause as usize]
    }

    /// The feature of this number.
    pub(crate) fn feature(self, feature: u32) -> &'a Feature {
        &self.program.features[feature as usize]
    }

    /// The verdict on a clause.
    pub(crate) fn clause(self, clause: &Clause) -> Verdict {
        match (clause.asks, &clause.leaf) {
            (Asks::Count { feature, window, after, test }, _) => {
                let Some(tally) = self.tally(feature, window, after) else {
                    return self.directly(clause);
                };
                let count = tally.count();
                let next =
                    flips_below(test, count).map_or(NEVER, |left| tally.expiry(left, window));
                Verdict { holds: test.holds(count), next }
            }
            (Asks::Last { feature }, Leaf::Last(last)) => {
                last_verdict(self.last(feature), last, self.program.lens.max_age, self.now)
            }
            (Asks::Sum { summand, window }, Leaf::Sum(leaf)) => {
                sum::verdict(leaf.is, window, self.terms(summand, window))
            }
            (Asks::Sequence, _) if !self.has_steps(clause) => Verdict::settled(false),
            _ => self.directly(clause),
        }
    }

    /// Tells whether there is a stroke for each step of a sequence.
    fn has_steps(self, clause: &Clause) -> bool {
        clause.steps.iter().all(|&feature| !self.live.times(feature).is_empty())
    }

    /// The audiences that ask whether the visitor is in `audience` and can be true, or in which they have a standing.
    pub(crate) fn roused(self, audience: NameId) -> impl Iterator<Item = u32> + use<'a> {
        let clause = self.program.by_member.get(&audience);
        let listeners = clause.map(|&c| self.program.clauses[c as usize].listeners.as_slice());
        let listeners = listeners.unwrap_or_default().iter().copied();
        listeners.filter(move |&audience| self.is_worth_a_look(audience))
    }

    /// Tells whether an audience's gate is open, or the visitor has a standing in it.
    pub(crate) fn is_worth_a_look(self, audience: u32) -> bool {
        let id = self.program.rules.audiences[audience as usize].name.id();
        self.is_open(&self.program.plans[audience as usize])
            || view::standing(self.profile, id).is_some()
    }

    /// Tells whether something is there without which the entry condition is false.
    pub(crate) fn is_open(self, plan: &Plan) -> bool {
        let Some(gates) = &plan.gate else { return true };
        gates.iter().any(|gate| match *gate {
            Gate::Feature { feature, least } => self.has(feature, least),
            Gate::Tag { tag, least } => {
                let key = self.program.tags[tag as usize].key;
                view::tag(self.profile, key).is_some_and(|tag| f64::from(tag.score) >= least)
            }
            Gate::Clause { clause } => self.clause(&self.program.clauses[clause as usize]).holds,
        })
    }

    /// Tells whether there are at least so many events of a feature; of cells it isn't asked how many they stand for.
    fn has(self, feature: u32, least: u32) -> bool {
        match self.live.series.get(&feature) {
            Some(series) => series.len() >= least as usize || !self.cells(feature).is_empty(),
            None => false,
        }
    }

    /// Every audience whose truth can be otherwise than false for good, ascending: those without a gate, those whose
    /// gate is open, and those in which the visitor has a standing.
    pub(crate) fn candidates(self) -> Vec<u32> {
        let program = self.program;
        let mut found = program.always.clone();
        for (&feature, series) in &self.live.series {
            let opens = &program.features[feature as usize].opens;
            if opens.is_empty() {
                continue;
            }
            let many = if self.cells(feature).is_empty() { series.len() } else { usize::MAX };
            let open = opens.iter().take_while(|(least, _)| *least as usize <= many);
            found.extend(open.map(|&(_, audience)| audience));
        }
        for tag in &self.profile.tags {
            if let Some(&number) = program.by_tag.get(&tag.key) {
                let opens = &program.tags[number as usize].opens;
                let open = opens.iter().take_while(|(least, _)| *least <= f64::from(tag.score));
                found.extend(open.map(|&(_, audience)| audience));
            }
        }
        let asked = self.profile.traits.iter().filter_map(|t| program.by_trait.get(&t.0));
        let joined = |s: &Standing| match s.state {
            State::In { .. } => program.by_member.get(&s.audience),
            State::Out { .. } => None,
        };
        let joined = self.profile.standings.iter().filter_map(joined);
        for &clause in asked.flatten().chain(joined) {
            let clause = &program.clauses[clause as usize];
            if !clause.opens.is_empty() && self.clause(clause).holds {
                found.extend(&clause.opens);
            }
        }
        let standings = self.profile.standings.iter();
        found.extend(standings.filter_map(|s| program.by_audience.get(&s.audience)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many events a group counts.
    pub(crate) fn count(self, feature: u32, group: &Group) -> u32 {
        if let Some(tally) = self.tally(feature, group.window, group.after) {
            return tally.count();
        }
        let clause = group.breaks.first().map(|&(_, c)| &self.program.clauses[c as usize]);
        let marks =
            clause.map(|c| self.program.lens.marks(&c.leaf, View::now(self.profile), self.now));
        marks.into_iter().flatten().fold(0, |sum, mark| sum.saturating_add(mark.count))
    }

    /// What a window of a summand holds, ascending.
    fn terms(self, summand: u32, window: Millis) -> impl Iterator<Item = Term> + Clone + use<'a> {
        let terms = self.live.terms.get(&summand).map_or(&[][..], SmallVec::as_slice);
        let terms = &terms[terms.partition_point(|&(at, _)| at + window <= self.now)..];
        let summand = &self.program.summands[summand as usize];
        let cells = if summand.in_cells { self.cells(summand.feature) } else { &[] };
        let cells = &cells[cells.partition_point(|cell| cell.last + window <= self.now)..];
        let mut terms = terms.iter().copied().peekable();
        let mut cells = cells.iter().map(|cell| (cell.last, cell.sum.get())).peekable();
        std::iter::from_fn(move || match (terms.peek(), cells.peek()) {
            (Some((term, _)), Some((cell, _))) if cell < term => cells.next(),
            (None, _) => cells.next(),
            _ => terms.next(),
        })
    }

    /// What a group of sums adds up to, and whether a term of it is below nothing.
    pub(crate) fn sum(self, summand: u32, group: &SumGroup) -> (i128, bool) {
        let terms = self.terms(summand, group.window);
        (sum::total(terms.clone()), { terms }.any(|(_, value)| value < 0))
    }

    /// The last event of a feature that still counts.
    pub(crate) fn last(self, feature: u32) -> Option<UnixMillis> {
        let times = self.live.times(feature);
        let last = times.last().copied().max(self.cells(feature).last().map(|cell| cell.last));
        last.filter(|&last| self.now < last + self.program.lens.max_age)
    }

    fn directly(self, clause: &Clause) -> Verdict {
        self.program.lens.leaf(&clause.leaf, View::now(self.profile), self.now)
    }

    fn cells(self, feature: u32) -> &'a [Cell] {
        if self.profile.cells.is_empty() {
            return &[];
        }
        let feature = &self.program.features[feature as usize];
        feature.cell_tag.map_or(&[], |tag| view::cells(self.profile, feature.event, tag))
    }

    /// What a window of a feature holds; `None`: events share a millisecond with the last one that counting starts
    /// after, and only their order of arrival tells.
    fn tally(self, feature: u32, window: Millis, after: Option<u32>) -> Option<Tally<'a>> {
        let (times, cells) = (self.live.times(feature), self.cells(feature));
        let mut times = &times[times.partition_point(|&at| at + window <= self.now)..];
        let mut cells = &cells[cells.partition_point(|cell| cell.last + window <= self.now)..];
        if let Some(floor) = after.and_then(|after| self.last(after)) {
            let behind = times.partition_point(|&at| at < floor);
            if times.get(behind) == Some(&floor) {
                return None;
            }
            times = &times[behind..];
            cells = &cells[cells.partition_point(|cell| cell.last <= floor)..];
        }
        Some(Tally { times, cells })
    }
}

// === impl Tally ===

impl Tally<'_> {
    fn count(self) -> u32 {
        let strokes = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        self.cells.iter().fold(strokes, |sum, cell| sum.saturating_add(cell.count))
    }

    /// When at most `left` are in the window.
    fn expiry(self, left: u32, window: Millis) -> UnixMillis {
        let left = left as usize;
        if self.cells.is_empty() {
            let place = self.times.len().checked_sub(left + 1);
            return place.map_or(NEVER, |place| self.times[place] + window);
        }
        let (mut times, mut cells) = (self.times, self.cells);
        let mut sum = 0usize;
        loop {
            let at = match (times.split_last(), cells.split_last()) {
                (None, None) => return NEVER,
                (Some((&at, rest)), cell) if cell.is_none_or(|(cell, _)| cell.last <= at) => {
                    (times, sum) = (rest, sum + 1);
                    at
                }
                (_, Some((cell, rest))) => {
                    (cells, sum) = (rest, sum + cell.count as usize);
                    cell.last
                }
                (Some((&at, rest)), None) => {
                    (times, sum) = (rest, sum + 1);
                    at
                }
            };
            if sum > left {
                return at + window;
            }
        }
    }
}
