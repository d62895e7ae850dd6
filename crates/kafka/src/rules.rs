//! The topic of publications: read whole, published to, followed.
//!
//! Publishing is a compare-and-set without a lock: what is published names its parent, so it is written, read back and
//! judged by the same book that every reader keeps. Each part is acknowledged by all replicas before the next one is
//! sent. If an acknowledgement doesn't come, what was written is read back as well, and the error says so if that doesn't
//! decide it: a part may still arrive.

use crate::Error;
use crate::admin::{Fed, Feeder};
use crate::clients::{self, Isolation};
use crate::context::Context;
use crate::reader::{Range, Reader, passes};
use crate::settings::Settings;
use crate::worker::Worker;
use crossbeam_channel::{Receiver, TryRecvError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tzeva_commit::port::PortError;
use tzeva_model::Partition;
use tzeva_rulebook::{Book, Publication, Standing};

/// How long one poll of a follower waits, and so how long it takes to stop.
const POLL: Duration = Duration::from_millis(100);
/// After an error that doesn't pass by itself a follower begins anew this much later.
const BACKOFF: Duration = Duration::from_secs(1);

/// The topic of publications; every call makes a client of its own.
#[derive(Clone, Debug)]
pub struct RulesTopic {
    settings: Arc<Settings>,
}

/// A thread that hands over new records; it ends when this is dropped.
pub struct RulesFollower {
    _worker: Worker<()>,
}

// === impl RulesTopic ===

impl RulesTopic {
    /// The topic that `settings` name; brokers are first met at the first call.
    ///
    /// # Errors
    /// If the settings are refused.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        Ok(Self { settings: Arc::new(settings.clone()) })
    }

    /// All publications up to the topic's end now, and the offset after them. Blocks.
    ///
    /// # Errors
    /// If a broker doesn't answer, or the topic isn't there.
    pub fn read(&self) -> Result<(Book, i64), PortError> {
        let mut reader = self.reader()?;
        let mut book = Book::default();
        let next = self.read_on(&mut reader, &mut book, None)?;
        Ok((book, next))
    }

    /// Publishes, unless somebody else was sooner; tells where the publication stands afterwards. Blocks.
    ///
    /// Nothing is written if it is there already, or if its parent isn't the head any more. Repeats: the first
    /// publication may be published by several at once, they write one and the same.
    ///
    /// # Errors
    /// If a broker doesn't answer, or the topic isn't there. Then it may be published all the same, now or in a moment.
    pub fn publish(&self, publication: &Publication) -> Result<Standing, PortError> {
        let mut reader = self.reader()?;
        let mut book = Book::default();
        let next = self.read_on(&mut reader, &mut book, None)?;
        if let Some(standing) = book.standing(publication.version) {
            return Ok(standing);
        }
        let head = book.head();
        if head.map(|head| head.version) != publication.parent {
            return Ok(head.map_or(Standing::Apart, |head| Standing::Stale(Arc::clone(head))));
        }
        let written = self.write(publication);
        let read = self.read_on(&mut reader, &mut book, Some(next));
        match (book.standing(publication.version), written, read) {
            (Some(standing), ..) => Ok(standing),
            (None, Err(error), _) | (None, Ok(()), Err(error)) => Err(PortError {
                attempt: format!("{} (it may have been published all the same)", error.attempt),
                ..error
            }),
            (None, Ok(()), Ok(_)) => Err(PortError {
                attempt: format!("read back what was published to {}", self.topic()),
                transient: true,
            }),
        }
    }

    /// Hands over every record from the offset `from` on, on a thread of its own: key, and value or `None` for a deleted
    /// key. Goes on by itself after errors; then, and if the topic was made anew, records may come again. `take` must
    /// not drop the follower.
    ///
    /// # Errors
    /// If the client or the thread can't be made.
    pub fn follow(
        &self,
        from: i64,
        take: impl FnMut(&[u8], Option<&[u8]>) + Send + 'static,
    ) -> Result<RulesFollower, Error> {
        let consumer = clients::reader(&self.settings, Isolation::Uncommitted)
            .create_with_context(Context)
            .map_err(Error::client(format!("make the reader of {}", self.topic())))?;
        let topic = self.topic().to_owned();
        let mut following = Following { topic, consumer, next: from, placed: false, take };
        let body = move |inbox: Receiver<()>| following.run(&inbox);
        let worker = Worker::start("kafka-rules", body).map_err(Error::thread)?;
        Ok(RulesFollower { _worker: worker })
    }

    /// The brokers that are asked, as the settings name them.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.settings.bootstrap
    }

    fn topic(&self) -> &str {
        &self.settings.topics.rules
    }

    fn reader(&self) -> Result<Reader, PortError> {
        Reader::new(&self.settings).map_err(|error| PortError {
            attempt: Error::client("make a reader of rules")(error).to_string(),
            transient: false,
        })
    }

    /// Feeds the book up to the end of the topic as it is now.
    fn read_on(
        &self,
        reader: &mut Reader,
        book: &mut Book,
        from: Option<i64>,
    ) -> Result<i64, PortError> {
        let topic = self.topic();
        let (low, to) = reader.bounds(topic, 0)?;
        let from = from.filter(|from| (low..=to).contains(from)).unwrap_or(low);
        let range = Range { topic, partition: 0, from, to };
        reader.read(range, &mut |message| {
            let fed = book.feed(message.key().unwrap_or_default(), message.payload());
            if let tzeva_rulebook::Fed::Flawed(flaw) = fed {
                tracing::warn!(topic, offset = message.offset(), %flaw, "a record of rules is passed over");
            }
            ControlFlow::Continue(())
        })
    }

    fn write(&self, publication: &Publication) -> Result<(), PortError> {
        let feeder = Feeder::new(&self.settings)
            .map_err(|error| PortError { attempt: error.to_string(), transient: false })?;
        for part in publication.parts() {
            feeder.write(&Fed {
                topic: self.topic(),
                partition: Partition::new(0),
                time: None,
                key: Some(part.key.as_bytes()),
                value: &part.value,
                headers: &[],
            })?;
            feeder.flush()?;
        }
        Ok(())
    }
}

/// What a follower's thread holds.
struct Following<F> {
    topic: String,
    consumer: BaseConsumer<Context>,
    next: i64,
    placed: bool,
    take: F,
}

// === impl Following ===

impl<F: FnMut(&[u8], Option<&[u8]>)> Following<F> {
    fn run(&mut self, inbox: &Receiver<()>) {
        while inbox.try_recv() != Err(TryRecvError::Disconnected) {
            if let Err(error) = self.turn() {
                tracing::warn!(topic = self.topic, %error, "following rules begins anew");
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset)
                    || error.rdkafka_error_code() == Some(RDKafkaErrorCode::OffsetOutOfRange)
                {
                    // The topic was made anew; what is known already does no harm.
                    self.next = 0;
                }
                self.placed = false;
                // A port that is dropped in between ends this wait.
                let _ = inbox.recv_timeout(BACKOFF);
            }
        }
    }

    fn turn(&mut self) -> Result<(), KafkaError> {
        if !self.placed {
            let mut list = TopicPartitionList::new();
            let at = if self.next == 0 { Offset::Beginning } else { Offset::Offset(self.next) };
            list.add_partition_offset(&self.topic, 0, at)?;
            self.consumer.assign(&list)?;
            self.placed = true;
        }
        match self.consumer.poll(POLL) {
            Some(Ok(message)) => {
                (self.take)(message.key().unwrap_or_default(), message.payload());
                self.next = message.offset() + 1;
                Ok(())
            }
            None | Some(Err(KafkaError::PartitionEOF(_))) => Ok(()),
            Some(Err(error)) if passes(&error) => Ok(()),
            Some(Err(error)) => Err(error),
        }
    }
}
