//! Copies lines of events into the folder's source logs, each with the place to go on from, in one durable batch.
//!
//! Several files are merged by time, so that visits and purchases in files of their own meet in order. A line that is no
//! event goes into partition 0 of the first topic as it is: there it becomes a dead letter with its code. Its record
//! time is that of the line before it, since a clock's would pull the partition's time past all that follows.

use super::failure;
use crate::exit::Failure;
use crate::wiring;
use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tzeva_backtest::lines::{self, FileLines, Line, Lines};
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_embedded::{Clock, Folder, Ingest, NewRecord};
use tzeva_model::{Partition, TopicIndex, UnixMillis};
use tzeva_settings::Settings;

/// Takes lines in.
pub(super) struct Intake {
    folder: Folder,
    ingest: Ingest,
    decoder: Decoder,
    partitions: u16,
    topics: usize,
    clock: Clock,
    places: Places,
}

/// One file of events.
pub(super) struct Source {
    name: String,
    path: PathBuf,
    lines: FileLines,
    next: Option<(NewRecord, u64)>,
}

/// How far each file is taken in.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
struct Places(BTreeMap<String, Place>);

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Place {
    /// The byte behind the last line taken in.
    byte: u64,
    /// That line's record time.
    time: i64,
}

/// Under what the places of all files are kept.
const INPUT: &str = "files";
/// Records and bytes of one durable batch.
const BATCH: (usize, usize) = (1_000, 4 << 20);
/// How often a file at its end is looked at again.
const LOOK: Duration = Duration::from_millis(100);
/// Events of these names go to the second topic, if there is one.
const PURCHASES: [&str; 3] = ["order_completed", "order_refunded", "order_cancelled"];

// === impl Intake ===

impl Intake {
    pub(super) fn new(settings: &Settings, folder: &Folder) -> Result<Self, Failure> {
        // Partitions are not checked here: this is where they are given.
        let decode = wiring::decode_settings(settings, 0);
        let first = decode.first().ok_or_else(|| Failure::settings(anyhow!("no source topic")))?;
        let ingest = folder.ingest();
        let places = match ingest.position(INPUT).map_err(failure)? {
            None => Places::default(),
            Some(stored) => serde_json::from_slice(&stored)
                .context("read how far the files of events were taken in")
                .map_err(Failure::world)?,
        };
        Ok(Self {
            folder: folder.clone(),
            ingest,
            decoder: Decoder::new(first).map_err(Failure::settings)?,
            partitions: folder.partitions(),
            topics: settings.sources.len(),
            clock: tzeva_embedded::local_clock(),
            places,
        })
    }

    /// Opens files where they were left.
    pub(super) fn files(&self, paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
        paths.iter().map(|path| self.file(path)).collect()
    }

    fn file(&self, path: &Path) -> Result<Source, Failure> {
        let attempt = || format!("read events from {}", path.display());
        let full = path.canonicalize().with_context(attempt).map_err(Failure::settings)?;
        let name = full.to_string_lossy().into_owned();
        let byte = self.places.0.get(&name).map_or(0, |place| place.byte);
        let lines = FileLines::open(&full, byte).with_context(attempt).map_err(unreadable)?;
        if byte > 0 {
            tracing::info!(file = name, byte, "going on where the file was left");
        }
        Ok(Source { name, path: full, lines, next: None })
    }

    /// Takes files in until their ends; with `follow`, what is added later too, until `stop` is dropped.
    pub(super) fn take_files(
        &mut self,
        sources: &mut [Source],
        follow: bool,
        stop: &Receiver<()>,
    ) -> Result<(), Failure> {
        let mut told = false;
        loop {
            let taken = self.take_batch(sources, !follow)?;
            if taken == 0 && !told {
                told = true;
                self.folder.set_catching_up(false);
                tracing::info!(files = sources.len(), follow, "all files are taken in");
            }
            if taken == 0 && !follow {
                return Ok(());
            }
            let wait = if taken == 0 { LOOK } else { Duration::ZERO };
            if matches!(stop.recv_timeout(wait), Err(RecvTimeoutError::Disconnected)) {
                return Ok(());
            }
        }
    }

    /// Takes stdin in, a durable batch as often as it pauses.
    pub(super) fn take_stdin(&mut self) -> Result<(), Failure> {
        let (sender, lines) = std::sync::mpsc::sync_channel::<Line>(BATCH.0);
        let reading = move || -> io::Result<()> {
            let mut input = Lines::new(lines::text(io::stdin())?, 0);
            while let Some(line) = input.next_line()?.or_else(|| input.rest()) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let reader = std::thread::Builder::new().name("tzeva-stdin-reader".into()).spawn(reading);
        let reader = reader.map_err(Failure::world)?;
        let mut last = None;
        while let Ok(first) = lines.recv() {
            let mut records = Vec::new();
            for line in std::iter::once(first).chain(lines.try_iter().take(BATCH.0)) {
                records.extend(self.record(line.text, &mut last));
            }
            self.ingest.commit(records, None).map_err(failure)?;
        }
        match reader.join() {
            Ok(ended) => ended.context("read events from stdin").map_err(unreadable),
            Err(_) => Err(Failure::world(anyhow!("reading events from stdin panicked"))),
        }
    }

    /// Takes one batch in: the earliest lines of all files. Tells how many lines were met.
    fn take_batch(&mut self, sources: &mut [Source], whole: bool) -> Result<usize, Failure> {
        let (mut records, mut bytes, mut met) = (Vec::new(), 0, 0);
        let mut places = self.places.clone();
        while records.len() < BATCH.0 && bytes < BATCH.1 {
            for source in sources.iter_mut() {
                met += self.fill(source, &mut places, whole)?;
            }
            let time = |source: &Source| source.next.as_ref().map(|(record, _)| record.time);
            let ready = sources.iter_mut().filter(|source| source.next.is_some());
            let Some(first) = ready.min_by_key(|source| time(source)) else { break };
            let Some((record, byte)) = first.next.take() else { break };
            bytes += record.value.len();
            places.0.insert(first.name.clone(), Place { byte, time: record.time.get() });
            records.push(record);
        }
        let taken = records.len().max(met);
        if taken > 0 {
            let position = serde_json::to_vec(&places).map_err(Failure::world)?;
            self.ingest.commit(records, Some((INPUT, &position))).map_err(failure)?;
            self.places = places;
        }
        Ok(taken)
    }

    /// Reads the next line that is not empty, if none is at hand. Tells how many lines were read.
    fn fill(
        &mut self,
        source: &mut Source,
        places: &mut Places,
        whole: bool,
    ) -> Result<usize, Failure> {
        let mut met = 0;
        while source.next.is_none() {
            let attempt = || format!("read events from {}", source.path.display());
            let line = source.lines.next_line(whole).with_context(attempt).map_err(unreadable)?;
            let Some(line) = line else { break };
            met += 1;
            let place = places.0.get(&source.name);
            let mut last = place.map(|place| UnixMillis::new(place.time));
            match self.record(line.text, &mut last) {
                Some(record) => source.next = Some((record, line.behind)),
                None => {
                    let time = last.map_or(0, UnixMillis::get);
                    places.0.insert(source.name.clone(), Place { byte: line.behind, time });
                }
            }
        }
        Ok(met)
    }

    /// The record of a line; `None` of an empty one. `last` is the time of the line before.
    fn record(&mut self, text: Vec<u8>, last: &mut Option<UnixMillis>) -> Option<NewRecord> {
        if text.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let (partition, headers) = (Partition::new(0), Vec::new());
        let raw = Raw { partition, key: None, value: &text, headers: &headers };
        let record = match self.decoder.decode(&raw) {
            Decoded::Event(event) => {
                let purchase = self.topics > 1 && PURCHASES.contains(&event.name.text());
                NewRecord {
                    topic: TopicIndex::new(u8::from(purchase)),
                    partition: event.visitor.partition(self.partitions),
                    time: event.occurred_at.min((self.clock)()),
                    key: Some(event.visitor.as_str().into()),
                    headers,
                    value: text,
                }
            }
            Decoded::Rejected(_) | Decoded::NeedsSchema(_) => NewRecord {
                topic: TopicIndex::new(0),
                partition,
                time: last.unwrap_or_default(),
                key: None,
                headers,
                value: text,
            },
        };
        *last = Some(record.time);
        Some(record)
    }
}

/// Tells a file that is not what it should be from a disk that fails.
fn unreadable(error: anyhow::Error) -> Failure {
    use io::ErrorKind as Kind;
    let wrong = [
        Kind::NotFound,
        Kind::PermissionDenied,
        Kind::IsADirectory,
        Kind::InvalidData,
        Kind::InvalidInput,
        Kind::UnexpectedEof,
    ];
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let file = kind.is_some_and(|kind| wrong.contains(&kind));
    if file { Failure::settings(error) } else { Failure::world(error) }
}
