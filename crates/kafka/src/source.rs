//! The source topics on Kafka: a member of the group for hints, a reader a topic, a client that asks for ends.

use crate::Error;
use crate::asker::{self, Asker, Wish};
use crate::group::{self, Progress};
use crate::settings::Settings;
use crate::topic_reader::{self, Open, Reading};
use crate::worker::Worker;
use tzeva_commit::port::{PortError, Sink, Source, SourceReply, Ticket};
use tzeva_model::{Partition, SourceOffset, TopicIndex, UnixMillis};

/// The source topics on Kafka.
pub struct KafkaSource {
    // Dropped first: whoever leaves the group should be told to before reading stops.
    group: Worker<Progress>,
    readers: Vec<Worker<Reading>>,
    asker: Worker<Wish>,
}

// === impl KafkaSource ===

impl KafkaSource {
    /// Makes the clients and joins the group. `fatal` is told when the group has thrown this member out for good, by a
    /// second process of the same instance name: the process should end.
    ///
    /// # Errors
    /// If a client refuses its settings, or there are more than 256 source topics.
    pub fn start(
        settings: &Settings,
        sink: Sink<SourceReply>,
        fatal: Sink<PortError>,
    ) -> Result<Self, Error> {
        settings.check()?;
        let asking = Asker::new(settings)?;
        let topics = 0..settings.topics.sources.len();
        let readers = topics
            .filter_map(|index| u8::try_from(index).ok())
            .map(|index| topic_reader::start(settings, index, asking.clone(), sink.clone()))
            .collect::<Result<_, _>>()?;
        let asker = asker::start(settings, asking, sink.clone())?;
        let group = group::start(settings, sink, fatal)?;
        Ok(Self { group, readers, asker })
    }
}

impl Source for KafkaSource {
    fn open(&mut self, partition: Partition, session: u64, at: Vec<SourceOffset>) {
        for (reader, at) in self.readers.iter().zip(at) {
            reader.send(Reading::Open(Open { partition, session, at }));
        }
    }

    fn close(&mut self, partition: Partition) {
        for reader in &self.readers {
            reader.send(Reading::Close(partition));
        }
    }

    fn pause(&mut self, partition: Partition, topic: TopicIndex, paused: bool) {
        if let Some(reader) = self.readers.get(usize::from(topic.get())) {
            reader.send(Reading::Pause(partition, paused));
        }
    }

    fn prove(&mut self, partition: Partition, ticket: Ticket, now: UnixMillis) {
        self.asker.send(Wish { partition, ticket, now });
    }

    fn progress(&mut self, partition: Partition, at: Vec<SourceOffset>) {
        self.group.send(Progress { partition, at });
    }
}
