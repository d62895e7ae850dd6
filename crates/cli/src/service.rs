//! A service from start to end: the pages, the wait for a reason to stop, the stop itself. The same for both modes.

use crate::exit::{Exit, Failure};
use crate::wiring::Painting;
use anyhow::anyhow;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tzeva_painter::driver::Ended;
use tzeva_telemetry::{HttpError, Pages, serve};

/// Everything that runs, and how it ends.
pub(crate) struct Service {
    /// The painter.
    pub(crate) painting: Painting,
    /// The pages.
    pub(crate) pages: Pages,
    /// Where they listen.
    pub(crate) listen: SocketAddr,
    /// Told the address that was bound.
    pub(crate) bound: Box<dyn FnOnce(SocketAddr)>,
    /// How long a stop may take.
    pub(crate) stop_within: Duration,
    /// True when there is nothing left to do; a service that goes on for ever says false.
    pub(crate) over: Box<dyn FnMut(&Painting) -> bool>,
    /// What failed beside the painter, and can't go on.
    pub(crate) failed: Receiver<Failure>,
}

/// Why a service stops.
enum Reason {
    Signal,
    Over,
    PainterEnded,
    Failed(Failure),
}

/// The signals that ask for a stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How often it is looked whether there is a reason to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long after a signal another one is taken for its echo.
const ECHO: Duration = Duration::from_secs(1);

// === impl Service ===

impl Service {
    /// Runs until a signal, an end or a failure, and stops in order.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("tzeva-pages")
            .enable_all()
            .build()
            .map_err(Failure::world)?;
        let ended = runtime.block_on(self.live());
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    }

    async fn live(mut self) -> Result<Exit, Failure> {
        let mut signals = Signals::listen().map_err(Failure::world)?;
        let (stop_pages, stopped) = tokio::sync::oneshot::channel::<()>();
        let health = self.pages.health.clone();
        let until = async move {
            let _ = stopped.await;
        };
        let (address, pages) = match serve(self.listen, self.pages, until).await {
            Ok(served) => served,
            Err(error @ HttpError::NoToken(_)) => return Err(Failure::settings(error)),
            Err(error) => return Err(Failure::world(error)),
        };
        tracing::info!(%address, "the pages are served");
        (self.bound)(address);
        let pages = tokio::spawn(pages);
        health.started();
        let mut look = tokio::time::interval(LOOK);
        let reason = loop {
            tokio::select! {
                () = signals.next() => break Reason::Signal,
                _ = look.tick() => {}
            }
            if let Ok(failure) = self.failed.try_recv() {
                break Reason::Failed(failure);
            }
            if self.painting.is_over() {
                break Reason::PainterEnded;
            }
            if (self.over)(&self.painting) {
                break Reason::Over;
            }
        };
        let (painting, within) = (self.painting, self.stop_within);
        tracing::info!(within_s = within.as_secs(), "stopping");
        let stop = tokio::task::spawn_blocking(move || painting.stop(within));
        let ends = tokio::select! {
            ends = stop => ends.unwrap_or_default(),
            () = Signals::again() => {
                tracing::warn!("a second signal: ending at once; the next start recovers from the log");
                std::process::exit(75);
            }
        };
        let _ = stop_pages.send(());
        drop(pages);
        judge(reason, ends)
    }
}

// === impl Signals ===

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a further signal. A terminal or a supervisor may send the first one twice, to the process and to its
    /// group: what comes within a second is that one.
    async fn again() {
        tokio::time::sleep(ECHO).await;
        match Self::listen() {
            Ok(mut signals) => signals.next().await,
            Err(_) => std::future::pending().await,
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What the end comes to; `None`: the painter did not end in time.
fn judge(reason: Reason, ends: Option<Vec<Ended>>) -> Result<Exit, Failure> {
    let refusals = ends.iter().flatten().flat_map(|end| match end {
        Ended::Clean => [].iter(),
        Ended::Refused(refused) => refused.iter(),
    });
    let refusals: Vec<String> =
        refusals.map(|(p, why)| format!("  partition {p}: {why}")).collect();
    match reason {
        Reason::Failed(failure) => return Err(failure),
        Reason::PainterEnded => {
            let list = refusals.join("\n");
            return Err(Failure::world(anyhow!("no partition is left to own:\n{list}")));
        }
        Reason::Over if !refusals.is_empty() => {
            let list = refusals.join("\n");
            return Err(Failure::world(anyhow!("partitions were refused:\n{list}")));
        }
        Reason::Signal | Reason::Over => {}
    }
    if ends.is_none() {
        tracing::warn!("not everything was applied in time: the next start recovers from the log");
    } else {
        tracing::info!("stopped");
    }
    Ok(Exit::Fine)
}
