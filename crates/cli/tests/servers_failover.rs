//! A store that went back in time while painters work: what it had acknowledged is gone, and comes back from the log.
#![cfg(test)]

mod shop;

use shop::data::{now, sample, sample_calls, sample_shop};
use shop::painter::{Painter, drained, live_a_while};
use shop::random::Random;
use shop::redis::{follows, tell};
use shop::{Shop, judge, wait_for};
use std::sync::{Arc, mpsc};
use tzeva_commit::port::{StoreReply, Ticket};
use tzeva_model::{Partition, Seq};
use tzeva_testkit::proxy::Proxy;
use tzeva_testkit::servers::Redis;

/// Nothing on disk but what `SAVE` leaves there.
const MEMORY: [&str; 4] = ["--appendonly", "no", "--save", ""];

/// How far each shard of a store has come.
fn reached(shop: &Shop, address: &str) -> Vec<Seq> {
    let settings =
        tzeva_redis::Settings { url: format!("redis://{address}"), ..shop.redis.clone() };
    let (sender, replies) = mpsc::channel();
    let sink = Arc::new(move |reply| drop(sender.send(reply)));
    let mut store = tzeva_redis::connect(&settings, sink).unwrap().store;
    let shards = shop.partitions().flat_map(|p| p.shards(shop.wanted.partitions));
    store.read(Partition::new(0), Ticket(1), shards.map(|shard| (shard, Vec::new())).collect());
    let StoreReply::Read(_, _, read) = replies.recv().unwrap() else { panic!("not a read") };
    let seq = |read: &tzeva_commit::port::ShardRead| read.marker.map_or(Seq::new(0), |m| m.seq);
    read.unwrap().iter().map(seq).collect()
}

/// Waits until some shard has come further than it had, or than the same shard elsewhere.
fn beyond(shop: &Shop, address: &str, before: &[Seq]) {
    wait_for("the store goes on", || {
        let there = reached(shop, address);
        there.iter().zip(before).any(|(there, before)| there > before).then_some(())
    });
}

#[test]
fn what_a_failover_or_an_old_dump_loses_comes_back_from_the_log() {
    let mut random = Random::from_environment();
    let (mut first, mut second) = (Redis::start(&MEMORY).unwrap(), Redis::start(&MEMORY).unwrap());
    let primary = first.address().replace(':', " ");
    assert_eq!(tell(&second.address(), &format!("REPLICAOF {primary}")), "+OK");
    let proxy = Proxy::start(&first.address()).unwrap();
    let shop = Shop::open_on(sample_shop(4, false), &format!("redis://{}", proxy.address()));
    let calls = sample_calls();
    let records = sample(&shop, now() - calls[calls.len() - 1].0.occurred_at);
    let mut parts = records.chunks(records.len().div_ceil(6));
    let mut feed = || shop.feed(parts.next().unwrap_or_default());

    feed();
    let mut painter = Painter::start(&shop);
    follows(&second.address());
    drained(&shop, &mut painter, false);

    // The replica loses its primary, which goes on acknowledging: that is the tail that nobody will ever see again.
    follows(&second.address());
    assert_eq!(tell(&second.address(), "REPLICAOF NO ONE"), "+OK");
    let promoted = reached(&shop, &second.address());
    feed();
    beyond(&shop, &first.address(), &promoted);
    live_a_while(&shop, &mut random);
    proxy.turn_to(&second.address()).unwrap();
    first.process().kill();
    feed();
    drained(&shop, &mut painter, false);

    // A server that dies and comes back with an old dump has lost what it acknowledged since.
    assert_eq!(tell(&second.address(), "SAVE"), "+OK");
    let saved = reached(&shop, &second.address());
    feed();
    beyond(&shop, &second.address(), &saved);
    live_a_while(&shop, &mut random);
    second.process().kill();
    second.process().start_again().unwrap();
    feed();
    drained(&shop, &mut painter, false);
    feed();
    drained(&shop, &mut painter, true);
    painter.stop();

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, records.len());
    assert!(
        verdicts.claims >= 3 * 4,
        "{} claims: who lost its store claims again",
        verdicts.claims
    );
    println!(
        "{} changes, {} claims, {} repeats",
        verdicts.changes.len(),
        verdicts.claims,
        verdicts.repeated
    );
}
