//! Interest: painting, fading, clearing, forgetting.

use crate::given::*;
use tzeva_audience::{Audience, Dose, RuleSet};
use tzeva_model::{Level, NameId, NameKind, TagKey};
use tzeva_oracle::Settings;

fn shoe() -> TagKey {
    TagKey { level: Level::Product, id: NameId::of(NameKind::Product, "shoe") }
}

fn painted(audience: Audience) -> RuleSet {
    let events = vec![
        paints("added", None, Some(Dose::Add(4.0))),
        paints("bought", None, Some(Dose::Clear)),
        paints("viewed", Some(Dose::Add(1.0)), Some(Dose::Add(1.0))),
    ];
    RuleSet { paint: paint(events), ..rules(vec![audience]) }
}

fn told_painted(threshold: f64, inputs: &[tzeva_oracle::Input]) -> Vec<String> {
    let rules = painted(audience("a", interest(shoe(), threshold)));
    told_of(&rules, &Settings::default(), inputs)
}

#[test]
fn interest_fades_by_half_each_half_life_and_ends_at_the_first_false_millisecond() {
    // 4 at 0, 2 at 1d: at 1d it still is 2, a millisecond later it is less.
    let changes = told_painted(2.0, &[with(event(0, "added"), &["shoe"])]);
    assert_eq!(changes, ["0s v entered a, event Leaf(0)", "1d1ms v exited a, deadline Leaf(0)"]);
}

#[test]
fn paint_adds_to_what_is_left() {
    let events = [with(event(0, "added"), &["shoe"]), with(event(D, "added"), &["shoe"])];
    assert_eq!(told_painted(6.0, &events)[0], "1d v entered a, event Leaf(0)");
    assert_eq!(told_painted(6.001, &events), [""; 0]);
}

#[test]
fn a_late_event_arrives_faded() {
    // 4 painted at 1d, and one from a day before, which is worth 2 by then.
    let events = [with(event(D, "added"), &["shoe"]), late(with(event(0, "added"), &["shoe"]), D)];
    assert_eq!(told_painted(6.0, &events)[0], "1d v entered a, event Leaf(0)");
    assert_eq!(told_painted(6.001, &events), [""; 0]);
}

#[test]
fn a_tag_is_painted_once_an_event_whatever_the_items() {
    let events = [with(event(0, "added"), &["shoe", "shoe", "hat"])];
    assert_eq!(told_painted(4.001, &events), [""; 0]);
}

#[test]
fn clear_takes_a_product_out_at_once() {
    let events = [with(event(0, "added"), &["shoe"]), with(event(H, "bought"), &["shoe"])];
    assert_eq!(told_painted(2.0, &events)[1], "1h v exited a, event Leaf(0)");
}

#[test]
fn a_faint_tag_is_forgotten_when_its_level_is_painted_and_never_else() {
    // After six days 4 is 0.0625, after seven 0.03: then a hat is painted, and of the shoe nothing is left.
    let shoe_then = |day| {
        let events = [
            with(event(0, "added"), &["shoe"]),
            with(event(day, "viewed"), &["hat"]),
            with(event(day, "added"), &["shoe"]),
        ];
        told_painted(4.03, &events)
    };
    assert_eq!(shoe_then(6 * D).len(), 2);
    assert_eq!(shoe_then(7 * D), [""; 0]);
}

#[test]
fn a_category_path_paints_each_depth_and_upper_ones_by_the_falloff() {
    let top = TagKey { level: Level::Category(1), id: NameId::of(NameKind::Category, "Shoes") };
    let mut rules = painted(audience("a", interest(top, 0.5)));
    let seen = [with_categories(event(0, "viewed"), &["Shoes/Running/Trail"])];
    assert_eq!(told_of(&rules, &Settings::default(), &seen).len(), 2);
    rules.paint.falloff.category = 0.5;
    assert_eq!(told_of(&rules, &Settings::default(), &seen), [""; 0]);
    // A second way down is shorter: the greater weight counts.
    let seen = [with_categories(event(0, "viewed"), &["Shoes/Running/Trail", "Shoes/City"])];
    assert_eq!(told_of(&rules, &Settings::default(), &seen).len(), 2);
}
