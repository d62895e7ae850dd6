//! A log read back as any reader does: the commits that count, and what must hold of every row of them.

use tzeva_commit::port::LogEntry;
use tzeva_commit::{Commit, Judge, LogRecord, Verdict, decode};
use tzeva_model::UnixMillis;

/// Follows a log from its beginning as it grows.
pub struct Counting {
    judge: Judge,
    held: Vec<Commit>,
    /// The commits that count, groups joined.
    pub commits: Vec<Commit>,
    /// How many claims were met.
    pub claims: usize,
    /// How many commits do not count.
    pub ignored: usize,
}

// === impl Counting ===

impl Counting {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        let (held, commits) = (Vec::new(), Vec::new());
        Self { judge: Judge::at_beginning(), held, commits, claims: 0, ignored: 0 }
    }

    /// Takes the next record in.
    ///
    /// # Panics
    /// If it can't be read.
    pub fn observe(&mut self, entry: &LogEntry) {
        let record = decode(&entry.bytes)
            .unwrap_or_else(|error| panic!("the log record at offset {}: {error}", entry.offset));
        match (self.judge.observe(entry.offset, &record), record) {
            (Verdict::Held, LogRecord::Commit(commit)) => self.held.push(*commit),
            (Verdict::Counts { .. }, LogRecord::Commit(commit)) => {
                self.commits.append(&mut self.held);
                self.commits.push(*commit);
            }
            (Verdict::Claim, _) => {
                self.claims += 1;
                self.held.clear();
            }
            (Verdict::Anchor, _) => self.held.clear(),
            (Verdict::Ignored(_), LogRecord::Commit(_)) => self.ignored += 1,
            _ => {}
        }
    }
}

impl Default for Counting {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<LogEntry> for Counting {
    fn from_iter<I: IntoIterator<Item = LogEntry>>(entries: I) -> Self {
        let mut counting = Self::new();
        entries.into_iter().for_each(|entry| counting.observe(&entry));
        counting
    }
}

/// The commits of one partition take in every record of its sources once, of which topic `t` has `records[t]`; `until` and
/// `clock` never decrease, engine time is never ahead of the clock; seq and n are dense.
///
/// # Panics
/// At the first commit that breaks this.
pub fn covers_every_record_once(commits: &[Commit], records: &[usize]) {
    let mut next = vec![0; records.len()];
    let (mut until, mut clock) = (UnixMillis::MIN, UnixMillis::MIN);
    let mut n = 1;
    for (commit, seq) in commits.iter().zip(1..) {
        for range in &commit.inputs {
            let at = &mut next[usize::from(range.topic.get())];
            assert_eq!(range.from.get(), *at, "the ranges of topic {} meet", range.topic);
            *at = range.next.get();
        }
        assert!(commit.until >= until && commit.clock >= clock, "until and clock never decrease");
        assert!(commit.clock >= commit.until, "engine time is not ahead of the clock");
        (until, clock) = (commit.until, commit.clock);
        assert_eq!(commit.seq.get(), seq, "seq is dense");
        assert_eq!(commit.changes_from.get(), n, "n is dense");
        n += commit.changes.len() as u64;
    }
    for (topic, (end, &records)) in next.into_iter().zip(records).enumerate() {
        assert_eq!(usize::try_from(end), Ok(records), "every record of topic {topic} was decided");
    }
}
