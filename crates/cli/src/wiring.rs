//! From settings and ports to a running painter: the same for both modes, the demo and the tests.

use jiff::Timestamp;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tzeva_audience::{CheckSettings, RuleSet};
use tzeva_decode::{Decoder, SchemaKey};
use tzeva_engine::Rules;
use tzeva_model::{Millis, Partition, SourceOffset, UnixMillis};
use tzeva_painter::driver::{Clock, Ended, Watch};
use tzeva_painter::{
    Inbox, Input, Moment, Owner, Pace, PainterMetrics, Ports, Schemas, SharedNames, SharedRules,
    SweepGate, TimeKind, Topic, Watcher,
};
use tzeva_settings::Settings;
use tzeva_telemetry::{Health, Registry};

/// What a painter is made of, apart from its ports.
pub(crate) struct Parts {
    /// The owners' settings.
    pub(crate) owner: Arc<tzeva_painter::Settings>,
    /// A source topic's way of reading events, in order.
    pub(crate) decode: Vec<tzeva_decode::Settings>,
    /// Where each partition is read from if its log is empty.
    pub(crate) first: Option<Vec<Vec<SourceOffset>>>,
    /// Threads that decide.
    pub(crate) lanes: usize,
    /// The clocks.
    pub(crate) clock: Clock,
    /// Metrics.
    pub(crate) registry: Registry,
    /// Health.
    pub(crate) health: Health,
}

/// A painter at work.
pub(crate) struct Painting {
    inbox: Inbox,
    partitions: u16,
    lanes: Vec<JoinHandle<Ended>>,
    watcher: Watcher,
}

/// No registry is set: a record that names a schema by id is refused.
pub(crate) struct NoRegistry;

/// The settings of all owners.
pub(crate) fn owner_settings(
    settings: &Settings,
    partitions: u16,
    rules: SharedRules,
    names: SharedNames,
) -> tzeva_painter::Settings {
    let topics = settings.sources.iter().map(|source| Topic {
        name: source.topic.clone(),
        time: if source.create_time { TimeKind::Create } else { TimeKind::LogAppend },
        grace: source.grace.get(),
    });
    let share = settings.painter.cached_profiles / usize::from(partitions);
    tzeva_painter::Settings {
        owner: process(),
        partitions,
        topics: topics.collect(),
        rules,
        sweeps: SweepGate::default(),
        engine: engine_settings(settings),
        names,
        pace: Pace {
            profiles: share.max(1_000),
            flush_after: settings.painter.flush_after.get(),
            names_per_minute: settings.painter.names_per_minute,
            sweep_per_second: settings.painter.sweep_per_second,
            ..Pace::default()
        },
    }
}

/// Rules that stay as they are.
pub(crate) fn standing(rules: Arc<RuleSet>, settings: &Settings) -> SharedRules {
    SharedRules::of(Rules::compile(rules, settings.history.max_age.get()))
}

/// What the engine needs to know.
pub(crate) fn engine_settings(settings: &Settings) -> tzeva_engine::Settings {
    let history = &settings.history;
    tzeva_engine::Settings {
        max_strokes: history.max_strokes,
        max_age: history.max_age.get(),
        max_cells: history.max_cells,
        max_items: history.max_items,
        max_total_items: history.max_total_items,
        idle: settings.profile.idle.unwrap_or(history.max_age).get(),
        late_after: settings.late_after.get(),
        currencies: settings.currencies(),
        ..tzeva_engine::Settings::default()
    }
}

/// What rules are checked against.
pub(crate) fn check_settings(settings: &Settings) -> CheckSettings {
    let history = &settings.history;
    CheckSettings {
        max_age: history.max_age.get(),
        max_strokes: history.max_strokes,
        idle: settings.profile.idle.unwrap_or(history.max_age).get(),
        keep: history.keep.clone(),
        category_separator: settings.category_separator.clone(),
        ..CheckSettings::default()
    }
}

/// How each source topic's events are read, in order.
pub(crate) fn decode_settings(settings: &Settings, partitions: u16) -> Vec<tzeva_decode::Settings> {
    let of = |source: &tzeva_settings::SourceSettings| tzeva_decode::Settings {
        visitor_id: source.visitor_id.clone(),
        category_separator: settings.category_separator.clone(),
        keep: settings.history.keep.clone(),
        partitions,
        bare_schema: source.bare_schema.clone(),
        ..tzeva_decode::Settings::default()
    };
    settings.sources.iter().map(of).collect()
}

/// Starts a painter; `ports` makes the ports that answer to the inbox.
///
/// # Errors
/// If a decoder's settings are wrong, a port can't be made, or a thread can't be started.
pub(crate) fn start(
    parts: Parts,
    ports: impl FnOnce(&Inbox) -> anyhow::Result<Ports>,
) -> anyhow::Result<Painting> {
    let partitions = parts.owner.partitions;
    let (inbox, lanes) = Inbox::new(parts.lanes, parts.owner.names.clone());
    let mut owners = Vec::new();
    for partition in (0..partitions).map(Partition::new) {
        let decoders = parts.decode.iter().map(Decoder::new).collect::<Result<Vec<_>, _>>()?;
        let first = parts.first.as_ref().map(|all| all[usize::from(partition.get())].clone());
        let seed = u64::from(std::process::id()) ^ (parts.clock)().wall.get().cast_unsigned();
        owners.push(Owner::new(partition, Arc::clone(&parts.owner), decoders, first, seed));
    }
    let watcher = Watcher::new(PainterMetrics::register(&parts.registry), parts.health);
    let watch: Arc<dyn Watch> = Arc::new(watcher.clone());
    let ports = ports(&inbox)?;
    let lanes = lanes.deal(owners, (&inbox, &ports), &parts.clock, &watch);
    let spawn = |(number, lane): (usize, tzeva_painter::driver::Lane)| {
        std::thread::Builder::new().name(format!("owner-{number}")).spawn(move || lane.run())
    };
    let lanes = lanes.into_iter().enumerate().map(spawn).collect::<Result<Vec<_>, _>>()?;
    Ok(Painting { inbox, partitions, lanes, watcher })
}

/// The local clocks: monotonic time since this call, and the wall clock.
pub(crate) fn clock() -> Clock {
    let began = std::time::Instant::now();
    let wall = tzeva_embedded::local_clock();
    Arc::new(move || {
        let monotonic = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Moment { monotonic: Millis::new(monotonic), wall: wall() }
    })
}

/// This process, for people who read claims and publications.
pub(crate) fn process() -> String {
    format!("{}/{}", host(), std::process::id())
}

/// The rest of the host's name, for people who read claims.
fn host() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".into())
}

// === impl Painting ===

impl Painting {
    /// The painter's own view of its partitions.
    pub(crate) const fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    /// True if every lane has ended by itself.
    pub(crate) fn is_over(&self) -> bool {
        self.lanes.iter().all(JoinHandle::is_finished)
    }

    /// Drains, applies, lets go; `None` if that took longer than `within`.
    pub(crate) fn stop(self, within: Duration) -> Option<Vec<Ended>> {
        self.inbox.stop(self.partitions);
        let (sender, done) = std::sync::mpsc::channel();
        let lanes = self.lanes;
        std::thread::spawn(move || {
            let ended = |lane: JoinHandle<Ended>| {
                lane.join()
                    .unwrap_or_else(|_| Ended::Fell("a bug: a lane's thread panicked".into()))
            };
            let ends = lanes.into_iter().map(ended).collect();
            let _ = sender.send(ends);
        });
        done.recv_timeout(within).ok()
    }
}

impl Schemas for NoRegistry {
    fn fetch(&self, partition: Partition, key: SchemaKey, inbox: &Inbox) {
        inbox.send(partition, Input::Schema(key, None));
    }
}

/// The wall clock.
pub(crate) fn wall() -> UnixMillis {
    UnixMillis::new(Timestamp::now().as_millisecond())
}
