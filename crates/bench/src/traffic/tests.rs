//! The traffic is what the workload's definition says, within what chance allows.

use super::*;
use std::collections::HashMap;

fn made(events: u64) -> Vec<Sent> {
    Traffic::new(Plan::sized(7, 10_000, events)).collect()
}

fn share(sent: &[Sent], event: &str) -> f64 {
    sent.iter().filter(|s| s.call.event == event).count() as f64 / sent.len() as f64
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    let bytes = |seed| {
        let mut all = Vec::new();
        for sent in Traffic::new(Plan::sized(seed, 1_000, 5_000)) {
            sent.call.write_json(&mut all);
        }
        all
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn views_carts_and_purchases_have_their_shares() {
    let sent = made(100_000);
    let near = |got: f64, want: f64| (got - want).abs() < 0.01;
    assert!(near(share(&sent, "Product Viewed"), 0.85));
    assert!(near(share(&sent, "Product Added"), 0.10));
    let purchases = share(&sent, "Order Completed") + share(&sent, "Order Refunded");
    assert!(near(purchases, 0.05));
    assert!(share(&sent, "Order Refunded") > 0.0005);
}

#[test]
fn one_in_a_hundred_is_late_and_one_in_a_thousand_is_repeated() {
    let sent = made(100_000);
    let late = sent.iter().filter(|s| s.call.at < s.record_time).count();
    assert!((850..=1_250).contains(&late), "{late}");
    let behind = sent.iter().map(|s| (s.record_time - s.call.at).get()).max();
    // Late by a minute, and repeated a minute later.
    assert!(behind <= Some(120_000));
    let mut ids: HashMap<&str, usize> = HashMap::new();
    sent.iter().for_each(|s| *ids.entry(&s.call.id).or_default() += 1);
    let repeats = ids.values().filter(|&&times| times > 1).count();
    assert!((60..=140).contains(&repeats), "{repeats}");
}

#[test]
fn records_come_in_order_of_their_time() {
    let sent = made(20_000);
    assert!(sent.windows(2).all(|pair| pair[0].record_time <= pair[1].record_time));
}

#[test]
fn a_visit_has_eight_events_on_average() {
    // With very many visitors nearly all have one visit at most.
    let sent: Vec<Sent> = Traffic::new(Plan::sized(7, 50_000_000, 200_000)).collect();
    let mut visits: HashMap<&str, usize> = HashMap::new();
    sent.iter().for_each(|s| *visits.entry(&s.call.visitor).or_default() += 1);
    let mean = sent.len() as f64 / visits.len() as f64;
    assert!((7.5..9.5).contains(&mean), "{mean}");
}

#[test]
fn a_view_is_about_486_bytes_of_json_and_parses() {
    let sent = made(5_000);
    let mut lengths = Vec::new();
    for sent in &sent {
        let json = sent.call.json();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["anonymousId"].as_str().map(str::len), Some(36));
        if sent.call.event == "Product Viewed" {
            lengths.push(json.len());
        } else if let Some(order) = &sent.call.order {
            let products = value["properties"]["products"].as_array().unwrap();
            assert_eq!(products.len(), sent.call.lines.len());
            let total: Amount = sent.call.lines.iter().map(|line| line.amount()).sum();
            assert_eq!(order.revenue.get().abs(), total.get());
        }
    }
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    assert!((476..=496).contains(&mean), "{mean}");
}

#[test]
fn a_repeat_is_the_same_call() {
    let sent = made(50_000);
    let mut first: HashMap<&str, &Call> = HashMap::new();
    let mut repeats = 0;
    for sent in &sent {
        match first.insert(&sent.call.id, &sent.call) {
            Some(before) => {
                assert_eq!(before, &sent.call);
                repeats += 1;
            }
            None => continue,
        }
    }
    assert!(repeats > 10);
}
