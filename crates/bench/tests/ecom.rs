//! The committed sample is what its converter makes of the released one; its calls decode, its audiences compile and say
//! something.
#![cfg(test)]

mod given;

use crate::given::{calls, folder, sample_events, sample_rules};
use std::collections::BTreeSet;
use std::process::Command;
use tzeva_model::{Millis, Place};
use tzeva_oracle::{Input, run};

#[test]
fn the_converter_makes_the_committed_calls() {
    let Ok(made) = Command::new("python3")
        .arg(folder().join("convert.py"))
        .arg(folder().join("ecom.csv.gz"))
        .arg("-")
        .output()
    else {
        println!("no python3 here: the converter was not run");
        return;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // Not one great comparison: a failure should print a line.
    let made = String::from_utf8(made.stdout).unwrap();
    let committed = calls();
    assert_eq!(made.lines().count(), committed.lines().count());
    for (made, committed) in made.lines().zip(committed.lines()) {
        assert_eq!(made, committed);
    }
}

#[test]
fn every_call_decodes_and_the_figures_are_those_of_the_sample() {
    let events = sample_events();
    let visitors: BTreeSet<_> = events.iter().map(|e| e.visitor.clone()).collect();
    let names: BTreeSet<_> = events.iter().map(|e| e.name.text()).collect();
    assert_eq!((events.len(), visitors.len(), names.len()), (31_106, 600, 19));
    assert!(events.windows(2).all(|pair| pair[0].occurred_at <= pair[1].occurred_at));
}

#[test]
fn its_audiences_see_every_kind_of_change() {
    let rules = sample_rules();
    assert!(rules.audiences.len() >= 12);
    let first = sample_events();
    let inputs: Vec<Input> =
        first.into_iter().map(|e| Input { record_time: e.occurred_at, event: e }).collect();
    let until = inputs[inputs.len() - 1].record_time + Millis::DAY.times(30);
    let settings = tzeva_oracle::Settings { backtest: true, ..tzeva_oracle::Settings::default() };
    let changes = run(&rules, &settings, &inputs, until);
    let moved: BTreeSet<_> = changes.iter().map(|c| (c.audience, c.direction)).collect();
    assert_eq!(moved.len(), 2 * rules.audiences.len(), "each audience is entered and exited");
    let places: BTreeSet<Place> = changes.iter().map(|c| c.reason.place).collect();
    for place in [Place::Enter, Place::EnterAfter, Place::ReenterAfter, Place::AtLeast] {
        assert!(places.contains(&place), "{place:?} never decides");
    }
    assert!(places.contains(&Place::AtMost));
    println!("{} changes of {} audiences", changes.len(), rules.audiences.len());
}
