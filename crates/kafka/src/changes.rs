//! Changes, dead letters and names out: the port. One thread publishes, one looks things up: the highest n of a tail,
//! and the originals of dead letters.

use crate::Error;
use crate::lookup::{self, Looking};
use crate::publish::{self, Publishing};
use crate::settings::Settings;
use crate::worker::Worker;
use tzeva_commit::port::{Changes, ChangesReply, Outgoing, Sink, Ticket};
use tzeva_model::Partition;

/// Where changes, dead letters and names go on Kafka.
pub struct KafkaChanges {
    // Dropped first: it holds a way into the other's inbox.
    publisher: Worker<Publishing>,
    looker: Worker<Looking>,
}

// === impl KafkaChanges ===

impl KafkaChanges {
    /// Makes the clients; brokers are first met at the first request.
    ///
    /// # Errors
    /// If a client refuses its settings.
    pub fn start(settings: &Settings, sink: Sink<ChangesReply>) -> Result<Self, Error> {
        settings.check()?;
        let looker = lookup::start(settings, sink.clone())?;
        let publisher = publish::start(settings, sink, looker.inbox())?;
        Ok(Self { publisher, looker })
    }
}

impl Changes for KafkaChanges {
    fn tail(&mut self, partition: Partition, ticket: Ticket) {
        // Whoever asks begins anew: what stopped the partition before is for him to meet again.
        self.publisher.send(Publishing::Begin(partition));
        self.looker.send(Looking::Tail { partition, ticket });
    }

    fn publish(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>) {
        self.publisher.send(Publishing::Publish { partition, ticket, messages });
    }
}
