//! The gate of sweeps: one partition of a process sweeps at a time, so that new rules never crowd out visitors who are on
//! the site now. And the pace: so many profiles a second, over all.

use std::sync::{Arc, Mutex, PoisonError};
use tzeva_model::Partition;

/// Shared by the owners of a process.
#[derive(Clone, Debug, Default)]
pub struct SweepGate(Arc<Mutex<Option<Partition>>>);

/// The right to sweep, as long as it lives.
#[derive(Debug)]
pub(crate) struct SweepPass {
    gate: SweepGate,
    partition: Partition,
}

// === impl SweepGate ===

impl SweepGate {
    /// The right to sweep, if nobody has it.
    pub(crate) fn enter(&self, partition: Partition) -> Option<SweepPass> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.is_some() {
            return None;
        }
        *inside = Some(partition);
        Some(SweepPass { gate: self.clone(), partition })
    }
}

// === impl SweepPass ===

impl Drop for SweepPass {
    fn drop(&mut self) {
        let mut inside = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *inside == Some(self.partition) {
            *inside = None;
        }
    }
}
