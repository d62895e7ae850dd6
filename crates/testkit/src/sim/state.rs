//! The agenda of the world: what is due when, painters and their lanes, and how a writing request goes wrong.

use super::changes::{Published, Publisher};
use super::rng::Rng;
use super::source::{Reader, Topic};
use super::store::StoreState;
use super::{Faults, Layout, PainterId, Reply, RequestFaults, Sinks, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tzeva_commit::port::{LogEntry, PortError, SourceReply, Ticket};
use tzeva_model::{Millis, Partition, SourceOffset, TopicIndex, UnixMillis};

/// The whole world.
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) layout: Layout,
    pub(super) faults: Faults,
    pub(super) now: UnixMillis,
    pub(super) logs: BTreeMap<Partition, Vec<LogEntry>>,
    pub(super) store: StoreState,
    pub(super) published: BTreeMap<Partition, Vec<Published>>,
    /// Names in the order in which they were published.
    pub(super) names: Vec<(String, String)>,
    /// How many of them a painter's lane has been told.
    pub(super) names_told: BTreeMap<(PainterId, Partition), usize>,
    pub(super) publishers: BTreeMap<(PainterId, Partition), Publisher>,
    pub(super) topics: BTreeMap<(TopicIndex, Partition), Topic>,
    pub(super) readers: BTreeMap<(PainterId, Partition), Reader>,
    pub(super) progress: BTreeMap<Partition, Vec<SourceOffset>>,
    /// Appends that were neither carried out nor given up.
    pub(super) appends: BTreeSet<(PainterId, Partition, Ticket)>,
    agenda: BTreeMap<(UnixMillis, u64), Item>,
    drawn: u64,
    painters: BTreeMap<PainterId, Painter>,
    lanes: BTreeMap<(PainterId, Door, Partition), Lane>,
    deliveries: Vec<(Sinks, Reply)>,
}

/// One of a painter's ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    Log,
    Store,
    Changes,
    Source,
}

/// How a writing request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Well,
    AnswerLost,
    Dropped,
    Delayed,
}

struct Item {
    painter: Option<PainterId>,
    what: &'static str,
    run: Box<dyn FnOnce(&mut State) + Send>,
}

struct Painter {
    /// `None`: it crashed.
    sinks: Option<Sinks>,
    paused: bool,
    waiting: VecDeque<Reply>,
}

/// The moments that requests and answers of one lane have reached.
#[derive(Clone, Copy)]
struct Lane {
    work: UnixMillis,
    answer: UnixMillis,
}

// === impl State ===

impl State {
    pub(super) fn new(seed: u64, layout: Layout, faults: Faults) -> Self {
        Self {
            rng: Rng::new(seed),
            layout,
            faults,
            now: layout.begin,
            logs: BTreeMap::new(),
            store: StoreState::default(),
            published: BTreeMap::new(),
            names: Vec::new(),
            names_told: BTreeMap::new(),
            publishers: BTreeMap::new(),
            topics: BTreeMap::new(),
            readers: BTreeMap::new(),
            progress: BTreeMap::new(),
            appends: BTreeSet::new(),
            agenda: BTreeMap::new(),
            drawn: 0,
            painters: BTreeMap::new(),
            lanes: BTreeMap::new(),
            deliveries: Vec::new(),
        }
    }

    pub(super) fn join(&mut self, painter: PainterId, sinks: Sinks) {
        let known = self.painters.insert(
            painter,
            Painter { sinks: Some(sinks), paused: false, waiting: VecDeque::new() },
        );
        assert!(known.is_none(), "a restarted painter is another painter");
    }

    pub(super) fn is_alive(&self, painter: PainterId) -> bool {
        self.painters.get(&painter).is_some_and(|painter| painter.sinks.is_some())
    }

    pub(super) fn step(&mut self) -> Option<Step> {
        let ((at, _), item) = self.agenda.pop_first()?;
        self.now = at;
        (item.run)(self);
        Some(Step { at, painter: item.painter, what: item.what })
    }

    pub(super) fn take_deliveries(&mut self) -> Vec<(Sinks, Reply)> {
        std::mem::take(&mut self.deliveries)
    }

    pub(super) fn next_at(&self) -> Option<UnixMillis> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn advance(&mut self, at: UnixMillis) {
        let at = self.next_at().map_or(at, |next| next.min(at));
        self.now = self.now.max(at);
    }

    /// Puts something on the agenda.
    pub(super) fn at(
        &mut self,
        at: UnixMillis,
        painter: Option<PainterId>,
        what: &'static str,
        run: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        self.drawn += 1;
        let item = Item { painter, what, run: Box::new(run) };
        self.agenda.insert((at.max(self.now), self.drawn), item);
    }

    pub(super) fn latency(&mut self) -> Millis {
        let longest = self.faults.latency.get().unsigned_abs();
        Millis::new(self.rng.below(longest + 1).cast_signed())
    }

    /// A request: takes effect after a while, behind those of its lane before it.
    pub(super) fn request(
        &mut self,
        (painter, door, partition): (PainterId, Door, Partition),
        what: &'static str,
        run: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        if !self.is_alive(painter) {
            return;
        }
        let due = self.now + self.latency();
        let lane = self.lane((painter, door, partition));
        lane.work = lane.work.max(due);
        let at = lane.work;
        self.at(at, Some(painter), what, run);
    }

    /// Something that a request does long after it was answered.
    pub(super) fn later(
        &mut self,
        painter: PainterId,
        what: &'static str,
        run: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let patience = self.faults.latency.get().unsigned_abs().max(1) * 20;
        let at = self.now + Millis::new(self.rng.below(patience).cast_signed());
        self.at(at, Some(painter), what, run);
    }

    /// An answer: arrives after a while, behind those of its lane before it.
    pub(super) fn answer(&mut self, lane: (PainterId, Door, Partition), reply: Reply) {
        let due = self.now + self.latency();
        let moments = self.lane(lane);
        moments.answer = moments.answer.max(due);
        let at = moments.answer;
        self.at(at, Some(lane.0), "an answer arrives", move |state| state.deliver(lane.0, reply));
    }

    fn lane(&mut self, lane: (PainterId, Door, Partition)) -> &mut Lane {
        let now = self.now;
        self.lanes.entry(lane).or_insert(Lane { work: now, answer: now })
    }

    fn deliver(&mut self, painter: PainterId, reply: Reply) {
        let Some(known) = self.painters.get_mut(&painter) else { return };
        let Some(sinks) = &known.sinks else { return };
        if known.paused || !known.waiting.is_empty() {
            known.waiting.push_back(reply);
        } else {
            self.deliveries.push((sinks.clone(), reply));
        }
    }

    pub(super) fn hint(&mut self, painter: PainterId, partition: Partition, hint: SourceReply) {
        self.answer((painter, Door::Source, partition), Reply::Source(hint));
    }

    pub(super) fn pause(&mut self, painter: PainterId, paused: bool) {
        let Some(known) = self.painters.get_mut(&painter) else { return };
        known.paused = paused;
        if !paused {
            let now = self.now;
            self.at(now, Some(painter), "a painter goes on", move |state| {
                let Some(known) = state.painters.get_mut(&painter) else { return };
                let Some(sinks) = &known.sinks else { return };
                if known.paused {
                    return;
                }
                let waiting = std::mem::take(&mut known.waiting);
                let waiting = waiting.into_iter().map(|reply| (sinks.clone(), reply));
                state.deliveries.extend(waiting);
            });
        }
    }

    pub(super) fn crash(&mut self, painter: PainterId) {
        let Some(known) = self.painters.get_mut(&painter) else { return };
        known.sinks = None;
        known.waiting.clear();
        self.readers.retain(|(owner, _), _| *owner != painter);
        let of_it = self.agenda.iter().filter(|(_, item)| item.painter == Some(painter));
        let of_it: Vec<_> = of_it.map(|(key, _)| *key).collect();
        for key in of_it {
            if self.rng.below(2) == 0 {
                self.agenda.remove(&key);
            }
        }
    }

    /// Draws how a writing request goes.
    pub(super) fn fate(&mut self, faults: RequestFaults) -> Fate {
        let draw = self.rng.below(1_000);
        let lost = u64::from(faults.answer_lost);
        let dropped = lost + u64::from(faults.dropped);
        let delayed = dropped + u64::from(faults.delayed);
        match draw {
            _ if draw < lost => Fate::AnswerLost,
            _ if draw < dropped => Fate::Dropped,
            _ if draw < delayed => Fate::Delayed,
            _ => Fate::Well,
        }
    }

    /// Whether a read fails this time.
    pub(super) fn read_fails(&mut self, what: &str) -> Option<PortError> {
        self.rng.per_mille(self.faults.read_failed).then(|| trouble(what))
    }
}

/// An error that passes.
pub(super) fn trouble(what: &str) -> PortError {
    PortError { attempt: format!("{what}: no answer in time"), transient: true }
}
