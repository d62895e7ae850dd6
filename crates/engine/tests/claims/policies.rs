//! Policies: how long, how soon, how often.

use crate::given::{D, H, M, Run, START, audience, last, not, some};
use tzeva_audience::{Audience, Stay};
use tzeva_engine::Settings;
use tzeva_model::{Millis, UnixMillis};

#[test]
fn a_condition_must_have_held_throughout_enter_after() {
    let waits = Audience { enter_after: Millis::new(H), ..audience("a", some("visit", 90 * M)) };
    let mut run = Run::new(vec![waits]);
    run.event(0, "visit");
    run.until(3 * H);
    assert_eq!(run.lines(), ["1h v +a deadline EnterAfter", "1h30m v -a deadline Leaf(0)"]);
    let broken = Audience { enter_after: Millis::new(H), ..audience("a", some("visit", H)) };
    let mut run = Run::new(vec![broken]);
    run.event(0, "visit");
    run.until(3 * H);
    assert_eq!(run.lines(), [""; 0], "the window ended at the very instant");
}

#[test]
fn at_least_holds_a_stay_and_names_itself() {
    let stay = Stay { at_least: Millis::new(2 * H), at_most: None };
    let mut run = Run::new(vec![Audience { stay, ..audience("a", some("visit", H)) }]);
    run.event(0, "visit");
    run.until(D);
    assert_eq!(run.lines(), ["0s v +a event Leaf(0)", "2h v -a deadline AtLeast"]);
}

#[test]
fn at_most_disarms_until_the_condition_ceases_once() {
    let stay = Stay { at_least: Millis::ZERO, at_most: Some(Millis::new(H)) };
    let mut run = Run::new(vec![Audience { stay, ..audience("a", some("visit", 2 * H)) }]);
    run.event(0, "visit");
    run.event(90 * M, "visit");
    run.event(5 * H, "visit");
    run.until(5 * H);
    assert_eq!(
        run.lines(),
        ["0s v +a event Leaf(0)", "1h v -a deadline AtMost", "5h v +a event Leaf(0)"]
    );
}

#[test]
fn reenter_after_cools_and_the_stretch_runs_while_cooling() {
    let cooling = Audience {
        exit_when: Some(some("buy", H)),
        reenter_after: Millis::new(3 * H),
        enter_after: Millis::new(H),
        ..audience("a", some("visit", D))
    };
    let mut run = Run::new(vec![cooling]);
    run.event(0, "visit");
    run.event(2 * H, "buy");
    run.until(D);
    assert_eq!(
        run.lines(),
        ["1h v +a deadline EnterAfter", "2h v -a event Leaf(1)", "5h v +a deadline ReenterAfter",]
    );
}

#[test]
fn an_exit_condition_goes_before_at_most() {
    let both = Audience {
        exit_when: Some(last("visit", true, H)),
        stay: Stay { at_least: Millis::ZERO, at_most: Some(Millis::new(H)) },
        ..audience("a", some("visit", D))
    };
    let mut run = Run::new(vec![both]);
    run.event(0, "visit");
    run.until(D);
    assert_eq!(run.lines(), ["0s v +a event Leaf(0)", "1h v -a deadline Leaf(1)"]);
}

#[test]
fn a_visitor_is_not_in_an_audience_of_those_who_did_nothing_until_seen() {
    let mut run = Run::new(vec![audience("idle", not(some("buy", D)))]);
    run.until(D);
    run.event(2 * D, "visit");
    assert_eq!(run.lines(), ["2d v +idle event Enter"]);
}

#[test]
fn an_idle_visitor_is_forgotten_instead_of_evaluated() {
    let settings = Settings { idle: Millis::new(D), ..Settings::default() };
    let audiences = vec![audience("b", not(some("buy", D))), audience("a", some("visit", D))];
    let mut run = Run::with(audiences, settings);
    run.event(0, "visit");
    run.until(D);
    let lines = run.lines();
    assert_eq!(lines[2..], ["1d v -b forgotten Idle", "1d v -a forgotten Idle"]);
    assert!(run.engine.profile(&crate::given::visitor("v")).is_none());
    assert_eq!(run.engine.next_deadline(), None);
}

#[test]
fn what_would_fall_on_the_last_instant_or_after_it_never_comes() {
    let settings = Settings { idle: Millis::new(D), ..Settings::default() };
    for (before_the_end, lines) in [(D + 1, 2), (D, 1), (1, 1), (0, 1)] {
        let mut run = Run::with(vec![audience("a", some("visit", 2 * D))], settings.clone());
        run.event(UnixMillis::MAX.get() - START - before_the_end, "visit");
        // As a backtest does: a deadline that is armed is before the end, or is none.
        for _ in 0..3 {
            run.until(UnixMillis::MAX.get() - START);
        }
        assert_eq!(run.lines().len(), lines, "{before_the_end}: {:?}", run.lines());
        assert_eq!(run.engine.next_deadline(), None, "{before_the_end}");
    }
}
