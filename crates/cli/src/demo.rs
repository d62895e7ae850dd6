//! `tzeva demo`: a small simulated shop through the real painter in embedded mode, on a clock that runs fast.
//!
//! Nothing of the painter is simulated: events go into source logs, owners claim partitions, decide, commit to the log,
//! store profiles and publish changes, as in `tzeva run --embedded`. Only the clocks are others, all by the same factor,
//! and with them what the painter measures by them. The folder is temporary and goes with the process.

use crate::exit::{Exit, Failure};
use crate::ink::Ink;
use crate::out::Output;
use crate::signals::Signals;
use crate::wiring::{self, NoRegistry, Painting, Parts};
use anyhow::{Context, anyhow};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tzeva_audience::{CheckSettings, RuleSet, SourceFile};
use tzeva_demo::{Open, PARTITIONS, People, ShopTime, Stage, Story, watched};
use tzeva_embedded::Folder;
use tzeva_model::{Millis, SourceOffset};
use tzeva_painter::driver::Ended;
use tzeva_painter::{ClockLimits, Moment, Pace, Ports, SharedNames};
use tzeva_settings::{Settings, SourceSettings};
use tzeva_telemetry::{Health, Registry};

/// Arguments of `tzeva demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How much faster than ours the shop's time runs.
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// How many of our seconds it lasts.
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// What the crowd's coming and going follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// As people read it, or the changes alone as JSON, one a line.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What the rules are.
const RULES: &str = include_str!("demo/shop.yaml");
/// How often people act and changes are looked for.
const BEAT: Duration = Duration::from_millis(20);
/// How long, by our clock, an event may be on its way to the log; deadlines wait for that long.
const GRACE: Duration = Duration::from_millis(200);
/// Far enough back that nothing filed is ever too old.
const NEVER: Millis = Millis::new(-Millis::DAY.times(36_500).get());
/// How long the painter may take to begin or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let mut signals = Signals::listen()?;
    signals.begun();
    let rules = Arc::new(rules()?);
    let home = tempfile::Builder::new().prefix("tzeva-demo-").tempdir();
    let home = home.context("make a temporary folder").map_err(Failure::world)?;
    let today = (tzeva_embedded::local_clock())();
    let time = ShopTime::start(today, args.speed);
    let folder = open(home.path(), time)?;
    let (published, changes) = channel();
    let painting = paint(&folder, &rules, time, published).map_err(Failure::world)?;
    let mut shop = Open::new(time, People::new(args.seed), folder.ingest());
    let mut stage = Stage::new(Story::new(time, Ink::stdout()), time, args.output);
    stage.open(&rules, args.speed);
    let begun = Instant::now();
    let end = Duration::from_secs(args.seconds);
    while begun.elapsed() < end && !signals.heard() && stage.is_watched() {
        if painting.is_over() {
            let error = anyhow!("the painter has ended by itself: this is a bug");
            return Err(Failure { exit: Exit::Bug, error });
        }
        for (act, at) in shop.act().map_err(Failure::world)? {
            stage.act(&act, at);
        }
        if owns_all(&painting) {
            stage.begin();
        }
        stage.wait(&changes, BEAT);
    }
    let took = begun.elapsed();
    let stopped = painting.stop(PATIENCE);
    stage.rest(&changes);
    let events = shop.events();
    drop((shop, folder));
    home.close().context("remove the temporary folder").map_err(Failure::world)?;
    stage.close(events, took);
    match stopped {
        Some(ends) if ends.iter().all(|end| *end == Ended::Clean) => Ok(Exit::Fine),
        Some(ends) => {
            let error = anyhow!("the painter did not end as it should: {ends:?}: this is a bug");
            Err(Failure { exit: Exit::Bug, error })
        }
        None => Err(Failure::world(anyhow!("the painter did not stop within {PATIENCE:?}"))),
    }
}

/// True once the painter owns every partition.
fn owns_all(painting: &Painting) -> bool {
    let views = painting.watcher().views();
    views.len() == usize::from(PARTITIONS) && views.values().all(|view| view.standings.is_some())
}

fn rules() -> Result<RuleSet, Failure> {
    let file = SourceFile { path: "shop.yaml".into(), text: RULES.into() };
    let compiled = tzeva_audience::compile(&[file], &CheckSettings::default());
    let problems = compiled.problems;
    compiled.rules.ok_or_else(|| {
        let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure {
            exit: Exit::Bug,
            error: anyhow!("the shop's rules are wrong:\n{}", text.join("")),
        }
    })
}

fn settings(time: ShopTime) -> Settings {
    let source = |topic: &str| SourceSettings {
        topic: topic.into(),
        create_time: true,
        grace: tzeva_settings::Span::millis(time.in_shop(GRACE).get()),
        ..SourceSettings::default()
    };
    Settings { sources: vec![source("site-visits"), source("purchases")], ..Settings::default() }
}

fn open(path: &std::path::Path, time: ShopTime) -> Result<Folder, Failure> {
    let wanted = tzeva_embedded::Settings {
        partitions: Some(PARTITIONS),
        topics: settings(time).sources.into_iter().map(|source| source.topic).collect(),
        clock: Arc::new(move || time.now()),
        ..tzeva_embedded::Settings::default()
    };
    Folder::open(path, wanted).map_err(Failure::world)
}

/// Starts the painter. All that it measures by its clocks is as much longer as they run faster.
fn paint(
    folder: &Folder,
    rules: &Arc<RuleSet>,
    time: ShopTime,
    watcher: Sender<Vec<u8>>,
) -> anyhow::Result<Painting> {
    let settings = settings(time);
    let names = SharedNames::default();
    let in_force = wiring::standing(Arc::clone(rules), &settings);
    let mut owner = wiring::owner_settings(&settings, PARTITIONS, in_force, names);
    let speed = time.in_shop(Duration::from_millis(1)).get();
    let pace = Pace::default();
    owner.pace = Pace {
        flush_after: pace.flush_after.times(speed),
        marker_every: pace.marker_every.times(speed),
        heartbeat: pace.heartbeat.times(speed),
        // Deadlines are filed for an owner to come, by buckets of engine time, of which days pass here: none will come.
        file_every: NEVER,
        claim_again: pace.claim_again.times(speed),
        names_per_minute: u32::MAX,
        clock: ClockLimits::REAL.times(speed),
        ..owner.pace
    };
    let beginning = vec![SourceOffset::new(0); settings.sources.len()];
    let parts = Parts {
        owner: Arc::new(owner),
        decode: wiring::decode_settings(&settings, PARTITIONS),
        first: Some(vec![beginning; usize::from(PARTITIONS)]),
        lanes: 1,
        clock: Arc::new(move || Moment { monotonic: time.open_for(), wall: time.now() }),
        registry: Registry::default(),
        health: Health::default(),
    };
    wiring::start(parts, |inbox| {
        let log = folder.log(inbox.log())?;
        let store = folder.store(inbox.store())?;
        let changes = watched(folder, inbox.changes(), watcher)?;
        let source = folder.source(inbox.source())?;
        Ok(Ports::new(log, store, changes, source, Arc::new(NoRegistry)))
    })
}
