//! The laws that every make of a port keeps: simulated, in a folder, on real servers. A test makes a port with the sink
//! of a [`Replies`] and hands both to the functions below; each panics at the first law that is broken.
//!
//! The laws are those of the port's own documentation and no more: what one make promises beyond it is tested beside it.

mod changes;
mod log;
mod source;
mod store;
mod twin;

pub use changes::changes_laws;
pub use log::log_laws;
pub use source::{Feed, source_laws};
pub use store::{reads_are_atomic, store_laws};
pub use twin::store_equals_its_naive_twin;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use tzeva_commit::port::Sink;
use tzeva_model::{Shard, VisitorId};

/// The answers of a port, in the order they came.
pub struct Replies<T> {
    queue: Receiver<T>,
    pump: Box<dyn FnMut()>,
}

// === impl Replies ===

impl<T> Replies<T> {
    /// How often `wait` looks before it gives up: 30 seconds.
    const LOOKS: usize = 3_000;
    const LOOK: Duration = Duration::from_millis(10);

    /// The next answer.
    ///
    /// # Panics
    /// If there is none for half a minute.
    pub fn wait(&mut self) -> T {
        for _ in 0..Self::LOOKS {
            if let Some(answer) = self.within(Self::LOOK) {
                return answer;
            }
        }
        panic!("a port gave no answer for 30 s");
    }

    /// The next answer, if it comes soon enough.
    pub fn within(&mut self, patience: Duration) -> Option<T> {
        if let Ok(answer) = self.queue.try_recv() {
            return Some(answer);
        }
        (self.pump)();
        match self.queue.recv_timeout(patience) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the port dropped its sink"),
        }
    }
}

/// A sink to make a port with, and the answers that go into it.
#[must_use]
pub fn replies<T: Send + 'static>() -> (Sink<T>, Replies<T>) {
    pumped_replies(|| {})
}

/// The same for a port that has no thread of its own: `pump` lets it work.
#[must_use]
pub fn pumped_replies<T: Send + 'static>(pump: impl FnMut() + 'static) -> (Sink<T>, Replies<T>) {
    let (sender, queue) = channel();
    let sink = move |answer| {
        // Who asked may be gone already.
        let _ = sender.send(answer);
    };
    (Arc::new(sink), Replies { queue, pump: Box::new(pump) })
}

/// `count` visitors that live in one shard, that of the first of them.
#[must_use]
pub fn visitors_of_one_shard(count: usize) -> (Shard, Vec<VisitorId>) {
    let mut visitors =
        (0_u64..).filter_map(|number| VisitorId::try_new(&format!("visitor-{number}")).ok());
    let Some(first) = visitors.next() else { unreachable!("`visitor-0` is a visitor id") };
    let shard = first.shard();
    let others = visitors.filter(|visitor| visitor.shard() == shard);
    (shard, std::iter::once(first).chain(others).take(count).collect())
}
