//! What a shop does with its own topics: makes one of any shape, writes events to it. For tests, benchmarks and first
//! steps; nothing of a painter's way goes through here.

use super::{Admin, options, wait};
use crate::Error;
use crate::clients;
use crate::context::port_error;
use crate::settings::Settings;
use rdkafka::ClientContext;
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tzeva_commit::port::PortError;
use tzeva_model::{Partition, UnixMillis};

/// A record to write.
#[derive(Clone, Copy, Debug)]
pub struct Fed<'a> {
    /// To which topic.
    pub topic: &'a str,
    /// Where in it.
    pub partition: Partition,
    /// Its CreateTime; `None`: now. A topic with LogAppendTime doesn't care.
    pub time: Option<UnixMillis>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value.
    pub value: &'a [u8],
    /// Headers, in order.
    pub headers: &'a [(String, Vec<u8>)],
}

/// Writes records, a partition's in the order in which they are handed over.
pub struct Feeder {
    producer: BaseProducer<Fate>,
}

/// The first delivery that failed.
#[derive(Default)]
struct Fate(Mutex<Option<KafkaError>>);

const PATIENCE: Duration = Duration::from_secs(30);

// === impl Feeder ===

impl Feeder {
    /// Makes the producer; brokers are first met at the first record.
    ///
    /// # Errors
    /// If the settings are refused.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        let mut config = clients::changes_producer(settings);
        // As shops do: a record of a mebibyte passes the broker's limit, which is on what is sent.
        config.set("compression.type", "lz4");
        let producer = config
            .create_with_context(Fate::default())
            .map_err(Error::client("make a producer of events"))?;
        Ok(Self { producer })
    }

    /// Hands one record over; waits while the queue is full.
    ///
    /// # Errors
    /// If an earlier record was not written, or this one can't be.
    pub fn write(&self, fed: &Fed<'_>) -> Result<(), PortError> {
        let attempt = || format!("write to {}", fed.topic);
        let mut record = BaseRecord::<[u8], [u8]>::to(fed.topic)
            .partition(i32::from(fed.partition.get()))
            .payload(fed.value);
        record.key = fed.key;
        record.timestamp = fed.time.map(UnixMillis::get);
        if !fed.headers.is_empty() {
            let header = |all: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
                all.insert(Header { key, value: Some(value) })
            };
            record = record.headers(fed.headers.iter().fold(OwnedHeaders::new(), header));
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), same)) => {
                    record = same;
                    self.producer.poll(Duration::from_millis(100));
                }
                Err((error, _)) => return Err(port_error(attempt(), &error)),
            }
        }
        self.producer.poll(Duration::ZERO);
        self.fate()
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// If a record was not.
    pub fn flush(&self) -> Result<(), PortError> {
        self.producer.flush(PATIENCE).map_err(|error| port_error("write events", &error))?;
        self.fate()
    }

    fn fate(&self) -> Result<(), PortError> {
        let failed = self.producer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().map_or(Ok(()), |error| Err(port_error("write an event", error)))
    }
}

// === impl Fate ===

impl ClientContext for Fate {}

impl ProducerContext for Fate {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| error.clone());
        }
    }
}

// === impl Admin ===

impl Admin {
    /// Makes one topic of the shape given, with one replica; a shape that tzeva would refuse too.
    ///
    /// # Errors
    /// If it can't be made, or is there.
    pub fn make(&self, topic: &str, partitions: u16, config: &[(&str, &str)]) -> Result<(), Error> {
        let attempt = format!("create the topic {topic}");
        let new = NewTopic::new(topic, i32::from(partitions), TopicReplication::Fixed(1));
        let new = config.iter().fold(new, |new, (key, value)| new.set(key, value));
        let results = wait::block_on(self.client.create_topics([&new], &options()))
            .map_err(Error::client(attempt.clone()))?;
        match results.into_iter().next() {
            Some(Err((_, code))) => Err(Error::client(attempt)(KafkaError::AdminOp(code))),
            _ => Ok(()),
        }
    }
}
