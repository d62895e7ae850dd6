//! `tzeva run`: the service.

pub(crate) mod embedded;
mod published;
mod server;

use crate::config::SettingsArgs;
use crate::exit::{Exit, Failure};
use crate::plan_page::Planner;
use crate::signals::Signals;
use std::path::PathBuf;
use std::time::Duration;
use tzeva_embedded::FolderError;
use tzeva_pages::Shown;
use tzeva_redis::RedisStoreError;
use tzeva_settings::{Loaded, Settings, Span};
use tzeva_telemetry::{BuildInfo, Health, LogFormat, Pages, Registry, init_logging};

/// Arguments of `tzeva run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Log, store and sources in one folder: no servers.
    #[arg(long, requires = "data")]
    pub(crate) embedded: bool,
    /// The data folder; made if it is missing.
    #[arg(long, value_name = "DIR", requires = "embedded")]
    pub(crate) data: Option<PathBuf>,
    /// Files of events to take in, a JSON object a line; `-` follows stdin.
    #[arg(long, value_name = "FILE", requires = "embedded", num_args = 1..)]
    pub(crate) events: Vec<PathBuf>,
    /// Stop when all events are taken in, decided, published and stored.
    #[arg(long, requires = "embedded")]
    pub(crate) until_drained: bool,
    /// What this process does.
    #[arg(long, value_enum, default_value_t = Role::Painter)]
    pub(crate) role: Role,
    /// Where a first start reads its sources from: `earliest`, `latest`, or an RFC 3339 instant.
    #[arg(long, value_name = "WHERE")]
    pub(crate) from: Option<String>,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Owns partitions and decides.
    Painter,
    /// Sends records of other keys to the partitions of their visitors.
    Route,
}

pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    if args.role == Role::Route {
        return Err(Failure::settings(anyhow::anyhow!(
            "--role route is not built yet: key the source topics by visitor id"
        )));
    }
    let signals = Signals::listen()?;
    if args.embedded { embedded::run(&args, signals) } else { server::run(&args, signals) }
}

/// Starts logging, and logs what the settings come to.
fn begin(loaded: &Loaded) {
    let log = &loaded.settings.log;
    let format = if log.format == "json" { LogFormat::Json } else { LogFormat::Text };
    init_logging(format, &log.level);
    let settings = serde_json::to_string(&loaded.settings).unwrap_or_default();
    let file = loaded.file.as_deref().unwrap_or("none");
    tracing::info!(version = build().version, features = ?build().features, "tzeva starts");
    tracing::info!(file, overridden = ?loaded.overridden, %settings, "effective settings");
}

/// Tells settings from the world, of what a painter's ports are made with.
fn judged(error: anyhow::Error) -> Failure {
    let redis = error.downcast_ref::<RedisStoreError>().map(RedisStoreError::is_settings);
    let folder = error.downcast_ref::<FolderError>().map(FolderError::is_settings);
    let kafka = error.downcast_ref::<tzeva_kafka::Error>();
    let kafka = kafka.map(|error| matches!(error, tzeva_kafka::Error::Settings(_)));
    let thread = error.downcast_ref::<std::io::Error>().map(|_| false);
    // All else is made of settings alone: decoders, the registry's client.
    let settings = redis.or(folder).or(kafka).or(thread).unwrap_or(true);
    if settings { Failure::settings(error) } else { Failure::world(error) }
}

/// What this binary is.
fn build() -> BuildInfo {
    let features = if cfg!(feature = "tls") { vec!["tls"] } else { vec![] };
    BuildInfo { version: env!("CARGO_PKG_VERSION"), features }
}

fn pages(
    settings: &Settings,
    (registry, health): (Registry, Health),
    (shown, planner): (Shown, Planner),
) -> Pages {
    let token = settings.http.token.as_ref().map(|token| token.expose().into());
    let more = shown.router().merge(planner.router());
    Pages { registry, health, build: build(), token, more }
}

fn span(span: Span) -> Duration {
    Duration::from_millis(span.get().get().unsigned_abs())
}
