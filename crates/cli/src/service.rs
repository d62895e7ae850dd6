//! A service from start to end: the pages, the wait for a reason to stop, the stop itself. The same for both modes.

use crate::exit::{Exit, Failure};
use crate::signals::Signals;
use crate::wiring::Painting;
use anyhow::anyhow;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tzeva_model::Partition;
use tzeva_painter::driver::Ended;
use tzeva_painter::{Cause, PartitionView, Refusal, Watcher};
use tzeva_telemetry::{HttpError, Pages, serve};

/// Everything that runs, and how it ends.
pub(crate) struct Service {
    /// The painter.
    pub(crate) painting: Painting,
    /// The signals that ask for an end.
    pub(crate) signals: Signals,
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
    LaneFell,
    Failed(Failure),
}

/// How often it is looked whether there is a reason to stop.
const LOOK: Duration = Duration::from_millis(100);

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
                () = self.signals.next() => break Reason::Signal,
                _ = look.tick() => {}
            }
            if let Ok(failure) = self.failed.try_recv() {
                break Reason::Failed(failure);
            }
            if self.painting.watcher().fallen().is_some() {
                break Reason::LaneFell;
            }
            if self.painting.is_over() {
                break Reason::PainterEnded;
            }
            if (self.over)(&self.painting) {
                break Reason::Over;
            }
        };
        let (watcher, within) = (self.painting.watcher().clone(), self.stop_within);
        let painting = self.painting;
        tracing::info!(within_s = within.as_secs(), "stopping");
        let stop = tokio::task::spawn_blocking(move || painting.stop(within));
        let ends = tokio::select! {
            ends = stop => ends.unwrap_or_default(),
            () = self.signals.again() => {
                tracing::warn!("a second signal: ending at once; the next start recovers from the log");
                std::process::exit(75);
            }
        };
        let _ = stop_pages.send(());
        drop(pages);
        let Some(ends) = ends else { return Err(overrun(&watcher, within)) };
        judge(reason, ends).inspect(|_| tracing::info!("stopped"))
    }
}

/// What the end comes to.
fn judge(reason: Reason, ends: Vec<Ended>) -> Result<Exit, Failure> {
    let mut refusals = Vec::new();
    for end in ends {
        match end {
            Ended::Clean => {}
            Ended::Refused(refused) => refusals.extend(refused),
            Ended::Fell(why) => return Err(Failure { exit: Exit::Bug, error: anyhow!(why) }),
        }
    }
    match reason {
        Reason::Failed(failure) => Err(failure),
        Reason::PainterEnded => Err(refused("no partition is left to own", &refusals)),
        Reason::Over if !refusals.is_empty() => Err(refused("partitions were refused", &refusals)),
        Reason::Signal | Reason::Over | Reason::LaneFell => Ok(Exit::Fine),
    }
}

/// Partitions were refused: it ends by what helps least of what is in the way.
fn refused(what: &str, refusals: &[(Partition, Refusal)]) -> Failure {
    let list: Vec<String> =
        refusals.iter().map(|(p, refusal)| format!("  partition {p}: {refusal}")).collect();
    let all = |cause| refusals.iter().all(|(_, refusal)| refusal.cause == cause);
    let exit = match () {
        () if all(Cause::World) => Exit::TryAgain,
        () if refusals.iter().any(|(_, refusal)| refusal.cause == Cause::Bug) => Exit::Bug,
        () => Exit::Settings,
    };
    Failure { exit, error: anyhow!("{what}:\n{}", list.join("\n")) }
}

/// The stop took too long.
fn overrun(watcher: &Watcher, within: Duration) -> Failure {
    let views = watcher.views();
    let left: Vec<String> = views.iter().filter_map(|(p, view)| left(*p, view)).collect();
    Failure::world(anyhow!(
        "not all was done within painter.stop_within, {} s; the next start recovers it from the log:\n{}",
        within.as_secs_f64(),
        left.join("\n")
    ))
}

/// What is left to do for a partition.
fn left(partition: Partition, view: &PartitionView) -> Option<String> {
    let detail = match (&view.standings, view.state) {
        (_, "idle" | "refused") => return None,
        (None, state) => format!("it is {state}"),
        (Some(standings), _) => format!(
            "{} profiles not in the store{}",
            standings.unapplied,
            if standings.quiet { "" } else { ", a commit on its way" },
        ),
    };
    Some(format!("  partition {partition}: {detail}"))
}

#[cfg(test)]
mod tests;
