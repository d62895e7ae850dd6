//! Reads one source topic: one OS thread polls always, sorts records by partition and hands over whole batches.
//!
//! One consumer a topic, because an end of partition is reported without the topic's name. Positions are the client's,
//! taken on this thread right after the batch: they move past the markers of transactions, last record + 1 does not.

use crate::Error;
use crate::asker::Asker;
use crate::clients::{self, Isolation};
use crate::context::{Context, is_permanent};
use crate::reader::{passes, to_record};
use crate::settings::Settings;
use crate::stream::Stream;
use crate::watermark::known_end;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, TryRecvError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tzeva_commit::port::{PortError, Sink, SourceReply};
use tzeva_model::{Partition, SourceOffset, TopicIndex};

/// How long one poll waits; a command waits no longer either.
const POLL: Duration = Duration::from_millis(10);
/// A round ends after this many records, so that a batch is never late.
const ROUND: usize = 5_000;
/// A partition whose bounds could not be asked for is asked for again after this.
const RETRY: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(crate) enum Reading {
    Open(Open),
    Close(Partition),
    Pause(Partition, bool),
}

/// Where to start.
#[derive(Clone)]
pub(crate) struct Open {
    pub partition: Partition,
    pub session: u64,
    pub at: SourceOffset,
}

struct TopicReader {
    topic: String,
    index: TopicIndex,
    consumer: BaseConsumer<Context>,
    asker: Asker,
    sink: Sink<SourceReply>,
    streams: BTreeMap<Partition, Stream>,
    /// Opens whose bounds are not known yet, and when to ask again.
    wanted: Vec<(Open, Instant)>,
}

/// Starts the thread of the source topic at `index`.
pub(crate) fn start(
    settings: &Settings,
    index: u8,
    asker: Asker,
    sink: Sink<SourceReply>,
) -> Result<Worker<Reading>, Error> {
    let topic = settings.topics.sources[usize::from(index)].name.clone();
    let consumer = clients::reader(settings, Isolation::Committed)
        .create_with_context(Context)
        .map_err(Error::client(format!("make the reader of {topic}")))?;
    let mut reader = TopicReader {
        topic,
        index: TopicIndex::new(index),
        consumer,
        asker,
        sink,
        streams: BTreeMap::new(),
        wanted: Vec::new(),
    };
    Worker::start("kafka-source", move |inbox: Receiver<Reading>| while reader.turn(&inbox) {})
        .map_err(Error::thread)
}

// === impl TopicReader ===

impl TopicReader {
    /// One round: commands, opens that wait, records, positions. False when the port is gone.
    fn turn(&mut self, inbox: &Receiver<Reading>) -> bool {
        loop {
            match inbox.try_recv() {
                Ok(Reading::Open(open)) => self.wanted.push((open, Instant::now())),
                Ok(Reading::Close(partition)) => self.close(partition),
                Ok(Reading::Pause(partition, paused)) => self.pause(partition, paused),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        self.open_wanted();
        self.poll_round();
        self.hand_over();
        true
    }

    fn open_wanted(&mut self) {
        let now = Instant::now();
        for (open, when) in std::mem::take(&mut self.wanted) {
            if when > now {
                self.wanted.push((open, when));
                continue;
            }
            match self.check_place(open.partition, open.at) {
                Ok(()) => self.open(&open),
                Err(why) if why.transient => self.wanted.push((open, now + RETRY)),
                Err(why) => self.lose(open.partition, why),
            }
        }
    }

    /// A position that the topic doesn't hold must be told before assigning: the error that comes after names neither
    /// topic nor partition.
    fn check_place(&self, partition: Partition, at: SourceOffset) -> Result<(), PortError> {
        let (low, high) = self.asker.bounds(&self.topic, i32::from(partition.get()))?;
        let lost = |why: String| Err(PortError { attempt: why, transient: false });
        let place = format!("read {}[{partition}] from {at}", self.topic);
        if at.get() < low {
            return lost(format!(
                "{place}: the topic begins at {low} now, {} records were deleted unread",
                low - at.get()
            ));
        }
        if at.get() > high {
            return lost(format!(
                "{place}: the topic ends at {high}; it was made anew or lost its end"
            ));
        }
        Ok(())
    }

    fn open(&mut self, open: &Open) {
        self.close(open.partition);
        let assigned = self
            .list(open.partition, Offset::Offset(open.at.get()))
            .and_then(|list| self.consumer.incremental_assign(&list));
        match assigned {
            Ok(()) => {
                self.streams.insert(open.partition, Stream::new(open.session, open.at));
            }
            Err(error) => {
                tracing::warn!(%error, topic = self.topic, "open a source partition");
                self.wanted.push((open.clone(), Instant::now() + RETRY));
            }
        }
    }

    fn close(&mut self, partition: Partition) {
        self.wanted.retain(|(open, _)| open.partition != partition);
        let Some(stream) = self.streams.remove(&partition) else { return };
        // A pause outlives an assignment in librdkafka.
        let closed = self.list(partition, Offset::Invalid).and_then(|list| {
            if stream.is_paused() {
                self.consumer.resume(&list)?;
            }
            self.consumer.incremental_unassign(&list)
        });
        if let Err(error) = closed {
            tracing::warn!(%error, topic = self.topic, "close a source partition");
        }
    }

    fn pause(&mut self, partition: Partition, paused: bool) {
        let Some(stream) = self.streams.get_mut(&partition) else { return };
        // Only on change: a repeated pause around an assignment may never end.
        if !stream.set_paused(paused) {
            return;
        }
        let done = self.list(partition, Offset::Invalid).and_then(|list| {
            if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) }
        });
        if let Err(error) = done {
            tracing::warn!(%error, topic = self.topic, "pause a source partition");
        }
    }

    fn poll_round(&mut self) {
        let Self { consumer, streams, .. } = self;
        let mut trouble = None;
        let mut wait = POLL;
        for _ in 0..ROUND {
            match consumer.poll(wait) {
                Some(Ok(message)) => take(streams, &message),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if let Some(stream) = stream_of(streams, partition) {
                        stream.ended();
                    }
                }
                Some(Err(error)) => trouble = Some(error),
                None => break,
            }
            wait = Duration::ZERO;
        }
        if let Some(error) = trouble {
            self.look_into(&error);
        }
    }

    /// An error of a consumer names no partition: those that can't go on are found by asking.
    fn look_into(&mut self, error: &KafkaError) {
        tracing::warn!(%error, topic = self.topic, "source");
        if passes(error) || !error.rdkafka_error_code().is_some_and(is_permanent) {
            return;
        }
        let places: Vec<(Partition, SourceOffset)> = self
            .streams
            .iter()
            .map(|(partition, stream)| (*partition, stream.position()))
            .collect();
        for (partition, at) in places {
            if let Err(why) = self.check_place(partition, at)
                && !why.transient
            {
                self.lose(partition, why);
            }
        }
    }

    fn lose(&mut self, partition: Partition, why: PortError) {
        self.close(partition);
        (self.sink)(SourceReply::Lost(partition, why));
    }

    fn hand_over(&mut self) {
        if self.streams.is_empty() {
            return;
        }
        let positions = match self.consumer.position() {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!(%error, topic = self.topic, "ask for positions");
                return;
            }
        };
        for (partition, stream) in &mut self.streams {
            let number = i32::from(partition.get());
            let position = positions.find_partition(&self.topic, number).map(|e| e.offset());
            if let Some(Offset::Offset(offset)) = position {
                stream.moved(offset);
            }
            let end = known_end(&self.consumer, &self.topic, number);
            if let Some(reply) = stream.cut(*partition, self.index, end) {
                (self.sink)(reply);
            }
            if let Some(at) = stream.stuck(end) {
                tracing::warn!(topic = self.topic, %partition, %at, "stands still, seeking");
                let _ = self.consumer.seek(&self.topic, number, Offset::Offset(at.get()), POLL);
            }
        }
    }

    fn list(&self, partition: Partition, at: Offset) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, i32::from(partition.get()), at)?;
        Ok(list)
    }
}

fn take(streams: &mut BTreeMap<Partition, Stream>, message: &BorrowedMessage<'_>) {
    if let Some(stream) = stream_of(streams, message.partition()) {
        stream.take(to_record(message));
    }
}

fn stream_of(streams: &mut BTreeMap<Partition, Stream>, partition: i32) -> Option<&mut Stream> {
    streams.get_mut(&Partition::new(u16::try_from(partition).ok()?))
}
