//! `POST /v1/rules/plan` of a running service: what would change if the rule files of the body took the place of those that
//! hold. For `tzeva audience apply`, which can't read a data folder while a service holds it.
//!
//! Nothing is written. One plan is made at a time: each walks over all profiles.

use crate::exit::{Exit, Failure};
use crate::plan::{self, Asked, Plan, Profiles};
use crate::publications::Publications;
use crate::wiring;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use std::sync::{Arc, Mutex, TryLockError};
use tzeva_rulebook::MAX_TOTAL;
use tzeva_settings::Settings;

/// Where the page is.
pub(crate) const PATH: &str = "/v1/rules/plan";

/// What a plan is made of.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) settings: Arc<Settings>,
    pub(crate) publications: Publications,
    pub(crate) profiles: Arc<dyn Profiles>,
    /// Held while a plan is made.
    pub(crate) busy: Arc<Mutex<()>>,
}

// === impl Planner ===

impl Planner {
    pub(crate) fn new(
        settings: Settings,
        publications: Publications,
        profiles: Arc<dyn Profiles>,
    ) -> Self {
        Self { settings: Arc::new(settings), publications, profiles, busy: Arc::default() }
    }

    /// The route.
    pub(crate) fn router(self) -> Router {
        // JSON writes a byte with up to six; rule files are text, and twice their size is ample.
        let limit = DefaultBodyLimit::max(2 * MAX_TOTAL);
        Router::new().route(PATH, post(made)).layer(limit).with_state(self)
    }

    fn plan(&self, asked: Asked) -> Result<Plan, Failure> {
        let files = asked.into_files();
        let compiled = tzeva_audience::compile(&files, &wiring::check_settings(&self.settings));
        let Some(new) = compiled.rules else {
            let list: Vec<String> = compiled.problems.iter().map(ToString::to_string).collect();
            return Err(Failure::settings(anyhow::anyhow!(
                "the rules are refused under the service's settings:\n{}",
                list.join("\n")
            )));
        };
        let head = self.publications.head()?;
        plan::make(&self.settings, (head.as_deref(), &new), &*self.profiles, |_, _| {})
    }
}

async fn made(State(planner): State<Planner>, Json(asked): Json<Asked>) -> Response {
    let made = tokio::task::spawn_blocking(move || {
        let _held = match planner.busy.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
        };
        Some(planner.plan(asked))
    });
    match made.await {
        Ok(Some(Ok(plan))) => Json(plan).into_response(),
        Ok(Some(Err(failure))) => {
            let status = match failure.exit {
                Exit::Settings => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            problem(status, &format!("{:#}", failure.error))
        }
        Ok(None) => problem(StatusCode::CONFLICT, "another plan is being made, try again"),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "a bug, see the log"),
    }
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
