//! The store as a view that follows: applying in coalesced steps, arming deadlines from it, filing them in it.

use super::decide::unreadable;
use super::reign::Walk;
use super::{Owner, Ownership, Trouble};
use crate::clock::Moment;
use crate::effect::Effect;
use crate::overlay::{BUCKET, Flush, bucket};
use tzeva_commit::port::{ApplyResult, PortError, ScanPage, StoreReply, Ticket};
use tzeva_model::{Millis, Shard, UnixMillis, VisitorId};
use tzeva_profile::stored;

/// Past due sets that are removed at a filing: those of the last four hours, twice what a filing reaches ahead. An older
/// one, left by a process that died, is a few stale ids.
const FORGET: i64 = 24;

impl Owner {
    pub(super) fn store(&mut self, reply: StoreReply, now: Moment) -> Result<(), Trouble> {
        match reply {
            StoreReply::Read(_, ticket, read) => match self.state {
                Ownership::Recovering(_) => self.recovery_read(ticket, read),
                _ => self.loaded(ticket, read, now),
            },
            StoreReply::Applied(_, ticket, results) => self.applied(ticket, results, now),
            StoreReply::Scanned(_, ticket, page) => self.scanned(ticket, page),
            StoreReply::Due(_, ticket, due) => self.due_read(ticket, due),
        }
    }

    /// Sends what is ready to be applied.
    pub(super) fn flush(&mut self, when: Flush, now: Moment) {
        let ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return };
        let steps = reign.overlay.flush(reign.last, when);
        if steps.is_empty() {
            return;
        }
        let written: usize = steps.iter().map(|step| step.writes.len()).sum();
        self.observations.profiles_written += written as u64;
        reign.applies.push((ticket, now.monotonic));
        self.effects.push(Effect::ApplyStore(ticket, steps));
    }

    fn applied(
        &mut self,
        ticket: Ticket,
        results: Vec<(Shard, ApplyResult)>,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let Some(at) = reign.applies.iter().position(|(mine, _)| *mine == ticket) else {
            return Ok(());
        };
        let (_, sent) = reign.applies.swap_remove(at);
        self.observations.apply.push(now.monotonic - sent);
        for (shard, result) in results {
            match result {
                // A marker beyond ours is found by the next read, which expects ours.
                ApplyResult::Applied | ApplyResult::Already(_) => reign.overlay.applied(shard),
                ApplyResult::Behind(found) => {
                    self.observations.store_moved += 1;
                    return Err(Trouble::Again(format!(
                        "the store went back under shard {shard}: found {found:?}"
                    )));
                }
                ApplyResult::Unknown(error) => return Err(Self::refuse_or_again(&error)),
            }
        }
        let capacity = self.settings.pace.profiles;
        if reign.engine.len() > capacity {
            let overlay = &reign.overlay;
            reign.engine.evict(&|visitor| overlay.pinned(visitor), capacity / 10 * 9);
        }
        Ok(())
    }

    /// Arms deadlines from the store: first the due sets, which cover the near future if they were kept up, then a walk
    /// over everything.
    pub(super) fn arm(&mut self) {
        let ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return };
        if reign.due.is_none()
            && let Some(&(shard, from)) = reign.dues.front()
        {
            reign.due = Some(ticket);
            self.effects.push(Effect::Due(ticket, shard, from));
            return;
        }
        if let Walk::Going { left, ticket: asked @ None } = &mut reign.walk
            && let Some(&shard) = left.front()
        {
            *asked = Some(ticket);
            self.effects.push(Effect::Scan(ticket, shard, 0));
        }
    }

    fn due_read(
        &mut self,
        ticket: Ticket,
        due: Result<Vec<VisitorId>, PortError>,
    ) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if reign.due != Some(ticket) {
            return Ok(());
        }
        reign.due = None;
        let due = due.map_err(|error| Self::refuse_or_again(&error))?;
        let Some((_, from)) = reign.dues.pop_front() else { return Ok(()) };
        let from = from.max(reign.engine.engine_time());
        for visitor in due {
            if !reign.engine.holds(&visitor) {
                reign.engine.arm(visitor, from);
            }
        }
        if reign.dues.is_empty() {
            reign.armed_until = reign.armed_until.max(reign.overlay.filed_until());
        }
        Ok(())
    }

    fn scanned(
        &mut self,
        ticket: Ticket,
        page: Result<ScanPage, PortError>,
    ) -> Result<(), Trouble> {
        if self.sweep_scanned(ticket, &page)? {
            return Ok(());
        }
        let next_ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let Walk::Going { left, ticket: asked } = &mut reign.walk else { return Ok(()) };
        if *asked != Some(ticket) {
            return Ok(());
        }
        *asked = None;
        let page = page.map_err(|error| Self::refuse_or_again(&error))?;
        for (visitor, bytes) in page.profiles {
            let profile = stored::decode(&bytes)
                .map_err(|error| unreadable(page.shard, &error.to_string()))?;
            if let Some(deadline) = profile.deadline.filter(|_| !reign.engine.holds(&visitor)) {
                reign.engine.arm(visitor, deadline);
            }
        }
        match page.next {
            Some(cursor) => {
                *asked = Some(next_ticket);
                self.effects.push(Effect::Scan(next_ticket, page.shard, cursor));
            }
            None => {
                left.pop_front();
                if left.is_empty() {
                    reign.walk = Walk::Done;
                    reign.armed_until = UnixMillis::MAX;
                }
            }
        }
        Ok(())
    }

    /// Files the deadlines of the next hours in the store's due sets, so that the next owner finds them without a walk.
    pub(super) fn file(&mut self, now: Moment) {
        let pace = self.settings.pace;
        let partitions = self.settings.partitions;
        let Ownership::Owning(reign) = &mut self.state else { return };
        if !matches!(reign.walk, Walk::Done) {
            return;
        }
        let engine_time = reign.engine.engine_time();
        let filed = reign.overlay.filed_until();
        // While history is caught up with, hours of engine time pass in a second: no more than a filing a minute.
        let soon = engine_time + pace.file_every > filed;
        let waited = reign.filed_at.is_none_or(|at| now.monotonic - at >= Millis::MINUTE);
        if !soon || !waited {
            return;
        }
        let until = bucket(engine_time + pace.file_ahead) + BUCKET;
        let due = reign.engine.armed(filed.max(engine_time), until);
        reign.overlay.file(&due, until);
        reign.filed_at = Some(now.monotonic);
        let mut old = reign.forgotten_until.max(bucket(engine_time) - BUCKET.times(FORGET));
        while old < bucket(engine_time) {
            for shard in self.partition.shards(partitions) {
                self.effects.push(Effect::ForgetDue(shard, old));
            }
            old = old + BUCKET;
        }
        reign.forgotten_until = old;
    }
}
