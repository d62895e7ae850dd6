//! What the log says of rules, done again by an engine that holds everybody.

use crate::process::Run;
use crate::shop;
use std::collections::BTreeSet;
use tzeva_commit::{Commit, LogRecord, Met, Sweep, decode};
use tzeva_engine::{Draft, Engine, Rules};
use tzeva_model::{Partition, RulesVersion, Shard, VisitorId};

/// The rules of a version.
pub(crate) fn of(run: &Run, version: RulesVersion) -> &Rules {
    let found = run.published.iter().find(|rules| rules.version() == version);
    found.unwrap_or_else(|| panic!("rules {version:?} were published"))
}

/// The rules that a log begins with.
pub(crate) fn first(run: &Run, partition: Partition) -> &Rules {
    let opening = run.world.log(partition).into_iter().find_map(|entry| {
        match decode(&entry.bytes).unwrap() {
            LogRecord::Anchor(anchor) => Some(anchor.rules_version),
            LogRecord::Claim(_) | LogRecord::Commit(_) => None,
        }
    });
    opening.map_or_else(|| &run.published[0], |version| of(run, version))
}

/// Follows switches and sweeps, commit by commit.
pub(crate) struct Following<'a> {
    run: &'a Run,
    everybody: BTreeSet<(Shard, VisitorId)>,
    sweep: Option<Sweep>,
}

// === impl Following ===

impl<'a> Following<'a> {
    pub(crate) fn new(run: &'a Run) -> Self {
        let visitors = shop::PARTITIONS.into_iter().flat_map(shop::visitors);
        let everybody = visitors.map(|visitor| (visitor.shard(), visitor)).collect();
        Self { run, everybody, sweep: None }
    }

    /// Does what `commit`, whose inputs are decided, says of rules.
    pub(crate) fn follow(&mut self, commit: &Commit, engine: &mut Engine, draft: &mut Draft) {
        if commit.rules_version != engine.rules().version() {
            assert_eq!(self.sweep, None, "a sweep is over before the next rules come");
            let still = commit.inputs.iter().all(|range| range.from == range.next);
            assert!(still, "a switch is a commit of its own: {commit:?}");
            let sweep = commit.sweep.as_ref().unwrap();
            let former = engine.rules().version();
            assert_eq!((sweep.former, sweep.since), (former, commit.until), "what came before");
            assert_eq!(sweep.met, None, "nobody is met yet");
            engine.activate(of(self.run, commit.rules_version).clone());
        } else if commit.sweep != self.sweep {
            let met = |sweep: &Option<Sweep>| sweep.as_ref().and_then(|sweep| sweep.met.clone());
            let (from, to) = (met(&self.sweep), commit.sweep.as_ref().map(|_| met(&commit.sweep)));
            let reached = |met: &Met, visitor: &(Shard, VisitorId)| match &met.last {
                None => visitor.0 <= met.shard,
                Some(last) => (visitor.0, &visitor.1) <= (met.shard, last),
            };
            let everybody = self.everybody.iter();
            let page = everybody.filter(|visitor| {
                !from.as_ref().is_some_and(|from| reached(from, visitor))
                    && to
                        .as_ref()
                        .is_none_or(|to| to.as_ref().is_some_and(|to| reached(to, visitor)))
            });
            let page: Vec<VisitorId> = page.map(|(_, visitor)| visitor.clone()).collect();
            engine.sweep(&page, draft);
            match to.flatten() {
                Some(Met { shard, last }) => engine.swept_to(shard, last),
                None => engine.end_sweep(),
            }
        }
        self.sweep.clone_from(&commit.sweep);
    }
}
