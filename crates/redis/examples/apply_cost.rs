//! What the guarded apply costs: microseconds a profile at 1, 4, 16 and 64 writes a step, of the server's CPU, of this
//! process, and of the wall. Not a gate: figures depend on the machine.
//!
//! `cargo run --release -p tzeva-redis --example apply_cost` starts a `redis-server` of its own.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement by hand")]

use std::time::Instant;
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, ApplyResult, StoreReply, Ticket, Write};
use tzeva_model::{Epoch, Incarnation, LogOffset, Partition, Seq, Shard, UnixMillis, VisitorId};
use tzeva_redis::{Settings, connect};
use tzeva_testkit::conformance::replies;
use tzeva_testkit::servers::Redis;

const VALUE: [u8; 400] = [0xa5; 400];
const PROFILES: usize = 200_000;
const SHARDS_A_REQUEST: usize = 16;

fn main() {
    for append_only in ["no", "yes"] {
        println!("appendonly {append_only}, values of 400 B, 36 B ids, 1,024 shards");
        let server = Redis::start(&["--appendonly", append_only, "--maxmemory", "2gb"]).unwrap();
        let settings = Settings { url: server.url(), ..Settings::default() };
        let mut seq = 0;
        for writes in [64, 64, 16, 4, 1] {
            measure(&settings, writes, &mut seq);
        }
    }
}

/// Writes so many profiles in steps of `writes`, in 1,024 shards turn by turn.
fn measure(settings: &Settings, writes: usize, seq: &mut u64) {
    let shards = visitors(writes);
    let (sink, mut answers) = replies();
    let mut store = connect(settings, sink).unwrap().store;
    let rounds = (PROFILES / (1_024 * writes)).max(1);
    let cpu = server_cpu(settings);
    let begun = Instant::now();
    let mut under_way = 0;
    for _ in 0..rounds {
        *seq += 1;
        for some in shards.chunks(SHARDS_A_REQUEST) {
            let steps = some.iter().map(|(shard, visitors)| step(*shard, *seq, visitors));
            store.apply(Partition::new(0), Ticket(*seq), steps.collect());
            under_way += 1;
            if under_way > 8 {
                under_way -= 1;
                check(answers.wait());
            }
        }
    }
    for _ in 0..under_way {
        check(answers.wait());
    }
    let profiles = u32::try_from(rounds * 1_024 * writes).unwrap();
    let wall = begun.elapsed().as_secs_f64() * 1e6 / f64::from(profiles);
    let cpu = (server_cpu(settings) - cpu) * 1e6 / f64::from(profiles);
    println!("  {writes:>2} a step: server {cpu:5.2} us a profile, wall {wall:5.2}");
}

fn check(reply: StoreReply) {
    let StoreReply::Applied(_, _, results) = reply else { panic!("{reply:?}") };
    assert!(results.iter().all(|(_, result)| *result == ApplyResult::Applied));
}

fn step(shard: Shard, seq: u64, visitors: &[VisitorId]) -> Apply {
    let marker = Marker {
        incarnation: Incarnation::new(1),
        offset: LogOffset::new(0),
        epoch: Epoch::new(0),
        seq: Seq::new(seq),
        filed_until: UnixMillis::new(0),
    };
    let write =
        |visitor: &VisitorId| Write { visitor: visitor.clone(), profile: Some(VALUE.to_vec()) };
    let writes = visitors.iter().map(write).collect();
    Apply { shard, prev: Seq::new(seq - 1), marker, writes, due: Vec::new() }
}

/// `count` visitors in each of the 1,024 shards.
fn visitors(count: usize) -> Vec<(Shard, Vec<VisitorId>)> {
    let mut shards: Vec<(Shard, Vec<VisitorId>)> =
        (0..1_024).map(|shard| (Shard::new(shard), Vec::new())).collect();
    let mut missing = 1_024 * count;
    for number in 0.. {
        if missing == 0 {
            break;
        }
        let visitor = VisitorId::try_new(&format!("{number:036}")).unwrap();
        let (_, visitors) = &mut shards[usize::from(visitor.shard().get())];
        if visitors.len() < count {
            visitors.push(visitor);
            missing -= 1;
        }
    }
    shards
}

/// Seconds of CPU the server has used.
fn server_cpu(settings: &Settings) -> f64 {
    let mut client = redis::Client::open(&*settings.url).unwrap().get_connection().unwrap();
    let text: String = redis::cmd("INFO").arg("cpu").query(&mut client).unwrap();
    let seconds = |name| {
        let line = text.lines().find_map(|line| line.trim_end().strip_prefix(name));
        line.unwrap().parse::<f64>().unwrap()
    };
    seconds("used_cpu_user:") + seconds("used_cpu_sys:")
}
