//! The simulated source topics: records that readers may see later than an end-offset query counts them.

use super::state::{Door, State};
use super::{PainterId, Reply, World};
use tzeva_commit::port::{PortError, Source, SourceRecord, SourceReply, Ticket};
use tzeva_model::{Millis, Partition, SourceOffset, TopicIndex, UnixMillis};

pub(super) struct SimSource(pub(super) World, pub(super) PainterId);

/// A record to produce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// The producer's time, on a topic declared `create_time`; `None`: the broker's.
    pub time: Option<UnixMillis>,
    /// The Kafka key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Vec<u8>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// One partition of a source topic.
#[derive(Default)]
pub(super) struct Topic {
    records: Vec<SourceRecord>,
    /// How many of them readers can see.
    visible: usize,
    /// When the last one becomes visible.
    shown: UnixMillis,
}

/// What a painter has open of a partition, an element a topic each.
pub(super) struct Reader {
    session: u64,
    at: Vec<usize>,
    paused: Vec<bool>,
    fetching: Vec<bool>,
    told_end: Vec<bool>,
}

/// The most records of a batch.
const BATCH: u64 = 500;

// === impl SimSource ===

impl Source for SimSource {
    fn open(&mut self, partition: Partition, session: u64, at: Vec<SourceOffset>) {
        let painter = self.1;
        let lane = (painter, Door::Source, partition);
        self.0.state().request(lane, "a source is opened", move |state| {
            state.open(painter, partition, (session, at));
        });
    }

    fn close(&mut self, partition: Partition) {
        let painter = self.1;
        let lane = (painter, Door::Source, partition);
        self.0.state().request(lane, "a source is closed", move |state| {
            state.readers.remove(&(painter, partition));
        });
    }

    fn pause(&mut self, partition: Partition, topic: TopicIndex, paused: bool) {
        let painter = self.1;
        let lane = (painter, Door::Source, partition);
        self.0.state().request(lane, "a source is paused or goes on", move |state| {
            let Some(reader) = state.readers.get_mut(&(painter, partition)) else { return };
            let Some(place) = reader.paused.get_mut(usize::from(topic.get())) else { return };
            *place = paused;
            if !paused {
                state.fetch_soon(painter, partition, topic);
            }
        });
    }

    fn prove(&mut self, partition: Partition, ticket: Ticket, now: UnixMillis) {
        let lane = (self.1, Door::Source, partition);
        self.0.state().request(lane, "the ends of sources are asked for", move |state| {
            let ends = match state.read_fails("ask for the ends of sources") {
                Some(error) => Err(error),
                None => Ok((now, state.ends(partition))),
            };
            state.answer(lane, Reply::Source(SourceReply::Ends(partition, ticket, ends)));
        });
    }

    fn progress(&mut self, partition: Partition, at: Vec<SourceOffset>) {
        let lane = (self.1, Door::Source, partition);
        self.0.state().request(lane, "progress is told", move |state| {
            state.progress.insert(partition, at);
        });
    }
}

impl State {
    pub(super) fn produce(
        &mut self,
        topic: TopicIndex,
        partition: Partition,
        record: NewRecord,
    ) -> SourceOffset {
        let held = self.rng.per_mille(self.faults.held_back);
        let delay = if held { self.latency().times(5) } else { Millis::ZERO };
        let now = self.now;
        let of = self.topics.entry((topic, partition)).or_default();
        let offset = offset_of(of.records.len());
        of.records.push(SourceRecord {
            offset,
            time: record.time.unwrap_or(now),
            key: record.key,
            value: record.value,
            headers: record.headers,
        });
        of.shown = of.shown.max(now + delay);
        let (shown, count) = (of.shown, of.records.len());
        self.at(shown, None, "a source record can be seen", move |state| {
            let of = state.topics.entry((topic, partition)).or_default();
            of.visible = of.visible.max(count);
            let readers = state.readers.keys().filter(|(_, read)| *read == partition);
            let readers: Vec<_> = readers.map(|(painter, _)| *painter).collect();
            for painter in readers {
                state.fetch_soon(painter, partition, topic);
            }
        });
        offset
    }

    pub(super) fn source_records(
        &self,
        topic: TopicIndex,
        partition: Partition,
    ) -> Vec<SourceRecord> {
        self.topics.get(&(topic, partition)).map_or_else(Vec::new, |of| of.records.clone())
    }

    fn ends(&self, partition: Partition) -> Vec<SourceOffset> {
        let topics = (0..self.layout.topics).map(TopicIndex::new);
        let end = |topic| self.topics.get(&(topic, partition)).map_or(0, |of| of.records.len());
        topics.map(|topic| offset_of(end(topic))).collect()
    }

    fn open(
        &mut self,
        painter: PainterId,
        partition: Partition,
        (session, at): (u64, Vec<SourceOffset>),
    ) {
        let ends = self.ends(partition);
        let inside = at.len() == ends.len()
            && at.iter().zip(&ends).all(|(at, end)| (SourceOffset::new(0)..=*end).contains(at));
        if !inside {
            self.readers.remove(&(painter, partition));
            let attempt = format!("open sources of partition {partition} at {at:?}, ends {ends:?}");
            let lost = SourceReply::Lost(partition, PortError { attempt, transient: false });
            return self.answer((painter, Door::Source, partition), Reply::Source(lost));
        }
        let topics = at.len();
        let reader = Reader {
            session,
            at: at.iter().map(|at| usize::try_from(at.get()).unwrap_or(0)).collect(),
            paused: vec![false; topics],
            fetching: vec![false; topics],
            told_end: vec![false; topics],
        };
        self.readers.insert((painter, partition), reader);
        for topic in (0..self.layout.topics).map(TopicIndex::new) {
            self.fetch_soon(painter, partition, topic);
        }
    }

    fn fetch_soon(&mut self, painter: PainterId, partition: Partition, topic: TopicIndex) {
        let Some(reader) = self.readers.get_mut(&(painter, partition)) else { return };
        let place = usize::from(topic.get());
        if reader.paused[place] || std::mem::replace(&mut reader.fetching[place], true) {
            return;
        }
        let session = reader.session;
        let at = self.now + self.latency();
        self.at(at, Some(painter), "a source is fetched", move |state| {
            state.fetch((painter, partition), session, topic);
        });
    }

    fn fetch(&mut self, whose: (PainterId, Partition), session: u64, topic: TopicIndex) {
        let most = usize::try_from(1 + self.rng.below(BATCH)).unwrap_or(1);
        let (painter, partition) = whose;
        let Some(reader) = self.readers.get_mut(&whose) else { return };
        let place = usize::from(topic.get());
        if reader.session != session {
            return;
        }
        reader.fetching[place] = false;
        if reader.paused[place] {
            return;
        }
        let of = self.topics.entry((topic, partition)).or_default();
        let from = reader.at[place];
        // An opened position may lie behind what can be seen yet.
        let visible = of.visible.max(from.min(of.records.len()));
        let to = visible.min(from + most).max(from);
        let at_end = to == visible;
        let records = of.records[from..to].to_vec();
        reader.at[place] = to;
        let news = !records.is_empty() || (at_end && !reader.told_end[place]);
        reader.told_end[place] = at_end;
        if !at_end {
            self.fetch_soon(painter, partition, topic);
        }
        if news {
            let position = offset_of(to);
            let reply = SourceReply::Records {
                partition,
                session,
                topic,
                records,
                position,
                at_end,
                end: offset_of(visible),
            };
            self.answer((painter, Door::Source, partition), Reply::Source(reply));
        }
    }
}

fn offset_of(place: usize) -> SourceOffset {
    SourceOffset::new(i64::try_from(place).unwrap_or(i64::MAX))
}
