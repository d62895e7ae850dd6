//! Freshness, span by span, as owners observe it, beside the metrics.

use std::sync::{Mutex, PoisonError};
use tzeva_model::{Millis, Partition, UnixMillis};
use tzeva_painter::driver::Watch;
use tzeva_painter::{Observations, Standings, Watcher};

/// Spans since they were taken last.
#[derive(Default)]
pub(crate) struct Spans(Mutex<Vec<Millis>>);

/// A watch that keeps the spans, and hands everything on.
pub(crate) struct Keeping {
    pub(crate) spans: std::sync::Arc<Spans>,
    pub(crate) watcher: Watcher,
}

// === impl Spans ===

impl Spans {
    pub(crate) fn take(&self) -> Vec<Millis> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Keeping ===

impl Watch for Keeping {
    fn partition(
        &self,
        partition: Partition,
        state: (&'static str, Option<&str>),
        standings: Option<Standings>,
        (seen, wall): (Observations, UnixMillis),
    ) {
        let mut spans = self.spans.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.extend(&seen.freshness);
        drop(spans);
        self.watcher.partition(partition, state, standings, (seen, wall));
    }

    fn refused(&self, partition: Partition, why: &str) {
        self.watcher.refused(partition, why);
    }

    fn fell(&self, partitions: &[Partition], why: &str) {
        self.watcher.fell(partitions, why);
    }
}

/// In milliseconds, ascending.
pub(crate) fn sorted(spans: Vec<Millis>) -> Vec<i64> {
    let mut all: Vec<i64> = spans.into_iter().map(Millis::get).collect();
    all.sort_unstable();
    all
}
