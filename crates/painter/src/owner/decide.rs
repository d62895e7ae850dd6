//! Cut, decode, load, decide, append: the way of one commit from the source buffers to the log.

use super::reign::{Flight, Loading, Reign, Stage};
use super::{Owner, Ownership, Trouble};
use crate::batch::{Batch, Decided};
use crate::clock::Moment;
use crate::effect::{Effect, Refusal};
use crate::{flow, render};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tzeva_commit::port::{PortError, ShardRead, SourceReply, Ticket};
use tzeva_commit::{Commit, Marker, Part, ShardLink, split};
use tzeva_decode::{NotFound, SchemaKey};
use tzeva_model::{ChangeNumber, LogOffset, Shard, UnixMillis, VisitorId};
use tzeva_profile::{Delta, Profile, stored};

/// The version of the deciding code: moves with what a commit means.
const CODE_VERSION: u32 = 1;

impl Owner {
    pub(super) fn source(&mut self, reply: SourceReply, now: Moment) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        match reply {
            SourceReply::Records { session, topic, records, position, at_end, end, .. } => {
                if session == reign.session {
                    reign.inputs.ends_at(topic, end);
                    reign.inputs.fetched(topic, records, position, at_end);
                    let turned = reign.inputs.pauses();
                    self.effects
                        .extend(turned.into_iter().map(|(t, paused)| Effect::Pause(t, paused)));
                }
                Ok(())
            }
            SourceReply::Ends(_, ticket, ends) => self.proven(ticket, ends, now),
            SourceReply::Assigned(_) | SourceReply::Revoked(_) | SourceReply::Lost(..) => Ok(()),
        }
    }

    /// Takes the next commit as far as it goes. True if it got somewhere, and may again.
    pub(super) fn advance(&mut self, now: Moment) -> Result<bool, Trouble> {
        let pace = self.settings.pace;
        let Ownership::Owning(reign) = &mut self.state else { return Ok(false) };
        if !matches!(reign.stage, Stage::Idle) || reign.flights.len() >= pace.flights {
            return Ok(false);
        }
        let clock = self.clock.now(now);
        let Some(next) = reign.inputs.next_time(clock) else { return Ok(false) };
        if next >= reign.armed_until {
            return Ok(false);
        }
        // A storm of deadlines before the next record gets commits of its own, of bounded size.
        let reach = reign.engine.until_within(UnixMillis::MAX, pace.deadlines);
        let limit = if reach < next { 0 } else { pace.batch };
        let latest = reach.max(next).min(reign.armed_until);
        let batch = Batch::new(reign.inputs.cut(limit, latest, clock));
        let turned = reign.inputs.pauses();
        self.effects.extend(turned.into_iter().map(|(topic, paused)| Effect::Pause(topic, paused)));
        let until = batch.last_time().unwrap_or(reach);
        self.decode(batch, until, now)?;
        Ok(true)
    }

    pub(super) fn schema(
        &mut self,
        key: &SchemaKey,
        schema: Option<&str>,
        now: Moment,
    ) -> Result<(), Trouble> {
        for decoder in &mut self.decoders {
            decoder.learn(*key, schema.ok_or(NotFound));
        }
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        match std::mem::replace(&mut reign.stage, Stage::Idle) {
            Stage::Schema(batch, wanted) if wanted == *key => {
                let until = batch.last_time().unwrap_or(reign.engine.engine_time());
                self.decode(batch, until, now)
            }
            other => {
                reign.stage = other;
                Ok(())
            }
        }
    }

    fn decode(&mut self, mut batch: Batch, until: UnixMillis, now: Moment) -> Result<(), Trouble> {
        for (&(topic, offset), _) in self.suspects.iter().filter(|&(_, &times)| times > 1) {
            batch.condemn(topic, offset);
        }
        let (decoders, partition) = (&mut self.decoders, self.partition);
        let decoded =
            catch_unwind(AssertUnwindSafe(|| flow::decode(&mut batch, decoders, partition)));
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        match decoded {
            Ok(Ok(())) => self.load(batch, until, now),
            Ok(Err(key)) => {
                self.effects.push(Effect::FetchSchema(key));
                reign.stage = Stage::Schema(batch, key);
                Ok(())
            }
            Err(_) => Err(self.panicked(&batch)),
        }
    }

    /// Reads the profiles that the batch needs and memory lacks.
    pub(super) fn load(
        &mut self,
        batch: Batch,
        until: UnixMillis,
        now: Moment,
    ) -> Result<(), Trouble> {
        let ticket = self.ticket();
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let wanted = missing(reign, &batch, until);
        if wanted.is_empty() {
            return self.decide(batch, until, now);
        }
        let expected = wanted.iter().map(|(shard, _)| reign.overlay.expected(*shard)).collect();
        self.effects.push(Effect::ReadStore(ticket, wanted.clone()));
        reign.stage = Stage::Loading(Loading { batch, until, ticket, wanted, expected });
        Ok(())
    }

    pub(super) fn loaded(
        &mut self,
        ticket: Ticket,
        mut read: Result<Vec<ShardRead>, PortError>,
        now: Moment,
    ) -> Result<(), Trouble> {
        if self.sweep_loaded(ticket, &mut read)? {
            return Ok(());
        }
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if !matches!(&reign.stage, Stage::Loading(loading) if loading.ticket == ticket) {
            return Ok(());
        }
        let Stage::Loading(loading) = std::mem::replace(&mut reign.stage, Stage::Idle) else {
            return Ok(());
        };
        let read = read.map_err(|error| Self::refuse_or_again(&error))?;
        let asked = loading.wanted.into_iter().zip(loading.expected).zip(read);
        for (((shard, visitors), expected), found) in asked {
            self.observations.store_moved += u64::from(found.marker != expected);
            for (visitor, profile) in visitors.into_iter().zip(unmoved(shard, expected, found)?) {
                reign.engine.load(visitor, profile);
            }
        }
        // What was loaded may have brought nearer deadlines of others into view: ask again until nothing is missing.
        self.load(loading.batch, loading.until, now)
    }

    fn decide(&mut self, mut batch: Batch, until: UnixMillis, now: Moment) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        let (engine, names) = (&mut reign.engine, &mut self.names);
        let work = AssertUnwindSafe(|| flow::decide(&mut batch, until, engine, names));
        let Ok(decided) = catch_unwind(work) else { return Err(self.panicked(&batch)) };
        self.observations.decided(&decided);
        self.append(&batch, decided, now)
    }

    /// Makes commit records of what was decided, and appends them.
    pub(super) fn append(
        &mut self,
        batch: &Batch,
        mut decided: Decided,
        now: Moment,
    ) -> Result<(), Trouble> {
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        if !std::mem::replace(&mut reign.audiences_met, true) {
            let audiences = reign.engine.rules().set().audiences.iter();
            let audiences = audiences.map(|audience| &audience.name);
            self.names.meet_audiences(audiences, &mut decided.names);
        }
        let until = reign.engine.engine_time();
        self.clock.at_least(until);
        let changes = u64::try_from(decided.draft.changes.len()).unwrap_or(u64::MAX);
        let changes_from = reign.next_n;
        reign.next_n = ChangeNumber::new(changes_from.get() + changes);
        let commit = Commit {
            epoch: reign.ledger.epoch(),
            seq: reign.ledger.expected(),
            until,
            clock: self.clock.now(now),
            rules_version: reign.engine.rules().version(),
            code_version: CODE_VERSION,
            inputs: batch.ranges.clone(),
            shards: links(reign, &decided.draft.deltas),
            deltas: decided.draft.deltas,
            names: decided.names,
            changes_from,
            changes: decided.draft.changes,
            dead_letters: decided.dead_letters,
            sweep: reign.sweeping.as_ref().map(|sweeping| sweeping.logged.clone()),
            projected: reign.published_n,
            more: false,
        };
        let parts = split(commit, self.settings.pace.record_bytes)
            .map_err(|error| Trouble::Refuse(Refusal::unfit(error)))?;
        for (part, bytes) in parts {
            self.append_part(part, bytes, batch, now)?;
        }
        Ok(())
    }

    fn append_part(
        &mut self,
        part: Commit,
        bytes: Vec<u8>,
        batch: &Batch,
        now: Moment,
    ) -> Result<(), Trouble> {
        let ticket = self.ticket();
        let settings = std::sync::Arc::clone(&self.settings);
        let Ownership::Owning(reign) = &mut self.state else { return Ok(()) };
        part.shards.iter().for_each(|link| reign.overlay.touch(link.shard, part.seq));
        let place = if part.more { Part::More } else { Part::Last };
        if !reign.ledger.append(ticket, part.seq, place) {
            return Err(Trouble::Again("the epoch is over".into()));
        }
        let snapshots = part.deltas.iter().map(|delta| {
            let mut profile = reign.engine.profile(&delta.visitor).cloned();
            profile.iter_mut().for_each(|profile| profile.seq = part.seq);
            reign.overlay.pin(&delta.visitor, part.seq);
            (delta.visitor.clone(), profile)
        });
        let snapshots = snapshots.collect();
        let version = part.rules_version;
        let letters =
            render::dead_letters(&part.dead_letters, &settings, (self.partition, version));
        let names = part.names.iter().map(render::name);
        reign.flights.push_back(Flight {
            ticket,
            seq: part.seq,
            epoch: part.epoch,
            offset: LogOffset::new(0),
            sent: now.monotonic,
            clock: part.clock,
            rules: reign.engine.rules().clone(),
            snapshots,
            messages: names.chain(letters).collect(),
            names: part.names.iter().map(|name| name.id).collect(),
            changes: part.changes,
            changes_from: part.changes_from,
            decided: part.inputs.iter().map(|input| input.next).collect(),
            record_time: batch.last_time(),
        });
        reign.appended_at = now.monotonic;
        self.observations.log_bytes += bytes.len() as u64;
        self.effects.push(Effect::Append(ticket, bytes));
        Ok(())
    }

    fn panicked(&mut self, batch: &Batch) -> Trouble {
        self.observations.panics += 1;
        let Some((topic, offset)) = batch.suspect() else {
            return Trouble::Refuse(Refusal::bug("deciding failed without a record at hand"));
        };
        *self.suspects.entry((topic, offset)).or_default() += 1;
        Trouble::Again(format!(
            "a bug: handling the record at offset {offset} of source {topic} panicked"
        ))
    }
}

/// The visitors to be read from the store, by shard.
fn missing(reign: &Reign, batch: &Batch, until: UnixMillis) -> Vec<(Shard, Vec<VisitorId>)> {
    let mut wanted: BTreeMap<Shard, BTreeSet<VisitorId>> = BTreeMap::new();
    let due = reign.engine.wanted_before(until, usize::MAX);
    let visitors = batch.visitors().filter(|visitor| !reign.engine.holds(visitor)).cloned();
    for visitor in visitors.chain(due) {
        wanted.entry(visitor.shard()).or_default().insert(visitor);
    }
    wanted.into_iter().map(|(shard, visitors)| (shard, visitors.into_iter().collect())).collect()
}

/// The shards that a decision touches, and the commit that touched each before.
fn links(reign: &Reign, deltas: &[Delta]) -> Vec<ShardLink> {
    let shards: BTreeSet<Shard> = deltas.iter().map(|delta| delta.visitor.shard()).collect();
    let link = |shard| ShardLink { shard, prev: reign.overlay.touched(shard) };
    shards.into_iter().map(link).collect()
}

/// The profiles that a read gave, if the shard's marker is still the one expected.
pub(super) fn unmoved(
    shard: Shard,
    expected: Option<Marker>,
    found: ShardRead,
) -> Result<Vec<Option<Profile>>, Trouble> {
    let marker = found.marker;
    if marker != expected {
        return Err(Trouble::Again(format!(
            "the store moved under shard {shard}: expected marker {expected:?}, found {marker:?}"
        )));
    }
    let profile = |bytes: Option<Vec<u8>>| bytes.map(|bytes| stored::decode(&bytes)).transpose();
    let profiles: Result<_, stored::StoredError> =
        found.profiles.into_iter().map(profile).collect();
    profiles.map_err(|error| unreadable(shard, &error.to_string()))
}

pub(super) fn unreadable(shard: Shard, error: &str) -> Trouble {
    Trouble::Refuse(Refusal::unfit(format!(
        "a stored profile of shard {shard} can't be read: {error}; start the version that wrote it, or clear the \
         store: it is rebuilt from the log"
    )))
}
