//! Reads a range of one partition of any topic, from an offset, without a group: recovery, tails, originals of dead
//! letters and the command line.
//!
//! Offsets have gaps (transaction markers, compaction), so "all has been read" is told by the client's position, never
//! by counting records.

use crate::clients::{self, Isolation};
use crate::context::{Context, port_error};
use crate::settings::Settings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use tzeva_commit::port::{PortError, SourceRecord};
use tzeva_model::{SourceOffset, UnixMillis};

/// How long a query of offsets may take.
pub(crate) const ASKING: Duration = Duration::from_secs(5);
/// How long a read may stand still although there is more.
const STANDSTILL: Duration = Duration::from_secs(10);

/// What to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub from: i64,
    /// One past the last.
    pub to: i64,
}

/// A consumer that reads one partition at a time.
pub(crate) struct Reader {
    consumer: BaseConsumer<Context>,
    /// Where it would go on without being told: topic, partition, offset.
    at: Option<(String, i32, i64)>,
}

// === impl Reader ===

impl Reader {
    pub(crate) fn new(settings: &Settings) -> Result<Self, KafkaError> {
        let config = clients::reader(settings, Isolation::Uncommitted);
        Ok(Self { consumer: config.create_with_context(Context)?, at: None })
    }

    /// The first offset that is still there and one past the last.
    pub(crate) fn bounds(&self, topic: &str, partition: i32) -> Result<(i64, i64), PortError> {
        self.consumer
            .fetch_watermarks(topic, partition, ASKING)
            .map_err(|e| port_error(format!("ask for the bounds of {topic}[{partition}]"), &e))
    }

    /// How many partitions `topic` has; 0 if it isn't there.
    pub(crate) fn partitions(&self, topic: &str) -> Result<i32, PortError> {
        let failed = |e| port_error(format!("ask for the partitions of {topic}"), &e);
        let metadata = self.consumer.fetch_metadata(Some(topic), ASKING).map_err(failed)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found.map_or(0, |found| i32::try_from(found.partitions().len()).unwrap_or(i32::MAX)))
    }

    /// Hands records of `range` to `take` in order until it breaks; gives where to read on, `range.to` or beyond it
    /// if all has been read.
    pub(crate) fn read(
        &mut self,
        range: Range<'_>,
        take: &mut dyn FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
    ) -> Result<i64, PortError> {
        let attempt = || format!("read {}[{}] from {}", range.topic, range.partition, range.from);
        self.place(range).map_err(|e| port_error(attempt(), &e))?;
        let result = self.consume(range, take);
        self.at = match &result {
            Ok(Stop::Broken(next)) => Some((range.topic.to_owned(), range.partition, *next)),
            Ok(Stop::Read(_)) | Err(_) => None,
        };
        if self.at.is_none() {
            // Nothing more is wanted of it: without this it would fetch on into its queue.
            self.consumer.unassign().map_err(|e| port_error(attempt(), &e))?;
        }
        match result {
            Ok(Stop::Broken(next) | Stop::Read(next)) => Ok(next),
            Err(Trouble::Client(e)) => Err(port_error(attempt(), &e)),
            Err(Trouble::Standstill(at)) => Err(PortError {
                attempt: format!("{}: nothing came for {STANDSTILL:?} at {at}", attempt()),
                transient: true,
            }),
        }
    }

    /// Lets the next poll begin at the range's first offset.
    fn place(&self, range: Range<'_>) -> Result<(), KafkaError> {
        let goes_on = self.at.as_ref().is_some_and(|(topic, partition, next)| {
            (topic.as_str(), *partition, *next) == (range.topic, range.partition, range.from)
        });
        if goes_on {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(range.topic, range.partition, Offset::Offset(range.from))?;
        self.consumer.assign(&list)
    }

    fn consume(
        &self,
        range: Range<'_>,
        take: &mut dyn FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
    ) -> Result<Stop, Trouble> {
        let mut next = range.from;
        let mut moved = Instant::now();
        // Right after an assignment the client may still tell the position of the one before; a message or an end
        // of the new one shows that it was reset.
        let mut fresh = false;
        while next < range.to {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    if message.offset() < next || message.topic() != range.topic {
                        continue;
                    }
                    if message.offset() >= range.to {
                        return Ok(Stop::Read(range.to));
                    }
                    next = message.offset() + 1;
                    (moved, fresh) = (Instant::now(), true);
                    if take(&message).is_break() && next < range.to {
                        return Ok(Stop::Broken(next));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => fresh = true,
                Some(Err(e)) if passes(&e) => {}
                Some(Err(e)) => return Err(Trouble::Client(e)),
                None => {}
            }
            let position = self.position(range);
            if fresh && position > next {
                next = position;
                moved = Instant::now();
            }
            if moved.elapsed() > STANDSTILL {
                return Err(Trouble::Standstill(next));
            }
        }
        Ok(Stop::Read(next))
    }

    /// Where the client goes on, past markers; 0 while it doesn't know.
    fn position(&self, range: Range<'_>) -> i64 {
        let Ok(list) = self.consumer.position() else { return 0 };
        let found = list.find_partition(range.topic, range.partition);
        match found.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => offset,
            _ => 0,
        }
    }
}

enum Stop {
    /// The taker had enough.
    Broken(i64),
    /// All of the range.
    Read(i64),
}

enum Trouble {
    Client(KafkaError),
    Standstill(i64),
}

/// True for what a consumer reports and gets over by itself.
pub(crate) fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    match error {
        KafkaError::MessageConsumption(code) => matches!(
            code,
            Code::AllBrokersDown
                | Code::BrokerTransportFailure
                | Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::Resolve
                | Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::ReplicaNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::CoordinatorLoadInProgress
        ),
        _ => false,
    }
}

/// A message as a port hands it on.
pub(crate) fn to_record(message: &BorrowedMessage<'_>) -> SourceRecord {
    SourceRecord {
        offset: SourceOffset::new(message.offset()),
        time: UnixMillis::new(message.timestamp().to_millis().unwrap_or(0)),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().unwrap_or_default().to_vec(),
        headers: headers_of(message),
    }
}

/// The headers of a message, in order.
pub(crate) fn headers_of(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    headers.map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec())).collect()
}
