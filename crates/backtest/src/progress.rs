//! One line on stderr that says how far a backtest is, where stderr is a terminal.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The progress line.
pub struct Progress {
    shown: bool,
    last: Instant,
    dirty: bool,
}

/// How often it changes.
const EVERY: Duration = Duration::from_millis(150);
/// How many characters its bar has.
const BAR: u64 = 24;

// === impl Progress ===

impl Progress {
    pub fn start() -> Self {
        Self { shown: std::io::stderr().is_terminal(), last: Instant::now(), dirty: false }
    }

    /// So many events are read, of `size` bytes of files.
    pub fn reading(&mut self, events: u64, bytes: &AtomicU64, size: u64) {
        self.show("reading ", events, (bytes.load(Ordering::Relaxed), size));
    }

    /// So many of `all` events are decided.
    pub fn deciding(&mut self, events: u64, all: u64) {
        self.show("deciding", events, (events, all));
    }

    /// Wipes it.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.dirty) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn show(&mut self, what: &str, events: u64, (done, all): (u64, u64)) {
        if !self.shown || self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        self.dirty = true;
        let filled = (done * BAR).checked_div(all).unwrap_or(0).min(BAR);
        let bar: String = (0..BAR).map(|at| if at < filled { '█' } else { '░' }).collect();
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "\r\x1b[K{what} {bar} {events} events");
        let _ = stderr.flush();
    }
}
