//! Ends that no real server can be made to give at will: a lane that falls, a log that never answers.

use super::*;
use crate::wiring::{self, NoRegistry, Parts};
use std::sync::{Arc, mpsc};
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_commit::port::{Apply, Changes, Log, Outgoing, Sink, Source, SourceReply, Store, Ticket};
use tzeva_model::{LogOffset, Shard, SourceOffset, TopicIndex, UnixMillis, VisitorId};
use tzeva_pages::{Look, Names, Shown};
use tzeva_painter::{NameTable, Ports, SharedNames};
use tzeva_settings::Settings;
use tzeva_telemetry::{BuildInfo, Health, Registry};

/// A log that answers no read.
#[derive(Clone, Copy)]
enum Reads {
    Panic,
    Never,
}

/// Ports that answer nothing; the partition belongs here.
struct Mute;

impl Log for Reads {
    fn append(&mut self, _: Partition, _: Ticket, _: Vec<u8>) {}

    fn read(&mut self, _: Partition, _: Ticket, _: LogOffset, _: Option<LogOffset>) {
        assert!(matches!(self, Self::Never), "the log is upside down");
    }

    fn renew(&mut self) {}
}

impl Store for Mute {
    fn read(&mut self, _: Partition, _: Ticket, _: Vec<(Shard, Vec<VisitorId>)>) {}
    fn apply(&mut self, _: Partition, _: Ticket, _: Vec<Apply>) {}
    fn scan(&mut self, _: Partition, _: Ticket, _: Shard, _: u64) {}
    fn due(&mut self, _: Partition, _: Ticket, _: Shard, _: UnixMillis) {}
    fn forget_due(&mut self, _: Partition, _: Shard, _: UnixMillis) {}
}

impl Changes for Mute {
    fn tail(&mut self, _: Partition, _: Ticket) {}
    fn publish(&mut self, _: Partition, _: Ticket, _: Vec<Outgoing>) {}
}

impl Source for Mute {
    fn open(&mut self, _: Partition, _: u64, _: Vec<SourceOffset>) {}
    fn close(&mut self, _: Partition) {}
    fn pause(&mut self, _: Partition, _: TopicIndex, _: bool) {}
    fn prove(&mut self, _: Partition, _: Ticket, _: UnixMillis) {}
    fn progress(&mut self, _: Partition, _: Vec<SourceOffset>) {}
}

impl Look for Mute {
    fn profile(&self, _: &VisitorId) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn names(&self) -> anyhow::Result<NameTable> {
        Ok(NameTable::default())
    }
}

fn rules() -> Arc<RuleSet> {
    let text = include_str!("../demo/shop.yaml");
    let file = SourceFile { path: "shop.yaml".into(), text: text.into() };
    let compiled = compile(&[file], &CheckSettings::default());
    Arc::new(compiled.rules.unwrap_or_else(|| panic!("{:?}", compiled.problems)))
}

/// A service over two lanes of one partition each, both assigned; `over` says when it has nothing left to do.
fn end(reads: Reads, over: impl FnMut(&Painting) -> bool + 'static) -> (Failure, Watcher, Health) {
    let (settings, health, registry) =
        (Settings::default(), Health::default(), Registry::default());
    let rules = wiring::standing(rules(), &settings);
    let names = SharedNames::default();
    let parts = Parts {
        owner: Arc::new(wiring::owner_settings(&settings, 2, rules.clone(), names.clone())),
        decode: wiring::decode_settings(&settings, 2),
        first: None,
        lanes: 2,
        clock: wiring::clock(),
        registry: registry.clone(),
        health: health.clone(),
    };
    let painting = wiring::start(parts, |inbox| {
        let assign: Sink<SourceReply> = inbox.source();
        (0..2).for_each(|p| assign(SourceReply::Assigned(Partition::new(p))));
        let (log, source) = (Box::new(reads), Box::new(Mute));
        Ok(Ports::new(log, Box::new(Mute), Box::new(Mute), source, Arc::new(NoRegistry)))
    })
    .unwrap();
    let watcher = painting.watcher().clone();
    let shown = Shown {
        rules,
        partitions: 2,
        engine: tzeva_engine::Settings::default(),
        watcher: watcher.clone(),
        look: Arc::new(Mute),
        names: Names::new(names),
        now: wiring::wall,
    };
    let (_fail, failed) = mpsc::channel();
    let signals = Signals::listen().unwrap();
    signals.begun();
    let service = Service {
        painting,
        signals,
        pages: Pages {
            registry,
            health: health.clone(),
            build: BuildInfo { version: "0", features: vec![] },
            token: None,
            more: shown.router(),
        },
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        bound: Box::new(|_| {}),
        stop_within: Duration::from_millis(300),
        over: Box::new(over),
        failed,
    };
    (service.run().unwrap_err(), watcher, health)
}

#[test]
fn a_lane_that_falls_ends_the_service_as_a_bug() {
    let (failure, watcher, health) = end(Reads::Panic, |_| false);
    assert_eq!(failure.exit, Exit::Bug);
    let text = failure.error.to_string();
    assert!(text.contains("panicked: the log is upside down"), "{text}");
    let refused = watcher.views().into_values().filter_map(|view| view.refused).count();
    assert_eq!(refused, 2, "both lanes fell");
    let reasons = health.reasons();
    assert!(
        reasons.iter().all(|why| why.contains("upside down")) && reasons.len() == 2,
        "{reasons:?}"
    );
}

#[test]
fn a_stop_that_takes_too_long_says_what_is_left() {
    let asked = |painting: &Painting| painting.watcher().views().len() == 2;
    let (failure, ..) = end(Reads::Never, asked);
    assert_eq!(failure.exit, Exit::TryAgain);
    let text = failure.error.to_string();
    for part in ["painter.stop_within, 0.3 s", "partition 0: it is probing", "partition 1: it is"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn refusals_end_it_by_what_helps_least() {
    let exit = |causes: &[Cause]| {
        let refusal = |&cause| (Partition::new(0), Refusal { why: "so".into(), cause });
        let refusals: Vec<_> = causes.iter().map(refusal).collect();
        refused("no partition is left", &refusals).exit
    };
    assert_eq!(exit(&[Cause::World, Cause::World]), Exit::TryAgain);
    assert_eq!(exit(&[Cause::World, Cause::Unfit]), Exit::Settings);
    assert_eq!(exit(&[Cause::Unfit, Cause::Bug]), Exit::Bug);
}
