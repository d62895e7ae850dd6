//! Changes, dead letters and names. Every message has a key of its own (n; topic and offset; id), so publishing again
//! after a crash writes the same thing over itself.

use crate::layout::{Message, change_key, dead_letter_key, source_key, trailing_number};
use crate::worker::Worker;
use crate::{Folder, FolderError};
use fjall::{OwnedWriteBatch, PersistMode, Readable};
use std::io;
use tzeva_commit::port::{Changes, ChangesReply, Outgoing, Sink, Ticket};
use tzeva_model::{ChangeNumber, Partition, SourceOffset, TopicIndex, UnixMillis};

enum Job {
    Tail(Partition, Ticket),
    Publish(Partition, Ticket, Vec<Outgoing>),
}

struct FolderChanges(Worker<Job>);

struct Task {
    folder: Folder,
    sink: Sink<ChangesReply>,
    /// Names published since they were told last; `None`: nothing was told, so all of the folder are due.
    new_names: Option<Vec<(String, String)>>,
}

/// A dead letter to be, as the projector tells it.
struct Letter {
    topic: TopicIndex,
    offset: SourceOffset,
    headers: Vec<(String, Vec<u8>)>,
    head: Vec<u8>,
}

// === impl FolderChanges ===

impl Changes for FolderChanges {
    fn tail(&mut self, partition: Partition, ticket: Ticket) {
        self.0.send(Job::Tail(partition, ticket));
    }

    fn publish(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>) {
        self.0.send(Job::Publish(partition, ticket, messages));
    }
}

// === impl Task ===

impl Task {
    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Tail(partition, ticket) => {
                let tail = self.tell_names().and_then(|()| self.folder.last_change(partition));
                let tail = tail.map_err(FolderError::into_port);
                (self.sink)(ChangesReply::Tail(partition, ticket, tail));
            }
            Job::Publish(partition, ticket, messages) => {
                let done = self.publish(partition, messages).map_err(FolderError::into_port);
                (self.sink)(ChangesReply::Published(partition, ticket, done));
            }
        }
    }

    fn tell_names(&mut self) -> Result<(), FolderError> {
        let names = match self.new_names.take() {
            Some(new) => new,
            None => self.folder.names().collect::<Result<_, _>>()?,
        };
        self.new_names = Some(Vec::new());
        (self.sink)(ChangesReply::Names(names));
        Ok(())
    }

    fn publish(
        &mut self,
        partition: Partition,
        messages: Vec<Outgoing>,
    ) -> Result<(), FolderError> {
        let inner = &*self.folder.0;
        let time = (inner.clock)();
        let mut batch = inner.db.batch().durability(Some(PersistMode::Buffer));
        for message in messages {
            match message {
                Outgoing::Change { n, key, headers, value } => {
                    let message = Message { time, key: Some(key), headers, body: value };
                    batch.insert(&inner.changes, change_key(partition, n), message.encode());
                }
                Outgoing::DeadLetter { topic, offset, headers, head } => {
                    let letter = Letter { topic, offset, headers, head };
                    self.bury(&mut batch, partition, time, letter)?;
                }
                Outgoing::Name { key, text } => {
                    batch.insert(&inner.names, key.clone(), text.clone());
                    self.new_names.iter_mut().for_each(|new| new.push((key.clone(), text.clone())));
                }
            }
        }
        batch.commit().map_err(FolderError::database(self.folder.attempt("publish")))
    }

    /// Copies the original from the source log; if it is gone there, what the log kept of it.
    fn bury(
        &self,
        batch: &mut OwnedWriteBatch,
        partition: Partition,
        time: UnixMillis,
        letter: Letter,
    ) -> Result<(), FolderError> {
        let inner = &*self.folder.0;
        let Some(topic) = self.folder.topic(letter.topic) else {
            let text = format!("a dead letter names source topic {}, there is none", letter.topic);
            return Err(FolderError::Settings(text));
        };
        let key = source_key(topic, partition, letter.offset);
        let failed = FolderError::database(self.folder.attempt("copy a dead letter's original"));
        let original = inner.sources.get(key).map_err(failed)?;
        let mut message = match original.and_then(|stored| Message::decode(&stored)) {
            Some(message) => Message { time, ..message },
            None => {
                let headers = vec![("dlq.truncated".to_owned(), b"true".to_vec())];
                Message { time, key: None, headers, body: letter.head }
            }
        };
        message.headers.extend(letter.headers);
        let key = dead_letter_key(partition, topic, letter.offset);
        batch.insert(&inner.dead_letters, key, message.encode());
        Ok(())
    }
}

// === impl Folder ===

impl Folder {
    /// The highest n that was published of a partition.
    ///
    /// # Errors
    /// If the database fails.
    pub fn last_change(&self, partition: Partition) -> Result<Option<ChangeNumber>, FolderError> {
        let inner = &*self.0;
        let prefix = partition.get().to_be_bytes();
        let Some(last) = inner.db.snapshot().prefix(&inner.changes, prefix).next_back() else {
            return Ok(None);
        };
        let failed = FolderError::database(self.attempt("find the last change"));
        Ok(trailing_number(&last.key().map_err(failed)?).map(ChangeNumber::new))
    }
}

/// Makes the port.
pub(crate) fn start(folder: Folder, sink: Sink<ChangesReply>) -> io::Result<Box<dyn Changes>> {
    let mut task = Task { folder, sink, new_names: None };
    let worker = Worker::start("tzeva-changes", move |jobs| {
        while let Ok(job) = jobs.recv() {
            task.carry_out(job);
        }
    })?;
    Ok(Box::new(FolderChanges(worker)))
}
