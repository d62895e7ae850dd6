//! Cases through the engine: what passes, what fails, and what is told of it.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write;
use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Settings;

const CART: &str = r#"
audience: abandoned-cart
enter:
  all:
    - event: { name: product_added, within: 3d }
    - last:  { event: product_added, is: ">= 1h ago" }
    - not: { event: { name: order_completed, after: last product_added } }
exit_when:
  event: { name: order_completed, after: last product_added }
stay: { at_most: 7d }
reenter_after: 1d
---
audience: big-orders
enter: { event: { name: order_completed, where: { product: b, revenue: ">= 50" }, within: 1d } }
---
audience: red
enter: { event: { name: order_completed, where: { properties.color: red, brand: Red Wing }, within: 1d } }
---
audience: gold
enter: { trait: { name: tier, is: gold } }
---
tests: TESTED
cases:
"#;

/// One case as text: `ok` or what differs, with the tree.
fn told(audience: &str, cases: &str) -> String {
    let text = CART.replace("TESTED", audience) + cases;
    let files = [SourceFile { path: "x.yaml".into(), text }];
    let settings = CheckSettings {
        require_paint: false,
        keep: vec!["properties.color".into()],
        ..CheckSettings::default()
    };
    let compiled = compile(&files, &settings);
    let mut decoder = tzeva_trial::decoder(None, settings.keep).unwrap();
    let read = tzeva_trial::read(&files, &compiled.tests, &compiled.names, &mut decoder);
    let problems: String =
        compiled.problems.iter().chain(&read.problems).map(ToString::to_string).collect();
    assert_eq!(problems, "");
    let rules = Arc::new(compiled.rules.unwrap());
    let mut told = String::new();
    for outcome in tzeva_trial::run(&rules, &Settings::default(), &read.trials) {
        let word = if outcome.passed { "ok" } else { "FAILED" };
        writeln!(told, "{word} {}", outcome.case.name).unwrap();
        if outcome.passed {
            continue;
        }
        for got in &outcome.got {
            let (at, word) = (got.change.offset, got.change.direction.word());
            writeln!(told, "  {at} {word}: {} ({})", got.reason, got.place).unwrap();
        }
        if let Some(difference) = &outcome.difference {
            writeln!(told, "  at {}: {}", difference.offset, difference.stance).unwrap();
            for line in &difference.tree {
                let indent = "  ".repeat(line.depth + 2);
                let truth = if line.holds { "yes" } else { "no" };
                writeln!(told, "{indent}{truth} {}", line.words).unwrap();
            }
        }
    }
    told
}

#[test]
fn the_examples_of_the_language_pass() {
    let cases = "
  - name: a purchase before the hour is up never enters
    events:
      - 0s   product_added   product=shoe-1 category=Shoes/Running price=80 EUR
      - 40m  order_completed product=shoe-1 revenue=80 EUR
    expect: []
    until: 10d
  - name: quiet for an hour enters exactly then, a purchase takes them out at once
    events:
      - 0s   product_added product=shoe-1 category=Shoes/Running price=80 EUR
      - 2h   order_completed product=shoe-1 revenue=80 EUR
    expect:
      - 1h entered
      - 2h exited
    until: 10d
";
    let want = "ok a purchase before the hour is up never enters
ok quiet for an hour enters exactly then, a purchase takes them out at once
";
    assert_eq!(told("abandoned-cart", cases), want);
}

#[test]
fn a_failing_case_shows_the_tree_at_its_first_difference() {
    let cases = "
  - name: a millisecond too early
    events: [0s product_added]
    expect: [59m59s999ms entered, 7d1h exited]
    until: 10d
  - name: nobody expected it
    events: [0s product_added, 2h order_completed]
    expect: [1h entered]
  - name: twice within a day
    events: [0s product_added, 2h order_completed, 3h product_added]
    expect: [1h entered, 2h exited, 4h entered]
    until: 3d
";
    let want = "FAILED a millisecond too early
  1h entered: last product_added is 1h ago (enter.all[1].last)
  7d1h exited: stayed for 7d (at_most) (stay.at_most)
  at 59m59s999ms: out
    no enter: all of
      yes product_added at least once within 3d
      no last product_added >= 1h ago
      yes not
        no order_completed at least once after the last product_added
    no exit_when: order_completed at least once after the last product_added
FAILED nobody expected it
  1h entered: last product_added is 1h ago (enter.all[1].last)
  2h exited: order_completed happened after the last product_added (exit_when.event)
  at 2h: out; the last exit was at 2h
    no enter: all of
      yes product_added at least once within 3d
      yes last product_added >= 1h ago
      no not
        yes order_completed at least once after the last product_added
    yes exit_when: order_completed at least once after the last product_added
FAILED twice within a day
  1h entered: last product_added is 1h ago (enter.all[1].last)
  2h exited: order_completed happened after the last product_added (exit_when.event)
  1d2h entered: 1d passed since the last exit (reenter_after)
  at 4h: out; the last exit was at 2h; enter has held since 4h
    yes enter: all of
      yes product_added at least once within 3d
      yes last product_added >= 1h ago
      yes not
        no order_completed at least once after the last product_added
    no exit_when: order_completed at least once after the last product_added
";
    assert_eq!(told("abandoned-cart", cases), want);
}

#[test]
fn events_mean_what_they_mean_in_production() {
    let big = "
  - name: an order of two items sums them up
    events: [0s Order Completed]
    expect: []
  - name: names fold, and revenue is the sum of prices by pieces
    events: [0s OrderCompleted product=a price=20 product=b price=15 quantity=2]
    expect: [0s entered, 1d exited]
  - name: a total that is told counts, whatever the prices
    events: [0s order_completed product=b price=20 revenue=49.99 EUR]
    expect: []
  - name: a repeat of an event changes nothing
    events:
      - 0s order_completed id=1 product=b revenue=60
      - 0s order_completed id=1 product=b revenue=60
    expect: [0s entered, 1d exited]
";
    // A word without `=` behind a name is refused, so the first case is read apart.
    let big =
        big.replace("Order Completed", "OrderCompleted product=b price=10 product=c price=10");
    assert!(!told("big-orders", &big).contains("FAILED"));
    let red = "
  - name: quoted values keep their blanks
    events: [0s order_completed brand=\"Red Wing\" properties.color=red]
    expect: [0s entered, 1d exited]
";
    assert!(!told("red", red).contains("FAILED"));
    let gold = "
  - name: identify tells a trait
    events: [0s identify traits.tier=silver, 1h identify traits.tier=gold]
    expect: [1h entered]
";
    assert!(!told("gold", gold).contains("FAILED"));
}

#[test]
fn cases_do_not_meet() {
    let one = "
  - name: NUMBER
    events: [0s product_added, 2h order_completed]
    expect: [1h entered, 2h exited]
    until: 10d
";
    let cases: String = (0..1_000).map(|n| one.replace("NUMBER", &format!("case {n}"))).collect();
    let told = told("abandoned-cart", &cases);
    assert_eq!(told.lines().count(), 1_000);
    assert!(!told.contains("FAILED"));
}
