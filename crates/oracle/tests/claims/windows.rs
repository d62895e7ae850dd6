//! Windows: `t <= now < t + W`, and what `last` and `after` make of them.

use crate::given::*;
use tzeva_audience::{Compare, CountTest, Field, Leaf, Node};

#[test]
fn a_window_is_open_at_its_events_instant_and_over_at_its_end() {
    let changes = told(audience("a", some("x", 3 * H)), &[event(H, "x")]);
    assert_eq!(changes, ["1h v entered a, event Leaf(0)", "4h v exited a, deadline Leaf(0)"]);
}

#[test]
fn the_kth_most_recent_event_decides_when_a_count_falls() {
    let at_least_two = CountTest::Is(Compare::AtLeast, 2);
    let events = [event(0, "x"), event(H, "x"), event(2 * H, "x")];
    let changes = told(audience("a", counted("x", at_least_two, 3 * H)), &events);
    assert_eq!(changes, ["1h v entered a, event Leaf(0)", "4h v exited a, deadline Leaf(0)"]);
}

#[test]
fn an_equal_count_holds_between_two_expiries() {
    let one = CountTest::Is(Compare::Equal, 1);
    let changes = told(audience("a", counted("x", one, 3 * H)), &[event(0, "x"), event(H, "x")]);
    assert_eq!(
        changes,
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, event Leaf(0)",
            "3h v entered a, deadline Leaf(0)",
            "4h v exited a, deadline Leaf(0)",
        ]
    );
}

#[test]
fn without_within_an_event_counts_for_the_history_kept() {
    let settings = tzeva_oracle::Settings {
        max_age: tzeva_model::Millis::new(2 * D),
        ..tzeva_oracle::Settings::default()
    };
    let rules = rules(vec![audience("a", ever("x"))]);
    let changes = told_of(&rules, &settings, &[event(0, "x")]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "2d v exited a, deadline Leaf(0)"]);
}

#[test]
fn at_least_ago_is_an_entry_without_an_event() {
    let changes = told(audience("a", last("x", true, H)), &[event(0, "x"), event(2 * H, "x")]);
    assert_eq!(
        changes,
        [
            "1h v entered a, deadline Leaf(0)",
            "2h v exited a, event Leaf(0)",
            "3h v entered a, deadline Leaf(0)",
        ]
    );
}

#[test]
fn less_than_ago_ends_when_at_least_ago_begins() {
    let changes = told(audience("a", last("x", false, H)), &[event(0, "x")]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "1h v exited a, deadline Leaf(0)"]);
}

#[test]
fn who_never_did_it_did_it_neither_long_ago_nor_lately() {
    let never = Node::Any(vec![last("x", true, H), last("x", false, H)]);
    assert_eq!(told(audience("a", never), &[event(0, "y")]), [""; 0]);
}

#[test]
fn after_counts_only_since_the_last_one_and_all_while_there_is_none() {
    let events = [event(0, "x"), event(H, "y"), event(2 * H, "x")];
    let changes = told(audience("a", since("x", "y")), &events);
    assert_eq!(
        changes,
        [
            "0s v entered a, event Leaf(0)",
            "1h v exited a, event Leaf(0)",
            "2h v entered a, event Leaf(0)",
        ]
    );
}

#[test]
fn of_two_events_of_one_instant_the_one_that_came_later_is_after_the_other() {
    let x_then_y = [event(0, "x"), event(0, "y")];
    let y_then_x = [event(0, "y"), event(0, "x")];
    let a = || audience("a", since("x", "y"));
    assert_eq!(
        told(a(), &x_then_y),
        ["0s v entered a, event Leaf(0)", "0s v exited a, event Enter"]
    );
    assert_eq!(told(a(), &y_then_x), ["0s v entered a, event Leaf(0)"]);
}

#[test]
fn one_and_the_same_item_must_meet_all_product_tests() {
    let mut both = item_is(Field::Product, vec![product("shoe")]);
    both.item.extend(item_is(Field::Brand, vec![brand("Acme")]).item);
    let mut wanted = leaf("x", AT_LEAST_ONE, None);
    wanted.filter = both;
    let mut order = with(event(0, "x"), &["shoe", "hat"]);
    order.event.items[1].brand = Some(brand("Acme"));
    let a = || audience("a", Node::Leaf(Leaf::Event(wanted.clone())));
    assert_eq!(told(a(), &[order.clone()]), [""; 0]);
    order.event.items[0].brand = Some(brand("Acme"));
    assert_eq!(told(a(), &[order]), ["0s v entered a, event Leaf(0)"]);
}

fn brand(text: &str) -> tzeva_model::Name {
    tzeva_model::Name::new(tzeva_model::NameKind::Brand, text)
}
