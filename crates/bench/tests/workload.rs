//! The workload is what the rest of the project takes it for: its JSON decodes to its events, its audiences compile,
//! and events cause the number of changes they are meant to.
#![cfg(test)]

mod given;

use crate::given::workload_rules;
use tzeva_bench::{Plan, Sent, Traffic};
use tzeva_decode::{Decoded, Decoder, Raw, Settings};
use tzeva_model::{Millis, Partition};
use tzeva_oracle::{Input, run};

#[test]
fn the_json_decodes_to_the_event() {
    let mut decoder = Decoder::new(&Settings::default()).unwrap();
    for sent in Traffic::new(Plan::sized(5, 1_000, 3_000)) {
        let json = sent.call.json();
        let raw = Raw { partition: Partition::new(0), key: None, value: &json, headers: &[] };
        let Decoded::Event(event) = decoder.decode(&raw) else { panic!("{:?}", sent.call) };
        assert_eq!(Some(event), sent.call.to_event());
    }
}

#[test]
fn audiences_of_every_number_compile() {
    for count in [1, 10, 100, 1_000, 10_000] {
        assert_eq!(workload_rules(count).audiences.len(), count);
    }
}

#[test]
fn an_event_causes_about_as_many_changes_whatever_the_number_of_audiences() {
    let sent: Vec<Sent> = Traffic::new(Plan::sized(5, 250, 2_000)).collect();
    let inputs: Vec<Input> = sent
        .iter()
        .map(|s| Input { record_time: s.record_time, event: s.call.to_event().unwrap() })
        .collect();
    let until = sent[sent.len() - 1].record_time + Millis::DAY;
    for count in [10, 20, 100] {
        let changes =
            run(&workload_rules(count), &tzeva_oracle::Settings::default(), &inputs, until);
        let rate = changes.len() as f64 / inputs.len() as f64;
        assert!((0.05..0.4).contains(&rate), "{count} audiences: {rate:.3} changes an event");
        println!("{count} audiences: {rate:.3} changes an event");
    }
}
