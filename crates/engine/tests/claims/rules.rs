//! Rules that change: what an activation does at its instant, and that it does not matter who meets a visitor first.

use crate::given::{D, H, M, Run, about, at, audience, event, interest, rule_set, some, visitor};
use tzeva_audience::{Audience, HalfLives, Paint, RuleSet, Stay};
use tzeva_model::{Millis, Origin, RulesVersion};
use tzeva_profile::{Op, State};

fn buyers() -> Audience {
    audience("buyers", some("buy", D))
}

/// The same under another version.
fn edited(audience: Audience) -> Audience {
    Audience { version: audience.version + 1, ..audience }
}

#[test]
fn who_satisfies_a_new_audience_enters_at_the_activation_however_late_the_sweep() {
    for swept in [2 * H, 3 * H, 20 * H] {
        let mut run = Run::new(vec![buyers()]);
        run.event(0, "visit");
        run.activate(2 * H, vec![buyers(), audience("visitors", some("visit", D))]);
        run.sweep(swept);
        run.until(2 * D);
        assert_eq!(run.lines(), ["2h v +visitors rules Enter", "1d v -visitors deadline Leaf(0)"]);
        assert_eq!(run.draft.changes[0].origin, Origin::Rules);
        assert_eq!(run.draft.changes[1].origin, Origin::Live);
    }
}

#[test]
fn what_time_did_between_activation_and_sweep_keeps_its_instants() {
    let mut run = Run::new(vec![buyers()]);
    run.event(0, "visit");
    let waits = Audience { enter_after: Millis::new(H), ..audience("new", some("visit", 4 * H)) };
    run.activate(2 * H, vec![buyers(), waits]);
    run.sweep(10 * H);
    assert_eq!(run.lines(), ["3h v +new deadline EnterAfter", "4h v -new deadline Leaf(0)"]);
    assert!(run.draft.changes.iter().all(|change| change.origin == Origin::Rules));
}

#[test]
fn a_visitor_met_by_an_event_is_brought_up_to_date_first() {
    let mut run = Run::new(vec![buyers()]);
    run.event(0, "visit");
    run.activate(2 * H, vec![audience("visitors", some("visit", 3 * H))]);
    run.event(4 * H, "buy");
    run.sweep(5 * H);
    let changes = ["2h v +visitors rules Enter", "3h v -visitors deadline Leaf(0)"];
    assert_eq!(run.lines(), changes);
}

#[test]
fn everybody_leaves_an_audience_that_is_gone() {
    let mut run = Run::new(vec![buyers(), audience("visitors", some("visit", D))]);
    run.event(0, "buy");
    run.event(0, "visit");
    run.activate(2 * H, vec![buyers()]);
    run.sweep(3 * H);
    run.until(4 * H);
    let told = run.lines();
    assert_eq!(told[2..], ["2h v -visitors audience_removed Audience"]);
    let profile = run.engine.profile(&visitor("v")).unwrap();
    assert_eq!(profile.standings.len(), 1);
    assert_eq!(profile.stamp, RulesVersion::new(8));
}

#[test]
fn an_edit_keeps_membership_and_since_and_ends_what_holds_no_more() {
    let stay = Stay { at_least: Millis::ZERO, at_most: Some(Millis::new(3 * H)) };
    let mut run = Run::new(vec![buyers()]);
    run.event(0, "buy");
    run.activate(2 * H, vec![edited(Audience { stay, ..buyers() })]);
    run.sweep(2 * H);
    let state = run.engine.profile(&visitor("v")).unwrap().standings[0].state;
    assert_eq!(state, State::In { since: at(0) });
    run.until(D);
    assert_eq!(run.lines(), ["0s v +buyers event Leaf(0)", "3h v -buyers deadline AtMost"]);

    let mut run = Run::new(vec![buyers()]);
    run.event(0, "buy");
    run.activate(2 * H, vec![edited(audience("buyers", some("buy", H)))]);
    run.sweep(2 * H);
    assert_eq!(run.lines()[1..], ["2h v -buyers rules Enter"]);
}

#[test]
fn a_wait_goes_on_if_its_condition_reads_the_same_and_else_begins_anew() {
    let waits = |hours| Audience { enter_after: Millis::new(hours * H), ..buyers() };
    let mut run = Run::new(vec![waits(6)]);
    run.event(0, "buy");
    run.activate(2 * H, vec![edited(waits(5))]);
    run.sweep(2 * H);
    run.until(12 * H);
    assert_eq!(run.lines(), ["5h v +buyers deadline EnterAfter"]);

    let other = Audience { enter: some("buy", 2 * D), ..waits(6) };
    let mut run = Run::new(vec![waits(6)]);
    run.event(0, "buy");
    run.activate(2 * H, vec![edited(other)]);
    run.sweep(2 * H);
    run.until(12 * H);
    assert_eq!(run.lines(), ["8h v +buyers deadline EnterAfter"]);
}

#[test]
fn an_exit_that_had_cooled_by_the_former_rules_does_not_cool_again() {
    let leaves = |hours, cooling| Audience {
        reenter_after: Millis::new(cooling * H),
        ..audience("buyers", some("buy", hours * H))
    };
    let mut run = Run::new(vec![leaves(1, 1)]);
    run.event(0, "buy");
    run.activate(3 * H, vec![edited(leaves(9, 48))]);
    run.sweep(3 * H);
    let told = run.lines();
    assert_eq!(told[2..], ["3h v +buyers rules Enter"]);
}

#[test]
fn interest_is_re_based_when_its_half_life_changes() {
    let fond = || audience("fond", interest("A", 1.0));
    let mut run = Run::new(vec![fond()]);
    let viewed = |offset| about(event(offset, "product_viewed"), "p", "A");
    let _ = run.take(0, &viewed(0));
    let _ = run.take(1, &viewed(1));
    let set = rule_set(vec![fond()]);
    let half_life = HalfLives { category: Millis::new(H), ..set.paint.half_life };
    let paint = Paint { half_life, ..set.paint.clone() };
    // Two views, faded for half a day by a half-life of a day: 2 / sqrt 2, above 1 for another half an hour.
    run.activate_set(12 * H, RuleSet { version: RulesVersion::new(8), paint, ..set });
    run.sweep(20 * H);
    let told = run.lines();
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("12h30m"), "{told:?}");
}

#[test]
fn a_profile_that_nothing_moves_is_not_written() {
    let mut run = Run::new(vec![buyers()]);
    run.event(0, "visit");
    let draft = std::mem::take(&mut run.draft);
    assert!(draft.deltas[0].ops.contains(&Op::Stamp(RulesVersion::new(7))));
    run.activate(H, vec![buyers(), audience("other", some("buy", 2 * D))]);
    run.sweep(2 * H);
    assert!(run.draft.is_empty());
    assert_eq!(run.draft.counts.evaluated, 0);
    // The next event says under which rules it was decided.
    run.event(3 * H, "visit");
    assert!(run.draft.deltas[0].ops.contains(&Op::Stamp(RulesVersion::new(8))));
}

#[test]
fn whoever_was_forgotten_between_activation_and_sweep_is_forgotten_then() {
    let settings = tzeva_engine::Settings { idle: Millis::new(D), ..Default::default() };
    let mut run = Run::with(vec![], settings);
    run.event(0, "visit");
    run.activate(H, vec![audience("visitors", some("visit", 3 * D))]);
    // Not held when its deadline came, so the sweep is the first to meet it.
    let profile = run.engine.profile(&visitor("v")).cloned();
    run.engine.evict(&|_| false, 0);
    run.until(2 * D);
    run.engine.load(visitor("v"), profile);
    run.sweep(2 * D + M);
    assert_eq!(run.lines(), ["1h v +visitors rules Enter", "1d v -visitors forgotten Idle"]);
    assert!(run.engine.profile(&visitor("v")).is_none());
}

#[test]
fn a_draft_that_keeps_no_deltas_renews_all_the_same() {
    let mut run = Run::new(vec![buyers()]);
    run.draft = tzeva_engine::Draft::of_changes();
    run.event(0, "visit");
    run.activate(2 * H, vec![buyers(), audience("visitors", some("visit", D))]);
    run.sweep(3 * H);
    assert_eq!(run.lines(), ["2h v +visitors rules Enter"]);
    assert_eq!(run.engine.profile(&visitor("v")).unwrap().stamp, RulesVersion::new(8));
}
