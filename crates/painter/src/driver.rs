//! The driver: lanes, each a thread that hands happenings to its owners and carries out what they ask for. It decides
//! nothing. A lane owns the partitions whose number leaves its own when divided by the number of lanes.

use crate::clock::Moment;
use crate::effect::{Effect, Happening, Input, Refusal};
use crate::observe::Observations;
use crate::owner::{Owner, Standings};
use crate::ports::{Inbox, Lanes, Ports};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tzeva_model::{Millis, Partition, UnixMillis};

/// What a lane tells the outside: for metrics and pages.
pub trait Watch: Send + Sync {
    /// How a partition stands, why it has to be claimed again until it is owned, what was observed since the last call,
    /// and the wall clock; several times a second.
    fn partition(
        &self,
        partition: Partition,
        state: (&'static str, Option<&str>),
        standings: Option<Standings>,
        seen: (Observations, UnixMillis),
    );
    /// A partition can't be owned until somebody acts.
    fn refused(&self, partition: Partition, why: &str);
    /// The lane that held these partitions has fallen by a bug: nothing here owns them any more.
    fn fell(&self, partitions: &[Partition], why: &str);
}

/// The local clocks.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How a lane ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Stopped, everything applied and let go.
    Clean,
    /// Nothing is left to own: the reasons, a partition each.
    Refused(Vec<(Partition, Refusal)>),
    /// It panicked: a bug. The next owner recovers from the log.
    Fell(String),
}

/// One lane, ready to run.
pub struct Lane {
    /// Its owners.
    pub owners: Vec<Owner>,
    /// Its end of the inbox.
    pub inbox: Receiver<(Partition, Input)>,
    /// The ports.
    pub ports: Ports,
    /// The inbox to answer schemas to.
    pub answers: Inbox,
    /// The clocks.
    pub clock: Clock,
    /// Who watches.
    pub watch: Arc<dyn Watch>,
}

/// A lane while it runs.
struct Running {
    owners: BTreeMap<Partition, Owner>,
    refused: Vec<(Partition, Refusal)>,
    stopping: HashSet<Partition>,
    ports: Ports,
    answers: Inbox,
    watch: Arc<dyn Watch>,
}

/// How often owners are told that time passed.
const TICK: Millis = Millis::new(10);
/// How often the watch hears of each partition.
const REPORT: Millis = Millis::new(200);
/// Happenings handled between two looks at the clock.
const BURST: usize = 64;

// === impl Lanes ===

impl Lanes {
    /// Deals `owners` out to the lanes.
    #[must_use]
    pub fn deal(
        self,
        owners: Vec<Owner>,
        (inbox, ports): (&Inbox, &Ports),
        clock: &Clock,
        watch: &Arc<dyn Watch>,
    ) -> Vec<Lane> {
        let count = self.0.len();
        let lane = |inbox_end| Lane {
            owners: Vec::new(),
            inbox: inbox_end,
            ports: ports.clone(),
            answers: inbox.clone(),
            clock: Arc::clone(clock),
            watch: Arc::clone(watch),
        };
        let mut lanes: Vec<Lane> = self.0.into_iter().map(lane).collect();
        for owner in owners {
            lanes[usize::from(owner.partition().get()) % count].owners.push(owner);
        }
        lanes
    }
}

// === impl Lane ===

impl Lane {
    /// Runs until every owner has let go after a stop, or none is left that could own anything.
    ///
    /// Owners catch what panics while they decide. Whatever else panics ends the lane, and must be heard: a thread that
    /// is gone looks like one that has nothing to do.
    pub fn run(self) -> Ended {
        let partitions: Vec<Partition> = self.owners.iter().map(Owner::partition).collect();
        let watch = Arc::clone(&self.watch);
        catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or_else(|panic| {
            let why = format!("a bug: the thread that owned it panicked: {}", said(&*panic));
            let numbers: Vec<u16> = partitions.iter().map(|partition| partition.get()).collect();
            tracing::error!(partitions = ?numbers, why, "these partitions are owned no more");
            watch.fell(&partitions, &why);
            Ended::Fell(why)
        })
    }

    fn work(self) -> Ended {
        let Self { owners, inbox, ports, answers, clock, watch } = self;
        let owners = owners.into_iter().map(|owner| (owner.partition(), owner)).collect();
        let (refused, stopping) = (Vec::new(), HashSet::new());
        let mut running = Running { owners, refused, stopping, ports, answers, watch };
        let (mut ticked, mut reported) = ((clock)().monotonic, (clock)().monotonic);
        while !running.owners.is_empty() {
            match inbox.recv_timeout(Duration::from_millis(TICK.get().unsigned_abs())) {
                Ok(first) => {
                    let now = (clock)();
                    for (partition, input) in
                        std::iter::once(first).chain(inbox.try_iter().take(BURST))
                    {
                        running.handle(partition, input, now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = (clock)();
            if now.monotonic - ticked >= TICK {
                ticked = now.monotonic;
                let partitions: Vec<_> = running.owners.keys().copied().collect();
                partitions
                    .into_iter()
                    .for_each(|partition| running.handle(partition, Input::Tick, now));
            }
            if now.monotonic - reported >= REPORT {
                reported = now.monotonic;
                running.report(now);
            }
        }
        running.report((clock)());
        if running.refused.is_empty() { Ended::Clean } else { Ended::Refused(running.refused) }
    }
}

// === impl Running ===

impl Running {
    fn handle(&mut self, partition: Partition, input: Input, now: Moment) {
        self.ports.answered(partition, &input);
        if matches!(input, Input::Stop) {
            self.stopping.insert(partition);
        }
        let Some(owner) = self.owners.get_mut(&partition) else { return };
        let mut gone = false;
        for effect in owner.apply(Happening { now, input }) {
            match effect {
                Effect::Released => gone = self.stopping.contains(&partition),
                Effect::Refused(refusal) => {
                    self.watch.refused(partition, &refusal.why);
                    self.refused.push((partition, refusal));
                    gone = true;
                }
                effect => self.ports.perform(partition, effect, &self.answers),
            }
        }
        if gone {
            self.tell(partition, now);
            self.owners.remove(&partition);
        }
    }

    fn report(&mut self, now: Moment) {
        let partitions: Vec<_> = self.owners.keys().copied().collect();
        partitions.into_iter().for_each(|partition| self.tell(partition, now));
    }

    fn tell(&mut self, partition: Partition, now: Moment) {
        let Some(owner) = self.owners.get_mut(&partition) else { return };
        let seen = std::mem::take(&mut owner.observations);
        let state = (owner.state(), owner.trouble());
        self.watch.partition(partition, state, owner.standings(), (seen, now.wall));
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing that can be told")
}
