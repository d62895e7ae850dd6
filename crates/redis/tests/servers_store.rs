//! The store on a real Redis: the laws of the port, and what happens when the server forgets, dies, or is not heard.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use redis::Commands;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tzeva_commit::Marker;
use tzeva_commit::port::{
    Apply, ApplyResult, PortError, ShardRead, Store, StoreReply, Ticket, Write,
};
use tzeva_model::{Epoch, Incarnation, LogOffset, Partition, Seq, Shard, UnixMillis, VisitorId};
use tzeva_redis::{RedisStoreError, Settings, Viewer, connect};
use tzeva_testkit::conformance::{
    Replies, reads_are_atomic, replies, store_equals_its_naive_twin, store_laws,
    visitors_of_one_shard,
};
use tzeva_testkit::proxy::{Fault, Proxy};
use tzeva_testkit::servers::{self, Redis};

const COUNT: u16 = 64;

/// A store port and the answers of it.
struct Port {
    store: Box<dyn Store>,
    replies: Replies<StoreReply>,
}

/// Settings for the server at `address`, with keys of their own.
fn settings(address: &str) -> Settings {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let test = DRAWN.fetch_add(1, Ordering::Relaxed);
    let prefix = format!("servers_store:{}:{test}:", std::process::id());
    Settings { url: format!("redis://{address}"), prefix, ..Settings::default() }
}

/// A server that other tests use too.
fn shared() -> Settings {
    settings(&servers::redis().unwrap())
}

/// A server of its own.
fn own(extra: &[&str]) -> (Redis, Settings) {
    let server = Redis::start(extra).unwrap();
    let settings = settings(&server.address());
    (server, settings)
}

fn client(settings: &Settings) -> redis::Connection {
    redis::Client::open(&*settings.url).unwrap().get_connection().unwrap()
}

// === impl Port ===

impl Port {
    fn open(settings: &Settings) -> Self {
        let (sink, replies) = replies();
        Self { store: connect(settings, sink).unwrap().store, replies }
    }

    fn apply(&mut self, step: Apply) -> ApplyResult {
        let shard = step.shard;
        self.store.apply(shard.partition(COUNT), Ticket(1), vec![step]);
        match self.replies.wait() {
            StoreReply::Applied(_, _, mut results) => {
                assert_eq!((results.len(), results[0].0), (1, shard));
                results.remove(0).1
            }
            other => panic!("an apply was answered {other:?}"),
        }
    }

    fn read(&mut self, shard: Shard, visitors: &[VisitorId]) -> Result<ShardRead, String> {
        let wanted = vec![(shard, visitors.to_vec())];
        self.store.read(shard.partition(COUNT), Ticket(2), wanted);
        match self.replies.wait() {
            StoreReply::Read(_, _, read) => {
                read.map(|mut shards| shards.remove(0)).map_err(|error| error.attempt)
            }
            other => panic!("a read was answered {other:?}"),
        }
    }

    /// A page of a walk: whom it lists, and where to go on.
    fn page(
        &mut self,
        shard: Shard,
        cursor: u64,
    ) -> Result<(Vec<VisitorId>, Option<u64>), PortError> {
        self.store.scan(shard.partition(COUNT), Ticket(3), shard, cursor);
        match self.replies.wait() {
            StoreReply::Scanned(_, _, page) => page.map(|page| {
                let listed = page.profiles.into_iter().map(|(visitor, _)| visitor);
                (listed.collect(), page.next)
            }),
            other => panic!("a page was answered {other:?}"),
        }
    }

    /// All that a whole walk lists.
    fn walk(&mut self, shard: Shard) -> BTreeSet<VisitorId> {
        let (mut listed, mut cursor) = (BTreeSet::new(), Some(0));
        while let Some(at) = cursor {
            let (more, next) = self.page(shard, at).unwrap();
            listed.extend(more);
            cursor = next;
        }
        listed
    }
}

/// A step for the commits (prev, seq] that writes `value` for each visitor.
fn step(shard: Shard, (prev, seq): (u64, u64), visitors: &[VisitorId], value: &[u8]) -> Apply {
    let marker = Marker {
        incarnation: Incarnation::new(7),
        offset: LogOffset::new(100),
        epoch: Epoch::new(3),
        seq: Seq::new(seq),
        filed_until: UnixMillis::new(0),
    };
    let write =
        |visitor: &VisitorId| Write { visitor: visitor.clone(), profile: Some(value.to_vec()) };
    let writes = visitors.iter().map(write).collect();
    Apply { shard, prev: Seq::new(prev), marker, writes, due: Vec::new() }
}

#[test]
fn the_store_keeps_the_laws() {
    let mut port = Port::open(&shared());
    store_laws(&mut *port.store, &mut port.replies, COUNT);
}

#[test]
fn the_store_equals_its_naive_twin() {
    for seed in 0..10 {
        let mut port = Port::open(&shared());
        store_equals_its_naive_twin(&mut *port.store, &mut port.replies, COUNT, (seed, 150));
    }
}

#[test]
fn a_viewer_reads_every_profile_of_a_shard_and_no_marker() {
    let settings = shared();
    let mut port = Port::open(&settings);
    // More than one page of a walk, in the form of a hash that has grown.
    let (shard, visitors) = visitors_of_one_shard(2_000);
    assert_eq!(port.apply(step(shard, (0, 1), &visitors, b"profile")), ApplyResult::Applied);
    let mut viewer = Viewer::connect(&settings).unwrap();
    let read = viewer.read_shard(shard).unwrap();
    assert_eq!(read.len(), visitors.len());
    assert!(visitors.iter().all(|visitor| read[visitor] == b"profile"));
    let other = Shard::new((shard.get() + 1) % tzeva_model::SHARDS);
    assert!(viewer.read_shard(other).unwrap().is_empty());
}

#[test]
fn a_read_never_sees_a_step_half_done() {
    let settings = shared();
    let (mut writer, mut reader) = (Port::open(&settings), Port::open(&settings));
    reads_are_atomic(
        (&mut *writer.store, &mut writer.replies),
        (&mut *reader.store, &mut reader.replies),
        COUNT,
    );
}

#[test]
fn keys_lie_where_the_documentation_says() {
    let settings = shared();
    let mut port = Port::open(&settings);
    let visitor = VisitorId::try_new("v-42").unwrap();
    let shard = visitor.shard();
    let mut one = step(shard, (0, 1), std::slice::from_ref(&visitor), b"profile");
    one.due = vec![(UnixMillis::new(1_795_341_600_000), visitor.clone())];
    let marker = one.marker;
    assert_eq!(port.apply(one), ApplyResult::Applied);
    let mut client = client(&settings);
    let tag = format!("{}{{s{:04}}}", settings.prefix, shard.get());
    let stored: Vec<u8> = client.hget(format!("{tag}:p"), "v-42").unwrap();
    assert_eq!(stored, b"profile");
    let stored: Vec<u8> = client.hget(format!("{tag}:p"), "").unwrap();
    assert_eq!(Marker::decode(&stored), Ok(marker));
    let due: Vec<String> = client.smembers(format!("{tag}:d:1795341600")).unwrap();
    assert_eq!(due, ["v-42"]);
}

#[test]
fn the_viewer_reads_what_was_applied() {
    let settings = shared();
    let mut port = Port::open(&settings);
    let visitor = VisitorId::try_new("v-43").unwrap();
    let one = step(visitor.shard(), (0, 1), std::slice::from_ref(&visitor), b"profile");
    let marker = one.marker;
    let mut viewer = Viewer::connect(&settings).unwrap();
    assert_eq!(viewer.read_profile(&visitor).unwrap(), None);
    assert_eq!(port.apply(one), ApplyResult::Applied);
    assert_eq!(viewer.read_profile(&visitor).unwrap(), Some(b"profile".to_vec()));
    assert_eq!(viewer.marker(visitor.shard()).unwrap(), Some(marker));
}

#[test]
fn a_server_that_forgot_the_script_is_told_it_again() {
    let (_server, settings) = own(&[]);
    let mut port = Port::open(&settings);
    let mut client = client(&settings);
    let (shard, visitors) = visitors_of_one_shard(3);
    for seq in 1..=5 {
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut client).unwrap();
        // Several in one pipeline: each is carried out once, in order.
        let value = seq.to_string();
        let (prev, next) = (2 * seq - 2, 2 * seq);
        let steps = vec![
            step(shard, (prev, next - 1), &visitors, b"-"),
            step(shard, (next - 1, next), &visitors, value.as_bytes()),
            step(shard, (prev, next), &visitors, b"-"),
        ];
        let marker = steps[2].marker;
        port.store.apply(shard.partition(COUNT), Ticket(1), steps);
        let StoreReply::Applied(_, _, results) = port.replies.wait() else { panic!("no apply") };
        let results: Vec<_> = results.into_iter().map(|(_, result)| result).collect();
        let expected = [ApplyResult::Applied, ApplyResult::Applied, ApplyResult::Already(marker)];
        assert_eq!(results, expected);
        let read = port.read(shard, &visitors[..1]).unwrap();
        assert_eq!(read.profiles, [Some(value.into_bytes())]);
    }
}

#[test]
fn a_flushed_server_shows_as_behind() {
    let (_server, settings) = own(&[]);
    let mut port = Port::open(&settings);
    let (shard, visitors) = visitors_of_one_shard(3);
    assert_eq!(port.apply(step(shard, (0, 1), &visitors, b"1")), ApplyResult::Applied);
    redis::cmd("FLUSHALL").exec(&mut client(&settings)).unwrap();
    assert_eq!(port.read(shard, &visitors).unwrap().marker, None);
    assert_eq!(port.apply(step(shard, (1, 2), &visitors, b"2")), ApplyResult::Behind(None));
    assert_eq!(port.read(shard, &visitors).unwrap().profiles, [None, None, None]);
}

#[test]
fn a_killed_server_is_met_again_after_its_restart() {
    let (mut server, settings) = own(&["--appendfsync", "no"]);
    let mut port = Port::open(&settings);
    let (shard, visitors) = visitors_of_one_shard(3);
    let first = step(shard, (0, 1), &visitors, b"1");
    assert_eq!(port.apply(first.clone()), ApplyResult::Applied);
    server.process().kill();
    let ApplyResult::Unknown(error) = port.apply(step(shard, (1, 2), &visitors, b"2")) else {
        panic!("an apply without a server has an outcome");
    };
    assert!(error.transient && error.attempt.contains(&server.address()), "{error}");
    let error = port.read(shard, &visitors).unwrap_err();
    assert!(error.contains(&server.address()), "{error}");
    server.process().start_again().unwrap();
    let read = port.read(shard, &visitors[..1]).unwrap();
    assert_eq!(read.marker, Some(first.marker), "what was acked survives the process");
    assert_eq!(read.profiles, [Some(b"1".to_vec())]);
    assert_eq!(port.apply(step(shard, (1, 2), &visitors, b"2")), ApplyResult::Applied);
}

#[test]
fn a_walk_over_a_restart_fails_and_begins_anew() {
    let (mut server, settings) = own(&["--appendfsync", "always"]);
    let mut port = Port::open(&settings);
    let (shard, visitors) = visitors_of_one_shard(2_000);
    let all: BTreeSet<_> = visitors.iter().cloned().collect();
    assert_eq!(port.apply(step(shard, (0, 1), &visitors, &[7; 200])), ApplyResult::Applied);
    let (_, next) = port.page(shard, 0).unwrap();
    let former = next.expect("it takes more than a page");
    server.process().kill();
    server.process().start_again().unwrap();
    // Somebody else hears of it, so that the walk's next page goes out on a new connection.
    assert!(port.read(Shard::new((shard.get() + 1) % tzeva_model::SHARDS), &[]).is_err());
    assert_eq!(port.read(shard, &[]).unwrap().marker.unwrap().seq, Seq::new(1));
    // A server hashes as it was told when it started: to the new process the cursor is some other place.
    let error = port.page(shard, former).unwrap_err();
    assert!(error.transient && error.attempt.contains("walk"), "{error}");
    assert_eq!(
        port.walk(shard),
        all,
        "the connection is still good, and a new walk meets everybody"
    );
}

#[test]
fn a_big_step_is_one_step() {
    let mut port = Port::open(&shared());
    let (shard, visitors) = visitors_of_one_shard(4_200);
    assert_eq!(port.apply(step(shard, (0, 1), &visitors, b"first")), ApplyResult::Applied);
    let mut second = step(shard, (1, 2), &visitors, b"second");
    second.due = visitors.iter().map(|v| (UnixMillis::new(600_000), v.clone())).collect();
    for write in second.writes.iter_mut().step_by(2) {
        write.profile = None;
    }
    let expected: Vec<_> = second.writes.iter().map(|write| write.profile.clone()).collect();
    assert_eq!(port.apply(second), ApplyResult::Applied);
    assert_eq!(port.read(shard, &visitors).unwrap().profiles, expected);
    port.store.due(shard.partition(COUNT), Ticket(3), shard, UnixMillis::new(600_000));
    let StoreReply::Due(_, _, Ok(due)) = port.replies.wait() else { panic!("no due set") };
    assert_eq!(due.len(), visitors.len());
}

#[test]
fn after_a_swallowed_reply_the_marker_tells() {
    let direct = shared();
    let proxy = Proxy::start(direct.url.strip_prefix("redis://").unwrap()).unwrap();
    let through = Settings {
        url: format!("redis://{}", proxy.address()),
        response_timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_millis(300),
        ..direct.clone()
    };
    let mut port = Port::open(&through);
    let (shard, visitors) = visitors_of_one_shard(3);
    assert_eq!(port.apply(step(shard, (0, 1), &visitors, b"1")), ApplyResult::Applied);
    proxy.set(Fault::SwallowReplies);
    let second = step(shard, (1, 2), &visitors, b"2");
    let ApplyResult::Unknown(error) = port.apply(second.clone()) else {
        panic!("a swallowed reply has an outcome");
    };
    assert!(error.transient, "{error}");
    assert!(port.read(shard, &visitors).is_err(), "not heard");
    // The server did it all the same, once; the next connection shows it.
    proxy.set(Fault::None);
    let read = port.read(shard, &visitors[..1]).unwrap();
    assert_eq!((read.marker, &read.profiles[0]), (Some(second.marker), &Some(b"2".to_vec())));
    assert_eq!(port.apply(second.clone()), ApplyResult::Already(second.marker));

    proxy.set(Fault::Cut);
    let third = step(shard, (2, 3), &visitors, b"3");
    assert!(matches!(port.apply(third.clone()), ApplyResult::Unknown(_)));
    proxy.set(Fault::None);
    let marker = port.read(shard, &[]).unwrap().marker.unwrap();
    assert_eq!(marker, second.marker, "cut before it went out");
    assert_eq!(port.apply(third), ApplyResult::Applied);
}

#[test]
fn a_late_answer_is_never_taken_for_anothers() {
    let direct = shared();
    let proxy = Proxy::start(direct.url.strip_prefix("redis://").unwrap()).unwrap();
    let through = Settings {
        url: format!("redis://{}", proxy.address()),
        response_timeout: Duration::from_millis(100),
        ..direct.clone()
    };
    let mut port = Port::open(&through);
    let (shard, visitors) = visitors_of_one_shard(2);
    assert_eq!(port.apply(step(shard, (0, 1), &visitors[..1], b"a")), ApplyResult::Applied);
    proxy.set(Fault::DelayReplies(Duration::from_millis(250)));
    assert!(port.read(shard, &visitors[..1]).is_err());
    proxy.set(Fault::None);
    for _ in 0..20 {
        let read = port.read(shard, &[visitors[1].clone()]).unwrap();
        assert_eq!(read.profiles, [None], "that was the first visitor's profile");
    }
}

#[test]
fn an_unfit_or_missing_server_is_refused_with_what_to_do() {
    let refused = |settings: &Settings| match connect(settings, replies().0) {
        Ok(_) => panic!("{settings:?} was taken"),
        Err(error) => error,
    };
    let (_server, evicting) = own(&["--maxmemory-policy", "allkeys-lru"]);
    let error = refused(&evicting);
    assert!(error.is_settings() && !error.is_transient());
    assert!(error.to_string().contains("config set maxmemory-policy noeviction"), "{error}");

    let (mut server, gone) = own(&[]);
    server.process().kill();
    let error = refused(&gone);
    assert!(error.is_transient() && !error.is_settings());
    assert!(error.to_string().contains(&server.address()), "{error}");
    assert!(matches!(error, RedisStoreError::Server { .. }));

    let (_server, locked) = own(&["--requirepass", "secret"]);
    let error = refused(&locked);
    assert!(!error.is_transient(), "{error:?}");
    let address = locked.url.strip_prefix("redis://").unwrap();
    let known = Settings { url: format!("redis://:secret@{address}"), ..locked.clone() };
    Port::open(&known);
}

#[test]
#[cfg(feature = "tls")]
fn a_server_without_tls_is_no_panic() {
    let plain = shared();
    let url = plain.url.replace("redis://", "rediss://");
    match connect(&Settings { url, ..plain }, replies().0) {
        Err(RedisStoreError::Server { address, .. }) => assert!(address.contains(':')),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a server without TLS was taken for one with it"),
    }
}

#[test]
fn what_fails_half_way_leaves_the_old_marker() {
    let (_server, settings) = own(&[]);
    let mut port = Port::open(&settings);
    let (shard, visitors) = visitors_of_one_shard(3);
    let first = step(shard, (0, 1), &visitors, b"1");
    assert_eq!(port.apply(first.clone()), ApplyResult::Applied);
    // A key of another type where the due set should be: the script's first write fails.
    let bucket = UnixMillis::new(600_000);
    let key = format!("{}{{s{:04}}}:d:600", settings.prefix, shard.get());
    let _: () = client(&settings).set(key, "no set").unwrap();
    let mut second = step(shard, (1, 2), &visitors, b"2");
    second.due = vec![(bucket, visitors[0].clone())];
    let ApplyResult::Unknown(error) = port.apply(second) else { panic!("it can't have gone well") };
    assert!(!error.transient, "a wrong type does not mend itself: {error}");
    let read = port.read(shard, &visitors[..1]).unwrap();
    assert_eq!((read.marker, &read.profiles[0]), (Some(first.marker), &Some(b"1".to_vec())));
    let later = step(shard, (1, 3), &visitors, b"3");
    assert_eq!(port.apply(later), ApplyResult::Applied, "the connection is still good");
}

#[test]
fn the_memory_of_a_profile_can_be_measured() {
    let (_server, settings) = own(&["--appendonly", "no"]);
    let mut port = Port::open(&settings);
    let mut viewer = Viewer::connect(&settings).unwrap();
    let before = viewer.server().unwrap().used_memory;
    let (count, value) = (20_000_u64, vec![0xa5_u8; 442]);
    let mut shards: Vec<Vec<VisitorId>> = vec![Vec::new(); 1024];
    for number in 0..count {
        let visitor = VisitorId::try_new(&format!("{number:036}")).unwrap();
        shards[usize::from(visitor.shard().get())].push(visitor);
    }
    for (shard, visitors) in (0..).map(Shard::new).zip(&shards) {
        assert_eq!(port.apply(step(shard, (0, 1), visitors, &value)), ApplyResult::Applied);
    }
    let after = viewer.server().unwrap().used_memory;
    let mean = (after - before) / count;
    println!("{mean} bytes a profile: 36 of id, 442 of value, {count} profiles in 1,024 hashes");
    assert!((500..700).contains(&mean), "{mean} bytes");
}

#[test]
fn many_requests_in_flight_are_answered_in_order() {
    let mut port = Port::open(&shared());
    let partition = Partition::new(5);
    let shards: Vec<Shard> = partition.shards(COUNT).collect();
    for seq in 1..=50 {
        let steps = shards.iter().map(|shard| step(*shard, (seq - 1, seq), &[], b"")).collect();
        port.store.apply(partition, Ticket(seq), steps);
        let wanted = shards.iter().map(|shard| (*shard, Vec::new())).collect();
        port.store.read(partition, Ticket(seq), wanted);
    }
    for seq in 1..=50 {
        let StoreReply::Applied(_, ticket, results) = port.replies.wait() else { panic!() };
        assert_eq!(ticket, Ticket(seq));
        assert!(results.iter().all(|(_, result)| *result == ApplyResult::Applied));
        let StoreReply::Read(_, ticket, Ok(read)) = port.replies.wait() else { panic!() };
        assert_eq!(ticket, Ticket(seq));
        assert_eq!(read.iter().map(|read| read.shard).collect::<Vec<_>>(), shards);
        assert!(read.iter().all(|read| read.marker.unwrap().seq == Seq::new(seq)));
    }
}
