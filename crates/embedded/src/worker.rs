//! A port's thread: it carries out jobs in the order of the calls and ends when the port is dropped.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

/// The sending side of a port's thread.
pub(crate) struct Worker<J> {
    jobs: Option<Sender<J>>,
    thread: Option<JoinHandle<()>>,
}

// === impl Worker ===

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread; `run` returns when its jobs are disconnected.
    pub(crate) fn start(
        name: &str,
        run: impl FnOnce(Receiver<J>) + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let thread = Builder::new().name(name.into()).spawn(move || run(queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands over a job.
    pub(crate) fn send(&self, job: J) {
        if self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_err()) {
            tracing::error!("a port's thread has ended before its port: its request is lost");
        }
    }

    /// Another way in, which doesn't keep the thread alive by itself only if a job tells it to stop.
    pub(crate) fn sender(&self) -> Option<Sender<J>> {
        self.jobs.clone()
    }
}

impl<J> Drop for Worker<J> {
    /// Lets the thread finish what it was given, so that the folder is free when the last port is gone.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            // A sink may own the port: then this is the thread itself, which can't wait for its own end.
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("a port's thread panicked");
        }
    }
}
