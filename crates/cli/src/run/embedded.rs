//! `tzeva run --embedded`: log, store and sources in one folder, events from files or stdin.

mod intake;
mod look;

use super::Args;
use super::published::Published;
use crate::exit::{Exit, Failure};
use crate::plan_page::Planner;
use crate::publications::Publications;
use crate::service::Service;
use crate::signals::Signals;
use crate::wiring::{self, NoRegistry, Painting, Parts};
use anyhow::anyhow;
use intake::Intake;
use look::FolderLook;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, mpsc};
use tzeva_embedded::{Folder, FolderError, OpenMode};
use tzeva_model::{Partition, SourceOffset, UnixMillis};
use tzeva_pages::{Names, Shown};
use tzeva_painter::{Ports, SharedNames, SharedRules};
use tzeva_settings::{Mode, Settings};
use tzeva_telemetry::{Health, Registry};

/// Where a running service writes the address of its pages.
pub(crate) const ADDRESS_FILE: &str = "http.address";

/// What takes events in, while the painter runs.
struct Intakes {
    /// Set when all of the input is in; stays unset while input is followed.
    done: Arc<AtomicBool>,
    /// Dropped to stop them.
    _stop: Vec<Sender<()>>,
}

pub(super) fn run(args: &Args, signals: Signals) -> Result<Exit, Failure> {
    let Some(data) = &args.data else {
        return Err(Failure::settings(anyhow!("--embedded needs --data DIR")));
    };
    if args.from.is_some() {
        let text = "--from is for Kafka: a folder is read from its beginning";
        return Err(Failure::settings(anyhow!(text)));
    }
    let loaded = args.settings.load(Mode::Embedded)?;
    super::begin(&loaded);
    let settings = loaded.settings;
    let folder = open(data, &settings, OpenMode::CreateIfMissing)?;
    let publications = Publications::of_folder(data);
    let published = Published::begin(&settings, publications.clone())?;
    let rules = published.rules();
    let partitions = folder.partitions();
    let (registry, health) = (Registry::default(), Health::default());
    let shared = SharedNames::default();
    let owner = wiring::owner_settings(&settings, partitions, rules.clone(), shared.clone());
    let parts = Parts {
        owner: Arc::new(owner),
        decode: wiring::decode_settings(&settings, partitions),
        // All that a folder's sources hold came through its own intake: a first start begins at their beginning.
        first: Some(vec![
            vec![SourceOffset::new(0); settings.sources.len()];
            usize::from(partitions)
        ]),
        lanes: settings.painter.threads,
        clock: wiring::clock(),
        registry: registry.clone(),
        health: health.clone(),
    };
    // Before anybody can ask whether that is all.
    folder.set_catching_up(args.events.iter().any(|path| path.as_os_str() != "-"));
    let painting = wiring::start(parts, |inbox| {
        let log = folder.log(inbox.log())?;
        let (store, changes) = (folder.store(inbox.store())?, folder.changes(inbox.changes())?);
        let source = folder.source(inbox.source())?;
        signals.begun();
        Ok(Ports::new(log, store, changes, source, Arc::new(NoRegistry)))
    })
    .map_err(super::judged)?;
    let (fail, failed) = channel();
    let intakes = take_in(args, &settings, &folder, &fail)?;
    let work = (folder.clone(), rules.clone());
    let over = drained(args.until_drained, work, Arc::clone(&intakes.done));
    let (watcher, look) = (painting.watcher().clone(), Arc::new(FolderLook(folder.clone())));
    let following = published.follow(&watcher)?;
    let shown = Shown {
        rules,
        partitions,
        engine: wiring::engine_settings(&settings),
        watcher,
        look,
        names: Names::new(shared),
        now: wiring::wall,
    };
    let planner = Planner::new(settings.clone(), publications, Arc::new(folder.clone()));
    let service = Service {
        painting,
        signals,
        pages: super::pages(&settings, (registry, health), (shown, planner)),
        listen: settings.http.listen,
        bound: announce(data.clone()),
        stop_within: super::span(settings.painter.stop_within),
        over,
        failed,
    };
    let ended = service.run();
    drop((intakes, following));
    let _ = std::fs::remove_file(data.join(ADDRESS_FILE));
    ended
}

/// Opens the folder by settings; of a locked one the pages are named.
pub(crate) fn open(data: &Path, settings: &Settings, mode: OpenMode) -> Result<Folder, Failure> {
    unlocked(data, settings, mode)?.ok_or_else(|| {
        let address = std::fs::read_to_string(data.join(ADDRESS_FILE));
        let address = address.unwrap_or_else(|_| settings.http.listen.to_string());
        let address = address.trim();
        let data = data.display();
        Failure::world(anyhow!(
            "data folder {data} is in use by a running tzeva: stop it first. Its pages: http://{address}/v1/partitions, \
             /v1/audiences, /v1/visitors/ID"
        ))
    })
}

/// The same; none if another process has it open.
pub(crate) fn unlocked(
    data: &Path,
    settings: &Settings,
    mode: OpenMode,
) -> Result<Option<Folder>, Failure> {
    let wanted = tzeva_embedded::Settings {
        partitions: settings.partitions,
        topics: settings.sources.iter().map(|source| source.topic.clone()).collect(),
        mode,
        ..tzeva_embedded::Settings::default()
    };
    match Folder::open(data, wanted) {
        Ok(folder) => Ok(Some(folder)),
        Err(FolderError::Locked { .. }) => Ok(None),
        Err(other) => Err(failure(other)),
    }
}

pub(crate) fn failure(error: FolderError) -> Failure {
    if error.is_settings() { Failure::settings(error) } else { Failure::world(error) }
}

/// Notes the address for those who find the folder locked.
fn announce(data: PathBuf) -> Box<dyn FnOnce(SocketAddr)> {
    Box::new(move |address| {
        if let Err(error) = std::fs::write(data.join(ADDRESS_FILE), format!("{address}\n")) {
            tracing::warn!(%error, "the address of the pages could not be written into the folder");
        }
    })
}

/// Starts a thread for the files, and one for stdin.
fn take_in(
    args: &Args,
    settings: &Settings,
    folder: &Folder,
    fail: &Sender<Failure>,
) -> Result<Intakes, Failure> {
    let done = Arc::new(AtomicBool::new(args.events.is_empty()));
    let (stdin, files): (Vec<PathBuf>, Vec<PathBuf>) =
        args.events.iter().cloned().partition(|path| path.as_os_str() == "-");
    let follow = !args.until_drained;
    let mut stops = Vec::new();
    let waiting = Arc::new(std::sync::atomic::AtomicUsize::new(
        usize::from(!files.is_empty()) + usize::from(!stdin.is_empty()),
    ));
    let start = |name: &str, mut work: Box<dyn FnMut() -> Result<(), Failure> + Send>| {
        let (fail, done, waiting) = (fail.clone(), Arc::clone(&done), Arc::clone(&waiting));
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || match work() {
                Ok(()) if waiting.fetch_sub(1, Ordering::AcqRel) == 1 => {
                    done.store(true, Ordering::Release);
                }
                Ok(()) => {}
                Err(failure) => {
                    let _ = fail.send(failure);
                }
            })
            .map_err(Failure::world)
    };
    if !files.is_empty() {
        let (stop, stopped) = mpsc::channel();
        let mut intake = Intake::new(settings, folder)?;
        let mut sources = intake.files(&files)?;
        start("tzeva-files", Box::new(move || intake.take_files(&mut sources, follow, &stopped)))?;
        stops.push(stop);
    }
    if !stdin.is_empty() {
        let mut intake = Intake::new(settings, folder)?;
        start("tzeva-stdin", Box::new(move || intake.take_stdin()))?;
    }
    Ok(Intakes { done, _stop: stops })
}

/// Tells when everything is taken in, decided up to now, published and stored, and everybody is met under the newest
/// rules.
fn drained(
    wanted: bool,
    (folder, rules): (Folder, SharedRules),
    done: Arc<AtomicBool>,
) -> Box<dyn FnMut(&Painting) -> bool> {
    let mut until: Option<UnixMillis> = None;
    Box::new(move |painting| {
        if !wanted || !done.load(Ordering::Acquire) {
            return false;
        }
        // Deadlines up to the moment when the input ended are part of what it comes to.
        let until = *until.get_or_insert_with(|| (tzeva_embedded::local_clock())());
        let views = painting.watcher().views();
        let newest = rules.newest().map(|rules| rules.version());
        (0..folder.partitions()).map(Partition::new).all(|partition| {
            let Some(view) = views.get(&partition) else { return false };
            view.refused.is_some()
                || view.standings.as_ref().is_some_and(|standings| {
                    standings.quiet
                        && standings.unapplied == 0
                        && standings.walked
                        && standings.sweep.is_none()
                        && newest.is_none_or(|newest| newest == standings.rules)
                        && standings.decided == folder.source_ends(partition)
                        && standings.next_deadline.is_none_or(|at| at > until)
                })
        })
    })
}
