//! The signals that ask for an end, SIGTERM and Ctrl-C: heard from the first moment on.
//!
//! A start may wait long for a server or a disk, and has nothing yet that needs an end in order: until it says
//! [`begun`](Signals::begun), a signal ends the process at once, and well. From then on it waits in line for whoever stops
//! the service.

use crate::exit::Failure;
use crate::{file, out};
use anyhow::Context;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What hears them.
pub struct Signals {
    heard: UnboundedReceiver<()>,
    phase: Arc<Mutex<Phase>>,
}

/// What a signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has begun: end at once.
    Starting,
    /// Something runs that is stopped in order.
    Begun,
}

/// How long after a signal another one is taken for its echo.
const ECHO: Duration = Duration::from_secs(1);

// === impl Signals ===

impl Signals {
    /// Begins to listen.
    pub fn listen() -> Result<Self, Failure> {
        let attempt = "listen for the signals that ask for an end";
        let (sender, heard) = unbounded_channel();
        let phase = Arc::new(Mutex::new(Phase::Starting));
        spawn(sender, Arc::clone(&phase)).context(attempt).map_err(Failure::world)?;
        Ok(Self { heard, phase })
    }

    /// From here on a signal waits to be taken.
    pub fn begun(&self) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = Phase::Begun;
    }

    /// True if one was heard.
    pub fn heard(&mut self) -> bool {
        self.heard.try_recv().is_ok()
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.heard.recv().await.is_none() {
            // Nobody listens any more, which is no signal.
            std::future::pending::<()>().await;
        }
    }

    /// Waits for a further one. A terminal or a supervisor may send the first one twice, to the process and to its
    /// group: what comes within a second is that one.
    pub async fn again(&mut self) {
        tokio::time::sleep(ECHO).await;
        while self.heard() {}
        self.next().await;
    }
}

/// For a command that writes files and has nothing else to end in order: a signal ends it at once, as one that was not
/// heard would, and leaves no temporary files behind.
pub fn end_without_traces() -> Result<(), Failure> {
    let attempt = "listen for the signals that ask for an end";
    let (mut terminate, mut interrupt, runtime) =
        both().context(attempt).map_err(Failure::world)?;
    let listen = async move {
        let code = tokio::select! {
            _ = terminate.recv() => SignalKind::terminate(),
            _ = interrupt.recv() => SignalKind::interrupt(),
        };
        let _no_more_files = file::give_up();
        out::note("asked to stop before all was done");
        std::process::exit(128 + code.as_raw_value());
    };
    let thread = std::thread::Builder::new().name("tzeva-signals".into());
    let spawned = thread.spawn(move || runtime.block_on(listen));
    spawned.map(drop).context(attempt).map_err(Failure::world)
}

/// What hears the two signals, and where.
fn both() -> io::Result<(Signal, Signal, Runtime)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (terminate, interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    Ok((terminate, interrupt, runtime))
}

/// The thread that listens.
fn spawn(sender: UnboundedSender<()>, phase: Arc<Mutex<Phase>>) -> io::Result<()> {
    let (mut terminate, mut interrupt, runtime) = both()?;
    let listen = async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // Held up to the end, so that nothing begins any more.
            let phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
            if *phase == Phase::Starting {
                tracing::info!("asked to stop before anything had begun");
                std::process::exit(0);
            }
            if sender.send(()).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("tzeva-signals".into());
    thread.spawn(move || runtime.block_on(listen)).map(drop)
}
