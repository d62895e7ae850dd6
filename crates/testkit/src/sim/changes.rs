//! The simulated changes topic, dead letters and names: in order for one publisher, repeats and all.

use super::state::{Door, State};
use super::{PainterId, Reply, World};
use std::collections::VecDeque;
use tzeva_commit::port::{Changes, ChangesReply, Outgoing, SourceRecord, Ticket};
use tzeva_model::{ChangeNumber, Partition, UnixMillis};

pub(super) struct SimChanges(pub(super) World, pub(super) PainterId);

/// One message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// By whom.
    pub painter: PainterId,
    /// When.
    pub time: UnixMillis,
    /// What.
    pub message: Outgoing,
    /// Of a dead letter the original.
    pub original: Option<SourceRecord>,
}

/// A painter's requests for one partition, in order.
#[derive(Default)]
pub(super) struct Publisher {
    requests: VecDeque<Request>,
    at_work: bool,
}

enum Request {
    Tail(Ticket),
    Publish(Ticket, VecDeque<Outgoing>),
}

// === impl SimChanges ===

impl Changes for SimChanges {
    fn tail(&mut self, partition: Partition, ticket: Ticket) {
        self.0.state().publisher(self.1, partition, Request::Tail(ticket));
    }

    fn publish(&mut self, partition: Partition, ticket: Ticket, messages: Vec<Outgoing>) {
        let request = Request::Publish(ticket, messages.into());
        self.0.state().publisher(self.1, partition, request);
    }
}

impl State {
    fn publisher(&mut self, painter: PainterId, partition: Partition, request: Request) {
        let publisher = self.publishers.entry((painter, partition)).or_default();
        publisher.requests.push_back(request);
        if !std::mem::replace(&mut publisher.at_work, true) {
            self.go_on_publishing(painter, partition);
        }
    }

    fn go_on_publishing(&mut self, painter: PainterId, partition: Partition) {
        let lane = (painter, Door::Changes, partition);
        self.request(lane, "a publisher works", move |state| state.publish(painter, partition));
    }

    /// Carries out the first request, or a part of it. A publisher that crashed goes no further.
    fn publish(&mut self, painter: PainterId, partition: Partition) {
        let Some(publisher) = self.publishers.get_mut(&(painter, partition)) else { return };
        publisher.at_work = false;
        let Some(request) = publisher.requests.pop_front() else { return };
        match request {
            Request::Tail(ticket) => {
                self.tell_names(painter, partition);
                let tail = match self.read_fails("find the highest change") {
                    Some(error) => Err(error),
                    None => Ok(self.highest(partition)),
                };
                let reply = ChangesReply::Tail(partition, ticket, tail);
                self.answer((painter, Door::Changes, partition), Reply::Changes(reply));
            }
            Request::Publish(ticket, mut messages) => {
                let all = messages.len() as u64;
                let stalled = self.rng.per_mille(self.faults.stalled);
                let part = if stalled { self.rng.below(all + 1) } else { all };
                for message in messages.drain(..usize::try_from(part).unwrap_or(0)) {
                    self.put_message(painter, partition, message);
                }
                if messages.is_empty() {
                    let reply = ChangesReply::Published(partition, ticket, Ok(()));
                    self.answer((painter, Door::Changes, partition), Reply::Changes(reply));
                } else if let Some(publisher) = self.publishers.get_mut(&(painter, partition)) {
                    publisher.requests.push_front(Request::Publish(ticket, messages));
                }
            }
        }
        let Some(publisher) = self.publishers.get_mut(&(painter, partition)) else { return };
        if !publisher.requests.is_empty() {
            publisher.at_work = true;
            self.go_on_publishing(painter, partition);
        }
    }

    fn put_message(&mut self, painter: PainterId, partition: Partition, message: Outgoing) {
        let original = match &message {
            Outgoing::DeadLetter { topic, offset, .. } => {
                let records = self.source_records(*topic, partition);
                records.into_iter().find(|record| record.offset == *offset)
            }
            Outgoing::Name { key, text } => {
                self.names.push((key.clone(), text.clone()));
                None
            }
            Outgoing::Change { .. } => None,
        };
        let published = Published { painter, time: self.now, message, original };
        self.published.entry(partition).or_default().push(published);
    }

    /// Each lane is told for itself: the answer to another of the same painter may overtake.
    fn tell_names(&mut self, painter: PainterId, partition: Partition) {
        let told = self.names_told.entry((painter, partition)).or_default();
        let new = self.names[*told..].to_vec();
        *told = self.names.len();
        let reply = ChangesReply::Names(new);
        self.answer((painter, Door::Changes, partition), Reply::Changes(reply));
    }

    fn highest(&self, partition: Partition) -> Option<ChangeNumber> {
        let number = |published: &Published| match published.message {
            Outgoing::Change { n, .. } => Some(n),
            Outgoing::DeadLetter { .. } | Outgoing::Name { .. } => None,
        };
        self.published.get(&partition)?.iter().filter_map(number).max()
    }
}
