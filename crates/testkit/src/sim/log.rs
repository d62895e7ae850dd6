//! The simulated log: what is appended stays, at its offset; who appended it may never hear.

use super::state::{Door, Fate, State, trouble};
use super::{PainterId, Reply, World};
use tzeva_commit::port::{AppendResult, Log, LogEntry, LogPage, LogReply, PortError, Ticket};
use tzeva_model::{LogOffset, Partition};

pub(super) struct SimLog(pub(super) World, pub(super) PainterId);

/// The largest record that is taken.
const RECORD_LIMIT: usize = 1 << 20;
/// The most that a page holds.
const PAGE_BYTES: usize = 1 << 20;
const PAGE_RECORDS: u64 = 1_000;

// === impl SimLog ===

impl Log for SimLog {
    fn append(&mut self, partition: Partition, ticket: Ticket, record: Vec<u8>) {
        let painter = self.1;
        let mut state = self.0.state();
        if !state.is_alive(painter) {
            return;
        }
        state.appends.insert((painter, partition, ticket));
        state.request((painter, Door::Log, partition), "an append is carried out", move |state| {
            state.append((painter, partition, ticket), record);
        });
    }

    fn read(
        &mut self,
        partition: Partition,
        ticket: Ticket,
        from: LogOffset,
        to: Option<LogOffset>,
    ) {
        let painter = self.1;
        let lane = (painter, Door::Log, partition);
        self.0.state().request(lane, "the log is read", move |state| {
            let page = match state.read_fails("read the log") {
                Some(error) => Err(error),
                None => Ok(state.log_page(partition, from, to)),
            };
            state.answer(lane, Reply::Log(LogReply::Read(partition, ticket, page)));
        });
    }

    fn renew(&mut self) {
        let painter = self.1;
        let mut state = self.0.state();
        let mine = state.appends.iter().filter(|(owner, _, _)| *owner == painter);
        let mine: Vec<_> = mine.copied().collect();
        for append in mine {
            state.appends.remove(&append);
            let (_, partition, ticket) = append;
            let result = AppendResult::Unknown(trouble("append, given up"));
            state.appended((painter, partition, ticket), result);
        }
    }
}

impl State {
    fn append(&mut self, append: (PainterId, Partition, Ticket), record: Vec<u8>) {
        let (painter, partition, _) = append;
        if !self.appends.remove(&append) {
            // Given up, and answered so; the broker may have it all the same.
            if self.rng.per_mille(self.faults.log.delayed.saturating_mul(10)) {
                self.write(partition, record);
            }
            return;
        }
        if record.len() > RECORD_LIMIT {
            let attempt = format!("append {} bytes: over the limit of 1 MiB", record.len());
            let refused = PortError { attempt, transient: false };
            return self.appended(append, AppendResult::Refused(refused));
        }
        let faults = self.faults.log;
        let unknown = AppendResult::Unknown(trouble("append"));
        let result = match self.fate(faults) {
            Fate::Well => {
                let offset = self.write(partition, record);
                AppendResult::At(offset, self.now)
            }
            Fate::AnswerLost => {
                self.write(partition, record);
                unknown
            }
            Fate::Dropped => unknown,
            Fate::Delayed => {
                self.later(painter, "a late append is carried out", move |state| {
                    state.write(partition, record);
                });
                unknown
            }
        };
        self.appended(append, result);
    }

    fn appended(
        &mut self,
        (painter, partition, ticket): (PainterId, Partition, Ticket),
        result: AppendResult,
    ) {
        let reply = LogReply::Appended(partition, ticket, result);
        self.answer((painter, Door::Log, partition), Reply::Log(reply));
    }

    fn write(&mut self, partition: Partition, bytes: Vec<u8>) -> LogOffset {
        let time = self.now;
        let log = self.logs.entry(partition).or_default();
        let offset = end(log);
        log.push(LogEntry { offset, time, bytes });
        offset
    }

    fn log_page(
        &mut self,
        partition: Partition,
        from: LogOffset,
        to: Option<LogOffset>,
    ) -> LogPage {
        let most = 1 + self.rng.below(PAGE_RECORDS);
        let log = self.logs.entry(partition).or_default();
        let end = end(log);
        let to = to.map_or(end, |to| to.min(end)).max(from);
        let mut bytes = 0;
        let mut entries: Vec<LogEntry> = Vec::new();
        for entry in log.iter().filter(|entry| (from..to).contains(&entry.offset)) {
            bytes += entry.bytes.len();
            if !entries.is_empty() && (bytes > PAGE_BYTES || entries.len() as u64 >= most) {
                break;
            }
            entries.push(entry.clone());
        }
        let next = entries.last().map_or(to, |last| last.offset.next());
        LogPage { entries, next, begin: LogOffset::new(0), end }
    }
}

fn end(log: &[LogEntry]) -> LogOffset {
    log.last().map_or(LogOffset::new(0), |last| last.offset.next())
}
