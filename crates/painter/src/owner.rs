//! The owner of a partition: a state machine without I/O. `apply` takes in one thing that happened and says what is
//! asked of the world; all state changes here and nowhere else.
//!
//! | state | enters | leaves |
//! |---|---|---|
//! | `Idle` | at first, and when let go | the group hints that the partition belongs here |
//! | `Probing` | from `Idle`, `Waiting` | the log's bounds are known: empty → `Anchoring`, else `Claiming` |
//! | `Anchoring` | the log is empty | the anchor is answered, whatever the answer: → `Claiming`, which reads what is there |
//! | `Claiming` | | acked → `Recovering`; unknown → `Waiting` |
//! | `Recovering` | markers, log, profiles, tail, in this order | all folded → `Owning`; the store moved → `Waiting` |
//! | `Owning` | | fenced, unknown, the store went back → `Waiting`; stopped or revoked → drains, then `Idle` |
//! | `Waiting` | | its time is over, the log's rules are heard of, and the partition still belongs here → `Probing`; else `Idle` |
//! | `Refused` | a person has to act | never |
//!
//! A first start does the same as any other: it claims and recovers, from an anchor that it wrote itself.

mod acquire;
mod decide;
mod recover;
mod reign;
mod rules;
mod settle;
mod store;
mod sweep;
mod time;

pub use reign::Standings;
pub use sweep::SweepStandings;

use crate::clock::{BrokerClock, Moment};
use crate::effect::{Effect, Happening, Input, Refusal};
use crate::names::Catalogue;
use crate::observe::Observations;
use crate::settings::{FirstStart, Settings};
use recover::Recover;
use reign::Reign;
use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_commit::port::{PortError, SourceReply, Ticket};
use tzeva_decode::Decoder;
use tzeva_model::{
    LogOffset, Millis, Partition, RulesVersion, SourceOffset, TopicIndex, UnixMillis,
};

/// The one task that may decide for a partition.
pub struct Owner {
    partition: Partition,
    settings: Arc<Settings>,
    first: FirstStart,
    state: Ownership,
    /// The group says that the partition belongs here.
    assigned: bool,
    /// The process is to end.
    stopping: bool,
    clock: BrokerClock,
    names: Catalogue,
    /// One a source topic, in order.
    decoders: Vec<Decoder>,
    /// How often the handling of a record has panicked: after the second time it becomes a dead letter.
    suspects: BTreeMap<(TopicIndex, SourceOffset), u32>,
    backoff: Millis,
    /// Why the last reign or recovery ended before its time; `None`: it owns, or has nothing to own.
    trouble: Option<String>,
    /// Rules that the log named and that weren't heard of then.
    unheard: Option<RulesVersion>,
    tickets: u64,
    session: u64,
    /// Where the log began when it was last probed.
    log_begin: LogOffset,
    random: u64,
    effects: Vec<Effect>,
    /// What happened, for metrics; the driver takes it.
    pub observations: Observations,
}

/// Where an owner stands.
#[derive(Debug)]
enum Ownership {
    Idle,
    Probing(Ticket),
    Anchoring(Ticket),
    Claiming(Ticket),
    Recovering(Box<Recover>),
    Owning(Box<Reign>),
    Waiting { until: Millis },
    Refused,
}

/// Why a reign or a recovery ends before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Claim again, after a while: the log or the store moved on without us.
    Again(String),
    /// The fate of the append under this ticket is unknown: claim again, by a new producer.
    Unknown(Ticket, String),
    /// Somebody has to act.
    Refuse(Refusal),
}

// === impl Owner ===

impl Owner {
    /// An owner that owns nothing yet.
    ///
    /// `decoders` has one for each source topic, in order; `first` says where to read from if the log is empty; `seed` varies nonces and waiting times between processes.
    #[must_use]
    pub fn new(
        partition: Partition,
        settings: Arc<Settings>,
        decoders: Vec<Decoder>,
        first: FirstStart,
        seed: u64,
    ) -> Self {
        let names = Catalogue::new(settings.names.clone(), settings.pace.names_per_minute);
        Self {
            partition,
            first,
            state: Ownership::Idle,
            assigned: false,
            stopping: false,
            clock: BrokerClock::new(UnixMillis::new(0), settings.pace.clock),
            names,
            decoders,
            suspects: BTreeMap::new(),
            backoff: settings.pace.claim_again,
            trouble: None,
            unheard: None,
            settings,
            tickets: 0,
            session: 0,
            log_begin: LogOffset::new(0),
            random: seed ^ (u64::from(partition.get()) << 48) ^ 0x9e37_79b9_7f4a_7c15,
            effects: Vec::new(),
            observations: Observations::default(),
        }
    }

    /// The partition.
    #[must_use]
    pub const fn partition(&self) -> Partition {
        self.partition
    }

    /// One word on where it stands.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match &self.state {
            Ownership::Idle => "idle",
            Ownership::Probing(_) => "probing",
            Ownership::Anchoring(_) => "anchoring",
            Ownership::Claiming(_) => "claiming",
            Ownership::Recovering(_) => "recovering",
            Ownership::Owning(_) => "owning",
            Ownership::Waiting { .. } => "waiting",
            Ownership::Refused => "refused",
        }
    }

    /// Why it has to claim again, until it owns.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How it stands as an owner; `None` while it owns nothing.
    #[must_use]
    pub fn standings(&self) -> Option<Standings> {
        match &self.state {
            Ownership::Owning(reign) => Some(reign.standings()),
            _ => None,
        }
    }

    /// Takes in one happening, and says what is asked of the world.
    pub fn apply(&mut self, happening: Happening) -> Vec<Effect> {
        let now = happening.now;
        let done = match happening.input {
            Input::Source(SourceReply::Assigned(_)) => {
                self.assigned = true;
                Ok(())
            }
            Input::Source(SourceReply::Revoked(_)) => {
                self.assigned = false;
                Ok(())
            }
            Input::Source(SourceReply::Lost(_, error)) => {
                Err(Trouble::Refuse(Refusal::world(&error)))
            }
            Input::Source(reply) => self.source(reply, now),
            Input::Log(reply) => self.log(reply, now),
            Input::Store(reply) => self.store(reply, now),
            Input::Changes(reply) => self.changes(reply, now),
            Input::Schema(key, schema) => self.schema(&key, schema.as_deref(), now),
            Input::Tick => Ok(()),
            Input::Stop => {
                self.stopping = true;
                Ok(())
            }
        };
        let done = done.and_then(|()| self.upkeep(now));
        if let Err(trouble) = done {
            self.end(trouble, now);
        }
        std::mem::take(&mut self.effects)
    }

    /// What every happening ends with: whatever can go on goes on.
    fn upkeep(&mut self, now: Moment) -> Result<(), Trouble> {
        let wanted = self.assigned && !self.stopping;
        match &self.state {
            Ownership::Idle if wanted => self.probe(),
            Ownership::Idle if self.stopping => self.effects.push(Effect::Released),
            Ownership::Waiting { .. } if !wanted => self.let_go(),
            Ownership::Waiting { until } if now.monotonic >= *until && !self.lacks_rules() => {
                self.probe();
            }
            Ownership::Owning(_) => {
                self.drive(now)?;
                if !wanted {
                    self.drain(now)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends whatever is under way.
    fn end(&mut self, trouble: Trouble, now: Moment) {
        if matches!(self.state, Ownership::Refused) {
            return;
        }
        if matches!(self.state, Ownership::Owning(_)) {
            self.effects.push(Effect::Close);
        }
        self.names.forget_pending();
        let why = match trouble {
            Trouble::Refuse(refusal) => {
                let why = &refusal.why;
                tracing::error!(partition = self.partition.get(), why, "partition refused");
                self.observations.refused += 1;
                self.effects.push(Effect::Refused(refusal));
                self.enter(Ownership::Refused);
                return;
            }
            Trouble::Unknown(ticket, why) => {
                self.observations.unknown_outcomes += 1;
                self.effects.push(Effect::RenewLog(ticket));
                why
            }
            Trouble::Again(why) => why,
        };
        tracing::warn!(partition = self.partition.get(), why, "will claim again");
        self.trouble = Some(why);
        // Two owners that duel make no progress: wait, longer each time, never in step.
        let jitter = Millis::new(i64::try_from(self.draw() % 500).unwrap_or(0));
        let until = now.monotonic + self.backoff + jitter;
        let longest = self.settings.pace.claim_again.times(30);
        self.backoff = self.backoff.times(2).min(longest);
        self.enter(Ownership::Waiting { until });
    }

    fn let_go(&mut self) {
        self.effects.push(Effect::Released);
        self.enter(Ownership::Idle);
    }

    fn enter(&mut self, state: Ownership) {
        if matches!(state, Ownership::Idle | Ownership::Owning(_) | Ownership::Refused) {
            self.trouble = None;
        }
        self.state = state;
        tracing::debug!(partition = self.partition.get(), state = self.state(), "ownership");
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// The next of a sequence of numbers (splitmix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn refuse_or_again(error: &PortError) -> Trouble {
        if error.transient {
            Trouble::Again(error.to_string())
        } else {
            Trouble::Refuse(Refusal::world(error))
        }
    }
}

/// Where reading the log goes on; `None`: all is read.
fn rest(next: LogOffset, end: LogOffset) -> Option<LogOffset> {
    (next < end).then_some(next)
}
