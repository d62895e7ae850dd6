//! Reasons: the place that decided and the strokes that bear it out.

use crate::given::*;
use tzeva_audience::{Compare, CountTest, Node};
use tzeva_model::{Change, Place};
use tzeva_oracle::{Settings, run};

fn changes(enter: Node, inputs: &[tzeva_oracle::Input]) -> Vec<Change> {
    run(&rules(vec![audience("a", enter)]), &Settings::default(), inputs, at(D))
}

fn instants(change: &Change) -> Vec<i64> {
    change.reason.evidence.iter().map(|evidence| (evidence.at - at(0)).get()).collect()
}

#[test]
fn the_first_leaf_whose_flip_helped_decides() {
    let enter = Node::All(vec![ever("y"), not(some("y", M)), ever("x")]);
    let changes = changes(enter, &[event(0, "y"), event(0, "x")]);
    assert_eq!(changes[0].effective_at, at(M));
    assert_eq!(changes[0].reason.place, Place::Leaf(1));
}

#[test]
fn who_is_in_from_the_start_is_in_by_the_condition_as_a_whole() {
    let changes = changes(not(ever("x")), &[event(0, "y")]);
    assert_eq!(changes[0].reason.place, Place::Enter);
    assert!(changes[0].reason.evidence.is_empty());
}

#[test]
fn evidence_is_the_newest_three_strokes_newest_first() {
    let four = CountTest::Is(Compare::AtLeast, 4);
    let events: Vec<_> = (0..4).map(|minute| event(minute * M, "x")).collect();
    let changes = changes(counted("x", four, H), &events);
    assert_eq!(instants(&changes[0]), [3 * M, 2 * M, M]);
    // At the end the count is down to three, and these bear it out.
    assert_eq!(instants(&changes[1]), [3 * M, 2 * M, M]);
}

#[test]
fn when_nothing_is_left_evidence_is_what_there_was() {
    let changes = changes(some("x", H), &[event(0, "x")]);
    assert_eq!(instants(&changes[1]), [0]);
}

#[test]
fn evidence_names_the_first_product() {
    let changes = changes(ever("x"), &[with(event(0, "x"), &["shoe", "hat"])]);
    assert_eq!(changes[0].reason.evidence[0].product, Some(product("shoe").id()));
}

#[test]
fn a_deadline_has_no_cause() {
    let changes = changes(some("x", H), &[event(0, "x")]);
    assert!(changes[0].reason.cause.is_some());
    assert!(changes[1].reason.cause.is_none());
}

#[test]
fn what_began_and_ended_within_an_instant_is_told_by_the_condition_as_a_whole() {
    // "Before" is a millisecond earlier, when the condition was as false as it is after the second event.
    let changes = changes(since("x", "y"), &[event(0, "x"), event(0, "y")]);
    assert_eq!(changes[1].reason.place, Place::Enter);
}
