//! Who would enter and leave: every stored profile, brought up to date by the same engine that a sweep runs.
//!
//! A forecast by the store: what was decided but not yet stored isn't in it, and by the time when owners switch, events
//! and time have gone on. Nothing is written. Profiles are taken a shard at a time, so memory is bounded by the largest.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tzeva_engine::{Draft, Engine, Rules};
use tzeva_model::{Direction, NameId, SHARDS, Shard, UnixMillis, VisitorId};
use tzeva_profile::{State, stored};

/// Who would enter and leave which audience.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Visitors with a stored profile.
    pub visitors: u64,
    /// Profiles that could not be read, and are not in the figures.
    pub unreadable: u64,
    /// By audience, the old ones and the new ones.
    pub audiences: BTreeMap<String, Members>,
}

/// The members of an audience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Now, under the rules that hold.
    pub now: u64,
    /// Who would enter.
    pub gained: u64,
    /// Who would leave.
    pub lost: u64,
}

/// Rules, and those that take their place.
pub(crate) struct Replaced {
    pub(crate) old: Rules,
    pub(crate) new: Rules,
    pub(crate) settings: tzeva_engine::Settings,
    /// When they would.
    pub(crate) now: UnixMillis,
}

/// The stored profiles of a shard, as they lie in the store.
pub type Stored = BTreeMap<VisitorId, Vec<u8>>;

/// Counts over all shards; `told` hears after each how many shards of all are done.
pub(crate) fn forecast<E>(
    replaced: &Replaced,
    mut read: impl FnMut(Shard) -> Result<Stored, E>,
    mut told: impl FnMut(u16, u64),
) -> Result<Forecast, E> {
    let mut tally = Tally::default();
    for shard in 0..SHARDS {
        let stored = read(Shard::new(shard))?;
        if !stored.is_empty() {
            tally.count(replaced, stored);
        }
        told(shard + 1, tally.visitors);
    }
    let names: BTreeMap<NameId, String> = [&replaced.old, &replaced.new]
        .into_iter()
        .flat_map(|rules| &rules.set().audiences)
        .map(|audience| (audience.name.id(), audience.name.text().to_owned()))
        .collect();
    let of = |(id, name)| (name, tally.members.get(&id).copied().unwrap_or_default());
    let audiences = names.into_iter().map(of).collect();
    Ok(Forecast { visitors: tally.visitors, unreadable: tally.unreadable, audiences })
}

#[derive(Default)]
struct Tally {
    visitors: u64,
    unreadable: u64,
    members: BTreeMap<NameId, Members>,
}

// === impl Tally ===

impl Tally {
    fn count(&mut self, replaced: &Replaced, stored: Stored) {
        let Replaced { old, new, settings, now } = replaced;
        // Not at `now`: deadlines that are past fire at their own instants first, under the old rules.
        let mut engine = Engine::under(old.clone(), settings.clone(), UnixMillis::new(0));
        let mut visitors = Vec::with_capacity(stored.len());
        for (visitor, bytes) in stored {
            self.visitors += 1;
            match stored::decode(&bytes) {
                Ok(profile) => {
                    engine.load(visitor.clone(), Some(profile));
                    visitors.push(visitor);
                }
                Err(_) => self.unreadable += 1,
            }
        }
        engine.fire_until(*now, &mut Draft::default());
        for profile in visitors.iter().filter_map(|visitor| engine.profile(visitor)) {
            for standing in &profile.standings {
                if matches!(standing.state, State::In { .. }) {
                    self.members.entry(standing.audience).or_default().now += 1;
                }
            }
        }
        let mut draft = Draft::default();
        engine.activate(new.clone());
        engine.sweep(&visitors, &mut draft);
        for change in &draft.changes {
            let members = self.members.entry(change.audience).or_default();
            match change.direction {
                Direction::Entered => members.gained += 1,
                Direction::Exited => members.lost += 1,
            }
        }
    }
}
