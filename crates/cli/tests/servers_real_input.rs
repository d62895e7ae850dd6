//! Real input through real Kafka, the real binary and real Redis: what is published, logged and stored is what the
//! independent evaluator says, change by change, and what `tzeva backtest` makes of the same events.
#![cfg(test)]

mod shop;

use shop::data::{generated, generated_shop, now, sample, sample_calls, sample_shop};
use shop::painter::{Painter, drained};
use shop::{Shop, history, judge, sample_folder};
use tzeva_model::Millis;

#[test]
fn the_sample_comes_out_as_the_oracle_says_instant_by_instant() {
    let shop = Shop::open(sample_shop(4, true));
    let records = sample(&shop, Millis::ZERO);
    shop.feed(&records);
    let mut painter = Painter::start(&shop);
    drained(&shop, &mut painter, true);
    painter.stop();
    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, 31_106);
    // Engine time went on to today, more than `profile.idle` behind the last event: all were forgotten, and said so.
    assert_eq!(verdicts.profiles, 0);
    assert!(verdicts.changes.iter().any(|change| change.kind == "forgotten"));
    assert!(verdicts.rejected.is_empty());
    assert!(verdicts.changes.len() > 5_000, "{}", verdicts.changes.len());
    assert!(verdicts.changes.iter().all(|change| change.exact && change.origin == "live"));
    history::agrees(&shop, &sample_folder().join("ecom.ndjson.gz"), &verdicts);
    println!("{} changes, until {:?}", verdicts.changes.len(), verdicts.untils);
}

#[test]
fn products_orders_and_refunds_come_out_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(generated_shop(4, true, folder.path()));
    let records = generated(&shop, 7, 1_500, 20_000);
    shop.feed(&records);
    let mut painter = Painter::start(&shop);
    drained(&shop, &mut painter, true);
    painter.stop();
    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, 20_000);
    assert!(verdicts.changes.len() > 500, "{}", verdicts.changes.len());
    assert!(
        verdicts.changes.iter().any(|c| c.evidence.iter().any(|(_, _, product)| product.is_some()))
    );
    println!("{} changes, until {:?}", verdicts.changes.len(), verdicts.untils);
}

#[test]
fn on_topics_with_the_brokers_time_the_oracle_agrees_on_the_times_read_back() {
    let shop = Shop::open(sample_shop(4, false));
    // The half year of the sample ends now, so that windows run out while it is read.
    let calls = sample_calls();
    let (last, _) = &calls[calls.len() - 1];
    let records = sample(&shop, now() - last.occurred_at);
    shop.feed(&records);
    let mut painter = Painter::start(&shop);
    drained(&shop, &mut painter, false);
    painter.stop();
    let verdicts = judge::all(&shop);
    assert_eq!((verdicts.events, verdicts.profiles), (31_106, 600));
    assert!(verdicts.changes.iter().any(|change| change.origin == "late"));
    println!("{} changes, until {:?}", verdicts.changes.len(), verdicts.untils);
}
