//! A changes port that tells, too: what was published is handed on to whoever watches.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tzeva_commit::port::{Changes, ChangesReply, Outgoing, Sink, Ticket};
use tzeva_embedded::{Folder, FolderError};
use tzeva_model::Partition;

/// The folder's port, and a way to tell.
struct Watched {
    inner: Box<dyn Changes>,
    waiting: Waiting,
}

/// The bodies of changes that are being published.
type Waiting = Arc<Mutex<HashMap<(Partition, Ticket), Vec<Vec<u8>>>>>;

/// Makes the port. Each change's body goes to `watcher` once it is published, in order.
pub fn port(
    folder: &Folder,
    sink: Sink<ChangesReply>,
    watcher: Sender<Vec<u8>>,
) -> Result<Box<dyn Changes>, FolderError> {
    let waiting = Waiting::default();
    let told = Arc::clone(&waiting);
    let watcher = Mutex::new(watcher);
    let inner = folder.changes(Arc::new(move |reply| {
        if let ChangesReply::Published(partition, ticket, done) = &reply {
            let bodies = locked(&told).remove(&(*partition, *ticket)).unwrap_or_default();
            for body in bodies.into_iter().filter(|_| done.is_ok()) {
                // Nobody watches any more: publishing goes on.
                let _ = locked(&watcher).send(body);
            }
        }
        sink(reply);
    }))?;
    Ok(Box::new(Watched { inner, waiting }))
}

impl Changes for Watched {
    fn tail(&mut self, partition: Partition, ticket: Ticket) {
        self.inner.tail(partition, ticket);
    }

    fn publish(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>) {
        let bodies = messages.iter().filter_map(|message| match message {
            Outgoing::Change { value, .. } => Some(value.clone()),
            _ => None,
        });
        locked(&self.waiting).insert((partition, ticket), bodies.collect());
        self.inner.publish(partition, ticket, messages);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every use is a single call: whoever panicked left nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
