//! Painters as processes: owners with an inbox, started, crashed, paused and started again.

use crate::blow::{Blow, Scene, Struck, What};
use crate::seen::Seen;
use crate::shop::{self, BEGIN, COUNT, PARTITIONS};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use tzeva_commit::port::{AppendResult, ChangesReply, LogReply, Sink, Ticket};
use tzeva_decode::Decoder;
use tzeva_engine::Rules;
use tzeva_model::{Millis, NameId, Partition, Shard, SourceOffset, UnixMillis};
use tzeva_painter::{
    Effect, FirstStart, Happening, Input, Moment, Owner, Pace, Settings, SharedNames, SharedRules,
    SweepGate, TimeKind, Topic, name_table,
};
use tzeva_testkit::sim::{Faults, Layout, PainterId, Ports, Sinks, World};

type Inbox = Arc<Mutex<VecDeque<Input>>>;

/// One painter.
struct Process {
    id: PainterId,
    owners: BTreeMap<Partition, Owner>,
    /// As far as this process heard of it.
    rules: SharedRules,
    ports: Ports,
    inbox: Inbox,
    /// Appends of the present producer.
    present: BTreeSet<(Partition, Ticket)>,
    /// When it began: its monotonic time counts from there.
    born: UnixMillis,
    paused: bool,
    stopping: bool,
}

/// A run of a world.
pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) settings: Arc<Settings>,
    /// The rules published so far.
    pub(crate) published: Vec<Rules>,
    processes: Vec<Process>,
    started: u32,
    chaos: bool,
    publishing: bool,
    /// Nobody hears of publications but of the first, as if the topic's leader were away.
    pub(crate) deaf: bool,
    /// How many times too fast the painters' own clocks go.
    pub(crate) haste: i64,
    /// How far the painters' wall clocks are ahead of the log's.
    pub(crate) apart: Millis,
    /// Where painters are told to begin when a log is empty.
    pub(crate) first: FirstStart,
    /// Decoders that painters are short of, of the last topics: who decodes a record of those panics.
    pub(crate) decoders_missing: usize,
    /// Names that painters know from the beginning.
    pub(crate) named: Vec<(NameId, Box<str>)>,
    /// What is to break, one after the other.
    pub(crate) blows: VecDeque<Blow>,
    pub(crate) seen: Seen,
    pub(crate) refused: Vec<String>,
}

/// How often owners hear of time while somebody is busy.
const TICK: Millis = Millis::new(200);
/// And while hours pass.
const SLOW: Millis = Millis::new(5_000);

impl Run {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let layout = Layout { partitions: COUNT, topics: 2, begin: BEGIN };
        let world = World::new(seed, layout, faults);
        let topic = |name: &str| Topic {
            name: name.into(),
            time: TimeKind::LogAppend,
            grace: Millis::new(50),
        };
        let engine = tzeva_engine::Settings {
            max_strokes: 12,
            idle: Millis::HOUR.times(6),
            late_after: Millis::MINUTE,
            ..tzeva_engine::Settings::default()
        };
        let settings = Settings {
            owner: "sim".into(),
            partitions: COUNT,
            topics: vec![topic("visits"), topic("purchases")],
            rules: SharedRules::of(shop::rules()),
            sweeps: SweepGate::default(),
            engine,
            names: SharedNames::default(),
            pace: Pace {
                batch: 7,
                profiles: 5,
                record_bytes: 800,
                dirty: 2,
                flush_after: Millis::new(100),
                sweep_page: 2,
                ..Pace::default()
            },
        };
        let settings = Arc::new(settings);
        Self {
            world,
            settings,
            published: vec![shop::rules()],
            processes: vec![],
            started: 0,
            chaos: false,
            publishing: false,
            deaf: false,
            haste: 1,
            apart: Millis::ZERO,
            first: Some(vec![SourceOffset::new(0); 2]),
            decoders_missing: 0,
            named: vec![],
            blows: VecDeque::new(),
            seen: Seen::default(),
            refused: vec![],
        }
    }

    pub(crate) fn with_new_rules(mut self) -> Self {
        self.publishing = true;
        self
    }

    pub(crate) fn with_chaos(mut self) -> Self {
        self.chaos = true;
        self
    }

    /// Produces `records`, lets everything settle and hours pass, and stops cleanly.
    pub(crate) fn finish(mut self, records: u64) -> Self {
        self.start();
        if self.chaos {
            self.start();
        }
        self.assign_somebody();
        let mut produced = 0;
        while produced < records {
            for _ in 0..=self.world.below(5) {
                shop::produce(&self.world, produced);
                produced += 1;
            }
            if self.publishing && self.world.below(25) == 0 {
                self.publish();
            }
            self.spread();
            if self.chaos {
                self.disturb();
            }
            let gap = self.world.below(60_000);
            self.pass(Millis::new(i64::try_from(gap).unwrap()));
        }
        self.calm();
        self.pass_by(Millis::HOUR.times(9), SLOW);
        self
    }

    /// The next rules are published; who runs hears of them by and by.
    pub(crate) fn publish(&mut self) {
        if !self.publishing {
            return;
        }
        self.published.push(shop::published(self.published.len()));
    }

    /// Some painters hear of what is published.
    pub(crate) fn spread(&mut self) {
        if self.deaf {
            return;
        }
        for process in &self.processes {
            if self.world.below(3) == 0 {
                for known in &self.published {
                    process.rules.add(known.version(), Ok(known.clone()));
                }
            }
        }
    }

    /// A new painter takes over and lives for an hour.
    pub(crate) fn settle(&mut self) {
        self.replace();
        self.pass_by(Millis::HOUR, SLOW);
    }

    /// One painter is left, and owns everything.
    fn calm(&mut self) {
        self.replace();
        self.pass(Millis::MINUTE.times(5));
    }

    /// All painters crash, and a new one takes over.
    pub(crate) fn replace(&mut self) {
        for process in std::mem::take(&mut self.processes) {
            self.world.crash(process.id);
        }
        self.start();
        self.assign_somebody();
    }

    /// All painters are told to end; what they said last is done before the next one starts.
    pub(crate) fn stop(&mut self) {
        for index in 0..self.processes.len() {
            self.processes[index].stopping = true;
        }
        PARTITIONS.into_iter().for_each(|partition| self.tell(partition, || Input::Stop));
    }

    /// Why partitions have to be claimed again.
    pub(crate) fn troubles(&self) -> Vec<&str> {
        let owners = self.processes.iter().flat_map(|process| process.owners.values());
        owners.filter_map(Owner::trouble).collect()
    }

    /// Something comes to every painter's owner of a partition.
    pub(crate) fn tell(&mut self, partition: Partition, input: impl Fn() -> Input) {
        for index in 0..self.processes.len() {
            self.handle(index, partition, input());
        }
    }

    /// The painter at `index` is killed, and a new one takes its place.
    fn kill(&mut self, index: usize) {
        let next = self.spawn();
        let dead = std::mem::replace(&mut self.processes[index], next);
        self.world.crash(dead.id);
        for partition in PARTITIONS {
            self.world.assign(self.processes[index].id, partition);
        }
    }

    pub(crate) fn start(&mut self) {
        let process = self.spawn();
        self.processes.push(process);
    }

    fn spawn(&mut self) -> Process {
        self.started += 1;
        let id = PainterId(self.started);
        let inbox: Inbox = Arc::default();
        // Each process knows the names and the rules it was told: at its start all that are published.
        let settings = Settings {
            names: SharedNames::default(),
            rules: SharedRules::default(),
            sweeps: SweepGate::default(),
            ..(*self.settings).clone()
        };
        let rules = settings.rules.clone();
        rules.follow();
        let heard = if self.deaf { 1 } else { self.published.len() };
        let heard = self.published.iter().take(heard);
        heard.for_each(|known| rules.add(known.version(), Ok(known.clone())));
        settings.names.extend(self.named.clone());
        let settings = Arc::new(settings);
        let sinks = Sinks {
            log: sink(&inbox, Input::Log),
            store: sink(&inbox, Input::Store),
            changes: changes_sink(&inbox, &settings.names),
            source: sink(&inbox, Input::Source),
        };
        let ports = self.world.ports(id, sinks);
        let owners = PARTITIONS.map(|partition| {
            let decode =
                tzeva_decode::Settings { partitions: COUNT, ..tzeva_decode::Settings::default() };
            let decoder = |_| Decoder::new(&decode).unwrap();
            let decoders = (self.decoders_missing..2).map(decoder).collect();
            let first = self.first.clone();
            let seed = u64::from(id.0) * 7919;
            (partition, Owner::new(partition, Arc::clone(&settings), decoders, first, seed))
        });
        let owners = BTreeMap::from(owners);
        let (present, born) = (BTreeSet::new(), self.world.now());
        Process { id, owners, rules, ports, inbox, present, born, paused: false, stopping: false }
    }

    /// Hints that each partition belongs to some painter, and to nobody else that hears of it.
    pub(crate) fn assign_somebody(&mut self) {
        for partition in PARTITIONS {
            let chosen = usize::try_from(self.world.below(self.processes.len() as u64)).unwrap();
            for (index, process) in self.processes.iter().enumerate() {
                if index == chosen {
                    self.world.assign(process.id, partition);
                } else if self.world.below(2) == 0 {
                    // Else it never hears of it, and goes on as a zombie.
                    self.world.revoke(process.id, partition);
                }
            }
        }
    }

    fn disturb(&mut self) {
        match self.world.below(60) {
            0 => {
                let victim =
                    usize::try_from(self.world.below(self.processes.len() as u64)).unwrap();
                let process = self.processes.swap_remove(victim);
                self.world.crash(process.id);
                self.start();
                self.assign_somebody();
            }
            1 => self.assign_somebody(),
            2 => self.world.flush(),
            3 => self.world.fail_over(usize::try_from(self.world.below(8)).unwrap()),
            4 => {
                let index = usize::try_from(self.world.below(self.processes.len() as u64)).unwrap();
                let process = &mut self.processes[index];
                process.paused = !process.paused;
                if process.paused {
                    self.world.pause(process.id);
                    self.assign_somebody();
                } else {
                    self.world.resume(process.id);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn pass(&mut self, time: Millis) {
        self.pass_by(time, TICK);
    }

    /// Lets time pass, ticking everybody.
    pub(crate) fn pass_by(&mut self, time: Millis, step: Millis) {
        let end = self.world.now() + time;
        while self.world.now() < end {
            let tick = self.world.now() + step;
            while self.world.next_at().is_some_and(|at| at <= tick) {
                self.world.step();
                self.drain();
            }
            self.world.advance(tick);
            if self.publishing && self.world.below(20) == 0 {
                self.spread();
            }
            for index in 0..self.processes.len() {
                for partition in PARTITIONS {
                    self.handle(index, partition, Input::Tick);
                }
            }
        }
    }

    fn drain(&mut self) {
        for index in 0..self.processes.len() {
            loop {
                let next = self.processes[index].inbox.lock().unwrap().pop_front();
                let Some(input) = next else { break };
                let partition = partition_of(&input);
                if let Input::Log(LogReply::Appended(_, ticket, AppendResult::At(..))) = &input {
                    self.processes[index].present.remove(&(partition, *ticket));
                }
                self.handle(index, partition, input);
            }
        }
    }

    fn handle(&mut self, index: usize, partition: Partition, input: Input) {
        let process = &mut self.processes[index];
        if process.paused {
            return;
        }
        let alive = self.world.now() - process.born;
        let wall = self.world.now() + self.apart;
        let now = Moment { monotonic: alive.times(self.haste), wall };
        let Some(owner) = process.owners.get_mut(&partition) else { return };
        let mut blow = self.blows.front_mut();
        let scene = Scene { state: owner.state(), stopping: process.stopping };
        let struck = blow.as_mut().map_or(Struck::Not, |blow| blow.by_input(scene, &input));
        if struck == Struck::Before {
            return self.killed(index);
        }
        let effects = owner.apply(Happening { now, input });
        self.seen.add(&std::mem::take(&mut owner.observations));
        if struck == Struck::After {
            return self.killed(index);
        }
        let scene = Scene { state: owner.state(), ..scene };
        for mut effect in effects {
            let struck =
                blow.as_mut().map_or(Struck::Not, |blow| blow.by_effect(scene, &mut effect));
            let what = blow.as_ref().map(|blow| blow.what).filter(|_| struck != Struck::Not);
            if let Some(What::Store | What::Effect) = what {
                blow = None;
                self.blows.pop_front();
                if what == Some(What::Effect) {
                    continue;
                }
                self.world.flush();
            } else if struck == Struck::Before {
                return self.killed(index);
            }
            if let Some(why) = process.perform(partition, effect) {
                self.refused.push(why);
            }
            if struck == Struck::After && blow.is_some() {
                return self.killed(index);
            }
        }
    }

    fn killed(&mut self, index: usize) {
        self.blows.pop_front();
        self.kill(index);
    }
}

impl Process {
    fn perform(&mut self, p: Partition, effect: Effect) -> Option<String> {
        let ports = &mut self.ports;
        if let Effect::ApplyStore(_, steps) = &effect {
            let own = |shard: Shard| shard.partition(COUNT) == p;
            assert!(steps.iter().all(|step| own(step.shard)), "an owner writes its shards only");
        }
        match effect {
            Effect::Append(ticket, record) => {
                self.present.insert((p, ticket));
                ports.log.append(p, ticket, record);
            }
            Effect::ReadLog(ticket, from, to) => ports.log.read(p, ticket, from, to),
            Effect::RenewLog(ticket) => {
                if self.present.contains(&(p, ticket)) {
                    self.present.clear();
                    ports.log.renew();
                }
            }
            Effect::ReadStore(ticket, wanted) => ports.store.read(p, ticket, wanted),
            Effect::ApplyStore(ticket, steps) => ports.store.apply(p, ticket, steps),
            Effect::Scan(ticket, shard, cursor) => ports.store.scan(p, ticket, shard, cursor),
            Effect::Due(ticket, shard, from) => ports.store.due(p, ticket, shard, from),
            Effect::ForgetDue(shard, from) => ports.store.forget_due(p, shard, from),
            Effect::Tail(ticket) => ports.changes.tail(p, ticket),
            Effect::Publish(ticket, messages) => ports.changes.publish(p, ticket, messages),
            Effect::Open(session, at) => ports.source.open(p, session, at),
            Effect::Close => ports.source.close(p),
            Effect::Pause(topic, paused) => ports.source.pause(p, topic, paused),
            Effect::Prove(ticket, now) => ports.source.prove(p, ticket, now),
            Effect::Progress(at) => ports.source.progress(p, at),
            Effect::FetchSchema(_) | Effect::Released => {}
            Effect::Refused(refusal) => return Some(refusal.why),
        }
        None
    }
}

fn sink<T: 'static>(inbox: &Inbox, wrap: fn(T) -> Input) -> Sink<T> {
    let inbox = Arc::clone(inbox);
    Arc::new(move |reply| inbox.lock().unwrap().push_back(wrap(reply)))
}

fn changes_sink(inbox: &Inbox, names: &SharedNames) -> Sink<ChangesReply> {
    let (inbox, names) = (Arc::clone(inbox), names.clone());
    Arc::new(move |reply| match reply {
        ChangesReply::Names(told) => names.extend(name_table(told)),
        reply => inbox.lock().unwrap().push_back(Input::Changes(reply)),
    })
}

fn partition_of(input: &Input) -> Partition {
    use tzeva_commit::port::{SourceReply, StoreReply};
    match input {
        Input::Log(LogReply::Appended(p, ..) | LogReply::Read(p, ..)) => *p,
        Input::Store(
            StoreReply::Read(p, ..)
            | StoreReply::Applied(p, ..)
            | StoreReply::Scanned(p, ..)
            | StoreReply::Due(p, ..),
        ) => *p,
        Input::Changes(ChangesReply::Tail(p, ..) | ChangesReply::Published(p, ..)) => *p,
        Input::Source(
            SourceReply::Assigned(p)
            | SourceReply::Revoked(p)
            | SourceReply::Lost(p, _)
            | SourceReply::Ends(p, ..)
            | SourceReply::Records { partition: p, .. },
        ) => *p,
        Input::Changes(ChangesReply::Names(_)) | Input::Schema(..) | Input::Tick | Input::Stop => {
            PARTITIONS[0]
        }
    }
}
