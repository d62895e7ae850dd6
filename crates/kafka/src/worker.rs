//! A thread with an inbox that ends when it is told to, or is left behind after a deadline: closing a librdkafka client
//! may block for as long as a broker stays silent, and a process that shuts down can't wait for that.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use std::time::Duration;

/// How long a thread may take to close its client.
pub(crate) const CLOSING: Duration = Duration::from_secs(10);

/// A running thread.
pub(crate) struct Worker<T> {
    name: &'static str,
    inbox: Option<Sender<T>>,
    ended: Receiver<()>,
    /// For a body that holds a sender of its own inbox and so never sees it closed.
    goodbye: Option<T>,
}

// === impl Worker ===

impl<T: Send + 'static> Worker<T> {
    /// Runs `body` on a thread of its own until its inbox is closed.
    pub(crate) fn start<F>(name: &'static str, body: F) -> std::io::Result<Self>
    where
        F: FnOnce(Receiver<T>) + Send + 'static,
    {
        let (inbox, receiver) = unbounded();
        Self::spawn(name, inbox, None, move || body(receiver))
    }

    /// The same for a body that holds a sender of its own inbox: it ends at `goodbye`.
    pub(crate) fn start_looped<F>(name: &'static str, goodbye: T, body: F) -> std::io::Result<Self>
    where
        F: FnOnce(Sender<T>, Receiver<T>) + Send + 'static,
    {
        let (inbox, receiver) = unbounded();
        let own = inbox.clone();
        Self::spawn(name, inbox, Some(goodbye), move || body(own, receiver))
    }

    fn spawn<F>(
        name: &'static str,
        inbox: Sender<T>,
        goodbye: Option<T>,
        body: F,
    ) -> std::io::Result<Self>
    where
        F: FnOnce() + Send + 'static,
    {
        let (alive, ended) = bounded::<()>(0);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped when the body ends or panics, which `drop` below waits for.
            let _alive = alive;
            body();
        })?;
        Ok(Self { name, inbox: Some(inbox), ended, goodbye })
    }

    /// Another way into its inbox, for a thread that has to end before this one.
    pub(crate) fn inbox(&self) -> Option<Sender<T>> {
        self.inbox.clone()
    }

    /// Puts `message` into the inbox. A thread that is gone answers nothing, as a dropped port does.
    pub(crate) fn send(&self, message: T) {
        if let Some(inbox) = &self.inbox
            && inbox.send(message).is_err()
        {
            tracing::error!(thread = self.name, "a kafka thread has ended");
        }
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        if let (Some(inbox), Some(goodbye)) = (self.inbox.take(), self.goodbye.take()) {
            // A thread that is gone needs no goodbye.
            let _ = inbox.send(goodbye);
        }
        if self.ended.recv_timeout(CLOSING) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(thread = self.name, "closing a kafka client took too long, left behind");
        }
    }
}
