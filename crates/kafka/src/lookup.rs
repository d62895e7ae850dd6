//! Looks up what publishing needs to know: the highest n in a partition's tail, and the originals of dead letters.

use crate::Error;
use crate::names::NewNames;
use crate::publish::Publishing;
use crate::reader::{Range, Reader, headers_of, to_record};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, Sender};
use rdkafka::message::Message;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tzeva_commit::port::{ChangesReply, PortError, Sink, SourceRecord, Ticket};
use tzeva_model::{ChangeNumber, Partition};

/// The header that holds a change's number.
pub const N_HEADER: &str = "tzeva_n";

/// How far back a tail is read first: repeats by a former owner may lie among the last records.
const TAIL: i64 = 1_000;
/// Originals farther apart than this are sought one by one, nearer ones are read in one go.
const NEAR: i64 = 10_000;

/// What the thread is told.
pub(crate) enum Looking {
    Tail { partition: Partition, ticket: Ticket },
    Originals { partition: Partition, job: u64, wanted: Vec<Wanted>, answer: Sender<Publishing> },
}

/// An original to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The message of the job that needs it.
    pub message: usize,
    pub topic: String,
    pub offset: i64,
}

/// An original that was asked for; `None`: it is gone.
pub(crate) type Found = (usize, Option<SourceRecord>);

/// Starts the thread.
pub(crate) fn start(
    settings: &Settings,
    sink: Sink<ChangesReply>,
) -> Result<Worker<Looking>, Error> {
    let mut reader = Reader::new(settings).map_err(Error::client("make the changes' reader"))?;
    let topic = settings.topics.changes.clone();
    let mut names = NewNames::new(&settings.topics.names);
    Worker::start("kafka-changes-reader", move |inbox: Receiver<Looking>| {
        for request in inbox {
            match request {
                Looking::Tail { partition, ticket } => {
                    let found = names.read(&mut reader).and_then(|new| {
                        sink(ChangesReply::Names(new));
                        tail(&mut reader, &topic, partition)
                    });
                    sink(ChangesReply::Tail(partition, ticket, found));
                }
                Looking::Originals { partition, job, wanted, answer } => {
                    let found = originals(&mut reader, partition, wanted);
                    // The publishing thread is gone only when the port was dropped.
                    let _ = answer.send(Publishing::Found { partition, job, found });
                }
            }
        }
    })
    .map_err(Error::thread)
}

/// The highest n among the last records, going back until there is one.
fn tail(
    reader: &mut Reader,
    topic: &str,
    partition: Partition,
) -> Result<Option<ChangeNumber>, PortError> {
    let partition = i32::from(partition.get());
    let (low, high) = reader.bounds(topic, partition)?;
    let mut to = high;
    let mut reach = TAIL;
    while to > low {
        let from = (to - reach).max(low);
        let mut highest = None;
        reader.read(Range { topic, partition, from, to }, &mut |message| {
            let headers = headers_of(message);
            let n = headers.iter().find(|(name, _)| name == N_HEADER);
            highest = highest.max(n.and_then(|(_, value)| number(value)));
            ControlFlow::Continue(())
        })?;
        if highest.is_some() {
            return Ok(highest);
        }
        (to, reach) = (from, reach * 10);
    }
    Ok(None)
}

fn number(value: &[u8]) -> Option<ChangeNumber> {
    std::str::from_utf8(value).ok()?.parse().ok().map(ChangeNumber::new)
}

fn originals(
    reader: &mut Reader,
    partition: Partition,
    wanted: Vec<Wanted>,
) -> Result<Vec<Found>, PortError> {
    let partition = i32::from(partition.get());
    let mut by_topic: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for wish in wanted {
        by_topic.entry(wish.topic.clone()).or_default().push(wish);
    }
    let mut found = Vec::new();
    for (topic, mut wishes) in by_topic {
        wishes.sort_by_key(|wish| wish.offset);
        let (low, high) = reader.bounds(&topic, partition)?;
        let (there, gone): (Vec<Wanted>, Vec<Wanted>) =
            wishes.into_iter().partition(|wish| (low..high).contains(&wish.offset));
        found.extend(gone.into_iter().map(|wish| (wish.message, None)));
        for run in there.chunk_by(|a, b| b.offset - a.offset <= NEAR) {
            found.extend(read_run(reader, &topic, partition, run)?);
        }
    }
    Ok(found)
}

/// Reads from the first to the last of `run`, keeping those that are wanted.
fn read_run(
    reader: &mut Reader,
    topic: &str,
    partition: i32,
    run: &[Wanted],
) -> Result<Vec<Found>, PortError> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(Vec::new()) };
    let mut records = BTreeMap::new();
    let range = Range { topic, partition, from: first.offset, to: last.offset + 1 };
    reader.read(range, &mut |message| {
        if run.binary_search_by_key(&message.offset(), |wish| wish.offset).is_ok() {
            records.insert(message.offset(), to_record(message));
        }
        ControlFlow::Continue(())
    })?;
    // Compaction may have taken one away.
    Ok(run.iter().map(|wish| (wish.message, records.get(&wish.offset).cloned())).collect())
}
