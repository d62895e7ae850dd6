//! Every leaf in both directions, upright and negated, in `enter` and in `exit_when`; every policy.

use crate::{idle_sentence, sentence};
use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};
use tzeva_model::{
    Change, Direction, Millis, Origin, Place, Reason, ReasonKind, UnixMillis, VisitorId,
};

/// An audience with one leaf in `enter`, upright and negated, and the same leaf in `exit_when`.
fn rules(leaf: &str) -> RuleSet {
    let other = "{ event: { name: other, within: 2h } }";
    let text = format!(
        "audience: a\nenter: {{ any: [{leaf}, {{ all: [{other}, {{ not: {leaf} }}] }}] }}\n\
         exit_when: {{ all: [{{ event: {{ name: another }} }}, {leaf}] }}\n\
         enter_after: 1h\nreenter_after: 1d\nstay: {{ at_most: 7d }}\n\
         ---\naudience: others\nenter: {other}\n"
    );
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let compiled = compile(&[SourceFile { path: "a.yaml".into(), text }], &settings);
    let mut rules = compiled.rules.unwrap_or_else(|| panic!("{leaf}: {:?}", compiled.problems));
    rules.audiences.retain(|audience| audience.name.text() == "a");
    rules
}

fn said(rules: &RuleSet, direction: Direction, place: Place, kind: ReasonKind) -> String {
    let change = Change {
        visitor: VisitorId::try_new("v").unwrap(),
        audience: rules.audiences[0].name.id(),
        audience_version: rules.audiences[0].version,
        direction,
        effective_at: UnixMillis::new(0),
        origin: Origin::Live,
        reason: Reason { kind, place, exact: true, evidence: Vec::new(), cause: None },
    };
    sentence(rules, &change, &|_| None)
}

/// A leaf, and what is said when it becomes true and when it becomes false.
const SAID: [(&str, &str, &str); 18] = [
    (
        "{ event: { name: order_completed } }",
        "order_completed happened",
        "no longer any order_completed",
    ),
    (
        "{ event: { name: order_completed, after: last product_added } }",
        "order_completed happened after the last product_added",
        "no longer any order_completed after the last product_added",
    ),
    (
        "{ event: { name: product_viewed, count: '>= 3', within: 14d } }",
        "product_viewed 3 times within 14d",
        "product_viewed no longer 3 times within 14d",
    ),
    (
        "{ event: { name: product_viewed, count: 0, within: 14d } }",
        "no product_viewed within 14d",
        "product_viewed happened within 14d",
    ),
    (
        "{ event: { name: product_viewed, count: between 2 and 5 } }",
        "product_viewed 2 to 5 times",
        "product_viewed no longer 2 to 5 times",
    ),
    (
        "{ event: { name: v, count: '<= 1', where: { category: A/B, price: '>= 80' } } }",
        "v (category A/B, price >= 80) at most once",
        "v (category A/B, price >= 80) no longer at most once",
    ),
    (
        "{ sum: { of: revenue, is: '>= 200', where: { category: Shoes }, within: 90d } }",
        "the sum of revenue of order_completed (category Shoes) within 90d is >= 200",
        "the sum of revenue of order_completed (category Shoes) within 90d is no longer >= 200",
    ),
    (
        "{ sum: { event: x, of: quantity, is: 3 } }",
        "the sum of quantity of x is 3",
        "the sum of quantity of x is no longer 3",
    ),
    (
        "{ last: { event: product_added, is: '>= 1h ago' } }",
        "last product_added is 1h ago",
        "last product_added is no longer 1h ago",
    ),
    (
        "{ last: { event: product_added, where: { brand: [A, B] }, is: '< 1h ago' } }",
        "last product_added (brand A or B) is less than 1h ago",
        "last product_added (brand A or B) is no longer less than 1h ago",
    ),
    (
        "{ interest: { tag: category/Shoes/Running, is: '>= 6' } }",
        "interest in category/Shoes/Running reached 6",
        "interest in category/Shoes/Running faded below 6",
    ),
    (
        "{ interest: { tag: shop, is: '< 0.5' } }",
        "interest in the shop faded below 0.5",
        "interest in the shop reached 0.5",
    ),
    (
        "{ interest: { tag: category/Shoes/Running, rank: '<= 3' } }",
        "category/Shoes/Running is among the first 3 of the categories of depth 2",
        "category/Shoes/Running is no longer among the first 3 of the categories of depth 2",
    ),
    (
        "{ interest: { tag: brand/Acme, rank: 1 } }",
        "brand/Acme is the first of the brands",
        "brand/Acme is no longer the first of the brands",
    ),
    (
        "{ interest: { tag: category/Shoes, share: '>= 0.25' } }",
        "category/Shoes has 25 % or more of the interest in the categories",
        "category/Shoes has less than 25 % of the interest in the categories",
    ),
    (
        "{ sequence: { steps: [a, { name: b, where: { brand: B } }], span: 1h, within: 7d } }",
        "a, then b (brand B) in less than 1h happened within 7d",
        "no longer a, then b (brand B) in less than 1h within 7d",
    ),
    (
        "{ trait: { name: tier, is: [gold, platinum] } }",
        "the visitor has tier gold or platinum",
        "the visitor no longer has tier gold or platinum",
    ),
    ("{ in: others }", "the visitor is now in others", "the visitor is no longer in others"),
];

#[test]
fn every_leaf_is_said_in_both_directions() {
    for (leaf, becomes_true, becomes_false) in SAID {
        let rules = rules(leaf);
        let say =
            |direction, leaf| said(&rules, direction, Place::Leaf(leaf), ReasonKind::Deadline);
        let (entered, exited) = (Direction::Entered, Direction::Exited);
        assert_eq!(say(entered, 0), becomes_true, "upright in enter");
        assert_eq!(say(exited, 0), becomes_false, "upright in enter");
        assert_eq!(say(entered, 2), becomes_false, "negated in enter");
        assert_eq!(say(exited, 2), becomes_true, "negated in enter");
        assert_eq!(say(exited, 4), becomes_true, "in exit_when");
        assert_eq!(say(entered, 4), becomes_false, "in exit_when");
    }
}

#[test]
fn a_cleared_interest_fell_and_did_not_fade() {
    let rules = rules("{ interest: { tag: product/shoe-1, is: '>= 2' } }");
    let text = said(&rules, Direction::Exited, Place::Leaf(0), ReasonKind::Event);
    assert_eq!(text, "interest in product/shoe-1 fell below 2");
}

#[test]
fn every_policy_is_said() {
    let rules = rules("{ event: { name: x } }");
    let (entered, exited) = (Direction::Entered, Direction::Exited);
    for (direction, place, want) in [
        (entered, Place::Enter, "the entry condition holds"),
        (exited, Place::Enter, "the entry condition no longer holds"),
        (entered, Place::ExitWhen, "the exit condition no longer holds"),
        (exited, Place::ExitWhen, "the exit condition holds"),
        (entered, Place::EnterAfter, "the entry condition has held for 1h"),
        (entered, Place::ReenterAfter, "1d passed since the last exit"),
        (exited, Place::AtMost, "stayed for 7d (at_most)"),
        (
            exited,
            Place::AtLeast,
            "stayed for 0s (at_least), and the entry condition no longer holds",
        ),
        (exited, Place::Idle, "not seen for as long as a profile is kept"),
        (exited, Place::Audience, "the audience was removed"),
        (exited, Place::Leaf(99), "a condition of an earlier version changed"),
    ] {
        assert_eq!(said(&rules, direction, place, ReasonKind::Deadline), want);
    }
    assert_eq!(idle_sentence(Millis::DAY.times(400)), "not seen for 400d");
}

#[test]
fn a_change_of_rules_is_said_to_be_one() {
    let rules = rules("{ event: { name: x } }");
    let (entered, exited) = (Direction::Entered, Direction::Exited);
    for (direction, place, want) in [
        (entered, Place::Enter, "the rules changed, and the entry condition holds"),
        (exited, Place::Enter, "the rules changed, and the entry condition does not hold"),
        (exited, Place::ExitWhen, "the rules changed, and the exit condition holds"),
        (exited, Place::AtMost, "the rules changed, and a stay lasts 7d at most (at_most)"),
    ] {
        assert_eq!(said(&rules, direction, place, ReasonKind::Rules), want);
    }
    let removed = said(&rules, exited, Place::Audience, ReasonKind::AudienceRemoved);
    assert_eq!(removed, "the audience was removed");
}

#[test]
fn of_an_earlier_version_nothing_is_said_that_the_present_one_may_belie() {
    let mut rules = rules("{ event: { name: x } }");
    let change = |place| Change {
        visitor: VisitorId::try_new("v").unwrap(),
        audience: rules.audiences[0].name.id(),
        audience_version: rules.audiences[0].version,
        direction: Direction::Exited,
        effective_at: UnixMillis::new(0),
        origin: Origin::Rules,
        reason: Reason {
            kind: ReasonKind::Deadline,
            place,
            exact: true,
            evidence: Vec::new(),
            cause: None,
        },
    };
    let (leaf, stay) = (change(Place::Leaf(0)), change(Place::AtMost));
    rules.audiences[0].version += 1;
    let said = |change| sentence(&rules, change, &|_| None);
    assert_eq!(said(&leaf), "a condition of an earlier version changed");
    let most = "stayed for as long as was allowed (at_most), as an earlier version has it";
    assert_eq!(said(&stay), most);
}

#[test]
fn an_unknown_audience_is_named() {
    let mut other = rules("{ event: { name: x } }");
    other.audiences[0].name = tzeva_model::Name::new(tzeva_model::NameKind::Audience, "gone");
    let rules = rules("{ event: { name: x } }");
    let change = Change {
        visitor: VisitorId::try_new("v").unwrap(),
        audience: other.audiences[0].name.id(),
        audience_version: 0,
        direction: Direction::Exited,
        effective_at: UnixMillis::new(0),
        origin: Origin::Rules,
        reason: Reason {
            kind: ReasonKind::Rules,
            place: Place::Enter,
            exact: true,
            evidence: Vec::new(),
            cause: None,
        },
    };
    let text = sentence(&rules, &change, &|_| Some("gone".into()));
    assert_eq!(text, "a condition of gone changed, which is no audience any more");
}
