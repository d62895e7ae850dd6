//! Rules that change while an engine runs: from an activation on the new set decides, and every profile that the former
//! one judged last is brought up to date, at the latest by a sweep.
//!
//! A profile is *behind* iff a sweep is under way, its stamp is not the version of the rules, and it lies behind the
//! cursor. Whoever is met while behind, by an event, by a deadline or by the sweep, is renewed first (`renew`), as of the
//! instant of the activation. So it does not matter when that happens, nor who comes first.
//!
//! Versions are compared for equality alone: each belongs to one publication, so a set that is published again has
//! another one. A profile that a sweep found nothing to write about keeps its old stamp; that it was met the cursor tells.
//!
//! Replay: an engine that is begun anew within a sweep is told of it by `resume_sweep`. Whatever is written to a profile
//! brings the stamp along, so whoever is met twice was not written to in between, and nothing is found the second time
//! either. The cursor spares that second look; nothing that is told hangs on it.

use crate::draft::Draft;
use crate::engine::Engine;
use crate::program::Program;
use crate::shift::Shift;
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_model::{Millis, RulesVersion, Shard, UnixMillis, VisitorId};
use tzeva_profile::Profile;

/// A rule set ready to run; cheap to clone, one for all engines of a process.
#[derive(Clone, Debug)]
pub struct Rules(Arc<Program>);

/// A sweep under way.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// What the activation changed.
    pub(crate) shift: Shift,
    /// Engine time of the activation.
    pub(crate) at: UnixMillis,
    /// Everybody up to here is met: a shard, and in it a visitor or all of it.
    swept: Option<(Shard, Option<VisitorId>)>,
}

// === impl Rules ===

impl Rules {
    /// Compiles `rules` for histories in which nothing counts longer than `max_age`.
    #[must_use]
    pub fn compile(rules: Arc<RuleSet>, max_age: Millis) -> Self {
        Self(Arc::new(Program::compile(rules, max_age)))
    }

    /// What was compiled.
    #[must_use]
    pub fn set(&self) -> &Arc<RuleSet> {
        &self.0.rules
    }

    /// The version of the set.
    #[must_use]
    pub fn version(&self) -> RulesVersion {
        self.0.rules.version
    }

    /// The rules as they run.
    pub(crate) fn program(&self) -> &Program {
        &self.0
    }
}

// === impl Sweep ===

impl Sweep {
    /// Tells whether a profile is behind under rules of `version`.
    pub(crate) fn is_behind(
        &self,
        version: RulesVersion,
        visitor: &VisitorId,
        profile: &Profile,
    ) -> bool {
        profile.stamp != version && !self.has_met(visitor)
    }

    fn has_met(&self, visitor: &VisitorId) -> bool {
        let Some((shard, last)) = &self.swept else { return false };
        let own = visitor.shard();
        own < *shard || own == *shard && last.as_ref().is_none_or(|last| visitor <= last)
    }
}

// === impl Engine ===

impl Engine {
    /// From engine time on `rules` decide. A sweep is under way until `end_sweep`; must not be called while one is.
    ///
    /// Deadlines before engine time must have been fired: they are the former rules' matter.
    pub fn activate(&mut self, rules: Rules) {
        debug_assert!(!self.is_sweeping(), "a profile is behind by one version at most");
        let former = std::mem::replace(&mut self.rules, rules);
        self.generation += 1;
        self.resume_sweep(former, self.engine_time(), None);
    }

    /// After a recovery: the engine runs under rules that were activated at `at` after `former`, and met all up to
    /// `swept` (shard, last visitor; `None` for the visitor: the whole shard; `None` at all: nobody yet).
    pub fn resume_sweep(
        &mut self,
        former: Rules,
        at: UnixMillis,
        swept: Option<(Shard, Option<VisitorId>)>,
    ) {
        let shift = Shift::between(former, &self.rules);
        self.sweep = Some(Box::new(Sweep { shift, at, swept }));
    }

    /// Brings these held visitors, ascending by (shard, id), up to date if they are behind. Says nothing about others.
    ///
    /// What the new rules would have let happen between the activation and engine time happens, each at its own instant.
    pub fn sweep(&mut self, visitors: &[VisitorId], draft: &mut Draft) {
        for visitor in visitors {
            self.sweep_one(visitor, draft);
        }
    }

    /// All visitors up to here are met: profiles at or before it are up to date whatever their stamp.
    pub fn swept_to(&mut self, shard: Shard, last: Option<VisitorId>) {
        if let Some(sweep) = &mut self.sweep {
            sweep.swept = Some((shard, last));
        }
    }

    /// Everybody is met.
    pub fn end_sweep(&mut self) {
        self.sweep = None;
    }

    /// Tells whether a sweep is under way.
    #[must_use]
    pub fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }
}
