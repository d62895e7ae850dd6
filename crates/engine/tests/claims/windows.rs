//! Windows, recency and fading: truth that time alone changes.

use crate::given::{
    D, H, M, Run, about, at, audience, counted, event, in_category, interest, last, not, since,
    some,
};
use tzeva_audience::{Compare, CountTest, Node};
use tzeva_model::Outcome;

#[test]
fn a_window_is_over_at_the_first_millisecond_it_no_longer_covers() {
    let mut run = Run::new(vec![audience("seen", some("visit", H))]);
    run.event(0, "visit");
    run.until(H - 1);
    assert_eq!(run.lines(), ["0s v +seen event Leaf(0)"]);
    run.until(H);
    assert_eq!(run.lines()[1..], ["1h v -seen deadline Leaf(0)"]);
}

#[test]
fn an_event_at_the_end_of_a_window_prevents_the_exit() {
    let mut run = Run::new(vec![audience("seen", some("visit", H))]);
    run.event(0, "visit");
    run.event(H, "visit");
    run.until(2 * H - 1);
    assert_eq!(run.lines().len(), 1);
}

#[test]
fn recency_enters_with_no_event() {
    let quiet = Node::All(vec![some("add", 3 * D), last("add", true, H)]);
    let mut run = Run::new(vec![audience("quiet", quiet)]);
    run.event(0, "add");
    run.event(40 * M, "add");
    run.until(2 * H);
    assert_eq!(run.lines(), ["1h40m v +quiet deadline Leaf(1)"]);
    assert_eq!(run.draft.changes[0].reason.evidence[0].at, at(40 * M));
}

#[test]
fn a_purchase_decided_late_but_before_the_deadline_in_log_order_prevents_it() {
    let enter = Node::All(vec![
        last("product_added", true, H),
        not(since("order_completed", "product_added")),
    ]);
    let mut run = Run::new(vec![audience("abandoned", enter)]);
    run.event(0, "product_added");
    run.event(30 * M, "order_completed");
    run.until(10 * D);
    assert_eq!(run.lines(), [""; 0]);
}

#[test]
fn a_count_between_leaves_on_either_side() {
    let enter = counted("visit", CountTest::Between(2, 3), H);
    let mut run = Run::new(vec![audience("some", enter)]);
    for minute in 0..4 {
        run.event(minute * M, "visit");
    }
    run.until(2 * H);
    assert_eq!(
        run.lines(),
        [
            "1m v +some event Leaf(0)",
            "3m v -some event Leaf(0)",
            "1h v +some deadline Leaf(0)",
            "1h2m v -some deadline Leaf(0)",
        ]
    );
    let exactly = counted("visit", CountTest::Is(Compare::Equal, 1), H);
    let mut run = Run::new(vec![audience("one", exactly)]);
    run.event(0, "visit");
    run.event(0, "visit2");
    run.until(H);
    assert_eq!(run.lines(), ["0s v +one event Leaf(0)", "1h v -one deadline Leaf(0)"]);
}

#[test]
fn interest_fades_below_its_threshold_at_one_millisecond() {
    let mut run = Run::new(vec![audience("fans", interest("Shoes/Running", 2.9))]);
    for (offset, name) in [(0, "product_added"), (H, "product_added")] {
        let seen = about(event(offset, name), "p", "Shoes/Running");
        assert_eq!(run.take(offset, &seen), Outcome::Painted);
    }
    run.until(10 * D);
    let lines = run.lines();
    assert_eq!(lines[0], "0s v +fans event Leaf(0)");
    assert!(lines[1].ends_with("v -fans deadline Leaf(0)"), "{lines:?}");
    // What one hour leaves of 3, and 3 more: that fades to 2.9 in so many half-lives of a day.
    let wait = ((3.0 * (-1.0f64 / 24.0).exp2() + 3.0) / 2.9).log2() * 86_400_000.0;
    let left = run.draft.changes[1].effective_at - at(H);
    assert!((left.get() as f64 - wait).abs() < 20.0, "{left} {wait}");
}

#[test]
fn a_late_event_takes_its_own_place_in_history() {
    let enter = Node::All(vec![some("a", D), not(since("a", "b"))]);
    let mut run = Run::new(vec![audience("before", enter)]);
    run.event(0, "a");
    let late = event(H, "b");
    run.event(2 * H, "a");
    run.event(3 * H, "c");
    assert_eq!(run.take(4 * H, &late), Outcome::Painted);
    assert_eq!(run.lines(), [""; 0], "the last a came after b");
}

#[test]
fn an_event_of_the_future_counts_from_its_record_on() {
    let mut run = Run::new(vec![audience("seen", some("visit", H))]);
    assert_eq!(run.take(0, &event(5 * H, "visit")), Outcome::Painted);
    assert_eq!(run.draft.counts.clamped, 1);
    run.until(H);
    assert_eq!(run.lines(), ["0s v +seen event Leaf(0)", "1h v -seen deadline Leaf(0)"]);
    assert_eq!(run.draft.changes[0].reason.cause.as_ref().unwrap().time, at(5 * H));
}

#[test]
fn a_duplicate_changes_nothing() {
    let enter = counted("visit", CountTest::Is(Compare::AtLeast, 2), H);
    let mut run = Run::new(vec![audience("twice", enter)]);
    run.event(0, "visit");
    let deltas = run.draft.deltas.clone();
    assert_eq!(run.take(M, &event(0, "visit")), Outcome::Duplicate);
    assert_eq!(run.draft.deltas, deltas);
}

#[test]
fn a_category_matches_whatever_lies_below_it() {
    let mut run = Run::new(vec![
        audience("shoes", in_category("view", "Shoes", H)),
        audience("trail", in_category("view", "Shoes/Trail", H)),
    ]);
    let seen = about(event(0, "view"), "p", "Shoes/Running");
    assert_eq!(run.take(0, &seen), Outcome::Painted);
    assert_eq!(run.lines(), ["0s v +shoes event Leaf(0)"]);
}
