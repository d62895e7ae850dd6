//! Health: is the process alive, has it started, is it ready, and why not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared health of a process. Alive as long as it answers; started once; ready while nothing stands in the way.
#[derive(Clone, Debug, Default)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    started: AtomicBool,
    reasons: Mutex<Vec<String>>,
}

// === impl Health ===

impl Health {
    /// The start is over.
    pub fn started(&self) {
        self.inner.started.store(true, Ordering::Release);
    }

    /// Whether the start is over.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.inner.started.load(Ordering::Acquire)
    }

    /// Replaces what stands in the way of being ready; nothing: ready.
    pub fn set_reasons(&self, reasons: Vec<String>) {
        *self.inner.reasons.lock().unwrap_or_else(PoisonError::into_inner) = reasons;
    }

    /// What stands in the way of being ready.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = self.inner.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !self.is_started() {
            reasons.insert(0, "still starting".into());
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_started_and_nothing_in_the_way() {
        let health = Health::default();
        assert_eq!(health.reasons(), ["still starting"]);
        health.started();
        assert!(health.reasons().is_empty());
        health.set_reasons(vec!["partition 3 is recovering".into()]);
        assert_eq!(health.reasons(), ["partition 3 is recovering"]);
    }
}
