//! The log of each partition on Kafka: one thread appends, one reads; this is the port in front of both.

use crate::Error;
use crate::append::{self, Appending};
use crate::context::port_error;
use crate::reader::{Range, Reader};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::Receiver;
use rdkafka::Timestamp;
use rdkafka::message::{BorrowedMessage, Message};
use std::ops::ControlFlow;
use tzeva_commit::port::{Log, LogEntry, LogPage, LogReply, PortError, Sink, Ticket};
use tzeva_model::{LogOffset, Partition, UnixMillis};

/// A page ends behind the record with which it reaches this many bytes.
const PAGE_BYTES: usize = 4 << 20;

/// The log on Kafka.
pub struct KafkaLog {
    appender: Worker<Appending>,
    reader: Worker<Reading>,
}

struct Reading {
    partition: Partition,
    ticket: Ticket,
    from: i64,
    to: Option<i64>,
}

// === impl KafkaLog ===

impl KafkaLog {
    /// Makes the clients; brokers are first met at the first request.
    ///
    /// # Errors
    /// If a client refuses its settings.
    pub fn start(settings: &Settings, sink: Sink<LogReply>) -> Result<Self, Error> {
        settings.check()?;
        let appender = append::start(settings, sink.clone())?;
        let mut reader = Reader::new(settings).map_err(Error::client("make the log's reader"))?;
        let topic = settings.topics.log.clone();
        let reader = Worker::start("kafka-log-reader", move |inbox: Receiver<Reading>| {
            for request in inbox {
                let page = read_page(&mut reader, &topic, &request);
                sink(LogReply::Read(request.partition, request.ticket, page));
            }
        })
        .map_err(Error::thread)?;
        Ok(Self { appender, reader })
    }
}

impl Log for KafkaLog {
    fn append(&mut self, partition: Partition, ticket: Ticket, record: Vec<u8>) {
        self.appender.send(Appending::Append { partition, ticket, record });
    }

    fn read(
        &mut self,
        partition: Partition,
        ticket: Ticket,
        from: LogOffset,
        to: Option<LogOffset>,
    ) {
        let (from, to) = (from.get(), to.map(LogOffset::get));
        self.reader.send(Reading { partition, ticket, from, to });
    }

    fn renew(&mut self) {
        self.appender.send(Appending::Renew);
    }
}

fn read_page(reader: &mut Reader, topic: &str, request: &Reading) -> Result<LogPage, PortError> {
    let partition = i32::from(request.partition.get());
    let (begin, end) = reader.bounds(topic, partition)?;
    let to = request.to.map_or(end, |to| to.min(end));
    let mut page = LogPage {
        entries: Vec::new(),
        next: LogOffset::new(request.from.max(to)),
        begin: LogOffset::new(begin),
        end: LogOffset::new(end),
    };
    let from = request.from.max(begin);
    if from >= to {
        return Ok(page);
    }
    let mut bytes = 0;
    let mut wrong = None;
    let next = reader.read(Range { topic, partition, from, to }, &mut |message| {
        match entry(message) {
            Ok(entry) => {
                bytes += entry.bytes.len();
                page.entries.push(entry);
            }
            Err(why) => {
                wrong = Some(why);
                return ControlFlow::Break(());
            }
        }
        if bytes >= PAGE_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(attempt) = wrong {
        return Err(PortError { attempt, transient: false });
    }
    page.next = LogOffset::new(next.min(to));
    Ok(page)
}

fn entry(message: &BorrowedMessage<'_>) -> Result<LogEntry, String> {
    let time = append_time(message.timestamp()).ok_or_else(|| not_append_time(message.topic()))?;
    Ok(LogEntry {
        offset: LogOffset::new(message.offset()),
        time,
        bytes: message.payload().unwrap_or_default().to_vec(),
    })
}

/// The broker's time. On a CreateTime topic the same field is a producer's clock, so the variant decides.
pub(crate) const fn append_time(timestamp: Timestamp) -> Option<UnixMillis> {
    match timestamp {
        Timestamp::LogAppendTime(ms) => Some(UnixMillis::new(ms)),
        Timestamp::CreateTime(_) | Timestamp::NotAvailable => None,
    }
}

pub(crate) fn not_append_time(topic: &str) -> String {
    format!(
        "topic {topic} doesn't stamp records with LogAppendTime: set message.timestamp.type on it"
    )
}

/// An error of a client as a port error, for the append path.
pub(crate) fn append_error(partition: Partition, error: &rdkafka::error::KafkaError) -> PortError {
    port_error(format!("append to the log of partition {partition}"), error)
}
