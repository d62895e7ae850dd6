//! An inbox for tests that ask for answers instead of being called.

use super::{Reply, Sinks};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Holds a painter's answers until they are taken, in the order they came. Clones are the same one.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Mutex<VecDeque<Reply>>>);

// === impl Inbox ===

impl Inbox {
    /// Sinks that put every answer here.
    #[must_use]
    pub fn sinks(&self) -> Sinks {
        let [log, store, changes, source] = std::array::from_fn(|_| self.clone());
        Sinks {
            log: Arc::new(move |reply| log.put(Reply::Log(reply))),
            store: Arc::new(move |reply| store.put(Reply::Store(reply))),
            changes: Arc::new(move |reply| changes.put(Reply::Changes(reply))),
            source: Arc::new(move |reply| source.put(Reply::Source(reply))),
        }
    }

    /// The next answer, if one is there.
    #[must_use]
    pub fn take(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn put(&self, reply: Reply) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(reply);
    }
}
