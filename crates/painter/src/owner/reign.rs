//! What an owner holds while it owns.

use super::sweep::{SweepStandings, Sweeping};
use crate::batch::Batch;
use crate::merge::Inputs;
use crate::overlay::{Overlay, Snapshot};
use std::collections::VecDeque;
use tzeva_commit::port::{Outgoing, Ticket};
use tzeva_commit::{Ledger, Marker};
use tzeva_decode::SchemaKey;
use tzeva_engine::{Engine, Rules};
use tzeva_model::{
    Change, ChangeNumber, Epoch, Incarnation, LogOffset, Millis, NameId, RulesVersion, Seq, Shard,
    SourceOffset, UnixMillis, VisitorId,
};

/// Everything of one epoch.
#[derive(Debug)]
pub(super) struct Reign {
    pub incarnation: Incarnation,
    pub ledger: Ledger,
    pub engine: Engine,
    pub inputs: Inputs,
    pub session: u64,
    pub overlay: Overlay,
    /// The number of the next change.
    pub next_n: ChangeNumber,
    /// The highest change known to be published.
    pub published_n: ChangeNumber,
    pub stage: Stage,
    /// Appended, and not known to count.
    pub flights: VecDeque<Flight>,
    /// They count, and are being published, in order.
    pub publishing: VecDeque<(Ticket, Vec<Flight>)>,
    /// The marker of the last commit that is published; what applies may move to.
    pub last: Marker,
    /// The gap that is being read.
    pub gap: Option<Gap>,
    /// The proof asked for.
    pub proof: Option<Ticket>,
    pub proof_at: Millis,
    /// Every deadline before this is armed in the engine.
    pub armed_until: UnixMillis,
    pub dues: VecDeque<(Shard, UnixMillis)>,
    pub due: Option<Ticket>,
    pub walk: Walk,
    pub applies: Vec<(Ticket, Millis)>,
    pub appended_at: Millis,
    pub markers_at: Millis,
    pub filed_at: Option<Millis>,
    pub forgotten_until: UnixMillis,
    /// The names of the audiences in force are in the log.
    pub audiences_met: bool,
    /// So many published sets were looked at: none of them is to be switched to.
    pub rules_seen: u64,
    /// When rules to switch to were first seen, by the broker's clock.
    pub rules_noticed: Option<UnixMillis>,
    pub sweeping: Option<Sweeping>,
    /// Visitors that were loaded for the sweep alone.
    pub sweep_guests: Vec<VisitorId>,
}

/// How an owner stands, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standings {
    /// The offset of its claim.
    pub epoch: i64,
    /// The last commit that is published.
    pub seq: Seq,
    /// Engine time.
    pub engine_time: UnixMillis,
    /// Records of the source topics that no commit has decided, as of the last fetch.
    pub lag: i64,
    /// Profiles in memory.
    pub profiles: usize,
    /// Profiles not yet in the store.
    pub unapplied: usize,
    /// The first offset not decided, a topic each.
    pub decided: Vec<SourceOffset>,
    /// True if all sources are at their end and decided.
    pub drained: bool,
    /// True if all deadlines are armed.
    pub walked: bool,
    /// The earliest deadline that is armed.
    pub next_deadline: Option<UnixMillis>,
    /// True if nothing is on its way to the log or to the changes topic.
    pub quiet: bool,
    /// The rules in force.
    pub rules: RulesVersion,
    /// The sweep that is under way.
    pub sweep: Option<SweepStandings>,
}

/// What is done with the next commit.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing yet.
    Idle,
    /// It waits for a schema.
    Schema(Batch, SchemaKey),
    /// It waits for profiles.
    Loading(Loading),
}

/// A batch whose profiles are being read.
#[derive(Debug)]
pub(super) struct Loading {
    pub batch: Batch,
    pub until: UnixMillis,
    pub ticket: Ticket,
    pub wanted: Vec<(Shard, Vec<VisitorId>)>,
    pub expected: Vec<Option<Marker>>,
}

/// A commit on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub ticket: Ticket,
    pub seq: Seq,
    /// The epoch it was decided under: of a recovered one, an earlier owner's.
    pub epoch: Epoch,
    pub offset: LogOffset,
    pub sent: Millis,
    pub clock: UnixMillis,
    /// The rules it was decided under.
    pub rules: Rules,
    pub snapshots: Vec<Snapshot>,
    pub changes: Vec<Change>,
    pub changes_from: ChangeNumber,
    /// Dead letters and names, rendered already.
    pub messages: Vec<Outgoing>,
    /// The names it records.
    pub names: Vec<NameId>,
    pub decided: Vec<SourceOffset>,
    /// The record time of the last record in it, if it has one.
    pub record_time: Option<UnixMillis>,
}

/// A gap in the log that is being read.
#[derive(Debug)]
pub(super) struct Gap {
    pub ticket: Ticket,
    pub to: LogOffset,
    pub entries: Vec<(LogOffset, tzeva_commit::LogRecord)>,
}

/// The walk over all stored profiles that arms their deadlines.
#[derive(Debug)]
pub(super) enum Walk {
    /// These shards are left; the page asked for.
    Going { left: VecDeque<Shard>, ticket: Option<Ticket> },
    /// All are met.
    Done,
}

// === impl Reign ===

impl Reign {
    pub(super) fn standings(&self) -> Standings {
        Standings {
            epoch: self.ledger.epoch().get(),
            seq: self.last.seq,
            engine_time: self.engine.engine_time(),
            lag: self.inputs.lag(),
            profiles: self.engine.len(),
            unapplied: self.overlay.len(),
            decided: self.inputs.decided(),
            drained: self.inputs.drained(),
            walked: matches!(self.walk, Walk::Done),
            next_deadline: self.engine.next_deadline(),
            quiet: self.quiet() && matches!(self.stage, Stage::Idle),
            rules: self.engine.rules().version(),
            sweep: self.sweeping.as_ref().map(Sweeping::standings),
        }
    }

    /// True if nothing is on its way to the log or to the changes topic.
    pub(super) fn quiet(&self) -> bool {
        self.flights.is_empty() && self.publishing.is_empty()
    }
}
