//! Policies: entering later, staying at least and at most, coming back, being forgotten.

use crate::given::*;
use tzeva_audience::{Audience, Node, Stay};
use tzeva_model::Millis;
use tzeva_oracle::Settings;

fn a(enter: Node) -> Audience {
    audience("a", enter)
}

#[test]
fn enter_after_wants_the_condition_unbroken() {
    let a = || Audience { enter_after: Millis::HOUR, ..a(some("x", 90 * M)) };
    assert_eq!(
        told(a(), &[event(0, "x")]),
        ["1h v entered a, deadline EnterAfter", "1h30m v exited a, deadline Leaf(0)"]
    );
    let short = Audience { enter_after: Millis::new(2 * H), ..a() };
    assert_eq!(told(short, &[event(0, "x")]), [""; 0]);
}

#[test]
fn an_interruption_between_two_events_of_one_instant_starts_the_wait_anew() {
    let a = || Audience { enter_after: Millis::HOUR, ..a(since("x", "y")) };
    let broken = [event(0, "x"), event(H, "y"), event(H, "x")];
    assert_eq!(told(a(), &broken), ["2h v entered a, deadline EnterAfter"]);
}

#[test]
fn the_last_instant_of_the_wait_must_hold_too() {
    let a = || Audience { enter_after: Millis::HOUR, ..a(some("x", H)) };
    assert_eq!(told(a(), &[event(0, "x")]), [""; 0]);
}

#[test]
fn at_least_holds_a_stay_whose_condition_has_ceased() {
    let mut a = a(some("x", M));
    a.stay.at_least = Millis::HOUR;
    assert_eq!(
        told(a, &[event(0, "x")]),
        ["0s v entered a, event Leaf(0)", "1h v exited a, deadline AtLeast"]
    );
}

#[test]
fn a_stay_longer_than_at_least_ends_with_its_condition() {
    let mut a = a(some("x", 2 * H));
    a.stay.at_least = Millis::HOUR;
    let changes = told(a, &[event(0, "x")]);
    assert_eq!(changes[1], "2h v exited a, deadline Leaf(0)");
}

#[test]
fn with_exit_when_a_condition_that_ceases_ends_no_stay() {
    let mut a = a(some("x", H));
    a.exit_when = Some(ever("y"));
    let changes = told(a, &[event(0, "x"), event(3 * H, "y")]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "3h v exited a, event Leaf(1)"]);
}

#[test]
fn at_most_disarms_until_the_condition_has_ceased_once() {
    let mut a = a(some("x", D));
    a.stay = Stay { at_least: Millis::ZERO, at_most: Some(Millis::HOUR) };
    // The events at 2h and 20h keep the condition true until 44h; the one at 50h begins a new stretch.
    let events = [event(0, "x"), event(2 * H, "x"), event(20 * H, "x"), event(50 * H, "x")];
    assert_eq!(
        told(a, &events),
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, deadline AtMost",
            "2d2h v entered a, event Leaf(0)",
            "2d3h v exited a, deadline AtMost",
        ]
    );
}

#[test]
fn an_exit_for_another_reason_at_the_same_instant_does_not_disarm() {
    let mut a = a(some("x", H));
    a.stay.at_most = Some(Millis::HOUR);
    let events = [event(0, "x"), event(H, "y"), event(H, "x")];
    assert_eq!(
        told(a, &events),
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, event Leaf(0)",
            "1h v entered a, event Enter",
            "2h v exited a, deadline Leaf(0)",
        ]
    );
}

#[test]
fn reenter_after_waits_and_the_stretch_runs_meanwhile() {
    let mut a = a(some("x", 3 * H));
    a.exit_when = Some(some("y", M));
    a.reenter_after = Millis::new(2 * H);
    let changes = told(a.clone(), &[event(0, "x"), event(H, "y"), event(2 * H, "x")]);
    assert_eq!(
        changes,
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, event Leaf(1)",
            "3h v entered a, deadline ReenterAfter",
        ]
    );
    // The stretch began at 1h1m, when y's minute was over, so an hour of it has passed before the cooling is over.
    a.enter_after = Millis::HOUR;
    let changes = told(a, &[event(-H, "x"), event(0, "x"), event(H, "y"), event(2 * H, "x")]);
    assert_eq!(changes[2], "3h v entered a, deadline ReenterAfter");
}

#[test]
fn an_idle_visitor_is_forgotten_instead_of_evaluated() {
    let settings = Settings { idle: Millis::HOUR, ..Settings::default() };
    let rules = rules(vec![a(some("x", H)), audience("b", ever("x"))]);
    assert_eq!(
        told_of(&rules, &settings, &[event(0, "x")]),
        [
            "0s v entered a, event Leaf(0)",
            "0s v entered b, event Leaf(0)",
            "1h v exited a, forgotten Idle",
            "1h v exited b, forgotten Idle",
        ]
    );
}

#[test]
fn an_event_at_the_last_instant_keeps_a_visitor_from_being_forgotten() {
    let settings = Settings { idle: Millis::HOUR, ..Settings::default() };
    let rules = rules(vec![a(ever("x"))]);
    let changes = told_of(&rules, &settings, &[event(0, "x"), event(H, "y")]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "2h v exited a, forgotten Idle"]);
}

#[test]
fn a_repeat_keeps_nobody_from_being_forgotten() {
    let settings = Settings { idle: Millis::HOUR, ..Settings::default() };
    let rules = rules(vec![a(ever("x"))]);
    let changes = told_of(&rules, &settings, &[event(0, "x"), late(event(0, "x"), 30 * M)]);
    assert_eq!(changes[1], "1h v exited a, forgotten Idle");
}

#[test]
fn who_was_forgotten_comes_back_as_a_stranger() {
    let settings = Settings { idle: Millis::HOUR, ..Settings::default() };
    let mut a = a(ever("x"));
    a.reenter_after = Millis::DAY;
    let changes = told_of(&rules(vec![a]), &settings, &[event(0, "x"), event(2 * H, "x")]);
    assert_eq!(changes[2], "2h v entered a, event Leaf(0)");
}
