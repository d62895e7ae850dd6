//! `tzeva run` on servers: Kafka, Redis, and a schema registry if one is set.

mod first;
mod look;
mod schemas;

use super::Args;
use super::published::Published;
use crate::exit::{Exit, Failure};
use crate::kafka;
use crate::plan::RedisProfiles;
use crate::plan_page::Planner;
use crate::publications::Publications;
use crate::service::Service;
use crate::signals::Signals;
use crate::wiring::{self, NoRegistry, Parts};
use look::ServersLook;
use schemas::Fetcher;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use tzeva_commit::port::PortError;
use tzeva_kafka::{KafkaChanges, KafkaLog, KafkaSource};
use tzeva_pages::{Names, Shown};
use tzeva_painter::{Inbox, Ports, Schemas, SharedNames};
use tzeva_settings::{Mode, Settings};
use tzeva_telemetry::{Health, Registry};

pub(super) fn run(args: &Args, signals: Signals) -> Result<Exit, Failure> {
    let loaded = args.settings.load(Mode::Server)?;
    super::begin(&loaded);
    let settings = loaded.settings;
    let admin = kafka::admin(&settings)?;
    let asking = kafka::asking(&settings.kafka.brokers, "--embedded --data DIR");
    let partitions = kafka::fit_partitions(&admin, &settings).map_err(asking)?;
    let first = first::offsets(&admin, &settings, partitions, args.from.as_deref())?;
    let (registry, health) = (Registry::default(), Health::default());
    let shared = SharedNames::default();
    let publications = Publications::of_servers(&settings)?;
    let published = Published::begin(&settings, publications.clone())?;
    let rules = published.rules();
    let owner = wiring::owner_settings(&settings, partitions, rules.clone(), shared.clone());
    let parts = Parts {
        owner: Arc::new(owner),
        decode: wiring::decode_settings(&settings, partitions),
        first,
        lanes: settings.painter.threads,
        clock: wiring::clock(),
        registry: registry.clone(),
        health: health.clone(),
    };
    let (fail, failed) = channel();
    let painting = wiring::start(parts, |inbox| {
        let ports = ports(&settings, inbox, fail)?;
        signals.begun();
        Ok(ports)
    })
    .map_err(super::judged)?;
    let look = Arc::new(ServersLook::new(settings.clone(), admin));
    let (watcher, names) = (painting.watcher().clone(), Names::new(shared));
    let following = published.follow(&watcher)?;
    let engine = wiring::engine_settings(&settings);
    let now = wiring::wall;
    let shown = Shown { rules, partitions, engine, watcher, look, names, now };
    let profiles = Arc::new(RedisProfiles::new(settings.clone()));
    let planner = Planner::new(settings.clone(), publications, profiles);
    let pages = super::pages(&settings, (registry, health), (shown, planner));
    let service = Service {
        painting,
        signals,
        pages,
        listen: settings.http.listen,
        bound: Box::new(|_| {}),
        stop_within: super::span(settings.painter.stop_within),
        over: Box::new(|_| false),
        failed,
    };
    let ended = service.run();
    drop(following);
    ended
}

fn ports(settings: &Settings, inbox: &Inbox, fail: Sender<Failure>) -> anyhow::Result<Ports> {
    let at = kafka::settings(settings);
    let store = tzeva_redis::connect(&kafka::redis_settings(settings), inbox.store())?.store;
    let schemas: Arc<dyn Schemas> = match &settings.registry.url {
        None => Arc::new(NoRegistry),
        Some(url) => Arc::new(Fetcher::start(url, &settings.registry)?),
    };
    let log = Box::new(KafkaLog::start(&at, inbox.log())?);
    let changes = Box::new(KafkaChanges::start(&at, inbox.changes())?);
    let fail = std::sync::Mutex::new(fail);
    let thrown_out = Arc::new(move |error: PortError| {
        if let Ok(fail) = fail.lock() {
            let _ = fail.send(Failure::world(error));
        }
    });
    let source = Box::new(KafkaSource::start(&at, inbox.source(), thrown_out)?);
    Ok(Ports::new(log, store, changes, source, schemas))
}
