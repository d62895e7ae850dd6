//! The log: appends are gathered, written as one batch, fsynced once, then answered in the order of the calls.

use crate::folder::locked;
use crate::layout::{numbered, trailing_number};
use crate::worker::Worker;
use crate::{Folder, FolderError};
use fjall::{PersistMode, Readable};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use tzeva_commit::port::{AppendResult, Log, LogEntry, LogPage, LogReply, PortError, Sink, Ticket};
use tzeva_model::{LogOffset, Partition, UnixMillis};

/// The largest record taken, as a broker's `max.message.bytes` would have it.
const MAX_RECORD: usize = 2 << 20;
/// Appends gathered for one fsync.
const MAX_BATCH: usize = 8 << 20;
/// A page of a read ends with the entry that reaches this.
const MAX_PAGE: usize = 4 << 20;

enum Job {
    Append(Append),
    Read { partition: Partition, ticket: Ticket, from: LogOffset, to: Option<LogOffset> },
}

struct Append {
    partition: Partition,
    ticket: Ticket,
    record: Vec<u8>,
    /// The producer's life that it belongs to; `renew` begins the next one.
    life: u64,
}

struct FolderLog {
    worker: Worker<Job>,
    life: Arc<AtomicU64>,
}

struct Task {
    folder: Folder,
    sink: Sink<LogReply>,
    life: Arc<AtomicU64>,
}

// === impl FolderLog ===

impl Log for FolderLog {
    fn append(&mut self, partition: Partition, ticket: Ticket, record: Vec<u8>) {
        let life = self.life.load(Ordering::Acquire);
        self.worker.send(Job::Append(Append { partition, ticket, record, life }));
    }

    fn read(
        &mut self,
        partition: Partition,
        ticket: Ticket,
        from: LogOffset,
        to: Option<LogOffset>,
    ) {
        self.worker.send(Job::Read { partition, ticket, from, to });
    }

    fn renew(&mut self) {
        self.life.fetch_add(1, Ordering::AcqRel);
    }
}

// === impl Task ===

impl Task {
    fn run(&self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut next = Some(first);
            let mut batch = Vec::new();
            let mut bytes = 0;
            while let Some(job) = next {
                match job {
                    Job::Append(append) => {
                        bytes += append.record.len();
                        batch.push(append);
                    }
                    Job::Read { partition, ticket, from, to } => {
                        // What was appended before is read.
                        self.write(std::mem::take(&mut batch));
                        let page = self.page(partition, from, to).map_err(FolderError::into_port);
                        (self.sink)(LogReply::Read(partition, ticket, page));
                    }
                }
                next = if bytes < MAX_BATCH { jobs.try_recv().ok() } else { None };
            }
            self.write(batch);
        }
    }

    fn write(&self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let (placed, time, written) = self.commit(&appends);
        for (append, place) in appends.into_iter().zip(placed) {
            let result = match (place, &written) {
                (Err(early), _) => early,
                (_, Err(error)) => AppendResult::Unknown(error.clone()),
                _ if append.life != self.life.load(Ordering::Acquire) => given_up(),
                (Ok(offset), Ok(())) => AppendResult::At(offset, time),
            };
            (self.sink)(LogReply::Appended(append.partition, append.ticket, result));
        }
    }

    /// Gives each append its place, or says why it has none, and writes all that have one.
    fn commit(
        &self,
        appends: &[Append],
    ) -> (Vec<Result<LogOffset, AppendResult>>, UnixMillis, Result<(), PortError>) {
        let inner = &*self.folder.0;
        let mut end = locked(&inner.log_end);
        let time = end.time.max((inner.clock)());
        let mut next = end.next.clone();
        let mut batch = inner.db.batch().durability(Some(PersistMode::SyncData));
        let mut places = Vec::with_capacity(appends.len());
        for append in appends {
            let place = self.place(append, &mut next);
            if let Ok(offset) = place {
                let key = numbered(append.partition, offset.get().cast_unsigned());
                let mut value = time.get().to_be_bytes().to_vec();
                value.extend(&append.record);
                batch.insert(&inner.log, key, value);
            }
            places.push(place);
        }
        if batch.is_empty() {
            return (places, time, Ok(()));
        }
        batch.insert(&inner.meta, "log_clock", time.get().to_be_bytes());
        let attempt = self.folder.attempt("append to the log");
        let written = batch.commit().map_err(FolderError::database(attempt));
        if written.is_ok() {
            end.next = next;
            end.time = time;
        }
        (places, time, written.map_err(FolderError::into_port))
    }

    fn place(&self, append: &Append, next: &mut [u64]) -> Result<LogOffset, AppendResult> {
        if append.life != self.life.load(Ordering::Acquire) {
            return Err(given_up());
        }
        if append.record.len() > MAX_RECORD {
            let attempt = format!(
                "append a record of {} bytes to log partition {}: at most {MAX_RECORD} are taken",
                append.record.len(),
                append.partition,
            );
            return Err(AppendResult::Refused(PortError { attempt, transient: false }));
        }
        let Some(end) = next.get_mut(usize::from(append.partition.get())) else {
            let attempt = format!("append to log partition {}: no such", append.partition);
            return Err(AppendResult::Refused(PortError { attempt, transient: false }));
        };
        *end += 1;
        Ok(LogOffset::new((*end - 1).cast_signed()))
    }

    fn page(
        &self,
        partition: Partition,
        from: LogOffset,
        to: Option<LogOffset>,
    ) -> Result<LogPage, FolderError> {
        self.folder.read_log(partition, from, to)
    }
}

// === impl Folder ===

impl Folder {
    /// Reads a page of a log, as the port does.
    ///
    /// # Errors
    /// If the database fails or the folder is damaged.
    pub fn read_log(
        &self,
        partition: Partition,
        from: LogOffset,
        to: Option<LogOffset>,
    ) -> Result<LogPage, FolderError> {
        let inner = &*self.0;
        let failed = || FolderError::database(self.attempt("read the log"));
        let place = usize::from(partition.get());
        let end = locked(&inner.log_end).next.get(place).copied().unwrap_or_default();
        let end = LogOffset::new(end.cast_signed());
        let limit = to.map_or(end, |to| to.min(end));
        let snapshot = inner.db.snapshot();
        let begin = match snapshot.prefix(&inner.log, partition.get().to_be_bytes()).next() {
            Some(first) => trailing_number(&first.key().map_err(failed())?),
            None => Some(end.get().cast_unsigned()),
        };
        let begin = LogOffset::new(begin.unwrap_or_default().cast_signed());
        let mut page = LogPage { entries: Vec::new(), next: from.max(limit), begin, end };
        if from >= limit {
            return Ok(page);
        }
        let key = |at: LogOffset| numbered(partition, at.get().max(0).cast_unsigned());
        let mut bytes = 0;
        for guard in snapshot.range(&inner.log, key(from)..key(limit)) {
            let (key, value) = guard.into_inner().map_err(failed())?;
            let entry = entry(&key, &value)
                .ok_or_else(|| FolderError::Damaged(format!("an entry of log {partition}")))?;
            if bytes >= MAX_PAGE {
                page.next = entry.offset;
                break;
            }
            bytes += entry.bytes.len();
            page.entries.push(entry);
        }
        Ok(page)
    }
}

/// Makes the port.
pub(crate) fn start(folder: Folder, sink: Sink<LogReply>) -> io::Result<Box<dyn Log>> {
    let life = Arc::new(AtomicU64::new(0));
    let task = Task { folder, sink, life: life.clone() };
    let worker = Worker::start("tzeva-log", move |jobs| task.run(&jobs))?;
    Ok(Box::new(FolderLog { worker, life }))
}

fn entry(key: &[u8], mut value: &[u8]) -> Option<LogEntry> {
    let offset = LogOffset::new(trailing_number(key)?.cast_signed());
    let time = UnixMillis::new(i64::from_be_bytes(crate::layout::fixed(&mut value)?));
    Some(LogEntry { offset, time, bytes: value.to_vec() })
}

fn given_up() -> AppendResult {
    let attempt = "append to the log: given up by a renewal".into();
    AppendResult::Unknown(PortError { attempt, transient: true })
}
