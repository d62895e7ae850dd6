//! The whole language over generated histories: `tzeva backtest`, the embedded service and the oracle make the same
//! changes of the same files, to the last word of their reasons.
//!
//! `TZEVA_CASES=N` takes the rules and visitors of N generated cases (default 40), `TZEVA_SEED=N` begins at another.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod crowd;
mod support;

use crowd::{Crowd, KEEP};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use support::Place;
use tzeva_model::{Change, ChangeNumber, Incarnation, Millis, Name, NameId, Partition};
use tzeva_oracle::{Input, Settings, run};
use tzeva_painter::render::Renderer;

const MAX_AGE: Millis = Millis::new(1_000);
const PARTITIONS: u16 = 4;

/// Changes as published, without what only a log or a clock gives them; by visitor, in order.
type Told = BTreeMap<String, Vec<String>>;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A folder with the crowd's files and settings under which history is short.
fn place(crowd: &Crowd) -> Place {
    let place = Place::new();
    crowd.write_rules(&place.path("audiences"));
    std::fs::write(place.path("events.ndjson"), crowd.lines()).unwrap();
    let settings = format!(
        "audiences: audiences\npartitions: {PARTITIONS}\nhttp: {{listen: '127.0.0.1:0'}}\n\
         history: {{max_age: 1s, max_strokes: 8, max_cells: 12, max_items: 2, max_total_items: 6, keep: [{}]}}\n",
        KEEP.join(", ")
    );
    std::fs::write(place.path("tzeva.yaml"), settings).unwrap();
    place
}

fn told<'a>(lines: impl Iterator<Item = &'a str>) -> Told {
    let mut told = Told::new();
    for line in lines {
        let mut change: Value = serde_json::from_str(line).unwrap();
        let visitor = change["visitor"].as_str().unwrap().to_owned();
        for key in ["n", "id", "decided_at", "partition"] {
            change.as_object_mut().unwrap().remove(key);
        }
        told.entry(visitor).or_default().push(change.to_string());
    }
    told
}

/// What the oracle makes of the records, each partition for itself.
fn expected(crowd: &Crowd) -> Told {
    let settings = Settings {
        max_age: MAX_AGE,
        idle: MAX_AGE,
        max_strokes: 8,
        max_cells: 12,
        max_items: 2,
        max_total_items: 6,
        backtest: true,
        ..Settings::default()
    };
    let until = crowd.last() + MAX_AGE.times(10);
    let mut lines = Vec::new();
    for partition in (0..PARTITIONS).map(Partition::new) {
        let here = |input: &Input| input.event.visitor.partition(PARTITIONS) == partition;
        let inputs = crowd.sent.iter().map(|(input, _)| input.clone()).filter(here);
        let changes = run(&crowd.rules, &settings, &inputs.collect::<Vec<_>>(), until);
        lines.extend(rendered(crowd, &changes));
    }
    told(lines.iter().map(String::as_str))
}

fn rendered(crowd: &Crowd, changes: &[Change]) -> Vec<String> {
    let mut names: HashMap<NameId, String> = HashMap::new();
    let mut learn = |name: &Name| drop(names.insert(name.id(), name.text().to_owned()));
    for (input, _) in &crowd.sent {
        learn(&input.event.name);
        input.event.items.iter().filter_map(|item| item.product.as_ref()).for_each(&mut learn);
    }
    let renderer = Renderer {
        rules: &crowd.rules,
        idle: MAX_AGE,
        name: &|id| names.get(&id).cloned(),
        incarnation: Incarnation::new(0),
        partition: Partition::new(0),
    };
    let one = |change: &Change| {
        renderer.change(change, ChangeNumber::new(1), change.effective_at).to_json()
    };
    changes.iter().map(one).collect()
}

fn backtested(place: &Place) -> Told {
    place.fine(&[
        "backtest",
        "--config",
        "tzeva.yaml",
        "--audiences",
        "audiences",
        "--events",
        "events.ndjson",
        "--until",
        "max",
        "--changes",
        "changes.ndjson",
    ]);
    told(std::fs::read_to_string(place.path("changes.ndjson")).unwrap().lines())
}

fn lived(place: &Place) -> Told {
    place.drain();
    let look = ["changes", "show", "--config", "tzeva.yaml", "--data", "data", "--output", "json"];
    told(place.fine(&look).lines())
}

/// Compares change by change; answers how many there are.
fn assert_same(what: &str, left: &Told, right: &Told) -> usize {
    let none = Vec::new();
    for visitor in left.keys().chain(right.keys()) {
        let (left, right) =
            (left.get(visitor).unwrap_or(&none), right.get(visitor).unwrap_or(&none));
        let same = left.iter().zip(right).take_while(|(l, r)| l == r).count();
        assert_eq!(left.get(same), right.get(same), "{what}: change {same} of {visitor}");
    }
    right.values().map(Vec::len).sum()
}

#[test]
fn backtest_live_run_and_oracle_agree_on_the_whole_language() {
    let first = number("TZEVA_SEED", 1);
    let crowd = Crowd::of(first..first + number("TZEVA_CASES", 40), MAX_AGE).in_order();
    let place = place(&crowd);
    let expected = expected(&crowd);
    let changes = assert_same("the backtest and the oracle", &backtested(&place), &expected);
    assert_same("the live run and the oracle", &lived(&place), &expected);
    println!(
        "{} audiences, {} events, {changes} changes",
        crowd.rules.audiences.len(),
        crowd.sent.len()
    );
    assert!(changes > 1_000, "{changes} changes");
}
