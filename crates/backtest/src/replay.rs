//! History through the engine on a virtual clock: record time is the event's own, and time moves only as events and
//! deadlines move it.
//!
//! Visitors never bear on each other, so they are replayed one by one, each from its first event to the end, shard after
//! shard, by as many threads as there are. What is in memory is a visitor a thread, not the shop, and what a decision
//! looks at is near. In which order all their changes belong is the ledger's.

use crate::compact;
use crate::compare::{Differences, Twins};
use crate::gather::{Gathered, Refused, threads};
use crate::ledger::{self, Entry};
use crate::progress::{EVERY, Progress};
use crate::runs::{Pile, Record, Runs, Sorting, settle};
use crate::tally::{Members, Tally};
use anyhow::Context;
use crossbeam_channel::{RecvTimeoutError, bounded};
use std::io;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tzeva_audience::RuleSet;
use tzeva_engine::{Counts, Draft, Engine, Settings};
use tzeva_model::{Change, Event, Millis, NameId, Outcome, SHARDS, UnixMillis};
use tzeva_painter::render::Renderer;

/// What is to be replayed.
pub struct Plan<'a> {
    /// One set of rules, or two to be compared.
    pub rules: &'a [Arc<RuleSet>],
    pub settings: Settings,
    /// The last instant that is decided.
    pub until: UnixMillis,
    /// Changes under the first set are wanted as text.
    pub text: bool,
    /// Bytes that changes may take in memory.
    pub memory: usize,
}

/// What came of it.
pub struct Replayed {
    /// Grouped by the set of rules; see [`crate::ledger`].
    pub changes: Runs,
    /// A tally a set of rules.
    pub tallies: Vec<Tally>,
    /// How the two sets differ, if there are two.
    pub differences: Differences,
    pub counts: Counts,
    pub outcomes: Outcomes,
    pub refused: Refused,
    /// Visitors met.
    pub visitors: u64,
    /// The last instant at which anything happened.
    pub last: UnixMillis,
}

/// What became of the events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    /// They left a stroke.
    pub painted: u64,
    /// They repeated another one.
    pub duplicates: u64,
    /// They lie after the end of the run.
    pub after_the_end: u64,
}

/// What threads share.
struct Shared<'a> {
    plan: &'a Plan<'a>,
    threads: usize,
    engines: Vec<Engine>,
    twins: Option<Twins>,
    events: &'a Runs,
    /// The texts of names.
    name: &'a (dyn Fn(NameId) -> Option<String> + Sync),
    changes: Mutex<Runs>,
    next: AtomicU16,
    decided: AtomicU64,
}

/// A thread's share of the work.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    lanes: Vec<Lane<'a>>,
    /// The event at hand; what the next one has in common with it stays.
    event: Option<Event>,
    pile: Pile,
    /// The pile is full when it is this large.
    full: usize,
    done: Done,
}

/// What a thread has done.
struct Done {
    differences: Differences,
    counts: Counts,
    outcomes: Outcomes,
    refused: Refused,
    visitors: u64,
    last: UnixMillis,
}

/// A set of rules at work on a visitor.
struct Lane<'a> {
    /// Which one: the group of its changes.
    set: u16,
    engine: Engine,
    draft: Draft,
    members: Members,
    tally: Tally,
    /// Makes the text of changes, where it is wanted.
    renderer: Option<Renderer<'a>>,
    entry: Entry,
}

/// Deadlines of so many visitors are fired before their changes are put away.
const DEADLINES: usize = 4_096;
/// Bounds of a pile of changes, in bytes.
const PILE: (usize, usize) = (16 << 10, 16 << 20);

/// Replays all events.
///
/// # Errors
/// The temporary file can't be read or written.
pub fn replay(
    plan: &Plan<'_>,
    gathered: &Gathered,
    progress: &mut Progress,
) -> anyhow::Result<Replayed> {
    let engine = |rules: &Arc<RuleSet>| {
        Engine::new(Arc::clone(rules), plan.settings.clone(), UnixMillis::MIN)
    };
    let shared = Shared {
        plan,
        threads: threads(),
        engines: plan.rules.iter().map(engine).collect(),
        twins: match plan.rules {
            [first, second] => Some(Twins::new(first, second)),
            _ => None,
        },
        events: &gathered.events,
        name: &|id| gathered.names.text(id),
        changes: Mutex::new(Runs::new(plan.memory / 2)),
        next: AtomicU16::new(0),
        decided: AtomicU64::new(0),
    };
    let workers = std::thread::scope(|scope| {
        let (alive, ended) = bounded::<()>(0);
        let workers: Vec<_> = (0..shared.threads)
            .map(|_| {
                let alive = alive.clone();
                let shared = &shared;
                scope.spawn(move || {
                    let _alive = alive;
                    Worker::new(shared).run()
                })
            })
            .collect();
        drop(alive);
        while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            progress.deciding(shared.decided.load(Ordering::Relaxed), gathered.found.events);
        }
        let join = workers.into_iter().map(|worker| {
            worker.join().map_err(|_| anyhow::anyhow!("a deciding thread panicked"))?
        });
        join.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut all = Replayed {
        changes: shared.changes.into_inner().unwrap_or_else(PoisonError::into_inner),
        tallies: plan.rules.iter().map(|rules| Tally::new(rules)).collect(),
        differences: Differences::default(),
        counts: Counts::default(),
        outcomes: Outcomes::default(),
        refused: Refused::default(),
        visitors: 0,
        last: UnixMillis::MIN,
    };
    workers.into_iter().for_each(|(done, tallies)| all.merge(done, tallies));
    Ok(all)
}

// === impl Replayed ===

impl Replayed {
    fn merge(&mut self, done: Done, tallies: Vec<Tally>) {
        self.tallies.iter_mut().zip(tallies).for_each(|(tally, more)| tally.merge(more));
        self.differences.merge(done.differences);
        self.counts.add(&done.counts);
        self.outcomes.painted += done.outcomes.painted;
        self.outcomes.duplicates += done.outcomes.duplicates;
        self.outcomes.after_the_end += done.outcomes.after_the_end;
        self.refused.merge(done.refused);
        self.visitors += done.visitors;
        self.last = self.last.max(done.last);
    }
}

// === impl Worker ===

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>) -> Self {
        let plan = shared.plan;
        let lanes = (0..).zip(plan.rules).zip(&shared.engines).map(|((set, rules), engine)| Lane {
            set,
            engine: engine.afresh(UnixMillis::MIN),
            draft: if plan.text && set == 0 { Draft::of_changes() } else { Draft::of_counts() },
            members: Members::default(),
            tally: Tally::new(rules),
            renderer: (plan.text && set == 0).then(|| ledger::renderer(rules, plan, shared.name)),
            entry: Entry::default(),
        });
        let done = Done {
            differences: Differences::default(),
            counts: Counts::default(),
            outcomes: Outcomes::default(),
            refused: Refused::default(),
            visitors: 0,
            last: UnixMillis::MIN,
        };
        let full = (plan.memory / (4 * shared.threads)).clamp(PILE.0, PILE.1);
        Self { shared, lanes: lanes.collect(), event: None, pile: Pile::default(), full, done }
    }

    /// Takes shards until there are none.
    fn run(mut self) -> anyhow::Result<(Done, Vec<Tally>)> {
        loop {
            let shard = self.shared.next.fetch_add(1, Ordering::Relaxed);
            if shard >= SHARDS {
                break;
            }
            self.shard(shard).context(Sorting)?;
        }
        settle(&mut self.pile, &self.shared.changes).context(Sorting)?;
        let tallies = self.lanes.into_iter().map(|lane| {
            self.done.counts.add(&lane.draft.counts);
            lane.tally
        });
        let tallies = tallies.collect();
        Ok((self.done, tallies))
    }

    fn shard(&mut self, shard: u16) -> io::Result<()> {
        let until = self.shared.plan.until;
        let mut events = self.shared.events.group(shard)?;
        let mut decided = 0;
        let mut own = None;
        while let Some(Record { part, at, tie: number, bytes }) = events.next()? {
            // Those of another visitor begin; few visitors share a part, and are replayed together.
            if own.replace(part).is_some_and(|own| own != part) {
                self.finish()?;
            }
            let at = UnixMillis::new(at);
            decided += 1;
            if at > until {
                self.done.outcomes.after_the_end += 1;
                continue;
            }
            compact::decode(bytes, at, &mut self.event)?;
            self.done.last = self.done.last.max(at);
            self.decide(number)?;
        }
        self.finish()?;
        self.shared.decided.fetch_add(decided, Ordering::Relaxed);
        Ok(())
    }

    /// Decides the event at hand under all rules; what became of it is the first ones' matter.
    fn decide(&mut self, number: u64) -> io::Result<()> {
        let Some(event) = &self.event else { return Ok(()) };
        for lane in &mut self.lanes {
            lane.engine.fire_until(event.occurred_at, &mut lane.draft);
            lane.put_away(&mut self.pile, None);
            let outcome = lane.engine.take(event.occurred_at, event, &mut lane.draft);
            lane.put_away(&mut self.pile, Some(number));
            match outcome {
                _ if lane.set > 0 => {}
                Outcome::Painted => self.done.outcomes.painted += 1,
                Outcome::Duplicate => self.done.outcomes.duplicates += 1,
                Outcome::Rejected(rejection) => self.done.refused.add(number, rejection),
            }
        }
        self.relieve()
    }

    /// Runs the deadlines that are left, up to and including the end; then nothing of the visitor is kept.
    fn finish(&mut self) -> io::Result<()> {
        let end = self.shared.plan.until + Millis::new(1);
        for place in 0..self.lanes.len() {
            while self.lanes[place].engine.next_deadline().is_some_and(|next| next < end) {
                let lane = &mut self.lanes[place];
                let part = lane.engine.until_within(end, DEADLINES);
                lane.engine.fire_until(part, &mut lane.draft);
                let last = lane.draft.changes.last().map(|change| change.effective_at);
                self.done.last = self.done.last.max(last.unwrap_or(UnixMillis::MIN));
                lane.put_away(&mut self.pile, None);
                self.relieve()?;
            }
        }
        self.done.visitors += self.lanes[0].engine.len() as u64;
        if let (Some(twins), [first, second]) = (&self.shared.twins, &self.lanes[..]) {
            self.done.differences.add(twins, [&first.members, &second.members]);
        }
        for lane in &mut self.lanes {
            lane.engine.restart(UnixMillis::MIN);
            lane.members.clear();
        }
        Ok(())
    }

    /// Hands changes on before they take too much room.
    fn relieve(&mut self) -> io::Result<()> {
        if self.pile.size() < self.full {
            return Ok(());
        }
        settle(&mut self.pile, &self.shared.changes)
    }
}

// === impl Lane ===

impl Lane<'_> {
    /// Moves what was drafted into the tally and the pile; `number` is that of the event it came of.
    fn put_away(&mut self, pile: &mut Pile, number: Option<u64>) {
        if self.draft.changes.is_empty() {
            return;
        }
        let mut changes = std::mem::take(&mut self.draft.changes);
        let one =
            |a: &Change, b: &Change| a.visitor == b.visitor && a.effective_at == b.effective_at;
        for changes in changes.chunk_by(one) {
            let visitor = if number.is_none() { changes[0].visitor.as_str() } else { "" };
            self.entry.begin(visitor);
            for change in changes {
                let Some(place) = self.tally.change(change, &mut self.members) else { continue };
                let text = self.renderer.as_ref().map(|renderer| ledger::text(renderer, change));
                self.entry.add(place, change.direction, text.as_deref().unwrap_or_default());
            }
            let at = changes[0].effective_at.get();
            self.entry.push((self.set, at, number), pile);
        }
        changes.clear();
        self.draft.changes = changes;
    }
}
