//! One line on stderr that says how far a backtest is, how fast it goes and how long it will take, where stderr is a
//! terminal.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The progress line.
pub struct Progress {
    shown: bool,
    dirty: bool,
    /// What it is about, since when.
    phase: (&'static str, Instant),
}

/// How often it changes.
pub const EVERY: Duration = Duration::from_millis(150);
/// How many characters its bar has.
const BAR: u64 = 24;
/// Before this, a rate tells nothing about the time left.
const WARM: Duration = Duration::from_millis(500);

// === impl Progress ===

impl Progress {
    /// Shown only where stderr is a terminal.
    pub fn start() -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { shown, dirty: false, phase: ("", Instant::now()) }
    }

    /// So many events are read, and so many of all bytes, if it is known how many there are.
    pub fn reading(&mut self, events: u64, bytes: u64, all: Option<u64>) {
        self.show("reading ", events, all.map(|all| (bytes, all)));
    }

    /// So many of `all` events are decided.
    pub fn deciding(&mut self, events: u64, all: u64) {
        self.show("deciding", events, Some((events, all)));
    }

    /// Wipes it.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.dirty) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn show(&mut self, what: &'static str, events: u64, done: Option<(u64, u64)>) {
        if !self.shown {
            return;
        }
        if self.phase.0 != what {
            self.phase = (what, Instant::now());
        }
        self.dirty = true;
        let line = line(what, events, done, self.phase.1.elapsed());
        let mut stderr = std::io::stderr();
        let _ = write!(stderr, "\r\x1b[K{line}");
        let _ = stderr.flush();
    }
}

/// `done` of all is done after `took`.
fn line(what: &str, events: u64, done: Option<(u64, u64)>, took: Duration) -> String {
    let mut line = what.to_owned();
    if let Some((done, all)) = done {
        let filled = (done.saturating_mul(BAR)).checked_div(all).unwrap_or(0).min(BAR);
        line.push(' ');
        line.extend((0..BAR).map(|at| if at < filled { '█' } else { '░' }));
    }
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let _ = write!(line, " {events} events, {} a second", events.saturating_mul(1_000) / ms);
    if let Some((done @ 1.., all)) = done
        && took >= WARM
    {
        let left = ms.saturating_mul(all.saturating_sub(done)) / done;
        let _ = write!(line, ", {} left", seconds(left.div_ceil(1_000)));
    }
    line
}

/// A number of seconds as a clock shows it.
fn seconds(seconds: u64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match minutes / 60 {
        0 => format!("{minutes}:{rest:02}"),
        hours => format!("{hours}:{:02}:{rest:02}", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_rate_and_the_time_left() {
        let took = Duration::from_secs(2);
        assert_eq!(
            line("reading", 1_000, Some((25, 100)), took),
            format!(
                "reading {}{} 1000 events, 500 a second, 0:06 left",
                "█".repeat(6),
                "░".repeat(18)
            )
        );
        assert_eq!(line("reading", 1_000, None, took), "reading 1000 events, 500 a second");
        let soon = line("deciding", 0, Some((0, 0)), Duration::ZERO);
        assert_eq!(soon, format!("deciding {} 0 events, 0 a second", "░".repeat(24)));
        assert_eq!(seconds(3_725), "1:02:05");
    }
}
