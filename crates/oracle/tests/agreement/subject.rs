//! The engine under test: in one go, or broken off and begun anew from what was stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_cases::{Case, Move, Random};
use tzeva_engine::{Draft, Engine, Rules, Settings};
use tzeva_model::{Change, Millis, Origin, ReasonKind, Seq, Shard, UnixMillis, VisitorId};
use tzeva_profile::{Delta, Profile, fold, stored};

/// Changes and deltas of a run, and the profiles that are left.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    pub(crate) profiles: BTreeMap<VisitorId, Profile>,
}

/// An engine with its store, and what has been committed so far.
struct Owner<'a> {
    case: &'a Case,
    engine: Engine,
    draft: Draft,
    /// Profiles as a store has them: bytes.
    stored: BTreeMap<VisitorId, Vec<u8>>,
    seq: u64,
    changes: Vec<Change>,
    sweep: Option<Sweep>,
}

/// A sweep under way, as commits tell of it.
struct Sweep {
    former: Rules,
    at: UnixMillis,
    /// Everybody up to here is met.
    swept: Option<(Shard, VisitorId)>,
}

// === impl Owner ===

impl<'a> Owner<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            case,
            engine: engine(case),
            draft: Draft::default(),
            stored: BTreeMap::new(),
            seq: 0,
            changes: Vec::new(),
            sweep: None,
        }
    }

    fn step(&mut self, step: &Move) {
        match step {
            Move::Record(input) => {
                self.fire_until(input.record_time);
                let visitor = &input.event.visitor;
                if !self.engine.holds(visitor) {
                    self.engine.load(visitor.clone(), self.read(visitor));
                }
                let _ = self.engine.take(input.record_time, &input.event, &mut self.draft);
            }
            Move::Clock(until) => self.fire_until(*until),
            Move::Activate(rules) => {
                // A profile is behind by one version at most.
                self.sweep_on(usize::MAX);
                self.fire_until(self.engine.engine_time());
                self.commit();
                let (former, at) = (self.engine.rules().clone(), self.engine.engine_time());
                let rules = Rules::compile(Arc::new((**rules).clone()), self.case.settings.max_age);
                self.engine.activate(rules);
                self.sweep = Some(Sweep { former, at, swept: None });
            }
        }
    }

    /// Meets the next `most` stored profiles, if a sweep is under way; a page, its cursor and what else was drafted are
    /// one commit.
    fn sweep_on(&mut self, most: usize) {
        let Some(sweep) = &mut self.sweep else { return };
        let mut page: Vec<_> = self.stored.keys().map(|v| (v.shard(), v.clone())).collect();
        page.sort();
        page.retain(|place| sweep.swept.as_ref().is_none_or(|swept| place > swept));
        page.truncate(most);
        let visitors: Vec<VisitorId> = page.iter().map(|(_, visitor)| visitor.clone()).collect();
        sweep.swept = page.pop().or(sweep.swept.take());
        for visitor in &visitors {
            let profile = self.read(visitor);
            self.engine.load(visitor.clone(), profile);
        }
        self.engine.sweep(&visitors, &mut self.draft);
        if visitors.len() < most {
            self.engine.end_sweep();
            self.sweep = None;
        } else if let Some((shard, last)) = self.sweep.as_ref().and_then(|s| s.swept.clone()) {
            self.engine.swept_to(shard, Some(last));
        }
        self.commit();
    }

    fn fire_until(&mut self, until: UnixMillis) {
        for visitor in self.engine.wanted_before(until, usize::MAX) {
            let profile = self.read(&visitor);
            self.engine.load(visitor, profile);
        }
        self.engine.fire_until(until, &mut self.draft);
    }

    /// Folds what was drafted into the stored profiles, as a commit does.
    fn commit(&mut self) {
        let draft = std::mem::take(&mut self.draft);
        self.seq += 1;
        for delta in &draft.deltas {
            self.fold(delta);
        }
        self.changes.extend(draft.changes);
    }

    fn read(&self, visitor: &VisitorId) -> Option<Profile> {
        self.stored.get(visitor).map(|bytes| stored::decode(bytes).unwrap())
    }

    fn fold(&mut self, delta: &Delta) {
        let visitor = &delta.visitor;
        match fold(self.read(visitor), delta, Seq::new(self.seq)).unwrap() {
            Some(new) => self.stored.insert(visitor.clone(), stored::encode(&new)),
            None => self.stored.remove(visitor),
        };
        let in_memory = self.engine.profile(visitor).cloned().map(without_seq);
        let in_store = self.read(visitor).map(without_seq);
        assert_eq!(in_memory, in_store, "the fold of the deltas is what the engine holds");
    }

    /// A new engine that knows the deadlines and nothing else.
    fn begin_anew(&mut self) {
        self.commit();
        let (rules, settings) = (self.engine.rules().clone(), settings(self.case));
        self.engine = Engine::under(rules, settings, self.engine.engine_time());
        if let Some(Sweep { former, at, swept }) = &self.sweep {
            let swept = swept.clone().map(|(shard, last)| (shard, Some(last)));
            self.engine.resume_sweep(former.clone(), *at, swept);
        }
        for visitor in self.stored.keys() {
            if let Some(at) = self.read(visitor).and_then(|profile| profile.deadline) {
                self.engine.arm(visitor.clone(), at);
            }
        }
    }

    fn finish(mut self) -> Outcome {
        self.fire_until(self.case.until + Millis::new(1));
        self.sweep_on(usize::MAX);
        self.commit();
        let read = |id: &VisitorId| Some((id.clone(), without_seq(self.read(id)?)));
        let profiles = self.stored.keys().filter_map(read).collect();
        Outcome { changes: self.changes, profiles }
    }
}

/// The whole run in one engine, one commit a step.
pub(crate) fn whole(case: &Case) -> Outcome {
    let mut owner = Owner::new(case);
    for step in &case.moves {
        owner.step(step);
        owner.sweep_on(usize::MAX);
        owner.commit();
    }
    owner.finish()
}

/// The run broken off at places that follow from `seed`, each time going on from what was stored; now and then several
/// steps a commit, profiles evicted in between.
pub(crate) fn split(case: &Case, seed: u64) -> Outcome {
    let random = &mut Random::new(seed);
    let mut owner = Owner::new(case);
    for step in &case.moves {
        owner.step(step);
        match random.below(6) {
            0 | 1 => owner.begin_anew(),
            2 => {
                owner.commit();
                owner.engine.evict(&|_| false, random.below(2));
            }
            3 => owner.commit(),
            _ => {}
        }
        if random.chance(30) {
            owner.sweep_on(1 + random.below(2));
        }
    }
    owner.finish()
}

fn engine(case: &Case) -> Engine {
    Engine::new(Arc::new(case.rules.clone()), settings(case), UnixMillis::MIN)
}

fn settings(case: &Case) -> Settings {
    tzeva_cases::engine_settings!(case)
}

/// The changes of each visitor, in order, as they would be if everybody were met at the instant of an activation: what
/// time did is not late then.
pub(crate) fn by_visitor(changes: &[Change]) -> BTreeMap<VisitorId, Vec<Change>> {
    let mut all: BTreeMap<_, Vec<Change>> = BTreeMap::new();
    for change in changes {
        let mut change = change.clone();
        let by_time = matches!(change.reason.kind, ReasonKind::Deadline | ReasonKind::Forgotten);
        if by_time && change.origin == Origin::Rules {
            change.origin = Origin::Live;
        }
        all.entry(change.visitor.clone()).or_default().push(change);
    }
    all
}

fn without_seq(profile: Profile) -> Profile {
    Profile { seq: Seq::default(), ..profile }
}
