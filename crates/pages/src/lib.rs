//! The pages of the service beyond health and metrics: visitors, partitions, audiences, as JSON.
//!
//! A visitor is read from the store, so what the newest commits changed shows when it is applied, a moment later.

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tzeva_engine::{Engine, Rules};
use tzeva_model::{NameId, RulesVersion, UnixMillis, VisitorId};
use tzeva_painter::{KnownRules, NameTable, SharedNames, SharedRules, Watcher};
use tzeva_profile::{Profile, stored};
use tzeva_view::{Explaining, Viewing};

/// Where visitors and names are read.
pub trait Look: Send + Sync {
    /// The stored form of a profile. Blocks.
    fn profile(&self, visitor: &VisitorId) -> anyhow::Result<Option<Vec<u8>>>;
    /// All names. Blocks.
    fn names(&self) -> anyhow::Result<NameTable>;
}

/// What the pages show.
#[derive(Clone)]
pub struct Shown {
    /// Those known here.
    pub rules: SharedRules,
    /// How many there are.
    pub partitions: u16,
    /// As the owners decide by.
    pub engine: tzeva_engine::Settings,
    /// What is known of the partitions.
    pub watcher: Watcher,
    /// Where visitors and missing names are read.
    pub look: Arc<dyn Look>,
    /// What ids stand for.
    pub names: Names,
    /// The wall clock.
    pub now: fn() -> UnixMillis,
}

/// What ids stand for: as far as the painter met them, and what was read when one was missing, since another process may
/// have met it.
#[derive(Clone, Default)]
pub struct Names {
    shared: SharedNames,
    read: Arc<Mutex<Option<Instant>>>,
}

/// How long a name that is missing shows as its id before names are read again.
const NAMES_FOR: Duration = Duration::from_secs(10);

// === impl Names ===

impl Names {
    /// Those that the painter meets.
    pub fn new(shared: SharedNames) -> Self {
        Self { shared, read: Arc::default() }
    }

    /// Reads names again, if that was long ago. True if it was done.
    fn renew(&self, look: &dyn Look) -> anyhow::Result<bool> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_some_and(|at| at.elapsed() < NAMES_FOR) {
            return Ok(false);
        }
        self.shared.extend(look.names()?);
        *read = Some(Instant::now());
        Ok(true)
    }
}

// === impl Shown ===

impl Shown {
    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/visitors/{id}", get(visitor))
            .route("/v1/visitors/{id}/explain/{audience}", get(standing))
            .route("/v1/partitions", get(partitions))
            .route("/v1/audiences", get(audiences))
            .with_state(self)
    }

    fn visitor(&self, id: &VisitorId) -> anyhow::Result<Option<Value>> {
        let Some(profile) = self.profile(id)? else { return Ok(None) };
        let half_lives = self.rules_of(id)?.set().paint.half_life;
        self.with_names(|name| {
            let named = |id: NameId| name(id).unwrap_or_else(|| id.to_string());
            let viewing = Viewing { names: &named, half_lives, now: (self.now)() };
            Some(serde_json::to_value(viewing.visitor(id, &profile)))
        })
    }

    fn standing(&self, id: &VisitorId, audience: &str) -> anyhow::Result<Option<Value>> {
        let Some(profile) = self.profile(id)? else { return Ok(None) };
        let rules = self.rules_of(id)?;
        self.with_names(|name| {
            let (settings, now) = (&self.engine, (self.now)());
            let mut engine = Engine::under(rules.clone(), settings.clone(), profile.seen);
            if let Some((former, since)) = self.sweep_of(id) {
                engine.resume_sweep(former, since, None);
            }
            let explaining = Explaining { rules: rules.set(), settings, name, now };
            let made = explaining.view_in(engine, (id, profile.clone()), audience);
            made.map(serde_json::to_value)
        })
    }

    /// The rules in force for a visitor: their partition's, if it is owned here.
    fn rules_of(&self, id: &VisitorId) -> anyhow::Result<Rules> {
        let views = self.watcher.views();
        let view = views.get(&id.partition(self.partitions));
        let version = view.and_then(|view| view.standings.as_ref()).map(|one| one.rules);
        match version.map(|version| self.rules.get(version)) {
            Some(KnownRules::Usable(rules)) => Ok(rules),
            _ => self.rules.newest().context("no rules are known yet"),
        }
    }

    /// The rules before, and since when they are, if a sweep is under way in the visitor's partition. Whoever it has met
    /// already is explained alike.
    fn sweep_of(&self, id: &VisitorId) -> Option<(Rules, UnixMillis)> {
        let views = self.watcher.views();
        let standings = views.get(&id.partition(self.partitions))?.standings.as_ref()?;
        let sweep = standings.sweep.as_ref()?;
        match self.rules.get(sweep.former) {
            KnownRules::Usable(former) => Some((former, sweep.since)),
            KnownRules::Unusable(_) | KnownRules::Unheard => None,
        }
    }

    fn profile(&self, id: &VisitorId) -> anyhow::Result<Option<Profile>> {
        Ok(self.look.profile(id)?.map(|bytes| stored::decode(&bytes)).transpose()?)
    }

    /// Makes a page; if a name was missing and others may have met it, once more with what they published.
    fn with_names(
        &self,
        make: impl Fn(&dyn Fn(NameId) -> Option<String>) -> Option<serde_json::Result<Value>>,
    ) -> anyhow::Result<Option<Value>> {
        let missing = Cell::new(false);
        let name = |id: NameId| {
            let text = self.names.shared.text(id);
            missing.set(missing.get() || text.is_none());
            text
        };
        let mut made = make(&name);
        if missing.get() && self.names.renew(&*self.look)? {
            made = make(&name);
        }
        Ok(made.transpose()?)
    }
}

async fn visitor(State(shown): State<Shown>, Path(id): Path<String>) -> Response {
    page(&id, "this visitor is not known here", move |id| shown.visitor(id)).await
}

async fn standing(
    State(shown): State<Shown>,
    Path((id, audience)): Path<(String, String)>,
) -> Response {
    let absent = "this visitor is not known here, or there is no such audience";
    page(&id, absent, move |id| shown.standing(id, &audience)).await
}

/// A page about a visitor.
async fn page(
    id: &str,
    absent: &str,
    make: impl FnOnce(&VisitorId) -> anyhow::Result<Option<Value>> + Send + 'static,
) -> Response {
    let id = match VisitorId::try_new(id) {
        Ok(id) => id,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match tokio::task::spawn_blocking(move || make(&id)).await {
        Ok(Ok(Some(view))) => axum::Json(view).into_response(),
        Ok(Ok(None)) => problem(StatusCode::NOT_FOUND, absent),
        Ok(Err(error)) => {
            tracing::warn!(error = format!("{error:#}"), "a visitor's page could not be made");
            problem(StatusCode::SERVICE_UNAVAILABLE, "the store could not be read, see the log")
        }
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "a bug, see the log"),
    }
}

async fn partitions(State(shown): State<Shown>) -> Response {
    let one = |(partition, view): (tzeva_model::Partition, tzeva_painter::PartitionView)| {
        let mut shown = json!({ "partition": partition.get(), "state": view.state });
        if let Some(why) = view.trouble {
            shown["trouble"] = why.into();
        }
        if let Some(why) = view.refused {
            shown["refused"] = why.into();
        }
        if let Some(standings) = view.standings {
            let decided = standings.decided.iter().map(|offset| offset.get());
            shown["epoch"] = standings.epoch.into();
            shown["seq"] = standings.seq.get().into();
            shown["engine_time"] = standings.engine_time.to_string().into();
            shown["lag_records"] = standings.lag.into();
            shown["cached_profiles"] = standings.profiles.into();
            shown["unapplied_profiles"] = standings.unapplied.into();
            shown["decided"] = decided.collect::<Vec<_>>().into();
            shown["drained"] = standings.drained.into();
            shown["rules_version"] = version(standings.rules).into();
        }
        shown
    };
    axum::Json(shown.watcher.views().into_iter().map(one).collect::<Vec<_>>()).into_response()
}

/// The newest rules with their audiences, which rules are in force on how many partitions, and how far sweeps are.
async fn audiences(State(shown): State<Shown>) -> Response {
    let one = |audience: &tzeva_audience::Audience| {
        json!({
            "audience": audience.name.text(),
            "version": format!("{:08x}", audience.version),
            "describe": audience.describe,
            "owner": audience.owner,
        })
    };
    let newest = shown.rules.newest();
    let set = newest.as_ref().map(Rules::set);
    let audiences: Vec<Value> = set.into_iter().flat_map(|set| &set.audiences).map(one).collect();
    let standings: Vec<_> =
        shown.watcher.views().into_values().filter_map(|view| view.standings).collect();
    let mut in_force: BTreeMap<String, u64> = BTreeMap::new();
    for one in &standings {
        *in_force.entry(version(one.rules)).or_default() += 1;
    }
    let sweeps: Vec<_> = standings.iter().filter_map(|one| one.sweep.as_ref()).collect();
    let since = sweeps.iter().map(|sweep| sweep.since).max();
    let sweep = since.map(|since| {
        json!({
            "since": since.to_string(),
            "partitions": sweeps.len(),
            "shards_left": sweeps.iter().map(|sweep| sweep.shards_left).sum::<usize>(),
            "shards": sweeps.iter().map(|sweep| sweep.shards).sum::<usize>(),
            "profiles_met": sweeps.iter().map(|sweep| sweep.met).sum::<u64>(),
        })
    });
    axum::Json(json!({
        "rules_version": newest.as_ref().map(|rules| version(rules.version())),
        "in_force": in_force,
        "sweep": sweep,
        "audiences": audiences,
    }))
    .into_response()
}

fn version(version: RulesVersion) -> String {
    format!("{:016x}", version.get())
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({ "error": text }))).into_response()
}
