//! Engine and oracle agree on the workload and on the sample: change by change, instant by instant, reason by reason.
#![cfg(test)]

mod given;

use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_bench::{Plan, Traffic};
use tzeva_engine::{Draft, Engine, Settings};
use tzeva_model::{Change, Millis, UnixMillis};
use tzeva_oracle::{Input, run};

fn decided(rules: &RuleSet, inputs: &[Input], until: UnixMillis) -> Vec<Change> {
    let rules = Arc::new(rules.clone());
    let mut engine = Engine::new(rules, Settings::default(), UnixMillis::MIN);
    let mut draft = Draft::default();
    for input in inputs {
        engine.fire_until(input.record_time, &mut draft);
        if !engine.holds(&input.event.visitor) {
            engine.load(input.event.visitor.clone(), None);
        }
        let _ = engine.take(input.record_time, &input.event, &mut draft);
    }
    engine.fire_until(until + Millis::new(1), &mut draft);
    draft.changes
}

fn check(rules: &RuleSet, inputs: &[Input]) {
    let until = inputs[inputs.len() - 1].record_time + Millis::DAY.times(40);
    let expected = run(rules, &tzeva_oracle::Settings::default(), inputs, until);
    let got = decided(rules, inputs, until);
    for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got, expected, "change {place}");
    }
    assert_eq!(got.len(), expected.len());
    println!("{} events, {} changes", inputs.len(), got.len());
}

#[test]
fn engine_and_oracle_agree_on_the_sample() {
    let inputs: Vec<Input> = given::sample_events()
        .into_iter()
        .map(|event| Input { record_time: event.occurred_at, event })
        .collect();
    check(&given::sample_rules(), &inputs);
}

#[test]
fn engine_and_oracle_agree_on_the_workload() {
    let inputs: Vec<Input> = Traffic::new(Plan::sized(11, 300, 3_000))
        .map(|s| Input { record_time: s.record_time, event: s.call.to_event().unwrap() })
        .collect();
    check(&given::workload_rules(60), &inputs);
}
