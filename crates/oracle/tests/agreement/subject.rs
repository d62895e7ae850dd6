//! The engine under test: in one go, or broken off and begun anew from what was stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_cases::{Case, Move, Random};
use tzeva_engine::{Draft, Engine};
use tzeva_model::{Change, Millis, Seq, UnixMillis, VisitorId};
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
}

// === impl Owner ===

impl<'a> Owner<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            case,
            engine: engine(case, UnixMillis::MIN),
            draft: Draft::default(),
            stored: BTreeMap::new(),
            seq: 0,
            changes: Vec::new(),
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
        }
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
        self.engine = engine(self.case, self.engine.engine_time());
        for visitor in self.stored.keys() {
            if let Some(at) = self.read(visitor).and_then(|profile| profile.deadline) {
                self.engine.arm(visitor.clone(), at);
            }
        }
    }

    fn finish(mut self) -> Outcome {
        self.fire_until(self.case.until + Millis::new(1));
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
    }
    owner.finish()
}

fn engine(case: &Case, engine_time: UnixMillis) -> Engine {
    Engine::new(Arc::new(case.rules.clone()), tzeva_cases::engine_settings!(case), engine_time)
}

fn without_seq(profile: Profile) -> Profile {
    Profile { seq: Seq::default(), ..profile }
}
