//! From the ack of an append to a published, applicable commit.

use super::reign::{Flight, Gap, Reign};
use super::{Owner, Ownership, Trouble, rest};
use crate::clock::Moment;
use crate::effect::{Effect, Refusal};
use crate::render::Renderer;
use tzeva_audience::RuleSet;
use tzeva_commit::port::{AppendResult, ChangesReply, LogPage, Outgoing, PortError, Ticket};
use tzeva_commit::{End, Marker, Settled, Then, decode};
use tzeva_model::{Change, ChangeNumber, Direction, Origin, ReasonKind, UnixMillis};

impl Owner {
    /// An append of ours was answered.
    pub(super) fn settled(
        &mut self,
        ticket: Ticket,
        result: AppendResult,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let Some(flight) = reign.flights.iter_mut().find(|flight| flight.ticket == ticket) else {
            return Ok(());
        };
        match result {
            AppendResult::At(offset, time) => {
                flight.offset = offset;
                self.observations.append.push(now.monotonic - flight.sent);
                self.clock.acked(time, now);
                let settled = reign.ledger.acked(ticket, offset);
                self.count(settled, now)
            }
            AppendResult::Unknown(error) => {
                let settled = reign.ledger.unknown(ticket);
                let unknown = |_| Trouble::Unknown(ticket, error.to_string());
                self.count(settled, now).map_err(unknown)
            }
            AppendResult::Refused(error) => Err(Self::refuse_or_again(&error)),
        }
    }

    /// Goes by what the ledger says.
    fn count(&mut self, settled: Settled, now: Moment) -> Result<(), Trouble> {
        let mut counted = Vec::new();
        for commit in &settled.counts {
            let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
            let Some(flight) = reign.flights.pop_front() else { break };
            self.names.confirm(&flight.names);
            debug_assert_eq!(flight.seq, commit.seq, "flights settle in order");
            counted.push(Flight { offset: commit.offset, ..flight });
        }
        if !counted.is_empty() {
            self.calm();
            self.publish(counted, now);
        }
        match settled.then {
            Then::Open | Then::Reading => Ok(()),
            Then::ReadGap { from, to } => {
                let ticket = self.ticket();
                self.effects.push(Effect::ReadLog(ticket, from, Some(to)));
                let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
                reign.gap = Some(Gap { ticket, to, entries: Vec::new() });
                Ok(())
            }
            Then::Ended(End::Fenced(at)) => {
                self.observations.fenced += 1;
                Err(Trouble::Again(format!("fenced by the claim or anchor at log offset {at}")))
            }
            Then::Ended(End::Unknown) => {
                Err(Trouble::Again("an append lies where it should not".into()))
            }
        }
    }

    /// A page of the gap that the ledger asked for.
    pub(super) fn gap_page(
        &mut self,
        ticket: Ticket,
        page: Result<LogPage, PortError>,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let Some(mut gap) = reign.gap.take_if(|gap| gap.ticket == ticket) else { return Ok(()) };
        let page = page.map_err(|error| Self::refuse_or_again(&error))?;
        for entry in page.entries {
            match decode(&entry.bytes) {
                Ok(record) => gap.entries.push((entry.offset, record)),
                Err(error) => return Err(foreign(entry.offset, &error.to_string())),
            }
        }
        if let Some(from) = rest(page.next, gap.to) {
            gap.ticket = self.ticket();
            self.effects.push(Effect::ReadLog(gap.ticket, from, Some(gap.to)));
            let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
            reign.gap = Some(gap);
            return Ok(());
        }
        let settled = reign.ledger.gap_read(&gap.entries);
        self.count(settled, now)
    }

    /// Hands what commits tell to the changes port; a commit is applied only after that.
    fn publish(&mut self, counted: Vec<Flight>, now: Moment) {
        let mut messages = Vec::new();
        for flight in &counted {
            self.observe_flight(flight, now);
            messages.extend(flight.messages.iter().cloned());
            messages.extend(self.render(flight));
        }
        let Ownership::Owning(reign) = &mut self.state else { return };
        if messages.is_empty() {
            match reign.publishing.back_mut() {
                Some((_, flights)) => flights.extend(counted),
                None => self.published(counted, now),
            }
            return;
        }
        let ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return };
        reign.publishing.push_back((ticket, counted));
        self.effects.push(Effect::Publish(ticket, messages));
    }

    fn render(&self, flight: &Flight) -> Vec<Outgoing> {
        let Ownership::Owning(reign) = &self.state else { return Vec::new() };
        let changes = (flight.changes.as_slice(), flight.changes_from);
        self.unpublished(reign, changes, flight.rules.set(), flight.clock)
    }

    /// The messages of those of `changes`, numbered from `from` on and decided under `rules` at `clock`, that aren't
    /// published.
    pub(super) fn unpublished(
        &self,
        reign: &Reign,
        (changes, from): (&[Change], ChangeNumber),
        rules: &RuleSet,
        clock: UnixMillis,
    ) -> Vec<Outgoing> {
        let name = |id| self.names.text(id);
        let renderer = Renderer {
            rules,
            idle: self.settings.engine.idle,
            name: &name,
            incarnation: reign.incarnation,
            partition: self.partition,
        };
        let numbered = changes.iter().zip(from.get()..);
        numbered
            .filter(|&(_, n)| n > reign.published_n.get())
            .map(|(change, n)| renderer.message(change, ChangeNumber::new(n), clock))
            .collect()
    }

    pub(super) fn changes(&mut self, reply: ChangesReply, now: Moment) -> Result<(), Trouble> {
        match reply {
            // The inbox keeps them, for all partitions.
            ChangesReply::Names(_) => Ok(()),
            ChangesReply::Tail(_, ticket, tail) => self.tail_found(ticket, tail, now),
            ChangesReply::Published(_, ticket, done) => {
                let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
                if reign.publishing.front().is_none_or(|(front, _)| *front != ticket) {
                    return Ok(());
                }
                done.map_err(|error| Self::refuse_or_again(&error))?;
                let Some((_, flights)) = reign.publishing.pop_front() else { return Ok(()) };
                self.published(flights, now);
                Ok(())
            }
        }
    }

    /// These commits are published: from now on they may be applied.
    fn published(&mut self, flights: Vec<Flight>, now: Moment) {
        let clock = self.clock.now(now);
        let Ownership::Owning(reign) = &mut self.state else { return };
        for flight in flights {
            for change in &flight.changes {
                if change.reason.kind == ReasonKind::Event {
                    let since = flight.record_time.unwrap_or(change.effective_at);
                    self.observations.freshness.push(clock - since.min(clock));
                }
            }
            let changes = u64::try_from(flight.changes.len()).unwrap_or(0);
            let last_n = (flight.changes_from.get() + changes).saturating_sub(1);
            reign.published_n = reign.published_n.max(ChangeNumber::new(last_n));
            reign.last = Marker {
                incarnation: reign.incarnation,
                offset: flight.offset,
                epoch: flight.epoch,
                seq: flight.seq,
                filed_until: UnixMillis::MIN,
            };
            reign.overlay.projected(flight.snapshots, now.monotonic);
            self.effects.push(Effect::Progress(flight.decided));
        }
    }

    fn observe_flight(&mut self, flight: &Flight, now: Moment) {
        let clock = self.clock.now(now);
        self.observations.commits += 1;
        for change in &flight.changes {
            match change.direction {
                Direction::Entered => self.observations.entered += 1,
                Direction::Exited => self.observations.exited += 1,
            }
            // What new rules bring counts from their instant on, whenever the visitor is met.
            let by_time =
                matches!(change.reason.kind, ReasonKind::Deadline | ReasonKind::Forgotten);
            if by_time && change.origin != Origin::Rules && flight.record_time.is_none() {
                self.observations.lateness.push(clock - change.effective_at.min(clock));
            }
        }
    }
}

/// A record that is none of ours lies in the log.
pub(super) fn foreign(offset: tzeva_model::LogOffset, error: &str) -> Trouble {
    Trouble::Refuse(Refusal::unfit(format!(
        "the log record at offset {offset} can't be read: {error}; only painters of this or an older version may \
         write to the log"
    )))
}
