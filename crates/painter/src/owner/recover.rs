//! From a claim of our own to a reign: markers, log, profiles, tail, in this order.
//!
//! The markers of all shards are read first. The log is read from the lowest of them (or its beginning) up to the claim;
//! what shards lack is folded into their stored profiles, page by page, each read checking that the marker is still the
//! one found first. Last the tail of the changes topic tells what is published. Whatever moves meanwhile ends the attempt.

use super::decide::unmoved;
use super::reign::{Flight, Reign, Stage, Walk};
use super::settle::foreign;
use super::{Owner, Ownership, Trouble};
use crate::clock::Moment;
use crate::effect::{Effect, Refusal};
use crate::merge::Inputs;
use crate::overlay::{BUCKET, Overlay, bucket};
use crate::render;
use crate::rules::Known;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tzeva_commit::port::{LogEntry, LogPage, Outgoing, PortError, ShardRead, Ticket};
use tzeva_commit::{Effects, Expected, Lacking, Ledger, Marker, Recovered, Recovery, decode};
use tzeva_engine::{Engine, Rules};
use tzeva_model::{ChangeNumber, LogOffset, Millis, Shard, UnixMillis, VisitorId};
use tzeva_profile::{Profile, fold};

/// A recovery under way.
#[derive(Debug)]
pub(super) struct Recover {
    /// Our claim.
    claim: LogOffset,
    markers: BTreeMap<Shard, Option<Marker>>,
    recovery: Option<Recovery>,
    /// Profiles that the store lacks, folded as far as the log was read.
    folded: BTreeMap<VisitorId, Option<Profile>>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Markers(Ticket),
    /// The first record of the log is read.
    Head(Ticket),
    Log(Ticket),
    /// Profiles are read, to fold into; reading the log goes on at `next`.
    Profiles {
        ticket: Ticket,
        wanted: Vec<(Shard, Vec<VisitorId>)>,
        lacking: Vec<Lacking>,
        next: LogOffset,
    },
    Tail(Ticket),
}

// === impl Recover ===

impl Recover {
    /// A recovery under the claim at `claim`, whose read of all markers is under way.
    pub(super) fn new(claim: LogOffset, ticket: Ticket) -> Self {
        Self {
            claim,
            markers: BTreeMap::new(),
            recovery: None,
            folded: BTreeMap::new(),
            phase: Phase::Markers(ticket),
        }
    }

    /// Feeds a page up to our claim; where to read on, if there is more.
    fn feed(
        &mut self,
        entries: Vec<LogEntry>,
        next: LogOffset,
    ) -> Result<Option<LogOffset>, Trouble> {
        let Some(recovery) = &mut self.recovery else { return Ok(None) };
        for entry in entries.into_iter().filter(|entry| entry.offset <= self.claim) {
            let record =
                decode(&entry.bytes).map_err(|error| foreign(entry.offset, &error.to_string()))?;
            recovery
                .feed(entry.offset, record)
                .map_err(|why| Trouble::Refuse(Refusal::unfit(why)))?;
        }
        Ok((next <= self.claim).then_some(next))
    }

    /// Folds what shards lack into `folded`, which holds every visitor concerned.
    fn fold(&mut self, lacking: Vec<Lacking>) -> Result<(), Trouble> {
        for Lacking { seq, delta, .. } in lacking {
            let before = self.folded.remove(&delta.visitor).flatten();
            let after = fold(before, &delta, seq).map_err(|error| {
                Trouble::Refuse(Refusal::unfit(format!(
                    "the delta of commit {seq} does not fit its profile: {error}"
                )))
            })?;
            self.folded.insert(delta.visitor, after);
        }
        Ok(())
    }
}

impl Owner {
    fn recovering(&mut self) -> Option<&mut Recover> {
        match &mut self.state {
            Ownership::Recovering(recover) => Some(recover),
            _ => None,
        }
    }

    /// Markers, or profiles to fold into.
    pub(super) fn recovery_read(
        &mut self,
        ticket: Ticket,
        read: Result<Vec<ShardRead>, PortError>,
    ) -> Result<(), Trouble> {
        let next_ticket = self.ticket();
        let Some(recover) = self.recovering() else { return Ok(()) };
        match std::mem::replace(&mut recover.phase, Phase::Tail(Ticket(0))) {
            Phase::Markers(mine) if mine == ticket => {
                let read = read.map_err(|error| Self::refuse_or_again(&error))?;
                recover.markers = read.into_iter().map(|read| (read.shard, read.marker)).collect();
                recover.phase = Phase::Head(next_ticket);
                let begin = self.log_begin;
                self.effects.push(Effect::ReadLog(next_ticket, begin, Some(begin.next())));
                Ok(())
            }
            Phase::Profiles { ticket: mine, wanted, lacking, next } if mine == ticket => {
                let read = read.map_err(|error| Self::refuse_or_again(&error))?;
                for ((shard, visitors), found) in wanted.into_iter().zip(read) {
                    let expected = recover.markers.get(&shard).copied().flatten();
                    let profiles = unmoved(shard, expected, found)?;
                    recover.folded.extend(visitors.into_iter().zip(profiles));
                }
                recover.fold(lacking)?;
                self.read_on(Some(next))
            }
            other => {
                recover.phase = other;
                Ok(())
            }
        }
    }

    /// A page of the log.
    pub(super) fn recovery_page(
        &mut self,
        ticket: Ticket,
        page: Result<LogPage, PortError>,
    ) -> Result<(), Trouble> {
        let (settings, next_ticket) = (Arc::clone(&self.settings), self.ticket());
        let Some(recover) = self.recovering() else { return Ok(()) };
        match recover.phase {
            Phase::Head(mine) if mine == ticket => {
                let page = page.map_err(|error| Self::refuse_or_again(&error))?;
                let head = page.entries.first().map(|entry| {
                    let record = decode(&entry.bytes);
                    record.map(|record| (entry.offset, record))
                });
                let head = head.transpose().map_err(|e| foreign(page.begin, &e.to_string()))?;
                let expected = Expected {
                    partitions: settings.partitions,
                    topics: settings
                        .topics
                        .iter()
                        .map(|topic| topic.name.as_str().into())
                        .collect(),
                };
                let markers = recover.markers.iter().map(|(shard, marker)| (*shard, *marker));
                let head = head.as_ref().map(|(offset, record)| (*offset, record));
                let recovery = Recovery::begin(expected, markers, head)
                    .map_err(|why| Trouble::Refuse(Refusal::unfit(why)))?;
                let start = recovery.start();
                recover.recovery = Some(recovery);
                recover.phase = Phase::Log(next_ticket);
                let to = recover.claim.next();
                self.effects.push(Effect::ReadLog(next_ticket, start, Some(to)));
                Ok(())
            }
            Phase::Log(mine) if mine == ticket => {
                let page = page.map_err(|error| Self::refuse_or_again(&error))?;
                let next = recover.feed(page.entries, page.next)?;
                self.fold_page(next)
            }
            _ => Ok(()),
        }
    }

    /// Folds what a page showed to be lacking, reading the profiles concerned first.
    fn fold_page(&mut self, next: Option<LogOffset>) -> Result<(), Trouble> {
        let ticket = self.ticket();
        let Some(recover) = self.recovering() else { return Ok(()) };
        let lacking = recover.recovery.as_mut().map(Recovery::take_lacking).unwrap_or_default();
        let mut wanted: BTreeMap<Shard, BTreeSet<VisitorId>> = BTreeMap::new();
        for Lacking { shard, delta, .. } in &lacking {
            if !recover.folded.contains_key(&delta.visitor) {
                wanted.entry(*shard).or_default().insert(delta.visitor.clone());
            }
        }
        if wanted.is_empty() {
            recover.fold(lacking)?;
            return self.read_on(next);
        }
        let wanted: Vec<_> =
            wanted.into_iter().map(|(shard, set)| (shard, set.into_iter().collect())).collect();
        let after = recover.claim.next();
        self.effects.push(Effect::ReadStore(ticket, Vec::clone(&wanted)));
        let Some(recover) = self.recovering() else { return Ok(()) };
        let next = next.unwrap_or(after);
        recover.phase = Phase::Profiles { ticket, wanted, lacking, next };
        Ok(())
    }

    /// Reads the log on, or, when all is read, the tail of the changes topic.
    fn read_on(&mut self, next: Option<LogOffset>) -> Result<(), Trouble> {
        let ticket = self.ticket();
        let Some(recover) = self.recovering() else { return Ok(()) };
        let claim = recover.claim;
        if let Some(next) = next.filter(|&next| next <= claim) {
            recover.phase = Phase::Log(ticket);
            self.effects.push(Effect::ReadLog(ticket, next, Some(claim.next())));
        } else {
            recover.phase = Phase::Tail(ticket);
            self.effects.push(Effect::Tail(ticket));
        }
        Ok(())
    }

    /// The last thing to know: what is published. The reign begins.
    pub(super) fn tail_found(
        &mut self,
        ticket: Ticket,
        tail: Result<Option<ChangeNumber>, PortError>,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Some(recover) = self.recovering() else { return Ok(()) };
        if !matches!(recover.phase, Phase::Tail(mine) if mine == ticket) {
            return Ok(());
        }
        let tail = tail.map_err(|error| Self::refuse_or_again(&error))?;
        let Some(mut recovery) = recover.recovery.take() else { return Ok(()) };
        let standing = recovery.finish().map_err(|why| Trouble::Refuse(Refusal::unfit(why)))?;
        if standing.epoch != Some(recover.claim.as_epoch()) {
            return Err(Trouble::Again("our claim does not hold in the log".into()));
        }
        let rules = self.rules_of(standing.rules_version)?;
        let former =
            standing.sweep.as_ref().map(|sweep| self.rules_of(sweep.former)).transpose()?;
        let Some(recover) = self.recovering() else { return Ok(()) };
        let markers: Vec<_> =
            recover.markers.iter().map(|(shard, marker)| (*shard, *marker)).collect();
        let folded = std::mem::take(&mut recover.folded);
        let effects = recovery.take_effects();
        let claim = recover.claim;
        let next =
            standing.publish_from(tail).map_err(|why| Trouble::Refuse(Refusal::unfit(why)))?;
        let published = ChangeNumber::new(next.get().saturating_sub(1));
        let mut reign = self.reign(claim, &standing, &markers, rules.clone());
        reign.published_n = published;
        for &(shard, _) in &markers {
            reign.overlay.touch(shard, recovery.touched(shard));
        }
        for (visitor, profile) in &folded {
            reign.engine.load(visitor.clone(), profile.clone());
            reign.overlay.pin(visitor, standing.seq);
        }
        if let Some((former, logged)) = former.zip(standing.sweep.clone()) {
            self.resume_sweep(&mut reign, former, logged);
        }
        if let Some(position) = recovery.position() {
            let messages = self.republish(&effects, &reign);
            let flight = Flight {
                ticket,
                seq: position.seq,
                epoch: position.epoch,
                offset: position.offset,
                sent: now.monotonic,
                clock: standing.clock,
                rules,
                snapshots: folded.into_iter().collect(),
                changes: vec![],
                changes_from: reign.next_n,
                messages: vec![],
                names: vec![],
                decided: standing.inputs.clone(),
                record_time: None,
            };
            let ticket = self.ticket();
            reign.last = Marker { seq: tzeva_model::Seq::new(0), ..position };
            reign.publishing.push_back((ticket, vec![flight]));
            self.effects.push(Effect::Publish(ticket, messages));
        }
        self.effects.push(Effect::Open(reign.session, standing.inputs));
        tracing::info!(
            partition = self.partition.get(),
            epoch = claim.get(),
            seq = standing.seq.get(),
            "owning"
        );
        self.enter(Ownership::Owning(Box::new(reign)));
        Ok(())
    }

    fn reign(
        &mut self,
        claim: LogOffset,
        standing: &Recovered,
        markers: &[(Shard, Option<Marker>)],
        rules: Rules,
    ) -> Reign {
        self.session += 1;
        self.clock.at_least(standing.clock);
        let settings = &self.settings;
        let kinds: Vec<_> = settings.topics.iter().map(|topic| topic.time).collect();
        let overlay = Overlay::new(markers);
        let filed = overlay.filed_until();
        let stored: VecDeque<Shard> = markers
            .iter()
            .filter(|(_, marker)| marker.is_some())
            .map(|(shard, _)| *shard)
            .collect();
        let armed_until = if stored.is_empty() { UnixMillis::MAX } else { standing.until };
        let walk =
            if stored.is_empty() { Walk::Done } else { Walk::Going { left: stored, ticket: None } };
        Reign {
            incarnation: standing.incarnation,
            ledger: Ledger::new(claim, standing.seq),
            engine: Engine::under(rules, settings.engine.clone(), standing.until),
            inputs: Inputs::new(&kinds, &standing.inputs),
            session: self.session,
            next_n: standing.n.next(),
            published_n: ChangeNumber::new(0),
            stage: Stage::Idle,
            flights: VecDeque::new(),
            publishing: VecDeque::new(),
            last: Marker {
                incarnation: standing.incarnation,
                offset: claim,
                epoch: claim.as_epoch(),
                seq: tzeva_model::Seq::new(0),
                filed_until: UnixMillis::MIN,
            },
            gap: None,
            proof: None,
            proof_at: Millis::ZERO,
            armed_until,
            dues: due_sets(standing.until, filed, markers),
            due: None,
            walk,
            applies: Vec::new(),
            appended_at: Millis::ZERO,
            markers_at: Millis::ZERO,
            filed_at: None,
            forgotten_until: UnixMillis::new(0),
            overlay,
            audiences_met: false,
            rules_seen: 0,
            rules_noticed: None,
            sweeping: None,
            sweep_guests: Vec::new(),
        }
    }

    /// What former owners may not have published.
    fn republish(&mut self, effects: &[Effects], reign: &Reign) -> Vec<Outgoing> {
        for name in effects.iter().flat_map(|effects| &effects.names) {
            self.names.learn(name);
        }
        let mut messages = Vec::new();
        for effects in effects {
            messages.extend(effects.names.iter().map(render::name));
            let done = !effects.changes.is_empty() && effects.last_change() <= reign.published_n;
            if !done {
                let letters = &effects.dead_letters;
                let place = (self.partition, effects.rules_version);
                messages.extend(render::dead_letters(letters, &self.settings, place));
            }
            // The rules of long ago may not be known here: names tell what is left to tell.
            let rules = match self.settings.rules.get(effects.rules_version) {
                Known::Usable(rules) => rules,
                Known::Unusable(_) | Known::Unheard => reign.engine.rules().clone(),
            };
            let changes = (effects.changes.as_slice(), effects.changes_from);
            messages.extend(self.unpublished(reign, changes, rules.set(), effects.clock));
        }
        messages
    }
}

/// The due sets to read before the walk is through: those from now on, if they reach into the future at all.
fn due_sets(
    until: UnixMillis,
    filed: UnixMillis,
    markers: &[(Shard, Option<Marker>)],
) -> VecDeque<(Shard, UnixMillis)> {
    let mut sets = VecDeque::new();
    let mut from = bucket(until);
    while from < filed && until < filed {
        sets.extend(markers.iter().map(|&(shard, _)| (shard, from)));
        from = from + BUCKET;
    }
    sets
}
