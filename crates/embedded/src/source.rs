//! The source topics, read from the source logs. One process owns the folder, so all partitions are assigned at once.
//!
//! The thread delivers a page of one topic after the other and looks at its jobs in between, so a pause takes effect
//! after at most one page. Records become visible when they are fsynced.

use crate::folder::locked;
use crate::layout::{Message, source_key, trailing_number};
use crate::worker::Worker;
use crate::{Folder, FolderError};
use fjall::Readable;
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::mpsc::Receiver;
use tzeva_commit::port::{PortError, Sink, Source, SourceRecord, SourceReply, Ticket};
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

/// Records in a page.
const PAGE_RECORDS: usize = 1024;
/// A page ends with the record that reaches this.
const PAGE_BYTES: usize = 1 << 20;

pub(crate) enum SourceJob {
    Open(Partition, u64, Vec<SourceOffset>),
    Close(Partition),
    Pause(Partition, TopicIndex, bool),
    Prove(Partition, Ticket, UnixMillis),
    /// Records were ingested.
    Wake,
    /// The port is gone; the folder's list of readers must not keep its thread alive.
    Stop,
}

struct FolderSource(Worker<SourceJob>);

struct Task {
    folder: Folder,
    sink: Sink<SourceReply>,
    tails: BTreeMap<(Partition, TopicIndex), Tail>,
    /// Who was served last: the next one is the first behind it.
    served: (Partition, TopicIndex),
}

/// Where reading of one topic of a partition is.
struct Tail {
    session: u64,
    next: SourceOffset,
    paused: bool,
    /// The reader has been told that `next` is the end.
    told_end: bool,
}

// === impl FolderSource ===

impl Source for FolderSource {
    fn open(&mut self, partition: Partition, session: u64, at: Vec<SourceOffset>) {
        self.0.send(SourceJob::Open(partition, session, at));
    }

    fn close(&mut self, partition: Partition) {
        self.0.send(SourceJob::Close(partition));
    }

    fn pause(&mut self, partition: Partition, topic: TopicIndex, paused: bool) {
        self.0.send(SourceJob::Pause(partition, topic, paused));
    }

    fn prove(&mut self, partition: Partition, ticket: Ticket, now: UnixMillis) {
        self.0.send(SourceJob::Prove(partition, ticket, now));
    }

    fn progress(&mut self, _partition: Partition, _at: Vec<SourceOffset>) {
        // A hint for lag tools of a broker; here the log itself is at hand.
    }
}

impl Drop for FolderSource {
    fn drop(&mut self) {
        self.0.send(SourceJob::Stop);
    }
}

// === impl Task ===

impl Task {
    fn run(mut self, jobs: &Receiver<SourceJob>) {
        for partition in 0..self.folder.partitions() {
            (self.sink)(SourceReply::Assigned(Partition::new(partition)));
        }
        loop {
            let job = match self.turn() {
                // Something was delivered: look for jobs, but don't wait for them.
                true => jobs.try_recv().ok(),
                false => match jobs.recv() {
                    Ok(job) => Some(job),
                    Err(_) => return,
                },
            };
            let mut next = job;
            while let Some(job) = next {
                if matches!(job, SourceJob::Stop) {
                    return;
                }
                self.obey(job);
                next = jobs.try_recv().ok();
            }
        }
    }

    fn obey(&mut self, job: SourceJob) {
        match job {
            SourceJob::Open(partition, session, at) => self.open(partition, session, &at),
            SourceJob::Close(partition) => self.tails.retain(|(open, _), _| *open != partition),
            SourceJob::Pause(partition, topic, paused) => {
                if let Some(tail) = self.tails.get_mut(&(partition, topic)) {
                    tail.paused = paused;
                }
            }
            SourceJob::Prove(partition, ticket, now) => {
                let more = self.folder.is_catching_up();
                let now = if more { UnixMillis::MIN } else { now };
                let ends = self.folder.source_ends(partition);
                (self.sink)(SourceReply::Ends(partition, ticket, Ok((now, ends))));
            }
            SourceJob::Wake | SourceJob::Stop => {}
        }
    }

    fn open(&mut self, partition: Partition, session: u64, at: &[SourceOffset]) {
        self.tails.retain(|(open, _), _| *open != partition);
        let ends = self.folder.source_ends(partition);
        if let Some(lost) = self.outside(partition, at, &ends) {
            (self.sink)(SourceReply::Lost(partition, lost));
            return;
        }
        for (place, next) in (0..).map(TopicIndex::new).zip(at) {
            let tail = Tail { session, next: *next, paused: false, told_end: false };
            self.tails.insert((partition, place), tail);
        }
    }

    fn outside(
        &self,
        partition: Partition,
        at: &[SourceOffset],
        ends: &[SourceOffset],
    ) -> Option<PortError> {
        let attempt = if at.len() == ends.len() {
            let wrong = |(at, end): (&SourceOffset, &SourceOffset)| at > end || at.get() < 0;
            let place = at.iter().zip(ends).position(wrong)?;
            format!(
                "read source topic {} partition {partition} from offset {}: it holds 0 to {}",
                self.folder.0.topics[place], at[place], ends[place],
            )
        } else {
            format!(
                "read {} source topics of partition {partition}: the folder was opened with {}",
                at.len(),
                ends.len(),
            )
        };
        Some(PortError { attempt, transient: false })
    }

    /// Serves the next reader that has something coming; false if there is none.
    fn turn(&mut self) -> bool {
        // Asked before the ends are read: what comes afterwards is beyond them.
        let more = self.folder.is_catching_up();
        let ends = locked(&self.folder.0.source_ends).clone();
        let waits = |place: &(Partition, TopicIndex), tail: &Tail| {
            let end = ends[usize::from(place.1.get())][usize::from(place.0.get())];
            !tail.paused && (tail.next < end || !tail.told_end && !more)
        };
        let behind = (Bound::Excluded(self.served), Bound::Unbounded);
        let turn = self.tails.range(behind).chain(&self.tails);
        let place =
            turn.into_iter().find(|(place, tail)| waits(place, tail)).map(|(place, _)| *place);
        let Some((partition, topic)) = place else {
            return false;
        };
        self.served = (partition, topic);
        let end = ends[usize::from(topic.get())][usize::from(partition.get())];
        if let Err(error) = self.deliver((partition, topic), (end, more)) {
            self.tails.retain(|(open, _), _| *open != partition);
            (self.sink)(SourceReply::Lost(partition, error.into_port()));
        }
        true
    }

    fn deliver(
        &mut self,
        (partition, topic): (Partition, TopicIndex),
        (end, more): (SourceOffset, bool),
    ) -> Result<(), FolderError> {
        let Some(tail) = self.tails.get_mut(&(partition, topic)) else {
            return Ok(());
        };
        let records = self.folder.read_source(topic, partition, tail.next..end)?;
        if let Some(last) = records.last() {
            tail.next = last.offset.next();
        }
        let at_end = tail.next == end && !more;
        tail.told_end = at_end;
        let (session, position) = (tail.session, tail.next);
        (self.sink)(SourceReply::Records {
            partition,
            session,
            topic,
            records,
            position,
            at_end,
            end,
        });
        Ok(())
    }
}

// === impl Folder ===

impl Folder {
    /// Reads a page of a source log, from the beginning of `range` on; empty only if the range is.
    ///
    /// # Errors
    /// If the database fails or the folder is damaged.
    pub fn read_source(
        &self,
        topic: TopicIndex,
        partition: Partition,
        range: std::ops::Range<SourceOffset>,
    ) -> Result<Vec<SourceRecord>, FolderError> {
        let inner = &*self.0;
        let Some(name) = self.topic(topic) else {
            return Err(FolderError::Settings(format!("there is no source topic {topic}")));
        };
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let damaged = || FolderError::Damaged(format!("a record of {name} partition {partition}"));
        let keys = source_key(name, partition, range.start)..source_key(name, partition, range.end);
        let mut records: Vec<SourceRecord> = Vec::new();
        let mut bytes = 0;
        for guard in inner.db.snapshot().range(&inner.sources, keys) {
            let failed = FolderError::database(self.attempt("read a source log"));
            let (key, stored) = guard.into_inner().map_err(failed)?;
            let Message { time, key: id, headers, body } =
                Message::decode(&stored).ok_or_else(damaged)?;
            let offset = trailing_number(&key).ok_or_else(damaged)?;
            bytes += stored.len();
            records.push(SourceRecord {
                offset: SourceOffset::new(offset.cast_signed()),
                time,
                key: id,
                value: body,
                headers,
            });
            if records.len() == PAGE_RECORDS || bytes >= PAGE_BYTES {
                break;
            }
        }
        if records.is_empty() { Err(damaged()) } else { Ok(records) }
    }
}

/// Makes the port.
pub(crate) fn start(folder: Folder, sink: Sink<SourceReply>) -> io::Result<Box<dyn Source>> {
    let served = (Partition::new(u16::MAX), TopicIndex::new(u8::MAX));
    let task = Task { folder: folder.clone(), sink, tails: BTreeMap::new(), served };
    let worker = Worker::start("tzeva-source", move |jobs| task.run(&jobs))?;
    if let Some(waker) = worker.sender() {
        locked(&folder.0.readers).push(waker);
    }
    Ok(Box::new(FolderSource(worker)))
}
