//! The pages of a running service: `/livez`, `/readyz`, `/startupz`, `/metrics`, `/buildinfo`, and whatever the service
//! adds. Bound to loopback unless set; beyond loopback it refuses to start without a bearer token.

use crate::{BuildInfo, Health, Registry};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What the pages show, and who may see them.
#[derive(Clone)]
pub struct Pages {
    /// Metrics.
    pub registry: Registry,
    /// Health.
    pub health: Health,
    /// Build information.
    pub build: BuildInfo,
    /// The bearer token that every request but those for health must carry; `None`: loopback only.
    pub token: Option<Arc<str>>,
    /// Further routes.
    pub more: Router,
}

/// Why the pages can't be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Beyond loopback without a token.
    #[error("http.listen is {0}, which others can reach: set http.token, or listen on 127.0.0.1")]
    NoToken(SocketAddr),
    /// The address can't be bound.
    #[error("listen on {0} for http")]
    Bind(SocketAddr, #[source] std::io::Error),
}

/// Binds `listen`, and gives the address bound and what serves until `stop` is done.
///
/// # Errors
/// See [`HttpError`].
pub async fn serve(
    listen: SocketAddr,
    pages: Pages,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(SocketAddr, impl Future<Output = ()> + Send), HttpError> {
    if !listen.ip().is_loopback() && pages.token.is_none() {
        return Err(HttpError::NoToken(listen));
    }
    let listener =
        TcpListener::bind(listen).await.map_err(|error| HttpError::Bind(listen, error))?;
    let bound = listener.local_addr().map_err(|error| HttpError::Bind(listen, error))?;
    let router = router(pages);
    let serving = async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
            tracing::error!(%error, "http ended");
        }
    };
    Ok((bound, serving))
}

fn router(pages: Pages) -> Router {
    let more = pages.more.clone();
    let guarded = Router::new()
        .route("/metrics", get(metrics))
        .route("/buildinfo", get(buildinfo))
        .with_state(pages.clone())
        .merge(more)
        .layer(from_fn_with_state(pages.clone(), authorize));
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/startupz", get(startupz))
        .with_state(pages)
        .merge(guarded)
}

async fn authorize(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    match &pages.token {
        Some(token) if !given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) => {
            (StatusCode::UNAUTHORIZED, "send Authorization: Bearer <http.token>\n").into_response()
        }
        _ => next.run(request).await,
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, pages.registry.text()).into_response()
}

async fn buildinfo(State(pages): State<Pages>) -> Response {
    axum::Json(pages.build.to_json()).into_response()
}

async fn readyz(State(pages): State<Pages>) -> Response {
    verdict(&pages.health.reasons())
}

async fn startupz(State(pages): State<Pages>) -> Response {
    let reasons =
        if pages.health.is_started() { vec![] } else { vec!["still starting".to_owned()] };
    verdict(&reasons)
}

fn verdict(reasons: &[String]) -> Response {
    if reasons.is_empty() {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

/// Compares without telling by its time how far two tokens agree.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
