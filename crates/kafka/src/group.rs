//! The member of the consumer group, which only hints who should own a partition.
//!
//! It subscribes to the first source topic alone and fetches nothing. All source topics have the same partitions, and an
//! owner needs partition p of each of them; a strategy that assigns each topic by itself may give them to different
//! members, so reading is done by consumers without a group, for whole partitions, once the log says who owns them.

use crate::Error;
use crate::asker::is_fatal;
use crate::clients;
use crate::context::{log_line, port_error};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, TryRecvError};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;
use tzeva_commit::port::{PortError, Sink, SourceReply};
use tzeva_model::{Partition, SourceOffset};

/// How far a partition has come, for lag tools.
pub(crate) struct Progress {
    pub partition: Partition,
    pub at: Vec<SourceOffset>,
}

/// Passes assignments on as hints.
struct Hints {
    topic: String,
    sink: Sink<SourceReply>,
}

/// Joins the group.
pub(crate) fn start(
    settings: &Settings,
    sink: Sink<SourceReply>,
    fatal: Sink<PortError>,
) -> Result<Worker<Progress>, Error> {
    let topics: Vec<String> = settings.topics.sources.iter().map(|t| t.name.clone()).collect();
    let first = topics[0].clone();
    let consumer: BaseConsumer<Hints> = clients::member(settings)
        .create_with_context(Hints { topic: first.clone(), sink })
        .map_err(Error::client("make the member of the consumer group"))?;
    consumer.subscribe(&[&first]).map_err(Error::client(format!("subscribe to {first}")))?;
    Worker::start("kafka-group", move |inbox: Receiver<Progress>| {
        loop {
            match inbox.try_recv() {
                Ok(progress) => commit(&consumer, &topics, &progress),
                Err(TryRecvError::Disconnected) => break,
                // Nothing is fetched, so what is polled are rebalances and errors.
                Err(TryRecvError::Empty) => match consumer.poll(Duration::from_millis(100)) {
                    Some(Err(e)) if is_fatal(&e) => {
                        fatal(port_error(leaving(&e), &e));
                        break;
                    }
                    Some(Err(error)) => tracing::debug!(%error, "consumer group"),
                    Some(Ok(_)) | None => {}
                },
            }
        }
    })
    .map_err(Error::thread)
}

/// What was attempted when the group put this member out, and what to do.
fn leaving(error: &KafkaError) -> &'static str {
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) {
        "stay in the consumer group: another process has joined it under the same `kafka.instance`: if that one \
         replaces this one all is well, else give each painter a name of its own"
    } else {
        "stay in the consumer group"
    }
}

/// Only for a partition that the group gives to this member now: a lost one is another's to report.
fn commit(consumer: &BaseConsumer<Hints>, topics: &[String], progress: &Progress) {
    let partition = i32::from(progress.partition.get());
    let list = consumer.assignment().and_then(|assignment| {
        let mut list = TopicPartitionList::new();
        if assignment.find_partition(&topics[0], partition).is_some() && !consumer.assignment_lost()
        {
            for (topic, at) in topics.iter().zip(&progress.at) {
                list.add_partition_offset(topic, partition, Offset::Offset(at.get()))?;
            }
        }
        Ok(list)
    });
    match list {
        Ok(list) if list.count() == 0 => {}
        Ok(list) => {
            if let Err(error) = consumer.commit(&list, CommitMode::Async) {
                tracing::debug!(%error, partition, "commit group offsets");
            }
        }
        Err(error) => tracing::debug!(%error, partition, "commit group offsets"),
    }
}

// === impl Hints ===

impl Hints {
    fn hint(&self, list: &TopicPartitionList, hint: fn(Partition) -> SourceReply) {
        for element in list.elements() {
            if let Ok(partition) = u16::try_from(element.partition()) {
                (self.sink)(hint(Partition::new(partition)));
            }
        }
    }

    /// Takes the assignment without fetching: from the end, paused at once.
    fn hold(&self, member: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        let mut at_end = TopicPartitionList::new();
        for element in list.elements() {
            at_end.add_partition_offset(&self.topic, element.partition(), Offset::End)?;
        }
        member.incremental_assign(&at_end)?;
        member.pause(&at_end)
    }
}

impl ClientContext for Hints {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "consumer group");
    }
}

impl ConsumerContext for Hints {
    fn rebalance(
        &self,
        member: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if let Err(error) = self.hold(member, list) {
                tracing::error!(%error, "take an assignment of the consumer group");
            }
            self.hint(list, SourceReply::Assigned);
        } else {
            self.hint(list, SourceReply::Revoked);
            if let Err(error) = member.incremental_unassign(list) {
                tracing::error!(%error, "give back an assignment of the consumer group");
            }
        }
    }
}
