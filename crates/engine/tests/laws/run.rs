//! An engine with a store of bytes: what an owner does, without its outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_cases::Wanted;
use tzeva_engine::{Counts, Draft, Engine, Rules, Settings};
use tzeva_model::Outcome as Decided;
use tzeva_model::{Change, Event, Millis, Seq, UnixMillis, VisitorId};
use tzeva_profile::{Delta, Profile, fold, stored};

/// What an engine is given.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: RuleSet,
    pub(crate) settings: Settings,
    /// Each with its record time, which never goes back.
    pub(crate) records: Vec<(UnixMillis, Event)>,
    pub(crate) until: UnixMillis,
}

/// A run so far.
pub(crate) struct Run<'a> {
    case: &'a Case,
    pub(crate) engine: Engine,
    draft: Draft,
    store: BTreeMap<VisitorId, Vec<u8>>,
    seq: u64,
    pub(crate) outcome: Outcome,
    /// What was counted since somebody asked.
    pub(crate) counts: Counts,
}

/// All that a run says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    /// The deltas, commit by commit; a commit that changed nothing is not there.
    pub(crate) commits: Vec<Vec<Delta>>,
}

// === impl Run ===

impl<'a> Run<'a> {
    pub(crate) fn new(case: &'a Case) -> Self {
        Self {
            case,
            engine: engine(case, UnixMillis::MIN),
            draft: Draft::default(),
            store: BTreeMap::new(),
            seq: 0,
            outcome: Outcome::default(),
            counts: Counts::default(),
        }
    }

    /// All records, a commit each, and the deadlines up to and including the end.
    pub(crate) fn whole(case: &'a Case) -> Outcome {
        let mut run = Self::new(case);
        for (time, event) in &case.records {
            let _ = run.record(*time, event);
        }
        run.finish()
    }

    /// Fires, decides and commits.
    pub(crate) fn record(&mut self, time: UnixMillis, event: &Event) -> Decided {
        self.fire_until(time);
        if !self.engine.holds(&event.visitor) {
            self.engine.load(event.visitor.clone(), self.read(&event.visitor));
        }
        let outcome = self.engine.take(time, event, &mut self.draft);
        self.commit();
        outcome
    }

    /// Fires every deadline before `until`, and commits.
    pub(crate) fn fire_until(&mut self, until: UnixMillis) {
        for visitor in self.engine.wanted_before(until, usize::MAX) {
            let profile = self.read(&visitor);
            self.engine.load(visitor, profile);
        }
        self.engine.fire_until(until, &mut self.draft);
        self.commit();
    }

    /// Looks at every visitor at `now`, due or not, and commits.
    pub(crate) fn look_at_all(&mut self, now: UnixMillis) {
        self.engine.evict(&|_| false, 0);
        for (visitor, profile) in self.profiles() {
            self.engine.load(visitor, Some(Profile { deadline: Some(now), ..profile }));
        }
        self.engine.fire_until(now + Millis::new(1), &mut self.draft);
        self.commit();
    }

    /// From engine time on `rules` decide.
    pub(crate) fn activate(&mut self, rules: &RuleSet) {
        self.fire_until(self.engine.engine_time());
        let rules = Rules::compile(Arc::new(rules.clone()), self.case.settings.max_age);
        self.engine.activate(rules);
    }

    /// Sweeps the next `most` visitors behind `swept`, which then is the last of them; true: nobody is left. A commit.
    pub(crate) fn sweep(&mut self, most: usize, swept: &mut Option<VisitorId>) -> bool {
        let mut page: Vec<_> = self.store.keys().map(|v| (v.shard(), v.clone())).collect();
        page.sort();
        let is_ahead = |place: &(_, VisitorId)| {
            swept.as_ref().is_none_or(|last| *place > (last.shard(), last.clone()))
        };
        page.retain(is_ahead);
        page.truncate(most);
        let page: Vec<VisitorId> = page.into_iter().map(|(_, visitor)| visitor).collect();
        for visitor in &page {
            let profile = self.read(visitor);
            self.engine.load(visitor.clone(), profile);
        }
        self.engine.sweep(&page, &mut self.draft);
        if let Some(last) = page.last() {
            self.engine.swept_to(last.shard(), Some(last.clone()));
            *swept = Some(last.clone());
        }
        self.commit();
        page.len() < most
    }

    /// A new engine that knows nothing but the deadlines, each from the stored bytes.
    pub(crate) fn begin_anew(&mut self) {
        self.engine = engine(self.case, self.engine.engine_time());
        for visitor in self.store.keys() {
            let deadline = self.read(visitor).and_then(|profile| profile.deadline);
            self.engine
                .arm(visitor.clone(), deadline.expect("every stored profile has a deadline"));
        }
    }

    pub(crate) fn finish(mut self) -> Outcome {
        self.fire_until(self.case.until + Millis::new(1));
        self.outcome
    }

    /// The profiles as stored.
    pub(crate) fn profiles(&self) -> BTreeMap<VisitorId, Profile> {
        self.store.keys().filter_map(|id| Some((id.clone(), self.read(id)?))).collect()
    }

    fn read(&self, visitor: &VisitorId) -> Option<Profile> {
        self.store.get(visitor).map(|bytes| stored::decode(bytes).unwrap())
    }

    fn commit(&mut self) {
        let draft = std::mem::take(&mut self.draft);
        self.counts.add(&draft.counts);
        if draft.is_empty() {
            return;
        }
        self.seq += 1;
        for delta in &draft.deltas {
            let profile = fold(self.read(&delta.visitor), delta, Seq::new(self.seq)).unwrap();
            match profile {
                Some(new) => self.store.insert(delta.visitor.clone(), stored::encode(&new)),
                None => self.store.remove(&delta.visitor),
            };
        }
        self.outcome.changes.extend(draft.changes);
        self.outcome.commits.push(draft.deltas);
    }
}

/// The case of `seed`; with `policies` as the language has them, else with entry conditions alone.
pub(crate) fn case(seed: u64, policies: bool) -> Case {
    let wanted =
        Wanted { policies, unsteady: false, long: seed.is_multiple_of(8), activations: false };
    let case = tzeva_cases::case_with(seed, wanted);
    let (settings, records) = (tzeva_cases::engine_settings!(case), case.records());
    Case { rules: case.rules, settings, records, until: case.until }
}

pub(crate) fn engine(case: &Case, engine_time: UnixMillis) -> Engine {
    Engine::new(Arc::new(case.rules.clone()), case.settings.clone(), engine_time)
}
