//! What a profile costs in Redis: visitors of the workload with exactly 20 events of history, decided by the engine
//! under 1,000 audiences, written through the store's port, the server's own count of its memory before and after.
#![cfg(test)]

mod given;

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use tzeva_audience::RuleSet;
use tzeva_bench::{Plan, Traffic};
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, ApplyResult, StoreReply, Ticket, Write};
use tzeva_engine::{Draft, Engine, Settings};
use tzeva_model::{
    Epoch, Event, Incarnation, LogOffset, Millis, Partition, Seq, Shard, UnixMillis, VisitorId,
};
use tzeva_profile::{Profile, stored};
use tzeva_testkit::servers::Redis;

const VISITORS: u64 = 100_000;
/// So many pass through one engine, which is what compiling the rules is spread over.
const TOGETHER: u64 = 2_000;
const EVENTS: usize = 20;
/// A seq as long as those of a partition that has run for a while.
const FIRST: u64 = 1_000_000;
/// The goal.
const LIMIT: f64 = 540.0;

/// What is said of all profiles.
#[derive(Default)]
struct Sums {
    bytes: usize,
    ids: usize,
    tags: usize,
    standings: usize,
}

#[test]
fn a_profile_of_twenty_events_fits_its_share_of_memory() {
    let mut redis = Redis::start(&["--appendonly", "no", "--maxmemory", "2gb"]).unwrap();
    let settings = tzeva_redis::Settings { url: redis.url(), ..tzeva_redis::Settings::default() };
    let (answers, replies) = channel();
    let sink = Arc::new(move |reply| drop(answers.send(reply)));
    let mut store = tzeva_redis::connect(&settings, sink).unwrap().store;
    let rules = Arc::new(given::workload_rules(1_000));
    let (before, mut sums) = (used_memory(&redis), Sums::default());
    let mut written: HashMap<Shard, Seq> = HashMap::new();
    for part in 0..VISITORS / TOGETHER {
        let mut shards: BTreeMap<Shard, Vec<Write>> = BTreeMap::new();
        for (visitor, profile) in visitors(&rules, part) {
            let bytes = sums.add(&profile);
            let write = Write { visitor, profile: Some(bytes) };
            shards.entry(write.visitor.shard()).or_default().push(write);
        }
        let step = |(shard, writes)| {
            let prev = written.insert(shard, Seq::new(FIRST + part)).unwrap_or(Seq::new(0));
            step(prev, part, shard, writes)
        };
        let steps = shards.into_iter().map(step).collect();
        store.apply(Partition::new(0), Ticket(part), steps);
        let Ok(StoreReply::Applied(_, _, results)) = replies.recv() else { panic!("no answer") };
        assert!(results.iter().all(|(_, result)| *result == ApplyResult::Applied), "{results:?}");
    }
    let mean = (used_memory(&redis) - before) / VISITORS as f64;
    println!("{mean:.1} bytes of Redis a profile, hash tables included; {}", sums.means());
    assert!(mean <= LIMIT, "{mean}");
    redis.process().kill();
}

/// `TOGETHER` visitors, each with exactly 20 strokes, as an engine leaves them that has seen them side by side.
fn visitors(rules: &Arc<RuleSet>, part: u64) -> Vec<(VisitorId, Profile)> {
    let mut events: Vec<(UnixMillis, Event)> = Vec::new();
    for number in 0..TOGETHER {
        // One visitor has a visit of eight events every other day; twice as much as is needed, as some stay short.
        let plan =
            Plan { span: Millis::DAY.times(20), ..Plan::sized(part * TOGETHER + number, 1, 80) };
        let sent = Traffic::new(plan);
        events.extend(sent.take(40).map(|sent| (sent.record_time, sent.call.to_event().unwrap())));
    }
    events.sort_by_key(|(record_time, _)| *record_time);
    let mut engine = Engine::new(Arc::clone(rules), Settings::default(), UnixMillis::MIN);
    let mut done: HashMap<VisitorId, usize> = HashMap::new();
    for (record_time, event) in &events {
        let strokes = done.entry(event.visitor.clone()).or_default();
        if *strokes == EVENTS {
            continue;
        }
        let mut draft = Draft::default();
        engine.fire_until(*record_time, &mut draft);
        if !engine.holds(&event.visitor) {
            engine.load(event.visitor.clone(), None);
        }
        let _ = engine.take(*record_time, event, &mut draft);
        *strokes = engine.profile(&event.visitor).map_or(0, |profile| profile.strokes.len());
    }
    assert!(done.values().all(|&strokes| strokes == EVENTS));
    let profile = |visitor: VisitorId| {
        let profile = engine.profile(&visitor).unwrap().clone();
        (visitor, Profile { seq: Seq::new(FIRST + part), ..profile })
    };
    done.into_keys().map(profile).collect()
}

fn step(prev: Seq, part: u64, shard: Shard, writes: Vec<Write>) -> Apply {
    let seq = Seq::new(FIRST + part);
    let marker = Marker {
        incarnation: Incarnation::new(1),
        offset: LogOffset::new(i64::try_from(part).unwrap()),
        epoch: Epoch::new(0),
        seq,
        filed_until: UnixMillis::MIN,
    };
    Apply { shard, prev, marker, writes, due: Vec::new() }
}

// === impl Sums ===

impl Sums {
    fn add(&mut self, profile: &Profile) -> Vec<u8> {
        let bytes = stored::encode(profile);
        let items = profile.strokes.iter().flat_map(|stroke| &stroke.items);
        let mut ids: Vec<_> = items.flat_map(tzeva_profile::StrokeItem::tag_keys).collect();
        ids.sort();
        ids.dedup();
        self.bytes += bytes.len();
        self.ids += ids.len();
        self.tags += profile.tags.len();
        self.standings += profile.standings.len();
        bytes
    }

    fn means(&self) -> String {
        let mean = |sum: usize| sum as f64 / VISITORS as f64;
        format!(
            "{:.1} bytes stored, {:.1} distinct ids, {:.1} tags, {:.1} standings",
            mean(self.bytes),
            mean(self.ids),
            mean(self.tags),
            mean(self.standings)
        )
    }
}

/// What the server says that its data take.
fn used_memory(redis: &Redis) -> f64 {
    let mut stream = TcpStream::connect(redis.address()).unwrap();
    stream.write_all(b"INFO memory\r\nQUIT\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.trim().parse().unwrap()
}
