//! Source buffers of one partition, and the rule by which a commit takes from them.
//!
//! Topics merge by (record time, topic order, offset). A topic that may still have earlier records than another is waited
//! for: a record is taken only if every topic that is not at its end has been fetched beyond it. The ranges are cut
//! first, and what they hold is merged second, so what was fetched when plays no part in what a commit means.

use std::collections::VecDeque;
use tzeva_commit::InputRange;
use tzeva_commit::port::SourceRecord;
use tzeva_model::{SourceOffset, TopicIndex, UnixMillis};

/// How the time of a topic's records came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// LogAppendTime: never decreasing within a partition.
    LogAppend,
    /// CreateTime, declared: whatever producers say, bounded by the commit's clock.
    Create,
}

/// What was fetched of one topic and not decided yet.
#[derive(Debug)]
struct Buffer {
    kind: TimeKind,
    records: VecDeque<SourceRecord>,
    bytes: usize,
    /// The first offset that no commit has decided.
    decided: SourceOffset,
    /// Where fetching goes on.
    position: SourceOffset,
    /// Where the topic ends, as of the last fetch.
    end: SourceOffset,
    at_end: bool,
    paused: bool,
}

/// The buffers of a partition's source topics, in order of the topics.
#[derive(Debug)]
pub struct Inputs {
    buffers: Vec<Buffer>,
}

/// Records taken for one commit, merged, with the ranges they came from.
#[derive(Debug, Default)]
pub struct Cut {
    /// Each record with its topic and record time, in the order to decide them.
    pub records: Vec<CutRecord>,
    /// One range a topic, in order of the topics.
    pub ranges: Vec<InputRange>,
}

/// A record of a cut.
#[derive(Debug)]
pub struct CutRecord {
    /// Its topic.
    pub topic: TopicIndex,
    /// Its record time: of a CreateTime topic bounded by the commit's clock.
    pub time: UnixMillis,
    /// The record.
    pub record: SourceRecord,
}

/// Records a topic may hold before it is paused, and the size of them in bytes.
const HIGH_RECORDS: usize = 20_000;
const HIGH_BYTES: usize = 16 << 20;

// === impl Inputs ===

impl Inputs {
    /// Empty buffers, to be filled from these positions on.
    #[must_use]
    pub fn new(kinds: &[TimeKind], at: &[SourceOffset]) -> Self {
        let buffer = |(&kind, &at): (&TimeKind, &SourceOffset)| Buffer {
            kind,
            records: VecDeque::new(),
            bytes: 0,
            decided: at,
            position: at,
            end: at,
            at_end: false,
            paused: false,
        };
        Self { buffers: kinds.iter().zip(at).map(buffer).collect() }
    }

    /// Takes in what was fetched.
    pub fn fetched(
        &mut self,
        topic: TopicIndex,
        records: Vec<SourceRecord>,
        position: SourceOffset,
        at_end: bool,
    ) {
        let buffer = &mut self.buffers[usize::from(topic.get())];
        buffer.bytes += records.iter().map(size).sum::<usize>();
        buffer
            .records
            .extend(records.into_iter().filter(|record| record.offset >= buffer.position));
        buffer.position = buffer.position.max(position);
        buffer.at_end = at_end;
    }

    /// Takes in where a topic ends, as of a fetch.
    pub fn ends_at(&mut self, topic: TopicIndex, end: SourceOffset) {
        self.buffers[usize::from(topic.get())].end = end;
    }

    /// Topics to pause (true) or to let go on (false) since the last call.
    pub fn pauses(&mut self) -> Vec<(TopicIndex, bool)> {
        let mut turned = Vec::new();
        for (topic, buffer) in (0u8..).map(TopicIndex::new).zip(&mut self.buffers) {
            let (records, bytes) = (buffer.records.len(), buffer.bytes);
            let full = records >= HIGH_RECORDS || bytes >= HIGH_BYTES;
            let low = records <= HIGH_RECORDS / 2 && bytes <= HIGH_BYTES / 2;
            if full && !buffer.paused || low && buffer.paused {
                buffer.paused = !buffer.paused;
                turned.push((topic, buffer.paused));
            }
        }
        turned
    }

    /// True if nothing is left to decide and every topic is at its end: what proofs ask.
    #[must_use]
    pub fn drained(&self) -> bool {
        self.buffers.iter().all(|buffer| buffer.at_end && buffer.records.is_empty())
    }

    /// Where each topic is, when `drained`: the offsets a proof compares with the ends.
    #[must_use]
    pub fn positions(&self) -> Vec<SourceOffset> {
        self.buffers.iter().map(|buffer| buffer.position).collect()
    }

    /// The first offset of each topic that no commit has decided.
    #[must_use]
    pub fn decided(&self) -> Vec<SourceOffset> {
        self.buffers.iter().map(|buffer| buffer.decided).collect()
    }

    /// Records that no commit has decided, whether fetched or not, as of the last fetch of each topic. (Markers of
    /// transactions count as records, as they do for other lag tools.)
    #[must_use]
    pub fn lag(&self) -> i64 {
        let left = |buffer: &Buffer| (buffer.end.get() - buffer.decided.get()).max(0);
        self.buffers.iter().map(left).sum()
    }

    /// The record time of the next record that may be decided, if there is one.
    #[must_use]
    pub fn next_time(&self, clock: UnixMillis) -> Option<UnixMillis> {
        self.next(clock).map(|(time, _)| time)
    }

    /// Takes records for one commit: at most `limit`, and none later than `until`. Record times of CreateTime topics are
    /// bounded by `clock`.
    pub fn cut(&mut self, limit: usize, until: UnixMillis, clock: UnixMillis) -> Cut {
        let from = self.decided();
        let mut records = Vec::new();
        while records.len() < limit {
            let Some((time, index)) = self.next(clock).filter(|&(time, _)| time <= until) else {
                break;
            };
            let buffer = &mut self.buffers[index];
            let Some(record) = buffer.records.pop_front() else { break };
            buffer.bytes -= size(&record);
            buffer.decided = record.offset.next();
            records.push(CutRecord { topic: topic(index), time, record });
        }
        for buffer in &mut self.buffers {
            if buffer.records.is_empty() {
                buffer.decided = buffer.position;
            }
        }
        // Within its ranges a CreateTime topic may go back in time: what a commit means is the merge of what it holds.
        records.sort_by_key(|cut| (cut.time, cut.topic, cut.record.offset));
        let ranges = self.buffers.iter().zip(from).enumerate();
        let ranges = ranges
            .map(|(index, (buffer, from))| InputRange {
                topic: topic(index),
                from,
                next: buffer.decided,
            })
            .collect();
        Cut { records, ranges }
    }

    /// The time and buffer of the next record, unless a topic that is not at its end could still have an earlier one.
    fn next(&self, clock: UnixMillis) -> Option<(UnixMillis, usize)> {
        let heads = self.buffers.iter().enumerate();
        let head = heads
            .filter_map(|(index, b)| Some((b.time(b.records.front()?, clock), index)))
            .min()?;
        let unknown = |buffer: &Buffer| buffer.records.is_empty() && !buffer.at_end;
        (!self.buffers.iter().any(unknown)).then_some(head)
    }
}

// === impl Buffer ===

impl Buffer {
    fn time(&self, record: &SourceRecord, clock: UnixMillis) -> UnixMillis {
        match self.kind {
            TimeKind::LogAppend => record.time,
            TimeKind::Create => record.time.min(clock),
        }
    }
}

fn topic(index: usize) -> TopicIndex {
    TopicIndex::new(u8::try_from(index).unwrap_or(u8::MAX))
}

fn size(record: &SourceRecord) -> usize {
    record.value.len() + record.key.as_ref().map_or(0, Vec::len) + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, time: i64) -> SourceRecord {
        SourceRecord {
            offset: SourceOffset::new(offset),
            time: UnixMillis::new(time),
            key: None,
            value: vec![],
            headers: vec![],
        }
    }

    fn inputs(kinds: &[TimeKind]) -> Inputs {
        Inputs::new(kinds, &vec![SourceOffset::new(0); kinds.len()])
    }

    fn taken(cut: &Cut) -> Vec<(u8, i64)> {
        cut.records.iter().map(|r| (r.topic.get(), r.record.offset.get())).collect()
    }

    const FAR: UnixMillis = UnixMillis::MAX;

    #[test]
    fn topics_merge_by_time_then_order_then_offset() {
        let mut inputs = inputs(&[TimeKind::LogAppend, TimeKind::LogAppend]);
        inputs.fetched(
            TopicIndex::new(0),
            vec![record(0, 5), record(1, 7)],
            SourceOffset::new(2),
            true,
        );
        inputs.fetched(
            TopicIndex::new(1),
            vec![record(0, 5), record(1, 6)],
            SourceOffset::new(2),
            true,
        );
        let cut = inputs.cut(10, FAR, FAR);
        assert_eq!(taken(&cut), [(0, 0), (1, 0), (1, 1), (0, 1)]);
    }

    #[test]
    fn a_topic_that_may_have_earlier_records_is_waited_for() {
        let mut inputs = inputs(&[TimeKind::LogAppend, TimeKind::LogAppend]);
        inputs.fetched(
            TopicIndex::new(0),
            vec![record(0, 5), record(1, 9)],
            SourceOffset::new(2),
            true,
        );
        assert!(inputs.cut(10, FAR, FAR).records.is_empty(), "nothing is known of the other topic");
        inputs.fetched(TopicIndex::new(1), vec![record(0, 8)], SourceOffset::new(1), false);
        assert_eq!(
            taken(&inputs.cut(10, FAR, FAR)),
            [(0, 0), (1, 0)],
            "9 may be preceded by one of topic 1"
        );
        inputs.fetched(TopicIndex::new(1), vec![], SourceOffset::new(1), true);
        assert_eq!(taken(&inputs.cut(10, FAR, FAR)), [(0, 1)]);
        assert!(inputs.drained());
    }

    #[test]
    fn ranges_cover_every_offset_once_also_those_without_a_record() {
        let mut inputs = inputs(&[TimeKind::LogAppend]);
        inputs.fetched(
            TopicIndex::new(0),
            vec![record(0, 1), record(3, 2)],
            SourceOffset::new(6),
            true,
        );
        let first = inputs.cut(1, FAR, FAR).ranges[0];
        let second = inputs.cut(1, FAR, FAR).ranges[0];
        assert_eq!((first.from.get(), first.next.get()), (0, 1));
        assert_eq!((second.from.get(), second.next.get()), (1, 6));
    }

    #[test]
    fn create_time_is_bounded_by_the_clock_and_sorted_within_a_cut() {
        let mut inputs = inputs(&[TimeKind::Create]);
        let records = vec![record(0, 900), record(1, 20), record(2, 10)];
        inputs.fetched(TopicIndex::new(0), records, SourceOffset::new(3), true);
        let cut = inputs.cut(10, FAR, UnixMillis::new(100));
        let times: Vec<_> =
            cut.records.iter().map(|r| (r.record.offset.get(), r.time.get())).collect();
        assert_eq!(times, [(2, 10), (1, 20), (0, 100)]);
    }

    #[test]
    fn a_full_buffer_pauses_its_topic_until_half_of_it_is_decided() {
        let mut inputs = inputs(&[TimeKind::LogAppend]);
        let many = (0..20_000).map(|n| record(n, n)).collect();
        inputs.fetched(TopicIndex::new(0), many, SourceOffset::new(20_000), false);
        assert_eq!(inputs.pauses(), [(TopicIndex::new(0), true)]);
        inputs.cut(9_999, FAR, FAR);
        assert_eq!(inputs.pauses(), []);
        inputs.cut(1, FAR, FAR);
        assert_eq!(inputs.pauses(), [(TopicIndex::new(0), false)]);
    }

    #[test]
    fn lag_counts_what_is_not_fetched_too() {
        let mut inputs = inputs(&[TimeKind::LogAppend, TimeKind::LogAppend]);
        assert_eq!(inputs.lag(), 0, "nothing is known yet");
        inputs.fetched(TopicIndex::new(0), vec![record(0, 5)], SourceOffset::new(1), false);
        inputs.ends_at(TopicIndex::new(0), SourceOffset::new(100));
        inputs.fetched(TopicIndex::new(1), vec![record(0, 9)], SourceOffset::new(1), true);
        inputs.ends_at(TopicIndex::new(1), SourceOffset::new(1));
        assert_eq!(inputs.lag(), 101);
        inputs.cut(1, FAR, FAR);
        assert_eq!(inputs.lag(), 100);
    }

    #[test]
    fn a_record_fetched_twice_is_taken_once() {
        let mut inputs = inputs(&[TimeKind::LogAppend]);
        inputs.fetched(TopicIndex::new(0), vec![record(0, 1)], SourceOffset::new(1), false);
        inputs.fetched(
            TopicIndex::new(0),
            vec![record(0, 1), record(1, 2)],
            SourceOffset::new(2),
            true,
        );
        assert_eq!(taken(&inputs.cut(10, FAR, FAR)), [(0, 0), (0, 1)]);
    }
}
