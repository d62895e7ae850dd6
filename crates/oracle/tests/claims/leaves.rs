//! Rank, share, sequence, trait and membership.

use crate::given::*;
use tzeva_audience::{
    AmountTest, Compare, CountTest, Dose, Field, InLeaf, Leaf, Node, RankLeaf, RuleSet,
    SequenceLeaf, ShareLeaf, Step, SumLeaf, Test, TraitLeaf, Where,
};
use tzeva_model::{
    Amount, Currencies, Currency, EventId, Level, Millis, Name, NameKind, Rate, TagKey, Value,
};
use tzeva_oracle::{Input, Settings};

fn tag(product: &str) -> TagKey {
    TagKey { level: Level::Product, id: Name::new(NameKind::Product, product).id() }
}

fn rank(product: &str, rank: CountTest) -> Node {
    Node::Leaf(Leaf::Rank(RankLeaf { tag: tag(product), text: String::new(), rank }))
}

fn sequence(steps: &[&str], span: Option<i64>, within: Option<i64>) -> Node {
    let step = |event: &&str| Step { name: name(event), filter: Where::default() };
    let steps = steps.iter().map(step).collect();
    let (span, within) = (span.map(Millis::new), within.map(Millis::new));
    Node::Leaf(Leaf::Sequence(SequenceLeaf { steps, span, within }))
}

fn is_in(audience: &str) -> Node {
    Node::Leaf(Leaf::In(InLeaf { audience: Name::new(NameKind::Audience, audience) }))
}

fn tier(value: &str) -> Node {
    Node::Leaf(Leaf::Trait(TraitLeaf {
        name: "tier".into(),
        test: Test::TextIn(vec![value.into()]),
    }))
}

fn identify(offset: i64, value: &str) -> Input {
    let mut input = event(offset, "identify");
    input.event.traits = vec![("tier".into(), Value::Text(value.into()))];
    input
}

fn painted(enter: Node, inputs: &[Input]) -> Vec<String> {
    let events = vec![paints("viewed", None, Some(Dose::Add(1.0)))];
    let rules = RuleSet { paint: paint(events), ..rules(vec![audience("a", enter)]) };
    told_of(&rules, &Settings::default(), inputs)
}

const FIRST: CountTest = CountTest::Is(Compare::Equal, 1);

fn sum(of: Field, is: AmountTest, within: Option<i64>) -> Node {
    let (event, within) = (name("order"), within.map(Millis::new));
    Node::Leaf(Leaf::Sum(SumLeaf { event, filter: Where::default(), of, is, within }))
}

fn at_least(amount: &str) -> AmountTest {
    AmountTest { low: Some((Amount::parse(amount).unwrap(), true)), high: None }
}

fn order(offset: i64, revenue: &str, currency: Option<&str>) -> Input {
    let mut input = event(offset, "order");
    input.event.revenue = Some(Amount::parse(revenue).unwrap());
    input.event.currency = currency.and_then(Currency::try_new);
    input
}

#[test]
fn a_sum_falls_when_a_term_leaves_the_window() {
    let enter = sum(Field::Revenue, at_least("10"), Some(3 * H));
    let changes = told(audience("a", enter), &[order(0, "8", None), order(H, "2", None)]);
    assert_eq!(changes, ["1h v entered a, event Leaf(0)", "3h v exited a, deadline Leaf(0)"]);
}

#[test]
fn a_sum_rises_when_a_refund_leaves_the_window() {
    let enter = sum(Field::Revenue, at_least("10"), Some(3 * H));
    let orders = [order(0, "-5", None), order(H, "12", None)];
    let changes = told(audience("a", enter), &orders);
    assert_eq!(changes, ["3h v entered a, deadline Leaf(0)", "4h v exited a, deadline Leaf(0)"]);
}

#[test]
fn terms_of_one_instant_leave_together() {
    // Were the 8 to leave before the −3, there would be an exit and an entry in between.
    let enter = sum(Field::Revenue, at_least("5"), Some(3 * H));
    let mut refund = order(0, "-8", None);
    refund.event.id = EventId::new("refund");
    let orders = [order(0, "8", None), refund, order(H, "5", None)];
    let changes = told(audience("a", enter), &orders);
    assert_eq!(changes[2..], ["1h v entered a, event Leaf(0)", "4h v exited a, deadline Leaf(0)"]);
}

#[test]
fn amounts_of_another_currency_are_converted_once_or_count_for_nothing() {
    let eur = Currency::try_new("EUR").unwrap();
    let usd = Currency::try_new("USD").unwrap();
    let orders = [order(0, "6", Some("EUR")), order(H, "8", Some("USD"))];
    let enter = sum(Field::Revenue, at_least("10"), None);
    let told = |currencies| {
        let settings = Settings { currencies, ..Settings::default() };
        told_of(&rules(vec![audience("a", enter.clone())]), &settings, &orders)
    };
    let half = Rate::parse("0.5").unwrap();
    assert_eq!(told(Currencies { home: Some(eur), rates: vec![(usd, half)] }).len(), 1);
    assert_eq!(told(Currencies { home: Some(eur), rates: vec![] }), [""; 0]);
    // The first one that history holds is home.
    assert_eq!(told(Currencies::default()), [""; 0]);
}

#[test]
fn a_rank_changes_only_when_its_level_is_painted() {
    let views = [
        with(event(0, "viewed"), &["shoe"]),
        with(event(H, "viewed"), &["hat"]),
        with(event(2 * H, "viewed"), &["shoe"]),
    ];
    let changes = painted(rank("shoe", FIRST), &views);
    // The hat is fresher at 1h, so stronger; nothing happens by time alone.
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
fn of_tags_equally_strong_the_one_with_the_smaller_id_comes_first() {
    let both = [with(event(0, "viewed"), &["shoe", "hat"])];
    let first = if tag("shoe") < tag("hat") { "shoe" } else { "hat" };
    let second = if first == "shoe" { "hat" } else { "shoe" };
    assert_eq!(painted(rank(first, FIRST), &both).len(), 1);
    assert_eq!(painted(rank(second, FIRST), &both), [""; 0]);
    assert_eq!(painted(rank(second, CountTest::Is(Compare::Equal, 2)), &both).len(), 1);
}

#[test]
fn a_tag_that_is_not_there_has_no_rank_and_no_share() {
    let view = [with(event(0, "viewed"), &["hat"])];
    assert_eq!(painted(rank("shoe", CountTest::Is(Compare::AtLeast, 1)), &view), [""; 0]);
    assert_eq!(painted(not(rank("shoe", FIRST)), &view).len(), 1);
    let share = |at_least| {
        let (tag, text) = (tag("shoe"), String::new());
        Node::Leaf(Leaf::Share(ShareLeaf { tag, text, at_least, share: 0.5 }))
    };
    assert_eq!(painted(share(true), &view), [""; 0]);
    assert_eq!(painted(share(false), &view).len(), 1);
    let both = [with(event(0, "viewed"), &["shoe", "hat"])];
    assert_eq!(painted(share(true), &both).len(), 1, "half is at least half");
}

#[test]
fn a_sequence_ends_with_the_window_of_its_last_step() {
    let changes = told(
        audience("a", sequence(&["x", "y"], Some(2 * H), Some(3 * H))),
        &[event(0, "x"), event(H, "y")],
    );
    assert_eq!(changes, ["1h v entered a, event Leaf(0)", "4h v exited a, deadline Leaf(0)"]);
}

#[test]
fn a_span_is_shorter_than_it_says_and_looks_at_the_nearest_steps() {
    let chain = |span| sequence(&["x", "y"], Some(span), None);
    let far = [event(0, "x"), event(2 * H, "y")];
    assert_eq!(told(audience("a", chain(2 * H)), &far), [""; 0]);
    assert_eq!(told(audience("a", chain(2 * H + 1)), &far).len(), 1);
    let near = [event(0, "x"), event(H, "x"), event(2 * H, "y")];
    assert_eq!(told(audience("a", chain(2 * H)), &near).len(), 1);
}

#[test]
fn each_step_is_another_event_and_of_one_instant_arrival_tells() {
    let twice = sequence(&["x", "x"], None, None);
    assert_eq!(told(audience("a", twice.clone()), &[event(0, "x")]), [""; 0]);
    assert_eq!(told(audience("a", twice), &[event(0, "x"), event(1, "x")]).len(), 1);
    let chain = sequence(&["x", "y"], None, None);
    assert_eq!(told(audience("a", chain.clone()), &[event(0, "y"), event(0, "x")]), [""; 0]);
    assert_eq!(told(audience("a", chain), &[event(0, "x"), event(0, "y")]).len(), 1);
}

#[test]
fn a_late_event_completes_a_sequence() {
    let events = [event(H, "y"), late(event(0, "x"), 2 * H)];
    let changes = told(audience("a", sequence(&["x", "y"], None, None)), &events);
    assert_eq!(changes, ["2h v entered a, event Leaf(0)"]);
}

#[test]
fn a_trait_is_what_was_said_last_and_not_what_came_last() {
    let events =
        [identify(2 * H, "gold"), late(identify(H, "silver"), 2 * H), identify(4 * H, "silver")];
    let changes = told(audience("a", tier("gold")), &events);
    assert_eq!(changes, ["2h v entered a, event Leaf(0)", "4h v exited a, event Leaf(0)"]);
}

#[test]
fn a_member_of_another_is_one_from_the_instant_of_entry_to_that_of_exit() {
    let mut rules = rules(vec![
        audience("other", some("x", H)),
        audience("member", is_in("other")),
        audience("nobody", not(is_in("other"))),
    ]);
    rules.audiences[0].enter_after = Millis::new(10 * M);
    let changes = told_of(&rules, &Settings::default(), &[event(0, "x")]);
    assert_eq!(
        changes,
        [
            "0s v entered nobody, event Enter",
            "10m v entered other, deadline EnterAfter",
            "10m v entered member, deadline Leaf(0)",
            "10m v exited nobody, deadline Leaf(0)",
            "1h v exited other, deadline Leaf(0)",
            "1h v exited member, deadline Leaf(0)",
            "1h v entered nobody, deadline Leaf(0)",
        ]
    );
}
