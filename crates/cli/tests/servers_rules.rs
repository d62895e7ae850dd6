//! Rules change under running painters, by the real command, on real servers: each log switches at one point, everybody is
//! brought up to date once, painters are killed in the middle of the sweep, and the independent evaluator agrees on all
//! of it.
#![cfg(test)]

mod shop;

use shop::data::{now, sample, sample_calls, sample_shop};
use shop::painter::{Painter, drained, live_a_while, run};
use shop::random::Random;
use shop::{Shop, judge, sample_folder, wait_for};
use std::path::Path;

const PARTITIONS: u16 = 4;

/// Writes other rules: an audience is gone, one edited, one new that asks for another, and interest fades faster.
fn other_rules(folder: &Path) {
    let read =
        |name: &str| std::fs::read_to_string(sample_folder().join("audiences").join(name)).unwrap();
    let edited = |name: &str, edit: &dyn Fn(String) -> String| {
        std::fs::write(folder.join(name), edit(read(name))).unwrap();
    };
    edited("paint.yaml", &|text| text.replace("shop: 7d", "shop: 5d"));
    edited("cart.yaml", &|text| text);
    edited("interest.yaml", &|text| text.replace("is: \"< 1\"", "is: \"< 2\""));
    edited("visitors.yaml", &|text| {
        let (_, rest) = text.split_once("---\n").unwrap();
        format!("{rest}---\naudience: lost\nenter: {{ in: lapsed }}\nenter_after: 3s\n")
    });
}

/// Publishes the rules of a folder.
fn apply(shop: &Shop, folder: &Path, flags: &[&str]) -> String {
    let settings = shop.settings_file("apply.yaml", |_| ());
    let folder = folder.display().to_string();
    let words = ["audience", "apply", &folder, "--yes", "--allow-exits", "1000000"];
    let end = run(&[&words, flags].concat(), &settings);
    assert_eq!(end.code, Some(0), "{}", end.says);
    end.says
}

fn started(shop: &Shop, life: usize) -> Painter {
    Painter::start_with(shop, ("only", life), |settings| {
        settings["painter"] = serde_json::json!({ "sweep_per_second": 60 });
    })
}

#[test]
fn new_rules_reach_everybody_once_through_kills_in_the_middle_of_the_sweep() {
    let mut random = Random::from_environment();
    let other = tempfile::tempdir().unwrap();
    let shop = Shop::open(sample_shop(PARTITIONS, false));
    let calls = sample_calls();
    let records = sample(&shop, now() - calls[calls.len() - 1].0.occurred_at);
    let (before, after) = records.split_at(records.len() / 2);
    shop.feed(before);
    let mut painter = started(&shop, 0);
    drained(&shop, &mut painter, false);

    other_rules(other.path());
    println!("{}", apply(&shop, other.path(), &["--remove", "recent-buyers"]));
    wait_for("new rules are in force", || painter.has_said("new rules").then_some(()));
    let mut parts = after.chunks(after.len().div_ceil(4));
    for life in 1..4 {
        shop.feed(parts.next().unwrap());
        live_a_while(&shop, &mut random);
        painter.kill();
        painter = started(&shop, life);
    }
    shop.feed(parts.next().unwrap());
    wait_for("everybody is met", || shop.is_settled().then_some(()));

    // Back to the rules before: another publication, though its files are the first one's.
    let former = sample_folder().join("audiences");
    println!("{}", apply(&shop, &former, &["--remove", "lost"]));
    wait_for("everybody is met again", || shop.is_settled().then_some(()));
    drained(&shop, &mut painter, false);
    painter.stop();

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, 31_106);
    assert_eq!(verdicts.switches, 2 * usize::from(PARTITIONS));
    let kinds = |kind: &str| verdicts.changes.iter().filter(|change| change.kind == kind).count();
    assert!(
        kinds("rules") > 0 && kinds("audience_removed") > 0,
        "{} changes",
        verdicts.changes.len()
    );
    println!(
        "{} changes, {} by rules, {} of audiences that were removed, {} claims",
        verdicts.changes.len(),
        kinds("rules"),
        kinds("audience_removed"),
        verdicts.claims
    );
}
