//! The folder: opening it, what it holds, who may.
//!
//! A first open writes the form and the partition count, which never changes afterwards: visitors are placed by it. Every
//! later open checks both. `fjall` holds a lock on the folder as long as any handle lives, so a second process is
//! refused.

use crate::layout::{self, FORM};
use crate::source::SourceJob;
use crate::{FolderError, Ingest, changes, log, source, store};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tzeva_commit::port::{
    Changes, ChangesReply, Log, LogReply, Sink, Source, SourceReply, Store, StoreReply,
};
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

/// Tells the time; a demonstration gives one that runs faster.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// How a folder is opened.
#[derive(Clone)]
pub struct Settings {
    /// The number of partitions, a power of two up to 1,024; `None`: as stored, 4 in a new folder.
    pub partitions: Option<u16>,
    /// The source topics, in the order that breaks ties between them.
    pub topics: Vec<String>,
    /// The clock that log entries are stamped by.
    pub clock: Clock,
    /// Whether a folder may be made.
    pub mode: OpenMode,
}

/// Whether opening may make a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// A missing folder is made.
    CreateIfMissing,
    /// A missing folder is an error: for commands that only look.
    MustExist,
}

/// An open data folder; clones share it.
#[derive(Clone)]
pub struct Folder(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) path: PathBuf,
    pub(crate) db: Database,
    pub(crate) meta: Keyspace,
    pub(crate) log: Keyspace,
    pub(crate) profiles: Keyspace,
    pub(crate) due: Keyspace,
    pub(crate) sources: Keyspace,
    pub(crate) ingest: Keyspace,
    pub(crate) changes: Keyspace,
    pub(crate) dead_letters: Keyspace,
    pub(crate) names: Keyspace,
    pub(crate) partitions: u16,
    pub(crate) topics: Vec<String>,
    pub(crate) clock: Clock,
    /// Next offset of each partition's log, and the highest time given; held while a batch is written.
    pub(crate) log_end: Mutex<LogEnd>,
    /// Next offset of each source log, by topic, then partition; held while a batch is written.
    pub(crate) source_ends: Mutex<Vec<Vec<SourceOffset>>>,
    /// More is on its way than the source logs hold.
    pub(crate) catching_up: AtomicBool,
    /// Held from reading a marker to writing it: two owners in one process may apply at once.
    pub(crate) guard: Mutex<()>,
    /// Sources to wake when records were ingested.
    pub(crate) readers: Mutex<Vec<Sender<SourceJob>>>,
}

pub(crate) struct LogEnd {
    pub(crate) next: Vec<u64>,
    pub(crate) time: UnixMillis,
}

// === impl Settings ===

impl Default for Settings {
    /// No topics, the folder's own partition count, the local clock.
    fn default() -> Self {
        Self {
            partitions: None,
            topics: Vec::new(),
            clock: local_clock(),
            mode: OpenMode::CreateIfMissing,
        }
    }
}

impl Settings {
    const DEFAULT_PARTITIONS: u16 = 4;

    fn check(&self) -> Result<(), FolderError> {
        if let Some(count) = self.partitions
            && !(count.is_power_of_two() && count <= tzeva_model::SHARDS)
        {
            let text = format!("partitions is {count}, expected a power of two up to 1024");
            return Err(FolderError::Settings(text));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        for (place, topic) in self.topics.iter().enumerate() {
            if topic.is_empty() || topic.len() > 249 || !topic.chars().all(legal) {
                let text = format!("{topic:?} is no topic name: expected letters, digits, . _ -");
                return Err(FolderError::Settings(text));
            }
            if self.topics[..place].contains(topic) {
                return Err(FolderError::Settings(format!("topic {topic} is named twice")));
            }
        }
        if self.topics.len() > usize::from(u8::MAX) {
            return Err(FolderError::Settings("more than 255 source topics".into()));
        }
        Ok(())
    }
}

// === impl Folder ===

impl Folder {
    /// Looks whether a folder lies at `path`, which may be open elsewhere.
    ///
    /// # Errors
    /// [`FolderError::Missing`].
    pub fn must_exist(path: &Path) -> Result<(), FolderError> {
        let there = path.join("version").exists();
        if there { Ok(()) } else { Err(FolderError::Missing { path: path.into() }) }
    }

    /// Opens the folder at `path`, making it if `settings` allow.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn open(path: &Path, settings: Settings) -> Result<Self, FolderError> {
        settings.check()?;
        if settings.mode == OpenMode::MustExist {
            Self::must_exist(path)?;
        }
        let db = Database::builder(path).open().map_err(|error| match error {
            fjall::Error::Locked => FolderError::Locked { path: path.into() },
            other => FolderError::database(format!("open data folder {}", path.display()))(other),
        })?;
        let space = |name: &str| {
            db.keyspace(name, KeyspaceCreateOptions::default)
                .map_err(FolderError::database(format!("open {name} in {}", path.display())))
        };
        let (meta, log, sources) = (space("meta")?, space("log")?, space("src")?);
        let partitions = agree(path, &db, &meta, settings.partitions)?;
        let inner = Inner {
            log_end: Mutex::new(log_end(&db, &meta, &log, partitions)?),
            source_ends: Mutex::new(source_ends(&db, &sources, partitions, &settings.topics)?),
            catching_up: AtomicBool::new(false),
            profiles: space("profiles")?,
            due: space("due")?,
            ingest: space("ingest")?,
            changes: space("changes")?,
            dead_letters: space("dead_letters")?,
            names: space("names")?,
            guard: Mutex::new(()),
            readers: Mutex::default(),
            path: path.into(),
            topics: settings.topics,
            clock: settings.clock,
            db,
            meta,
            log,
            sources,
            partitions,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The number of partitions, for ever.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.0.partitions
    }

    /// Where the folder lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// A log port with its own thread.
    ///
    /// # Errors
    /// If no thread can be started; so for each port.
    pub fn log(&self, sink: Sink<LogReply>) -> Result<Box<dyn Log>, FolderError> {
        log::start(self.clone(), sink).map_err(FolderError::Thread)
    }

    /// A store port with its own thread.
    ///
    /// # Errors
    /// As of [`log`](Self::log).
    pub fn store(&self, sink: Sink<StoreReply>) -> Result<Box<dyn Store>, FolderError> {
        store::start(self.clone(), sink).map_err(FolderError::Thread)
    }

    /// A changes port with its own thread.
    ///
    /// # Errors
    /// As of [`log`](Self::log).
    pub fn changes(&self, sink: Sink<ChangesReply>) -> Result<Box<dyn Changes>, FolderError> {
        changes::start(self.clone(), sink).map_err(FolderError::Thread)
    }

    /// A source port with its own thread; it assigns all partitions at once.
    ///
    /// # Errors
    /// As of [`log`](Self::log).
    pub fn source(&self, sink: Sink<SourceReply>) -> Result<Box<dyn Source>, FolderError> {
        source::start(self.clone(), sink).map_err(FolderError::Thread)
    }

    /// The way in for records; several may be used, each batch is written by itself.
    #[must_use]
    pub fn ingest(&self) -> Ingest {
        Ingest::new(self.clone())
    }

    /// Says whether records are on their way that lie before now, such as those of a file that is being taken in. While
    /// they are, no source is at its end: topics wait for each other, and time moves by records alone.
    pub fn set_catching_up(&self, catching_up: bool) {
        self.0.catching_up.store(catching_up, Ordering::Release);
        locked(&self.0.readers).retain(|reader| reader.send(SourceJob::Wake).is_ok());
    }

    pub(crate) fn is_catching_up(&self) -> bool {
        self.0.catching_up.load(Ordering::Acquire)
    }

    /// One past the last record of each source topic of `partition`, in order of the topics.
    #[must_use]
    pub fn source_ends(&self, partition: Partition) -> Vec<SourceOffset> {
        let place = usize::from(partition.get());
        locked(&self.0.source_ends)
            .iter()
            .map(|topic| topic.get(place).copied().unwrap_or_default())
            .collect()
    }

    pub(crate) fn topic(&self, topic: TopicIndex) -> Option<&str> {
        self.0.topics.get(usize::from(topic.get())).map(String::as_str)
    }

    /// Tells what was attempted, and where.
    pub(crate) fn attempt(&self, what: &str) -> String {
        format!("{what} in data folder {}", self.0.path.display())
    }
}

/// The local clock.
#[must_use]
pub fn local_clock() -> Clock {
    use std::time::{SystemTime, UNIX_EPOCH};
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis::new(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The lock's value. A thread that panicked while it held it left nothing half done: values change only after a write.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks the stored form and partition count against ours, or writes them into a new folder.
fn agree(
    path: &Path,
    db: &Database,
    meta: &Keyspace,
    wanted: Option<u16>,
) -> Result<u16, FolderError> {
    let number = |name: &str| -> Result<Option<u16>, FolderError> {
        let stored = meta.get(name).map_err(FolderError::database(format!("read {name}")))?;
        stored
            .map(|bytes| <[u8; 2]>::try_from(&*bytes).map(u16::from_be_bytes))
            .transpose()
            .map_err(|_| FolderError::Damaged(format!("{name} of {}", path.display())))
    };
    match (number("form")?, number("partitions")?) {
        (Some(form), _) if form > FORM => Err(FolderError::Newer { path: path.into(), form }),
        (Some(_), Some(stored)) => match wanted {
            Some(wanted) if wanted != stored => {
                Err(FolderError::Partitions { path: path.into(), stored, wanted })
            }
            _ => Ok(stored),
        },
        (Some(_), None) => Err(FolderError::Damaged(format!("meta of {}", path.display()))),
        (None, _) => {
            let count = wanted.unwrap_or(Settings::DEFAULT_PARTITIONS);
            let mut batch = db.batch().durability(Some(PersistMode::SyncAll));
            batch.insert(meta, "form", FORM.to_be_bytes());
            batch.insert(meta, "partitions", count.to_be_bytes());
            batch.commit().map_err(FolderError::database("write the new folder's form"))?;
            Ok(count)
        }
    }
}

fn log_end(
    db: &Database,
    meta: &Keyspace,
    log: &Keyspace,
    partitions: u16,
) -> Result<LogEnd, FolderError> {
    let mut next = Vec::with_capacity(usize::from(partitions));
    for partition in 0..partitions {
        next.push(end_of(db, log, &partition.to_be_bytes())?);
    }
    let time = meta
        .get("log_clock")
        .map_err(FolderError::database("read log_clock"))?
        .and_then(|bytes| <[u8; 8]>::try_from(&*bytes).ok())
        .map_or(UnixMillis::MIN, |bytes| UnixMillis::new(i64::from_be_bytes(bytes)));
    Ok(LogEnd { next, time })
}

fn source_ends(
    db: &Database,
    sources: &Keyspace,
    partitions: u16,
    topics: &[String],
) -> Result<Vec<Vec<SourceOffset>>, FolderError> {
    let end = |topic: &str, partition| {
        let end = end_of(db, sources, &layout::source_prefix(topic, Partition::new(partition)))?;
        Ok(SourceOffset::new(end.cast_signed()))
    };
    topics.iter().map(|topic| (0..partitions).map(|p| end(topic, p)).collect()).collect()
}

/// One past the number that ends the last key under `prefix`.
fn end_of(db: &Database, space: &Keyspace, prefix: &[u8]) -> Result<u64, FolderError> {
    let Some(last) = db.snapshot().prefix(space, prefix).next_back() else {
        return Ok(0);
    };
    let key = last.key().map_err(FolderError::database("find the end of a log"))?;
    let number = layout::trailing_number(&key);
    number.map(|n| n + 1).ok_or_else(|| FolderError::Damaged("the last key of a log".into()))
}
