//! One partition of one source topic while it is read: the records at hand, the position, whether it is at its end.

use std::time::{Duration, Instant};
use tzeva_commit::port::{SourceRecord, SourceReply};
use tzeva_model::{Partition, SourceOffset, TopicIndex};

/// A stream that stands still for this long although the broker has more is told again where to read.
const STUCK: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Stream {
    session: u64,
    records: Vec<SourceRecord>,
    /// What comes next.
    position: i64,
    /// The position that was last handed over.
    told: i64,
    told_at_end: bool,
    /// The client reported an end and nothing came since.
    at_end: bool,
    /// The client's position is this session's: right after an assignment it may still be the old one.
    fresh: bool,
    paused: bool,
    since: Instant,
}

// === impl Stream ===

impl Stream {
    pub(crate) fn new(session: u64, at: SourceOffset) -> Self {
        Self {
            session,
            records: Vec::new(),
            position: at.get(),
            told: at.get(),
            told_at_end: false,
            at_end: false,
            fresh: false,
            paused: false,
            since: Instant::now(),
        }
    }

    pub(crate) const fn position(&self) -> SourceOffset {
        SourceOffset::new(self.position)
    }

    pub(crate) const fn is_paused(&self) -> bool {
        self.paused
    }

    /// True if that changed anything.
    pub(crate) fn set_paused(&mut self, paused: bool) -> bool {
        self.since = Instant::now();
        std::mem::replace(&mut self.paused, paused) != paused
    }

    pub(crate) fn take(&mut self, record: SourceRecord) {
        if record.offset.get() < self.position {
            return;
        }
        self.position = record.offset.get() + 1;
        self.records.push(record);
        (self.at_end, self.fresh, self.since) = (false, true, Instant::now());
    }

    /// The client reported the end of the partition.
    pub(crate) const fn ended(&mut self) {
        (self.at_end, self.fresh) = (true, true);
    }

    /// The client's position, which passes markers.
    pub(crate) fn moved(&mut self, offset: i64) {
        if self.fresh && offset > self.position {
            self.position = offset;
            self.since = Instant::now();
        }
    }

    /// What there is to tell; `end` is the partition's as of the last fetch answer.
    pub(crate) fn cut(
        &mut self,
        partition: Partition,
        topic: TopicIndex,
        end: Option<i64>,
    ) -> Option<SourceReply> {
        let at_end = self.at_end || (self.fresh && end.is_some_and(|end| self.position >= end));
        if self.records.is_empty()
            && self.position == self.told
            && (at_end == self.told_at_end || !at_end)
        {
            return None;
        }
        self.told = self.position;
        self.told_at_end = at_end;
        Some(SourceReply::Records {
            partition,
            session: self.session,
            topic,
            records: std::mem::take(&mut self.records),
            position: SourceOffset::new(self.position),
            at_end,
            end: SourceOffset::new(end.unwrap_or(self.position).max(self.position)),
        })
    }

    /// Where to seek, if the stream stands still and shouldn't.
    pub(crate) fn stuck(&mut self, end: Option<i64>) -> Option<SourceOffset> {
        let behind = end.is_some_and(|end| self.position < end);
        if self.paused || self.at_end || !behind || self.since.elapsed() < STUCK {
            return None;
        }
        self.since = Instant::now();
        Some(self.position())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_model::UnixMillis;

    fn record(offset: i64) -> SourceRecord {
        SourceRecord {
            offset: SourceOffset::new(offset),
            time: UnixMillis::new(0),
            key: None,
            value: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Number of records, position, at end.
    fn cut(stream: &mut Stream, end: Option<i64>) -> Option<(usize, i64, bool)> {
        match stream.cut(Partition::new(0), TopicIndex::new(0), end)? {
            SourceReply::Records { records, position, at_end, .. } => {
                Some((records.len(), position.get(), at_end))
            }
            other => panic!("not records: {other:?}"),
        }
    }

    #[test]
    fn a_batch_is_told_once_and_an_end_once() {
        let mut stream = Stream::new(1, SourceOffset::new(5));
        assert_eq!(cut(&mut stream, None), None);
        stream.take(record(5));
        stream.take(record(6));
        assert_eq!(cut(&mut stream, Some(9)), Some((2, 7, false)));
        assert_eq!(cut(&mut stream, Some(9)), None);
        stream.ended();
        assert_eq!(cut(&mut stream, Some(9)), Some((0, 7, true)));
        assert_eq!(cut(&mut stream, Some(9)), None);
    }

    #[test]
    fn the_end_known_from_the_fetch_needs_no_report() {
        let mut stream = Stream::new(1, SourceOffset::new(5));
        stream.take(record(5));
        assert_eq!(cut(&mut stream, Some(6)), Some((1, 6, true)));
    }

    #[test]
    fn the_position_passes_markers_but_not_before_the_session_is_fresh() {
        let mut stream = Stream::new(1, SourceOffset::new(5));
        stream.moved(90);
        assert_eq!(cut(&mut stream, Some(90)), None, "a position of the assignment before");
        stream.take(record(5));
        stream.moved(8);
        assert_eq!(cut(&mut stream, Some(20)), Some((1, 8, false)));
    }
}
