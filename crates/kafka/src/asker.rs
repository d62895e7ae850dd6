//! Asks brokers for ends and bounds of source partitions, on a thread of its own: an answer may take seconds, and
//! nothing that decides may wait for it. `read_uncommitted`, so that what a transaction holds back counts as there.

use crate::Error;
use crate::clients;
use crate::context::{Context, is_permanent, port_error};
use crate::reader::ASKING;
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;
use tzeva_commit::port::{PortError, Sink, SourceReply, Ticket};
use tzeva_model::{Partition, SourceOffset, UnixMillis};

/// A client that only asks; shared by threads.
#[derive(Clone)]
pub(crate) struct Asker(Arc<BaseConsumer<Context>>);

/// A wish to know the end of every source topic of a partition.
pub(crate) struct Wish {
    pub partition: Partition,
    pub ticket: Ticket,
    pub now: UnixMillis,
}

// === impl Asker ===

impl Asker {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let consumer = clients::asker(settings)
            .create_with_context(Context)
            .map_err(Error::client("make the client that asks for offsets"))?;
        Ok(Self(Arc::new(consumer)))
    }

    /// The first offset that is still there and one past the last.
    pub(crate) fn bounds(&self, topic: &str, partition: i32) -> Result<(i64, i64), PortError> {
        self.0
            .fetch_watermarks(topic, partition, ASKING)
            .map_err(|e| port_error(format!("ask for the bounds of {topic}[{partition}]"), &e))
    }

    /// Offsets of many partitions for an instant, the beginnings or the ends: one request a broker. An instant behind
    /// the last record is its end.
    pub(crate) fn offsets(
        &self,
        wanted: &[(&str, i32)],
        at: Offset,
    ) -> Result<Vec<SourceOffset>, PortError> {
        let found = self.offsets_or_end(wanted, at)?;
        let late: Vec<(&str, i32)> =
            wanted.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(w, _)| *w).collect();
        let mut ends = if late.is_empty() {
            Vec::new().into_iter()
        } else {
            self.offsets_or_end(&late, Offset::End)?.into_iter()
        };
        found
            .into_iter()
            .map(|offset| offset.or_else(|| ends.next().flatten()))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| PortError {
                attempt: format!("ask for offsets of {} partitions: no end told", wanted.len()),
                transient: true,
            })
    }

    fn offsets_or_end(
        &self,
        wanted: &[(&str, i32)],
        at: Offset,
    ) -> Result<Vec<Option<SourceOffset>>, PortError> {
        let attempt = || format!("ask for offsets of {} partitions", wanted.len());
        let mut list = TopicPartitionList::with_capacity(wanted.len());
        for (topic, partition) in wanted {
            list.add_partition_offset(topic, *partition, at)
                .map_err(|e| port_error(attempt(), &e))?;
        }
        let found =
            self.0.offsets_for_times(list, ASKING).map_err(|e| port_error(attempt(), &e))?;
        wanted
            .iter()
            .map(|(topic, partition)| {
                let element = found.find_partition(topic, *partition);
                match element.map(|element| (element.error(), element.offset())) {
                    Some((Ok(()), Offset::Offset(offset))) => Ok(Some(SourceOffset::new(offset))),
                    Some((Ok(()), Offset::End)) => Ok(None),
                    Some((Err(e), _)) => Err(port_error(attempt(), &e)),
                    _ => Err(PortError {
                        attempt: format!("{}: {topic}[{partition}] has no answer", attempt()),
                        transient: true,
                    }),
                }
            })
            .collect()
    }

    /// Serves what the client reports besides answers, or it would pile up.
    fn serve(&self) {
        while let Some(event) = self.0.poll(Duration::ZERO) {
            if let Err(error) = event {
                tracing::debug!(%error, "asking client");
            }
        }
    }
}

/// Starts the thread that answers wishes; those that wait are asked for together.
pub(crate) fn start(
    settings: &Settings,
    asker: Asker,
    sink: Sink<SourceReply>,
) -> Result<Worker<Wish>, Error> {
    let topics: Vec<String> = settings.topics.sources.iter().map(|t| t.name.clone()).collect();
    Worker::start("kafka-source-ends", move |inbox: Receiver<Wish>| {
        loop {
            match inbox.recv_timeout(Duration::from_secs(1)) {
                Ok(first) => {
                    let wishes: Vec<Wish> =
                        std::iter::once(first).chain(inbox.try_iter()).collect();
                    answer(&asker, &topics, wishes, &sink);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            asker.serve();
        }
    })
    .map_err(Error::thread)
}

fn answer(asker: &Asker, topics: &[String], wishes: Vec<Wish>, sink: &Sink<SourceReply>) {
    let wanted: Vec<(&str, i32)> = wishes
        .iter()
        .flat_map(|wish| {
            topics.iter().map(|topic| (topic.as_str(), i32::from(wish.partition.get())))
        })
        .collect();
    let found = asker.offsets(&wanted, Offset::End);
    for (at, wish) in wishes.into_iter().enumerate() {
        let ends = match &found {
            Ok(ends) => Ok((wish.now, ends[at * topics.len()..(at + 1) * topics.len()].to_vec())),
            Err(e) => Err(e.clone()),
        };
        sink(SourceReply::Ends(wish.partition, wish.ticket, ends));
    }
}

/// True if the client that reported `error` will never work again.
pub(crate) fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_))
        || error.rdkafka_error_code().is_some_and(|code| {
            code == rdkafka::error::RDKafkaErrorCode::Fatal
                || (is_permanent(code) && is_fencing(code))
        })
}

const fn is_fencing(code: rdkafka::error::RDKafkaErrorCode) -> bool {
    matches!(code, rdkafka::error::RDKafkaErrorCode::FencedInstanceId)
}
