//! Upkeep of a reign: what only time asks for.

use super::reign::Stage;
use super::{Owner, Ownership, Trouble};
use crate::clock::{Moment, Trust};
use crate::effect::Effect;
use crate::overlay::Flush;
use tzeva_commit::port::{PortError, Ticket};
use tzeva_model::{Millis, SourceOffset, UnixMillis};

/// How long an owner waits at least between two proofs.
const PROOF_EVERY: Millis = Millis::new(10);

impl Owner {
    /// Whatever can go on goes on; called after every happening.
    pub(super) fn drive(&mut self, now: Moment) -> Result<(), Trouble> {
        self.arm();
        if self.assigned && !self.stopping {
            self.follow_rules(now)?;
            while self.advance(now)? {}
            self.prove(now);
        }
        self.file(now);
        let pace = self.settings.pace;
        self.flush(
            Flush::Ready { dirty: pace.dirty, before: now.monotonic - pace.flush_after },
            now,
        );
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if now.monotonic - reign.markers_at >= pace.marker_every {
            reign.markers_at = now.monotonic;
            self.flush(Flush::All, now);
        }
        self.heartbeat(now)
    }

    /// Asks for a proof that the sources are at their end, if a deadline is due by the clock.
    fn prove(&mut self, now: Moment) {
        let grace = self.grace();
        let clock = self.clock.now(now);
        let ticket = self.ticket();
        let hold = self.clock.trust(now) == Trust::Hold;
        let to_switch = self.waits_to_switch();
        let Ownership::Owning(reign) = &mut self.state else { return };
        let quiet = matches!(reign.stage, Stage::Idle) && reign.inputs.drained();
        let due = to_switch
            || reign.engine.next_deadline().is_some_and(|deadline| deadline + grace < clock);
        // A transaction that holds records back makes proofs fail for a while: ask again, but not all the time.
        let rested = now.monotonic - reign.proof_at >= PROOF_EVERY;
        if quiet && due && !hold && rested && reign.proof.is_none() {
            reign.proof = Some(ticket);
            reign.proof_at = now.monotonic;
            self.effects.push(Effect::Prove(ticket, clock));
        }
    }

    /// A proof was answered: engine time follows up to it.
    pub(super) fn proven(
        &mut self,
        ticket: Ticket,
        ends: Result<(UnixMillis, Vec<SourceOffset>), PortError>,
        now: Moment,
    ) -> Result<(), Trouble> {
        let grace = self.grace();
        let limit = self.settings.pace.deadlines;
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if reign.proof != Some(ticket) {
            return Ok(());
        }
        reign.proof = None;
        let (sent_at, ends) = ends.map_err(|error| Self::refuse_or_again(&error))?;
        let idle = matches!(reign.stage, Stage::Idle) && self.assigned && !self.stopping;
        if !idle || !reign.inputs.drained() || reign.inputs.positions() != ends {
            return Ok(());
        }
        let proven = (sent_at - grace).min(reign.armed_until);
        let until = reign.engine.until_within(proven, limit);
        if until <= reign.engine.engine_time() {
            return Ok(());
        }
        self.without_inputs(until, now)
    }

    /// An owner that has appended nothing for a while appends a commit without inputs, so that the clock never waits for
    /// traffic.
    fn heartbeat(&mut self, now: Moment) -> Result<(), Trouble> {
        let every = self.settings.pace.heartbeat;
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let idle = matches!(reign.stage, Stage::Idle) && reign.flights.is_empty();
        if !idle || now.monotonic - reign.appended_at < every {
            return Ok(());
        }
        let until = reign.engine.engine_time();
        self.without_inputs(until, now)
    }

    /// Decides for time alone.
    pub(super) fn without_inputs(&mut self, until: UnixMillis, now: Moment) -> Result<(), Trouble> {
        let batch = self.nothing_cut(now);
        self.load(batch, until, now)
    }

    /// Finishes what is under way, applies everything, and lets the partition go.
    pub(super) fn drain(&mut self, now: Moment) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if !matches!(reign.stage, Stage::Idle) || !reign.quiet() {
            return Ok(());
        }
        self.flush(Flush::All, now);
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if reign.overlay.settled() {
            self.effects.push(Effect::Close);
            self.let_go();
        }
        Ok(())
    }

    pub(super) fn grace(&self) -> Millis {
        self.settings.topics.iter().map(|topic| topic.grace).max().unwrap_or(Millis::ZERO)
    }
}
