//! Publications of rules as files beside the database: `rules/<ordinal, 6 digits>.json`.
//!
//! They lie outside the database because its lock is held by a running service, and rules are published to one that
//! runs. A file is made complete and durable under another name first and then put in place by a hard link, which fails if
//! the name is taken: that is the compare-and-set, since a publication's ordinal is its parent's plus one. So no reader
//! ever meets half a file, and whoever is killed in between leaves only a file named `writing-...`, which nobody reads.

use crate::worker::Worker;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};
use tzeva_rulebook::{Book, Fed, Flaw, Publication, Standing, key_of};

/// The folder of publications in a data folder.
#[derive(Clone, Debug)]
pub struct RulesFolder {
    path: PathBuf,
}

/// A thread that hands over new publications; it ends when this is dropped.
pub struct RulesFollower {
    _worker: Worker<()>,
}

/// Why publications could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The disk failed, or the file system can't do what is needed.
    #[error("{attempt} {}", path.display())]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        #[source]
        source: std::io::Error,
    },
    /// The place of the next publication is taken by a file that can't be read.
    #[error("{} takes the place of the next publication, and can't be read: move it away", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Flaw,
    },
}

/// Key and value of a record.
type Record = (Vec<u8>, Vec<u8>);

/// When a file was changed last, and its length: what tells that it is another one.
type Look = (Option<SystemTime>, u64);

// === impl RulesError ===

impl RulesError {
    fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { attempt, path, source }
    }
}

// === impl RulesFolder ===

impl RulesFolder {
    /// That of the data folder `data`; nothing is looked at yet.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { path: data.join("rules") }
    }

    /// All publications, and the ordinal after the last file. Empty if nothing was ever published.
    ///
    /// # Errors
    /// If the disk fails. A file that can't be read as a publication is a flaw in the book.
    pub fn read(&self) -> Result<(Book, u64), RulesError> {
        let mut book = Book::default();
        let mut next = 1;
        for (ordinal, path) in self.files()? {
            if let Some((key, value)) = read(&path)?
                && let Fed::Flawed(flaw) = book.feed(&key, Some(&value))
            {
                tracing::warn!(path = %path.display(), %flaw, "a file of rules is passed over");
            }
            next = ordinal + 1;
        }
        Ok((book, next))
    }

    /// Publishes, unless somebody else was sooner; tells where the publication stands afterwards.
    ///
    /// Nothing is written if it is there already, or if its parent isn't the head any more.
    ///
    /// # Errors
    /// If the disk fails, or the file system has no hard links.
    pub fn publish(&self, publication: &Publication) -> Result<Standing, RulesError> {
        std::fs::create_dir_all(&self.path).map_err(RulesError::disk("make", &self.path))?;
        let (book, _) = self.read()?;
        if let Some(standing) = book.standing(publication.version) {
            return Ok(standing);
        }
        let head = book.head();
        if head.map(|head| head.version) != publication.parent {
            return Ok(head.map_or(Standing::Apart, |head| Standing::Stale(Arc::clone(head))));
        }
        let place = self.path.join(format!("{:06}.json", publication.ordinal));
        let aside = self.write_aside(&publication.whole().value)?;
        let linked = std::fs::hard_link(&aside, &place);
        let removed = std::fs::remove_file(&aside);
        match linked {
            Ok(()) => {
                removed.map_err(RulesError::disk("remove", &aside))?;
                // Without this a power cut may forget the name; and with the first one that of the folder, which may be
                // as new, whoever made it.
                let data = self.path.parent().filter(|_| publication.ordinal == 1);
                for folder in std::iter::once(&*self.path).chain(data) {
                    let opened = OpenOptions::new().read(true).open(folder);
                    opened
                        .and_then(|folder| folder.sync_all())
                        .map_err(RulesError::disk("sync", folder))?;
                }
                Ok(Standing::Counts)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.lost(publication, place),
            Err(error) => Err(RulesError::disk("link a publication into", &self.path)(error)),
        }
    }

    /// Hands over every publication from the ordinal `from` on, on a thread of its own, as [`Book::feed`] takes it: those
    /// that are there, then new ones. Files are looked for every `every`. `take` must not drop the follower.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn follow(
        &self,
        (from, every): (u64, Duration),
        mut take: impl FnMut(&[u8], Option<&[u8]>) + Send + 'static,
    ) -> std::io::Result<RulesFollower> {
        let folder = self.clone();
        let body = move |stopped: Receiver<()>| {
            let mut seen = BTreeMap::new();
            loop {
                if let Err(error) = folder.look(from, &mut seen, &mut take) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "following rules goes on later");
                }
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        Ok(RulesFollower { _worker: Worker::start("tzeva-rules", body)? })
    }

    /// Hands over files that are new or other than before.
    fn look(
        &self,
        from: u64,
        seen: &mut BTreeMap<PathBuf, Look>,
        take: &mut impl FnMut(&[u8], Option<&[u8]>),
    ) -> Result<(), RulesError> {
        for (_, path) in self.files()?.into_iter().filter(|(ordinal, _)| *ordinal >= from) {
            let about = std::fs::metadata(&path).map_err(RulesError::disk("look at", &path))?;
            let look = (about.modified().ok(), about.len());
            if seen.get(&path) != Some(&look) {
                if let Some((key, value)) = read(&path)? {
                    take(&key, Some(&value));
                }
                seen.insert(path, look);
            }
        }
        Ok(())
    }

    /// Writes a complete, durable file under a name that nobody else uses.
    fn write_aside(&self, bytes: &[u8]) -> Result<PathBuf, RulesError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let since = (crate::local_clock())().get();
        let name = format!("writing-{}-{since}-{number}", std::process::id());
        let path = self.path.join(name);
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        match write() {
            Ok(()) => Ok(path),
            Err(error) => {
                // What is left of it is in nobody's way.
                let _ = std::fs::remove_file(&path);
                Err(RulesError::disk("write", &path)(error))
            }
        }
    }

    /// The place was taken: by whom?
    fn lost(&self, publication: &Publication, place: PathBuf) -> Result<Standing, RulesError> {
        let (book, _) = self.read()?;
        if let Some(standing) = book.standing(publication.version) {
            return Ok(standing);
        }
        match book.head() {
            Some(head) if head.ordinal >= publication.ordinal => {
                Ok(Standing::Stale(Arc::clone(head)))
            }
            _ => {
                let flaw = book.flaws().last().cloned();
                let source = flaw.unwrap_or(Flaw::Parts {
                    version: publication.version,
                    why: "another publication lies in its place",
                });
                Err(RulesError::Damaged { path: place, source })
            }
        }
    }

    /// Files of publications by ordinal.
    fn files(&self) -> Result<BTreeMap<u64, PathBuf>, RulesError> {
        let failed = || RulesError::disk("list", &self.path);
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.map_err(failed())?,
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
            if let Some(Ok(ordinal)) = number.map(str::parse::<u64>) {
                files.insert(ordinal, entry.path());
            }
        }
        Ok(files)
    }
}

/// A file as the record that it is; none if it is gone.
fn read(path: &Path) -> Result<Option<Record>, RulesError> {
    let value = match File::open(path).and_then(|mut file| {
        let mut value = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut value)?;
        Ok(value)
    }) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        value => value.map_err(RulesError::disk("read", path))?,
    };
    // Of a file that says no key the name says enough: the book tells what is wrong with it.
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some((key_of(&value).unwrap_or_else(name).into_bytes(), value)))
}
