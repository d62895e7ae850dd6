//! The port: requests go to one thread that owns the connection, answers come from it.

use crate::lane::{Job, Lane};
use crate::{RedisStoreError, Server, Settings};
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tzeva_commit::port::{Apply, Sink, Store, StoreReply, Ticket};
use tzeva_model::{Partition, Shard, UnixMillis, VisitorId};

/// A store port, and what the server said of itself when it was made.
pub struct Connected {
    /// The port.
    pub store: Box<dyn Store>,
    /// The server.
    pub server: Server,
}

struct RedisStore {
    jobs: Option<UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Connects, checks the server, and makes the port.
///
/// # Errors
/// If the settings are wrong, the server can't be reached or is not fit for state.
pub fn connect(settings: &Settings, sink: Sink<StoreReply>) -> Result<Connected, RedisStoreError> {
    let target = settings.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RedisStoreError::Thread)?;
    let (jobs, queue) = unbounded_channel();
    let (ready, started) = mpsc::channel();
    let run = move || {
        runtime.block_on(async {
            match Lane::start(target, sink).await {
                Ok((lane, server)) => {
                    let _ = ready.send(Ok(server));
                    lane.run(queue).await;
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        });
    };
    let thread =
        Builder::new().name("tzeva-redis".into()).spawn(run).map_err(RedisStoreError::Thread)?;
    let ended = |_| RedisStoreError::Thread(std::io::Error::other("it ended at once"));
    let server = started.recv().map_err(ended)??;
    let store = RedisStore { jobs: Some(jobs), thread: Some(thread) };
    Ok(Connected { store: Box::new(store), server })
}

// === impl RedisStore ===

impl RedisStore {
    fn send(&self, job: Job) {
        if self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_err()) {
            tracing::error!("the thread of the Redis store has ended: a request is lost");
        }
    }
}

impl Store for RedisStore {
    fn read(&mut self, partition: Partition, ticket: Ticket, wanted: Vec<(Shard, Vec<VisitorId>)>) {
        self.send(Job::Read(partition, ticket, wanted));
    }

    fn apply(&mut self, partition: Partition, ticket: Ticket, steps: Vec<Apply>) {
        self.send(Job::Apply(partition, ticket, steps));
    }

    fn scan(&mut self, partition: Partition, ticket: Ticket, shard: Shard, cursor: u64) {
        self.send(Job::Scan(partition, ticket, shard, cursor));
    }

    fn due(&mut self, partition: Partition, ticket: Ticket, shard: Shard, bucket: UnixMillis) {
        self.send(Job::Due(partition, ticket, shard, bucket));
    }

    fn forget_due(&mut self, _partition: Partition, shard: Shard, bucket: UnixMillis) {
        self.send(Job::ForgetDue(shard, bucket));
    }
}

impl Drop for RedisStore {
    /// Lets the thread finish what it was given: no request that was sent is dropped unread.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            // A sink may own the port: then this is the thread itself, which can't wait for its own end.
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the Redis store panicked");
        }
    }
}
