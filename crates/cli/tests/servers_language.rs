//! The whole language over real Kafka and Redis: late, future, tied and repeated events of generated cases. What is
//! logged, published and stored is what the oracle says, change by change; where events come in order, so is the backtest.
#![cfg(test)]

mod crowd;
mod shop;

use crowd::{Crowd, KEEP};
use shop::painter::{Painter, drained};
use shop::{MAX_AGE, Record, Shop, Wanted, history, judge};
use tzeva_model::Origin;

fn shop(crowd: &Crowd, folder: &std::path::Path) -> Shop {
    crowd.write_rules(folder);
    let keep = KEEP.map(str::to_owned).to_vec();
    Shop::open(Wanted { partitions: 4, create_time: true, audiences: folder.to_owned(), keep })
}

fn lived(shop: &Shop, crowd: &Crowd) -> judge::Verdicts {
    let record = |(input, line): &(tzeva_oracle::Input, String)| {
        shop.record(0, input.event.visitor.as_str(), input.record_time, line.clone().into_bytes())
    };
    let records: Vec<Record> = crowd.sent.iter().map(record).collect();
    shop.feed(&records);
    let mut painter = Painter::start(shop);
    drained(shop, &mut painter, true);
    painter.stop();
    let verdicts = judge::all(shop);
    assert_eq!(verdicts.events, crowd.sent.len());
    assert!(verdicts.rejected.is_empty(), "{:?}", verdicts.rejected);
    println!("{} events, {} changes", verdicts.events, verdicts.changes.len());
    verdicts
}

#[test]
fn late_and_future_events_come_out_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = Crowd::of(1..41, MAX_AGE);
    let shop = shop(&crowd, folder.path());
    let ahead = crowd.sent.iter().filter(|(i, _)| i.event.occurred_at > i.record_time).count();
    let behind = crowd.sent.iter().filter(|(i, _)| i.event.occurred_at < i.record_time).count();
    assert!(ahead > 20 && behind > 50, "{ahead} of the future, {behind} of the past");
    let verdicts = lived(&shop, &crowd);
    assert!(verdicts.changes.len() > 1_000, "{}", verdicts.changes.len());
    // A day late is more than any of these is.
    assert!(verdicts.changes.iter().all(|change| change.origin == Origin::Live.word()));
}

#[test]
fn the_backtest_agrees_where_events_come_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = Crowd::of(41..81, MAX_AGE).in_order();
    let shop = shop(&crowd, folder.path());
    let verdicts = lived(&shop, &crowd);
    let events = shop.folder.path().join("events.ndjson");
    std::fs::write(&events, crowd.lines()).unwrap();
    history::agrees(&shop, &events, &verdicts);
}
