//! The sweep: everybody is brought up to date with new rules.
//!
//! Shard by shard in order of visitor id, a page a commit; pages that change nothing are told of together. Every commit
//! says how far the sweep is, so the next owner goes on from there.
//!
//! Whom it must meet: all that lay in the store when it began, found by scanning, and all that lay in memory only. Who
//! comes later comes under the new rules. A scan carries no marker, so the marker is read behind it: a store that lost
//! visitors before they were listed must not make them look met. Profiles are read with their marker, as always.
//!
//! One partition of a process sweeps at a time, and at a settled pace, so that visitors who are on the site now never wait
//! for it longer than for a page.

use super::decide::unmoved;
use super::reign::Walk;
use super::{Owner, Ownership, Trouble};
use crate::batch::Decided;
use crate::clock::Moment;
use crate::effect::{Effect, Refusal};
use crate::gate::SweepPass;
use crate::overlay::Overlay;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tzeva_commit::port::{PortError, ScanPage, ShardRead, Ticket};
use tzeva_commit::{Marker, Met, Sweep};
use tzeva_model::{Millis, RulesVersion, Shard, UnixMillis, VisitorId};

/// Pages without an effect after which a commit tells how far the sweep is.
const QUIET_PAGES: u32 = 64;

/// A sweep under way.
#[derive(Debug)]
pub(super) struct Sweeping {
    /// What the next commit says of it.
    pub logged: Sweep,
    /// Shards that aren't done, the one being swept first.
    left: VecDeque<Shard>,
    shards: usize,
    /// Who may have been in memory only when the sweep began.
    unstored: BTreeMap<Shard, BTreeSet<VisitorId>>,
    stage: Find,
    pass: Option<SweepPass>,
    /// The next page is not taken before this.
    rest_until: Millis,
    /// Pages met since a commit told of them.
    quiet: u32,
    met: u64,
}

/// What is done about the shard being swept.
#[derive(Debug)]
enum Find {
    /// Nothing yet.
    Begin,
    /// Its visitors are listed.
    Scanning { ticket: Ticket, found: BTreeSet<VisitorId> },
    /// They are listed; the marker is read, which tells whether the store was whole.
    Proving { ticket: Ticket, expected: Option<Marker>, found: BTreeSet<VisitorId> },
    /// These are left, in order.
    Meeting { left: VecDeque<VisitorId> },
    /// Profiles of the next page are read.
    Loading {
        ticket: Ticket,
        asked: Vec<VisitorId>,
        expected: Option<Marker>,
        left: VecDeque<VisitorId>,
    },
}

/// How a sweep stands, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepStandings {
    /// The rules before.
    pub former: RulesVersion,
    /// When the new ones came into force.
    pub since: UnixMillis,
    /// Shards that are not done.
    pub shards_left: usize,
    /// Shards of the partition.
    pub shards: usize,
    /// Profiles met by this owner.
    pub met: u64,
}

// === impl Find ===

impl Find {
    /// Tells whether a read of the store was asked under this ticket.
    fn asked(&self, other: Ticket) -> bool {
        match self {
            Self::Proving { ticket, .. } | Self::Loading { ticket, .. } => *ticket == other,
            Self::Begin | Self::Scanning { .. } | Self::Meeting { .. } => false,
        }
    }
}

// === impl Sweeping ===

impl Sweeping {
    /// A sweep over `shards` as far as `logged` says; `overlay` tells who may not be in the store.
    pub(super) fn new(logged: Sweep, shards: &[Shard], overlay: &Overlay) -> Self {
        let behind = |shard: &Shard| match &logged.met {
            None => true,
            Some(Met { shard: at, last: Some(_) }) => shard >= at,
            Some(Met { shard: at, last: None }) => shard > at,
        };
        Self {
            left: shards.iter().copied().filter(behind).collect(),
            shards: shards.len(),
            unstored: overlay.pinned_by_shard(),
            logged,
            stage: Find::Begin,
            pass: None,
            rest_until: Millis::ZERO,
            quiet: 0,
            met: 0,
        }
    }

    pub(super) fn standings(&self) -> SweepStandings {
        SweepStandings {
            former: self.logged.former,
            since: self.logged.since,
            shards_left: self.left.len(),
            shards: self.shards,
            met: self.met,
        }
    }

    /// All of the shard's visitors are listed: those behind the last one met are to be met.
    fn listed(&mut self, shard: Shard, mut found: BTreeSet<VisitorId>) {
        found.extend(self.unstored.remove(&shard).unwrap_or_default());
        let met = match &self.logged.met {
            Some(Met { shard: at, last }) if *at == shard => last.as_ref(),
            _ => None,
        };
        let left =
            found.into_iter().filter(|visitor| met.is_none_or(|met| visitor > met)).collect();
        self.stage = Find::Meeting { left };
    }
}

impl Owner {
    /// The next thing to do of the sweep, if it may be done now. True: a shard is done, and the next one can begin.
    pub(super) fn sweep(&mut self, ready: bool, now: Moment) -> Result<bool, Trouble> {
        let (ticket, partition) = (self.ticket(), self.partition);
        let Ownership::Owning(reign) = &mut self.state else { return Ok(false) };
        let Some(sweeping) = &mut reign.sweeping else { return Ok(false) };
        if !matches!(reign.walk, Walk::Done) {
            return Ok(false);
        }
        if sweeping.pass.is_none() {
            sweeping.pass = self.settings.sweeps.enter(partition);
        }
        if sweeping.pass.is_none() {
            return Ok(false);
        }
        match &sweeping.stage {
            Find::Begin => {
                let Some(&shard) = sweeping.left.front() else { return Ok(false) };
                sweeping.stage = Find::Scanning { ticket, found: BTreeSet::new() };
                self.effects.push(Effect::Scan(ticket, shard, 0));
                Ok(false)
            }
            Find::Meeting { .. } if ready && now.monotonic >= sweeping.rest_until => {
                self.take_page(ticket, now)?;
                let Ownership::Owning(reign) = &self.state else { return Ok(false) };
                let next = reign.sweeping.as_ref();
                Ok(next.is_some_and(|sweeping| matches!(sweeping.stage, Find::Begin)))
            }
            Find::Meeting { .. }
            | Find::Scanning { .. }
            | Find::Proving { .. }
            | Find::Loading { .. } => Ok(false),
        }
    }

    /// A page of the list of a shard's visitors; false: it was not asked for by a sweep.
    pub(super) fn sweep_scanned(
        &mut self,
        ticket: Ticket,
        page: &Result<ScanPage, PortError>,
    ) -> Result<bool, Trouble> {
        let next_ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return Ok(false) };
        let Some(sweeping) = &mut reign.sweeping else { return Ok(false) };
        let Find::Scanning { ticket: asked, found } = &mut sweeping.stage else { return Ok(false) };
        if *asked != ticket {
            return Ok(false);
        }
        let page = page.as_ref().map_err(Self::refuse_or_again)?;
        found.extend(page.profiles.iter().map(|(visitor, _)| visitor.clone()));
        match page.next {
            Some(cursor) => {
                *asked = next_ticket;
                self.effects.push(Effect::Scan(next_ticket, page.shard, cursor));
            }
            None => {
                let (found, expected) = (std::mem::take(found), reign.overlay.expected(page.shard));
                sweeping.stage = Find::Proving { ticket: next_ticket, expected, found };
                self.effects.push(Effect::ReadStore(next_ticket, vec![(page.shard, vec![])]));
            }
        }
        Ok(true)
    }

    /// The marker behind a list, or profiles of a page; false: they were not asked for by a sweep.
    pub(super) fn sweep_loaded(
        &mut self,
        ticket: Ticket,
        read: &mut Result<Vec<ShardRead>, PortError>,
    ) -> Result<bool, Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(false) };
        let Some(sweeping) = &mut reign.sweeping else { return Ok(false) };
        if !sweeping.stage.asked(ticket) {
            return Ok(false);
        }
        let read = read.as_mut().map_err(|error| Self::refuse_or_again(error))?;
        let Some(found) = read.pop() else { return Ok(true) };
        let shard = found.shard;
        match std::mem::replace(&mut sweeping.stage, Find::Begin) {
            Find::Proving { expected, found: list, .. } => {
                self.observations.store_moved += u64::from(found.marker != expected);
                unmoved(shard, expected, found)?;
                sweeping.listed(shard, list);
            }
            Find::Loading { asked, expected, left, .. } => {
                self.observations.store_moved += u64::from(found.marker != expected);
                sweeping.stage = Find::Meeting { left };
                for (visitor, profile) in asked.into_iter().zip(unmoved(shard, expected, found)?) {
                    reign.engine.load(visitor, profile);
                }
            }
            other => sweeping.stage = other,
        }
        Ok(true)
    }

    /// Meets the next page of visitors, or reads their profiles first.
    fn take_page(&mut self, ticket: Ticket, now: Moment) -> Result<(), Trouble> {
        let pace = self.settings.pace;
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let Some(sweeping) = &mut reign.sweeping else { return Ok(()) };
        let Some(&shard) = sweeping.left.front() else { return Ok(()) };
        let Find::Meeting { left } = &mut sweeping.stage else { return Ok(()) };
        let page: Vec<_> = left.iter().take(pace.sweep_page).cloned().collect();
        let asked: Vec<_> = page.iter().filter(|v| !reign.engine.holds(v)).cloned().collect();
        if !asked.is_empty() {
            let (left, expected) = (std::mem::take(left), reign.overlay.expected(shard));
            self.effects.push(Effect::ReadStore(ticket, vec![(shard, asked.clone())]));
            reign.sweep_guests.extend(asked.iter().cloned());
            sweeping.stage = Find::Loading { ticket, asked, expected, left };
            return Ok(());
        }
        left.drain(..page.len());
        let last = if left.is_empty() { None } else { page.last().cloned() };
        if last.is_none() {
            sweeping.left.pop_front();
            sweeping.stage = Find::Begin;
        }
        sweeping.met += page.len() as u64;
        let paced = page.len() as u64 * 1_000 / u64::from(pace.sweep_per_second.max(1));
        sweeping.rest_until = now.monotonic + Millis::new(i64::try_from(paced).unwrap_or(0));
        self.observations.swept += page.len() as u64;
        self.meet(&page, Met { shard, last }, now)
    }

    /// Brings a page up to date, and appends what came of it.
    fn meet(&mut self, page: &[VisitorId], met: Met, now: Moment) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let mut decided = Decided::default();
        let (engine, draft) = (&mut reign.engine, &mut decided.draft);
        if catch_unwind(AssertUnwindSafe(|| engine.sweep(page, draft))).is_err() {
            self.observations.panics += 1;
            return Err(Trouble::Refuse(Refusal::bug(format!(
                "bringing a visitor of shard {} up to date with new rules panicked",
                met.shard
            ))));
        }
        self.observations.decided(&decided);
        let Some(sweeping) = &mut reign.sweeping else { return Ok(()) };
        let over = sweeping.left.is_empty();
        sweeping.quiet += 1;
        if decided.draft.is_empty() && !over && sweeping.quiet < QUIET_PAGES {
            self.see_guests_off();
            return Ok(());
        }
        sweeping.quiet = 0;
        reign.engine.swept_to(met.shard, met.last.clone());
        sweeping.logged.met = Some(met);
        if over {
            tracing::info!(
                partition = self.partition.get(),
                profiles = sweeping.met,
                "everybody is met under the new rules"
            );
            reign.sweeping = None;
            reign.engine.end_sweep();
        }
        let batch = self.nothing_cut(now);
        let appended = self.append(&batch, decided, now);
        self.see_guests_off();
        appended
    }

    /// Lets go of profiles that were read for the sweep alone.
    fn see_guests_off(&mut self) {
        let Ownership::Owning(reign) = &mut self.state else { return };
        for visitor in std::mem::take(&mut reign.sweep_guests) {
            if !reign.overlay.pinned(&visitor) {
                reign.engine.let_go(&visitor);
            }
        }
    }
}
