//! Which comes first: events, deadlines, late arrivals, repeats.

use crate::given::*;
use tzeva_audience::{Audience, Node, Stay};
use tzeva_model::{Millis, Origin};
use tzeva_oracle::{Settings, run};

fn cart() -> Audience {
    let enter = Node::All(vec![
        some("product_added", 3 * D),
        last("product_added", true, H),
        not(since("order_completed", "product_added")),
    ]);
    Audience {
        exit_when: Some(since("order_completed", "product_added")),
        stay: Stay { at_least: Millis::ZERO, at_most: Some(Millis::DAY.times(7)) },
        reenter_after: Millis::DAY,
        ..audience("cart", enter)
    }
}

#[test]
fn an_abandoned_cart_enters_after_an_hour_and_leaves_at_the_purchase() {
    let events = [event(0, "product_added"), event(2 * H, "order_completed")];
    assert_eq!(
        told(cart(), &events),
        ["1h v entered cart, deadline Leaf(1)", "2h v exited cart, event Leaf(3)"]
    );
}

#[test]
fn a_purchase_before_the_hour_is_up_never_enters() {
    let events = [event(0, "product_added"), event(40 * M, "order_completed")];
    assert_eq!(told(cart(), &events), [""; 0]);
}

#[test]
fn catching_up_decides_as_if_it_had_been_there() {
    // Read together, hours later: what counts is the record time, not when they were read.
    let events = [
        event(0, "product_added"),
        event(30 * M, "order_completed"),
        of("w", 2 * H, "page_viewed"),
    ];
    assert_eq!(told(cart(), &events), [""; 0]);
}

#[test]
fn the_first_event_of_an_instant_prevents_the_exit_that_was_due_at_it() {
    let a = || audience("a", some("x", H));
    let prevented = told(a(), &[event(0, "x"), event(H, "x")]);
    assert_eq!(prevented, ["0s v entered a, event Leaf(0)", "2h v exited a, deadline Leaf(0)"]);
}

#[test]
fn the_second_event_of_an_instant_comes_too_late_to_prevent_it() {
    let events = [event(0, "x"), event(H, "y"), event(H, "x")];
    assert_eq!(
        told(audience("a", some("x", H)), &events),
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, event Leaf(0)",
            "1h v entered a, event Enter",
            "2h v exited a, deadline Leaf(0)",
        ]
    );
}

#[test]
fn a_stay_of_zero_length_is_two_changes() {
    let mut a = audience("a", some("x", H));
    a.exit_when = Some(since("y", "x"));
    let changes = told(a, &[event(0, "x"), event(0, "y")]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "0s v exited a, event Leaf(1)"]);
}

#[test]
fn across_visitors_deadlines_go_by_instant_then_visitor() {
    let events = [of("w", 0, "x"), of("v", 0, "x"), of("u", 1, "x")];
    let changes = told(audience("a", some("x", H)), &events);
    let order: Vec<_> = changes[3..].iter().map(|line| &line[..11]).collect();
    assert_eq!(order, ["1h v exited", "1h w exited", "1h1ms u exi"]);
}

#[test]
fn events_of_an_instant_come_before_other_visitors_deadlines_at_it() {
    let events = [of("v", 0, "x"), of("w", H, "x")];
    let changes = told(audience("a", some("x", H)), &events);
    assert_eq!(changes[1], "1h w entered a, event Leaf(0)");
    assert_eq!(changes[2], "1h v exited a, deadline Leaf(0)");
}

#[test]
fn a_late_event_takes_its_place_in_history_but_decides_now() {
    let late_x = late(event(0, "x"), 2 * H);
    let events = [event(H, "y"), late_x];
    let changes = told(audience("a", some("x", 3 * H)), &events);
    assert_eq!(changes, ["2h v entered a, event Leaf(0)", "3h v exited a, deadline Leaf(0)"]);
}

#[test]
fn a_window_that_was_over_before_its_event_came_never_opens() {
    let events = [late(event(0, "x"), 2 * H)];
    assert_eq!(told(audience("a", some("x", 2 * H)), &events), [""; 0]);
}

#[test]
fn late_is_what_comes_more_than_late_after_behind() {
    let rules = rules(vec![audience("a", ever("x"))]);
    let origin = |by| {
        let changes = run(&rules, &Settings::default(), &[late(event(0, "x"), by)], at(D));
        changes[0].origin
    };
    assert_eq!(origin(D), Origin::Live);
    assert_eq!(origin(D + 1), Origin::Late);
}

#[test]
fn what_comes_behind_engine_time_is_decided_at_it_and_late() {
    let rules = rules(vec![audience("a", ever("x"))]);
    let inputs = [of("w", H, "y"), of("v", 0, "x")];
    let changes = run(&rules, &Settings::default(), &inputs, at(D));
    assert_eq!((changes[0].effective_at, changes[0].origin), (at(H), Origin::Late));
}

#[test]
fn an_event_from_the_future_happened_when_it_was_recorded() {
    let changes = told(audience("a", some("x", H)), &[late(event(2 * H, "x"), -2 * H)]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "1h v exited a, deadline Leaf(0)"]);
}

#[test]
fn the_cause_tells_what_the_shoppers_clock_said() {
    let rules = rules(vec![audience("a", some("x", H))]);
    let inputs = [late(event(2 * H, "x"), -2 * H)];
    let changes = run(&rules, &Settings::default(), &inputs, at(0));
    assert_eq!(changes[0].reason.cause.as_ref().unwrap().time, at(2 * H));
}

#[test]
fn a_repeat_changes_nothing_not_even_what_is_due_at_its_instant() {
    let repeat = late(event(0, "x"), H);
    let changes = told(audience("a", some("x", H)), &[event(0, "x"), repeat]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "1h v exited a, deadline Leaf(0)"]);
}

#[test]
fn one_id_at_another_instant_is_another_event() {
    let mut again = event(M, "x");
    again.event.id = event(0, "x").event.id;
    let two = tzeva_audience::CountTest::Is(tzeva_audience::Compare::AtLeast, 2);
    let changes = told(audience("a", counted("x", two, D)), &[event(0, "x"), again]);
    assert_eq!(changes[0], "1m v entered a, event Leaf(0)");
}
