//! Times the plan of new rules by all stored profiles.

use anyhow::Result;
use serde_json::{Value, json};
use std::time::Instant;
use tzeva_engine::Rules;
use tzeva_model::UnixMillis;
use tzeva_plan::{Given, Plan};
use tzeva_redis::Viewer;

/// A plan, and how long it took.
pub(crate) struct Planned {
    name: &'static str,
    seconds: f64,
    plan: Plan,
}

/// Plans to put the second rules in the place of the first, as of `now`.
pub(crate) fn planned(
    name: &'static str,
    (old, new): (&Rules, &Rules),
    store: &tzeva_redis::Settings,
    now: UnixMillis,
) -> Result<Planned> {
    let began = Instant::now();
    let mut viewer = Viewer::connect(store)?;
    let settings = tzeva_engine::Settings::default();
    let given = Given { old: Some(old.set()), new: new.set(), settings, now };
    let plan = Plan::make(given, |shard| viewer.read_shard(shard), |_, _| {})?;
    let planned = Planned { name, seconds: began.elapsed().as_secs_f64(), plan };
    println!("plan: {}", planned.line());
    Ok(planned)
}

// === impl Planned ===

impl Planned {
    pub(crate) fn line(&self) -> String {
        let (entered, left) = self.moved();
        let visitors = self.plan.forecast.visitors;
        format!("| {} | {:.1} | {visitors} | {entered} | {left} |", self.name, self.seconds)
    }

    pub(crate) fn json(&self) -> Value {
        let (entered, left) = self.moved();
        json!({ "name": self.name, "seconds": self.seconds, "profiles": self.plan.forecast.visitors,
                "gained": entered, "lost": left })
    }

    fn moved(&self) -> (u64, u64) {
        let members = self.plan.forecast.audiences.values();
        members.fold((0, 0), |(gained, lost), one| (gained + one.gained, lost + one.lost))
    }
}
