//! Rules published to real servers: a plan by Redis, and two publishers at once.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod support;

use serde_json::Value;
use std::io::{BufReader, Read};
use std::process::Child;
use support::{Place, event, pages, signal, until};
use tzeva_kafka::Settings;
use tzeva_kafka::admin::{Fed, Feeder};
use tzeva_model::VisitorId;
use tzeva_testkit::servers;

const CONFIG: &[&str] = &["--config", "tzeva.yaml"];
const RULES: &str = "paint:
  half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }
  events: { product_viewed: { shop: 1 } }
---
audience: looked
enter: { event: { name: product_viewed } }
";
const ADDED: &str = "audience: NAME\nenter: { event: { name: product_added } }\n";

/// Rules in `rules`, settings for topics and keys of this test alone, topics made.
fn place(own: &str) -> Place {
    let place = Place::new();
    let (kafka, redis) = (servers::kafka().unwrap(), servers::redis().unwrap());
    let settings = format!(
        "audiences: rules\nhttp: {{listen: '127.0.0.1:0'}}\npartitions: 4\n\
         sources: [{{topic: {own}.visits}}, {{topic: {own}.purchases}}]\n\
         topics: {{log: {own}.log, changes: {own}.changes, names: {own}.names, rules: {own}.rules, \
         dead_letters: {own}.dead, replication: 1}}\n\
         kafka: {{brokers: '{kafka}', group: '{own}'}}\n\
         redis: {{url: 'redis://{redis}/0', prefix: '{own}:'}}\n"
    );
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    std::fs::create_dir(place.path("rules")).unwrap();
    std::fs::write(place.path("rules/all.yaml"), RULES).unwrap();
    place.fine(&[&["topics", "create"], CONFIG].concat());
    place
}

fn own(name: &str) -> String {
    format!("{name}-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond())
}

/// Somebody looks at a shoe.
fn feed(own: &str, visitor: &str) {
    let at = jiff::Timestamp::now().to_string();
    let value = event("e-1", "Product Viewed", visitor, &at);
    let feeder = Feeder::new(&Settings::new(servers::kafka().unwrap())).unwrap();
    let fed = Fed {
        topic: &format!("{own}.visits"),
        partition: VisitorId::try_new(visitor).unwrap().partition(4),
        time: None,
        key: Some(visitor.as_bytes()),
        value: value.as_bytes(),
        headers: &[],
    };
    feeder.write(&fed).unwrap();
    feeder.flush().unwrap();
}

fn history(place: &Place) -> Vec<Value> {
    let told = place.fine(&[&["audience", "history", "--output", "json"], CONFIG].concat());
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn apply(place: &Place, folder: &str, more: &[&str]) -> Child {
    let args = [&["audience", "apply", folder, "--output", "json"], CONFIG, more].concat();
    let mut command = place.command(&args);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    command.spawn().unwrap()
}

/// Exit code and what was told.
fn ended(mut child: Child) -> (i32, Value) {
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    (code, serde_json::from_str(&told).unwrap_or_default())
}

#[test]
fn a_plan_is_made_by_redis_and_rules_are_published_to_kafka() {
    let own = own("apply");
    let place = place(&own);
    feed(&own, "v-1");
    let mut service = place.start(&[&["run", "--from", "earliest"], CONFIG].concat());
    let mut log = BufReader::new(service.stderr.take().unwrap());
    pages(&mut log);
    let drain = std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    until("the visitor is stored", || {
        place.output(&[&["visitor", "show", "v-1"], CONFIG].concat()).status.success()
    });
    signal(&service, "-TERM");
    assert!(service.wait().unwrap().success());
    drain.join().unwrap().unwrap();
    // Unless the service has published them itself.
    let (code, told) = ended(apply(&place, "rules", &[]));
    assert_eq!(code, 0, "{told}");
    std::fs::write(place.path("rules/added.yaml"), ADDED.replace("NAME", "added")).unwrap();
    let (code, told) = ended(apply(&place, "rules", &["--note", "carts"]));
    assert_eq!((code, &told["outcome"]), (0, &"published".into()), "{told}");
    assert_eq!(told["plan"]["forecast"]["visitors"], 1);
    assert_eq!(told["plan"]["forecast"]["audiences"]["looked"]["now"], 1);
    let history = history(&place);
    assert_eq!((history.len(), &history[1]["standing"]), (2, &"counts".into()));
    assert_eq!(history[1]["note"], "carts");
}

#[test]
fn of_two_applies_for_one_parent_exactly_one_is_published() {
    let place = place(&own("race"));
    let (code, told) = ended(apply(&place, "rules", &[]));
    assert_eq!(code, 0, "{told}");
    let parent = history(&place)[0]["version"].as_str().unwrap().to_owned();
    for name in ["one", "two"] {
        std::fs::create_dir(place.path(name)).unwrap();
        let text = format!("{RULES}---\n{}", ADDED.replace("NAME", name));
        std::fs::write(place.path(name).join("all.yaml"), text).unwrap();
    }
    let both = ["one", "two"].map(|name| apply(&place, name, &["--parent", &parent]));
    let mut codes = both.map(|child| ended(child).0);
    codes.sort_unstable();
    // Whoever reads the head after the other has published is refused for its `--parent`.
    assert!([[0, 1], [0, 75]].contains(&codes), "{codes:?}");
    let standings: Vec<Value> = history(&place).iter().map(|one| one["standing"].clone()).collect();
    assert_eq!(standings.iter().filter(|standing| **standing == "counts").count(), 1);
    assert_eq!(standings[0], "counted");
}
