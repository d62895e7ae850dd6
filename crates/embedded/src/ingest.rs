//! The way in: records go into the source logs together with the place in the input that they came from, in one fsynced
//! batch. So a reader that asks for its position first, and goes on there, loses nothing and doubles nothing, whenever
//! it is killed.

use crate::folder::locked;
use crate::layout::{Message, source_key};
use crate::source::SourceJob;
use crate::{Folder, FolderError};
use fjall::PersistMode;
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

/// A record to be copied into a source log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// The topic.
    pub topic: TopicIndex,
    /// The partition its visitor belongs to.
    pub partition: Partition,
    /// Its record time: the event's own, but never later than the clock.
    pub time: UnixMillis,
    /// The key: the visitor id, if the record has one.
    pub key: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The value.
    pub value: Vec<u8>,
}

/// Writes records into source logs.
pub struct Ingest {
    folder: Folder,
}

// === impl Ingest ===

impl Ingest {
    pub(crate) fn new(folder: Folder) -> Self {
        Self { folder }
    }

    /// How far the input called `name` has been copied, as its reader wrote it; `None`: not at all.
    ///
    /// # Errors
    /// If the database fails.
    pub fn position(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let failed = FolderError::database(self.folder.attempt("read an input's position"));
        Ok(self.folder.0.ingest.get(name).map_err(failed)?.map(|stored| stored.to_vec()))
    }

    /// Appends `records` and sets the position of the input named, all or nothing, durable when it returns. Tells the
    /// offset of each.
    ///
    /// # Errors
    /// If a record names no topic or partition of the folder (then nothing is written), or the database fails (then
    /// the folder must be opened again to know).
    pub fn commit(
        &mut self,
        records: Vec<NewRecord>,
        position: Option<(&str, &[u8])>,
    ) -> Result<Vec<SourceOffset>, FolderError> {
        let inner = &*self.folder.0;
        let mut ends = locked(&inner.source_ends);
        let mut next = ends.clone();
        let mut batch = inner.db.batch().durability(Some(PersistMode::SyncData));
        let mut offsets = Vec::with_capacity(records.len());
        for record in records {
            let NewRecord { topic, partition, time, key, headers, value } = record;
            let place = next
                .get_mut(usize::from(topic.get()))
                .and_then(|ends| ends.get_mut(usize::from(partition.get())));
            let (Some(place), Some(name)) = (place, self.folder.topic(topic)) else {
                let text = format!("source topic {topic} has no partition {partition} here");
                return Err(FolderError::Settings(text));
            };
            let message = Message { time, key, headers, body: value };
            batch.insert(&inner.sources, source_key(name, partition, *place), message.encode());
            offsets.push(*place);
            *place = place.next();
        }
        if let Some((name, position)) = position {
            batch.insert(&inner.ingest, name, position);
        }
        let failed = FolderError::database(self.folder.attempt("ingest records"));
        batch.commit().map_err(failed)?;
        *ends = next;
        drop(ends);
        locked(&inner.readers).retain(|reader| reader.send(SourceJob::Wake).is_ok());
        Ok(offsets)
    }
}
