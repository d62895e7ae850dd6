//! Appends to the log: one idempotent producer, many records in flight, answers in the order of the calls.
//!
//! Only an offset in a delivery report says that a record was written. A timeout does not say that it wasn't: a broker
//! frozen for four seconds wrote a record after its producer had given it up. So whatever is neither an offset nor a
//! refusal before sending is *unknown*, and the owner has to read the log.

use crate::Error;
use crate::clients;
use crate::context::log_line;
use crate::log::{append_error, append_time, not_append_time};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, Sender};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tzeva_commit::port::{AppendResult, LogReply, PortError, Sink, Ticket};
use tzeva_model::{LogOffset, Partition};

/// What the appending thread is told.
pub(crate) enum Appending {
    Append {
        partition: Partition,
        ticket: Ticket,
        record: Vec<u8>,
    },
    /// A delivery report.
    Done {
        tag: Tag,
        result: AppendResult,
    },
    Renew,
    Stop,
}

/// Travels with a record and comes back in its delivery report.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    generation: u64,
    partition: Partition,
    ticket: Ticket,
}

struct Appender {
    settings: Settings,
    sink: Sink<LogReply>,
    own: Sender<Appending>,
    /// Which producer; reports of an older one come too late.
    generation: u64,
    producer: Option<ThreadedProducer<Reports>>,
    pending: HashMap<Partition, VecDeque<Pending>>,
    /// Records that found the producer's queue full.
    waiting: VecDeque<(Partition, Ticket, Vec<u8>)>,
}

struct Pending {
    ticket: Ticket,
    result: Option<AppendResult>,
}

/// Turns delivery reports into messages to the appending thread.
struct Reports {
    own: Sender<Appending>,
}

/// Starts the appending thread.
pub(crate) fn start(settings: &Settings, sink: Sink<LogReply>) -> Result<Worker<Appending>, Error> {
    let settings = settings.clone();
    // Made once here so that refused settings show at the start, then by the thread.
    let config = clients::log_producer(&settings);
    let _: rdkafka::producer::BaseProducer =
        config.create().map_err(Error::client("make the log's producer"))?;
    Worker::start_looped("kafka-log-appender", Appending::Stop, move |own, inbox| {
        Appender {
            settings,
            sink,
            own,
            generation: 0,
            producer: None,
            pending: HashMap::new(),
            waiting: VecDeque::new(),
        }
        .run(&inbox);
    })
    .map_err(Error::thread)
}

// === impl Appender ===

impl Appender {
    fn run(mut self, inbox: &Receiver<Appending>) {
        loop {
            let message = if self.waiting.is_empty() {
                inbox.recv().ok()
            } else {
                inbox.recv_timeout(Duration::from_millis(5)).ok()
            };
            match message {
                Some(Appending::Append { partition, ticket, record }) => {
                    let pending = Pending { ticket, result: None };
                    self.pending.entry(partition).or_default().push_back(pending);
                    self.waiting.push_back((partition, ticket, record));
                }
                Some(Appending::Done { tag, result }) if tag.generation == self.generation => {
                    self.settle(tag.partition, tag.ticket, result);
                }
                Some(Appending::Done { .. }) | None => {}
                Some(Appending::Renew) => self.renew(),
                Some(Appending::Stop) => break,
            }
            while let Some((partition, ticket, record)) = self.waiting.pop_front() {
                if !self.send(partition, ticket, record) {
                    break;
                }
            }
        }
    }

    /// False if the queue is full and the record waits in front again.
    fn send(&mut self, partition: Partition, ticket: Ticket, record: Vec<u8>) -> bool {
        let generation = self.generation;
        let sent = self.producer().and_then(|(producer, topic)| {
            let tag = Box::new(Tag { generation, partition, ticket });
            let message = BaseRecord::<(), [u8], _>::with_opaque_to(topic, tag)
                .partition(i32::from(partition.get()))
                .payload(&record);
            producer.send(message).map_err(|(e, _)| e)
        });
        match sent {
            Ok(()) => true,
            Err(e) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                self.waiting.push_front((partition, ticket, record));
                false
            }
            Err(e) => {
                let result = failed(partition, &e);
                self.settle(partition, ticket, result);
                true
            }
        }
    }

    fn producer(&mut self) -> Result<(&ThreadedProducer<Reports>, &str), KafkaError> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => clients::log_producer(&self.settings)
                .create_with_context(Reports { own: self.own.clone() })?,
        };
        Ok((self.producer.insert(producer), &self.settings.topics.log))
    }

    /// Notes a result and answers every call whose turn has come.
    fn settle(&mut self, partition: Partition, ticket: Ticket, result: AppendResult) {
        let Some(pending) = self.pending.get_mut(&partition) else { return };
        if let Some(call) = pending.iter_mut().find(|call| call.ticket == ticket) {
            call.result = Some(result);
        }
        while let Some(Pending { result: Some(_), .. }) = pending.front() {
            if let Some(Pending { ticket, result: Some(result) }) = pending.pop_front() {
                (self.sink)(LogReply::Appended(partition, ticket, result));
            }
        }
    }

    /// Everything in flight becomes unknown, in order; what the old producer still reports is not heard.
    fn renew(&mut self) {
        self.generation += 1;
        self.waiting.clear();
        if let Some(old) = self.producer.take() {
            drop_aside(old);
        }
        for (partition, pending) in std::mem::take(&mut self.pending) {
            for call in pending {
                let result = call.result.unwrap_or_else(|| {
                    AppendResult::Unknown(PortError {
                        attempt: format!(
                            "append to the log of partition {partition}: given up for a new producer"
                        ),
                        transient: true,
                    })
                });
                (self.sink)(LogReply::Appended(partition, call.ticket, result));
            }
        }
    }
}

// === impl Reports ===

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "log producer");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Tag>;

    fn delivery(&self, report: &DeliveryResult<'_>, tag: Box<Tag>) {
        let result = match report {
            Ok(message) if message.offset() < 0 => AppendResult::Unknown(PortError {
                attempt: format!(
                    "append to the log of partition {}: acknowledged without an offset",
                    tag.partition
                ),
                transient: true,
            }),
            Ok(message) => match append_time(message.timestamp()) {
                Some(time) => AppendResult::At(LogOffset::new(message.offset()), time),
                None => AppendResult::Unknown(PortError {
                    attempt: not_append_time(message.topic()),
                    transient: false,
                }),
            },
            Err((e, _)) => failed(tag.partition, e),
        };
        // The appending thread is gone only when the port was dropped.
        let _ = self.own.send(Appending::Done { tag: *tag, result });
    }
}

/// Refused if the broker or the client surely wrote nothing and never will; else unknown.
fn failed(partition: Partition, error: &KafkaError) -> AppendResult {
    use RDKafkaErrorCode as Code;
    let refused = matches!(
        error.rdkafka_error_code(),
        Some(
            Code::MessageSizeTooLarge
                | Code::MessageBatchTooLarge
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::UnknownPartition
                | Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::InvalidRecord
                | Code::InvalidTopic
                | Code::PolicyViolation
        )
    );
    let why = append_error(partition, error);
    if refused { AppendResult::Refused(why) } else { AppendResult::Unknown(why) }
}

/// Drops a producer on a thread of its own, as its destructor may wait for brokers.
pub(crate) fn drop_aside<T: Send + 'static>(client: T) {
    let spawned =
        std::thread::Builder::new().name("kafka-drop".to_owned()).spawn(move || drop(client));
    if let Err(e) = spawned {
        tracing::warn!(error = %e, "no thread to close a kafka client on");
    }
}
