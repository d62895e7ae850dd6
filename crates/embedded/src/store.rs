//! The store: whole profiles and the shard's marker, written in one batch under the guard. It goes as far as the
//! kernel's cache: what a power cut takes is in the log.

use crate::folder::locked;
use crate::layout::{due_key, due_prefix, profile_key};
use crate::worker::Worker;
use crate::{Folder, FolderError};
use fjall::{PersistMode, Readable};
use std::collections::BTreeMap;
use std::io;
use tzeva_commit::Marker;
use tzeva_commit::port::{
    Apply, ApplyResult, ScanPage, ShardRead, Sink, Store, StoreReply, Ticket,
};
use tzeva_model::{Partition, Seq, Shard, UnixMillis, VisitorId};

/// Profiles in a page of a walk.
const SCAN_PAGE: usize = 512;
/// Walks whose place is remembered; the oldest is forgotten and then begins anew.
const OPEN_WALKS: usize = 4096;

enum Job {
    Read(Partition, Ticket, Vec<(Shard, Vec<VisitorId>)>),
    Apply(Partition, Ticket, Vec<Apply>),
    Scan(Partition, Ticket, Shard, u64),
    Due(Partition, Ticket, Shard, UnixMillis),
    ForgetDue(Shard, UnixMillis),
}

struct FolderStore(Worker<Job>);

struct Task {
    folder: Folder,
    sink: Sink<StoreReply>,
    /// Where the walk that was given this cursor goes on: behind this key.
    walks: BTreeMap<u64, (Shard, Vec<u8>)>,
    last_cursor: u64,
}

// === impl FolderStore ===

impl Store for FolderStore {
    fn read(&mut self, partition: Partition, ticket: Ticket, wanted: Vec<(Shard, Vec<VisitorId>)>) {
        self.0.send(Job::Read(partition, ticket, wanted));
    }

    fn apply(&mut self, partition: Partition, ticket: Ticket, steps: Vec<Apply>) {
        self.0.send(Job::Apply(partition, ticket, steps));
    }

    fn scan(&mut self, partition: Partition, ticket: Ticket, shard: Shard, cursor: u64) {
        self.0.send(Job::Scan(partition, ticket, shard, cursor));
    }

    fn due(&mut self, partition: Partition, ticket: Ticket, shard: Shard, bucket: UnixMillis) {
        self.0.send(Job::Due(partition, ticket, shard, bucket));
    }

    fn forget_due(&mut self, _partition: Partition, shard: Shard, bucket: UnixMillis) {
        self.0.send(Job::ForgetDue(shard, bucket));
    }
}

// === impl Task ===

impl Task {
    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Read(partition, ticket, wanted) => {
                let read = self.read(&wanted).map_err(FolderError::into_port);
                (self.sink)(StoreReply::Read(partition, ticket, read));
            }
            Job::Apply(partition, ticket, steps) => {
                let done = steps.iter().map(|step| (step.shard, self.apply(step))).collect();
                (self.sink)(StoreReply::Applied(partition, ticket, done));
            }
            Job::Scan(partition, ticket, shard, cursor) => {
                let page = self.scan(shard, cursor).map_err(FolderError::into_port);
                (self.sink)(StoreReply::Scanned(partition, ticket, page));
            }
            Job::Due(partition, ticket, shard, bucket) => {
                let due = self.due(shard, bucket).map_err(FolderError::into_port);
                (self.sink)(StoreReply::Due(partition, ticket, due));
            }
            Job::ForgetDue(shard, bucket) => {
                if let Err(error) = self.forget_due(shard, bucket) {
                    tracing::warn!(%error, %shard, "a due set that is past could not be removed");
                }
            }
        }
    }

    fn read(&self, wanted: &[(Shard, Vec<VisitorId>)]) -> Result<Vec<ShardRead>, FolderError> {
        let inner = &*self.folder.0;
        let snapshot = inner.db.snapshot();
        let get = |key: Vec<u8>| {
            let failed = FolderError::database(self.folder.attempt("read profiles"));
            snapshot.get(&inner.profiles, key).map_err(failed)
        };
        let shard = |(shard, visitors): &(Shard, Vec<VisitorId>)| {
            let marker = get(profile_key(*shard, None))?;
            let profile = |visitor| {
                Ok(get(profile_key(*shard, Some(visitor)))?.map(|profile| profile.to_vec()))
            };
            Ok(ShardRead {
                shard: *shard,
                marker: marker.map(|stored| decode(*shard, &stored)).transpose()?,
                profiles: visitors.iter().map(profile).collect::<Result<_, FolderError>>()?,
            })
        };
        wanted.iter().map(shard).collect()
    }

    fn apply(&self, step: &Apply) -> ApplyResult {
        let _guard = locked(&self.folder.0.guard);
        let there = match self.folder.marker(step.shard) {
            Ok(there) => there,
            Err(error) => return ApplyResult::Unknown(error.into_port()),
        };
        match judge(there, step) {
            Verdict::Write => match self.write(step) {
                Ok(()) => ApplyResult::Applied,
                Err(error) => ApplyResult::Unknown(error.into_port()),
            },
            Verdict::Done(result) => result,
        }
    }

    fn write(&self, step: &Apply) -> Result<(), FolderError> {
        let inner = &*self.folder.0;
        let mut batch = inner.db.batch().durability(Some(PersistMode::Buffer));
        for (bucket, visitor) in &step.due {
            batch.insert(&inner.due, due_key(step.shard, *bucket, visitor), []);
        }
        for write in &step.writes {
            let key = profile_key(step.shard, Some(&write.visitor));
            match &write.profile {
                Some(profile) => batch.insert(&inner.profiles, key, profile.as_slice()),
                None => batch.remove(&inner.profiles, key),
            }
        }
        batch.insert(&inner.profiles, profile_key(step.shard, None), step.marker.encode());
        let attempt = self.folder.attempt(&format!("apply to shard {}", step.shard));
        batch.commit().map_err(FolderError::database(attempt))
    }

    fn scan(&mut self, shard: Shard, cursor: u64) -> Result<ScanPage, FolderError> {
        let inner = &*self.folder.0;
        // A cursor that is not known (any more) begins anew: each profile is still met at least once.
        let behind = match self.walks.get(&cursor) {
            Some((walked, key)) if *walked == shard => key.clone(),
            _ => profile_key(shard, None),
        };
        let failed = || FolderError::database(self.folder.attempt("walk over profiles"));
        let mut last = behind.clone();
        let mut profiles = Vec::new();
        let mut more = false;
        for guard in inner.db.snapshot().range(&inner.profiles, behind.clone()..) {
            let (key, value) = guard.into_inner().map_err(failed())?;
            if *key == *behind {
                continue;
            }
            if !key.starts_with(&shard.get().to_be_bytes()) {
                break;
            }
            if profiles.len() == SCAN_PAGE {
                more = true;
                break;
            }
            last = key.to_vec();
            profiles.push((visitor(&key[2..])?, value.to_vec()));
        }
        let next = more.then(|| self.remember(shard, last));
        Ok(ScanPage { shard, profiles, next })
    }

    fn remember(&mut self, shard: Shard, last: Vec<u8>) -> u64 {
        self.last_cursor += 1;
        self.walks.insert(self.last_cursor, (shard, last));
        if self.walks.len() > OPEN_WALKS {
            self.walks.pop_first();
        }
        self.last_cursor
    }

    fn due(&self, shard: Shard, bucket: UnixMillis) -> Result<Vec<VisitorId>, FolderError> {
        let inner = &*self.folder.0;
        let prefix = due_prefix(shard, bucket);
        let entry = |guard: fjall::Guard| {
            let key = guard
                .key()
                .map_err(FolderError::database(self.folder.attempt("read a due set")))?;
            visitor(&key[prefix.len()..])
        };
        inner.db.snapshot().prefix(&inner.due, &prefix).map(entry).collect()
    }

    fn forget_due(&self, shard: Shard, bucket: UnixMillis) -> Result<(), FolderError> {
        let inner = &*self.folder.0;
        let failed = || FolderError::database(self.folder.attempt("forget a due set"));
        let mut batch = inner.db.batch().durability(Some(PersistMode::Buffer));
        for guard in inner.db.snapshot().prefix(&inner.due, due_prefix(shard, bucket)) {
            batch.remove(&inner.due, guard.key().map_err(failed())?);
        }
        batch.commit().map_err(failed())
    }
}

// === impl Folder ===

impl Folder {
    /// The stored form of a visitor's profile.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_profile(&self, visitor: &VisitorId) -> Result<Option<Vec<u8>>, FolderError> {
        let failed = FolderError::database(self.attempt("read a profile"));
        let key = profile_key(visitor.shard(), Some(visitor));
        Ok(self.0.profiles.get(key).map_err(failed)?.map(|stored| stored.to_vec()))
    }

    /// All profiles of a shard as they are now, ascending by visitor.
    pub fn read_shard(
        &self,
        shard: Shard,
    ) -> impl Iterator<Item = Result<(VisitorId, Vec<u8>), FolderError>> + use<> {
        let inner = &*self.0;
        let attempt = self.attempt("walk over profiles");
        let prefix = shard.get().to_be_bytes();
        inner.db.snapshot().prefix(&inner.profiles, prefix).filter_map(move |guard| {
            let failed = FolderError::database(attempt.clone());
            match guard.into_inner().map_err(failed) {
                // The shard's marker lies under the empty visitor id.
                Ok((key, _)) if key.len() == prefix.len() => None,
                Ok((key, stored)) => {
                    Some(visitor(&key[prefix.len()..]).map(|visitor| (visitor, stored.to_vec())))
                }
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// The marker of a shard; `None`: nothing was ever applied to it.
    ///
    /// # Errors
    /// If the database fails, or a newer version wrote it.
    pub fn marker(&self, shard: Shard) -> Result<Option<Marker>, FolderError> {
        let failed = FolderError::database(self.attempt("read a marker"));
        let stored = self.0.profiles.get(profile_key(shard, None)).map_err(failed)?;
        stored.map(|stored| decode(shard, &stored)).transpose()
    }
}

enum Verdict {
    Write,
    Done(ApplyResult),
}

/// The guard. A shard without marker takes only a step that follows on nothing.
fn judge(there: Option<Marker>, step: &Apply) -> Verdict {
    match there {
        None if step.prev == Seq::new(0) => Verdict::Write,
        None => Verdict::Done(ApplyResult::Behind(None)),
        Some(marker) if marker.incarnation != step.marker.incarnation => {
            Verdict::Done(ApplyResult::Behind(Some(marker)))
        }
        Some(marker) if marker.seq >= step.marker.seq => {
            Verdict::Done(ApplyResult::Already(marker))
        }
        Some(marker) if marker.seq < step.prev => Verdict::Done(ApplyResult::Behind(Some(marker))),
        Some(_) => Verdict::Write,
    }
}

/// Makes the port.
pub(crate) fn start(folder: Folder, sink: Sink<StoreReply>) -> io::Result<Box<dyn Store>> {
    let mut task = Task { folder, sink, walks: BTreeMap::new(), last_cursor: 0 };
    let worker = Worker::start("tzeva-store", move |jobs| {
        while let Ok(job) = jobs.recv() {
            task.carry_out(job);
        }
    })?;
    Ok(Box::new(FolderStore(worker)))
}

fn decode(shard: Shard, stored: &[u8]) -> Result<Marker, FolderError> {
    Marker::decode(stored).map_err(|source| FolderError::Marker { shard, source })
}

fn visitor(bytes: &[u8]) -> Result<VisitorId, FolderError> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| VisitorId::try_new(text).ok())
        .ok_or_else(|| FolderError::Damaged("a visitor id among the keys".into()))
}
