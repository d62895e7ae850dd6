//! Publishes changes in order of n, dead letters and names beside them.
//!
//! The producer guarantees no gaps: when a message fails, nothing behind it can succeed, and the producer is done for.
//! A new one then sends again what has no acknowledgement, oldest first. What the old one may have written all the same
//! comes twice, with an equal n, which readers see through; it never comes in a wrong first order.

use crate::Error;
use crate::append::drop_aside;
use crate::clients;
use crate::context::{is_permanent, log_line, port_error};
use crate::lookup::{Found, Looking, Wanted};
use crate::outgoing::{self, Message};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, Sender};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext, ThreadedProducer};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use tzeva_commit::port::{ChangesReply, Outgoing, PortError, Sink, Ticket};
use tzeva_model::Partition;

/// After a failure a new producer begins this much later.
const BACKOFF: Duration = Duration::from_secs(1);

/// What the publishing thread is told.
pub(crate) enum Publishing {
    Publish {
        partition: Partition,
        ticket: Ticket,
        messages: Vec<Outgoing>,
    },
    /// Forget what stopped the partition.
    Begin(Partition),
    Found {
        partition: Partition,
        job: u64,
        found: Result<Vec<Found>, PortError>,
    },
    Done {
        tag: Tag,
        result: Result<(), KafkaError>,
    },
    Stop,
}

/// Travels with a message and comes back in its delivery report.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    generation: u64,
    partition: Partition,
    job: u64,
    message: usize,
}

struct Publisher {
    settings: Settings,
    sink: Sink<ChangesReply>,
    own: Sender<Publishing>,
    looker: Option<Sender<Looking>>,
    generation: u64,
    producer: Option<ThreadedProducer<Reports>>,
    lanes: BTreeMap<Partition, Lane>,
    next_job: u64,
    /// Nothing is sent before this instant.
    resume: Option<Instant>,
}

/// What is to be published for one partition.
#[derive(Default)]
struct Lane {
    jobs: VecDeque<Job>,
    stopped: Option<PortError>,
}

struct Job {
    id: u64,
    ticket: Ticket,
    messages: Vec<Message>,
    acked: Vec<bool>,
    /// The first message that wasn't handed to this producer yet.
    next: usize,
    wanted: Originals,
}

/// What a job waits for before it can be sent.
enum Originals {
    /// Nothing.
    There,
    /// Asked for.
    Asked(Vec<Wanted>),
    /// To be asked for, again or at last.
    Wanted(Vec<Wanted>),
}

struct Reports {
    own: Sender<Publishing>,
}

/// Starts the publishing thread.
pub(crate) fn start(
    settings: &Settings,
    sink: Sink<ChangesReply>,
    looker: Option<Sender<Looking>>,
) -> Result<Worker<Publishing>, Error> {
    let settings = settings.clone();
    // Made once here so that refused settings show at the start, then by the thread.
    let config = clients::changes_producer(&settings);
    let _: BaseProducer = config.create().map_err(Error::client("make the changes' producer"))?;
    Worker::start_looped("kafka-changes", Publishing::Stop, move |own, inbox| {
        Publisher {
            settings,
            sink,
            own,
            looker,
            generation: 0,
            producer: None,
            lanes: BTreeMap::new(),
            next_job: 0,
            resume: None,
        }
        .run(&inbox);
    })
    .map_err(Error::thread)
}

// === impl Publisher ===

impl Publisher {
    fn run(mut self, inbox: &Receiver<Publishing>) {
        loop {
            let message = if self.is_idle() {
                inbox.recv().ok()
            } else {
                inbox.recv_timeout(Duration::from_millis(10)).ok()
            };
            match message {
                Some(Publishing::Publish { partition, ticket, messages }) => {
                    self.accept(partition, ticket, messages);
                }
                Some(Publishing::Begin(partition)) => {
                    self.lanes.entry(partition).or_default().stopped = None;
                }
                Some(Publishing::Found { partition, job, found }) => {
                    self.found(partition, job, found);
                }
                Some(Publishing::Done { tag, result }) => self.done(tag, result),
                Some(Publishing::Stop) => break,
                None => {}
            }
            self.pump();
        }
    }

    /// True if nothing can be done before something is told: no full queue, no back-off to wait for.
    fn is_idle(&self) -> bool {
        self.resume.is_none()
            && self.lanes.values().flat_map(|lane| &lane.jobs).all(|job| match job.wanted {
                Originals::There => job.next == job.messages.len(),
                Originals::Asked(_) => true,
                Originals::Wanted(_) => false,
            })
    }

    fn accept(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>) {
        let lane = self.lanes.entry(partition).or_default();
        if let Some(why) = &lane.stopped {
            (self.sink)(ChangesReply::Published(partition, ticket, Err(why.clone())));
            return;
        }
        let wanted = outgoing::wanted(&messages, &self.settings.topics);
        let messages: Vec<Message> =
            messages.into_iter().map(|m| Message::new(partition, m)).collect();
        self.next_job += 1;
        lane.jobs.push_back(Job {
            id: self.next_job,
            ticket,
            acked: vec![false; messages.len()],
            messages,
            next: 0,
            wanted: if wanted.is_empty() { Originals::There } else { Originals::Wanted(wanted) },
        });
        self.answer(partition);
    }

    fn found(&mut self, partition: Partition, id: u64, found: Result<Vec<Found>, PortError>) {
        let Some(job) = self.job(partition, id) else { return };
        match found {
            Ok(found) => {
                for (message, original) in found {
                    job.messages[message].complete(original);
                }
                job.wanted = Originals::There;
            }
            Err(why) if why.transient => {
                if let Originals::Asked(wanted) =
                    std::mem::replace(&mut job.wanted, Originals::There)
                {
                    job.wanted = Originals::Wanted(wanted);
                }
                tracing::warn!(error = %why, %partition, "originals of dead letters, asking again");
                self.resume = Some(Instant::now() + BACKOFF);
            }
            Err(why) => {
                // The topic itself is gone: what the commit record holds of each is all there is.
                tracing::warn!(error = %why, %partition, "originals of dead letters are gone");
                job.wanted = Originals::There;
            }
        }
    }

    fn done(&mut self, tag: Tag, result: Result<(), KafkaError>) {
        match result {
            Ok(()) => {
                if let Some(job) = self.job(tag.partition, tag.job) {
                    job.acked[tag.message] = true;
                }
                self.answer(tag.partition);
            }
            Err(e) if tag.generation == self.generation => self.failed(tag.partition, &e),
            Err(_) => {}
        }
    }

    fn failed(&mut self, partition: Partition, error: &KafkaError) {
        let why = port_error(format!("publish for partition {partition}"), error);
        if error.rdkafka_error_code().is_some_and(is_permanent) {
            self.stop(partition, &why);
        } else {
            tracing::warn!(error = %why, "publishing, beginning again with a new producer");
        }
        // What follows a failed message in this producer fails too; all of it is sent again.
        self.generation += 1;
        self.resume = Some(Instant::now() + BACKOFF);
        if let Some(old) = self.producer.take() {
            drop_aside(old);
        }
        for job in self.lanes.values_mut().flat_map(|lane| &mut lane.jobs) {
            job.next = 0;
        }
    }

    fn stop(&mut self, partition: Partition, why: &PortError) {
        let lane = self.lanes.entry(partition).or_default();
        lane.stopped = Some(why.clone());
        for job in std::mem::take(&mut lane.jobs) {
            (self.sink)(ChangesReply::Published(partition, job.ticket, Err(why.clone())));
        }
    }

    /// Answers every job at the front that is written.
    fn answer(&mut self, partition: Partition) {
        let Some(lane) = self.lanes.get_mut(&partition) else { return };
        while lane.jobs.front().is_some_and(|job| job.acked.iter().all(|acked| *acked)) {
            if let Some(job) = lane.jobs.pop_front() {
                (self.sink)(ChangesReply::Published(partition, job.ticket, Ok(())));
            }
        }
    }

    fn job(&mut self, partition: Partition, id: u64) -> Option<&mut Job> {
        self.lanes.get_mut(&partition)?.jobs.iter_mut().find(|job| job.id == id)
    }

    /// Hands on everything that may go now.
    fn pump(&mut self) {
        match self.resume {
            Some(at) if at > Instant::now() => return,
            _ => self.resume = None,
        }
        self.ask_for_originals();
        let mut lanes = std::mem::take(&mut self.lanes);
        let mut failure = None;
        'lanes: for (partition, lane) in &mut lanes {
            for job in &mut lane.jobs {
                // What comes behind a job that waits must not overtake it.
                if !matches!(job.wanted, Originals::There) {
                    break;
                }
                match self.send(*partition, job) {
                    Ok(()) => {}
                    Err(e) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                        break 'lanes;
                    }
                    Err(e) => {
                        failure = Some((*partition, e));
                        break 'lanes;
                    }
                }
            }
        }
        self.lanes = lanes;
        if let Some((partition, error)) = failure {
            self.failed(partition, &error);
        }
    }

    fn ask_for_originals(&mut self) {
        let Some(looker) = &self.looker else { return };
        for (partition, lane) in &mut self.lanes {
            for job in &mut lane.jobs {
                if let Originals::Wanted(wanted) = &job.wanted {
                    let wanted = wanted.clone();
                    let (job_id, answer) = (job.id, self.own.clone());
                    job.wanted = Originals::Asked(wanted.clone());
                    // The looking thread outlives this one.
                    let _ = looker.send(Looking::Originals {
                        partition: *partition,
                        job: job_id,
                        wanted,
                        answer,
                    });
                }
            }
        }
    }

    fn send(&mut self, partition: Partition, job: &mut Job) -> Result<(), KafkaError> {
        while job.next < job.messages.len() {
            if !job.acked[job.next] {
                let generation = self.generation;
                let message = &job.messages[job.next];
                let tag = Tag { generation, partition, job: job.id, message: job.next };
                let own = &self.own;
                let settings = &self.settings;
                let producer = match self.producer.take() {
                    Some(producer) => producer,
                    None => clients::changes_producer(settings)
                        .create_with_context(Reports { own: own.clone() })?,
                };
                let producer = self.producer.insert(producer);
                let mut record =
                    BaseRecord::with_opaque_to(message.topic(&settings.topics), Box::new(tag))
                        .payload(message.value.as_slice())
                        .headers(message.headers());
                record.key = message.key.as_deref();
                record.partition = message.partition;
                producer.send(record).map_err(|(e, _)| e)?;
            }
            job.next += 1;
        }
        Ok(())
    }
}

// === impl Reports ===

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "changes producer");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Tag>;

    fn delivery(&self, report: &DeliveryResult<'_>, tag: Box<Tag>) {
        let result = report.as_ref().map(|_| ()).map_err(|(e, _)| e.clone());
        // The publishing thread is gone only when the port was dropped.
        let _ = self.own.send(Publishing::Done { tag: *tag, result });
    }
}
