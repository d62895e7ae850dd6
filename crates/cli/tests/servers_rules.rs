//! Rules change under running painters, by the real command, on real servers: each log switches at one point, everybody is
//! brought up to date once, painters are killed in the middle of the sweep, and the independent evaluator agrees on all
//! of it.
#![cfg(test)]

mod shop;

use shop::data::{generated, generated_shop};
use shop::painter::{Painter, drained, live_a_while, run};
use shop::random::Random;
use shop::{Shop, judge, wait_for};
use std::path::Path;
use tzeva_bench::{audiences, paint};

const PARTITIONS: u16 = 4;

/// Writes other rules: some audiences more, one that is gone, one edited, categories that fade faster.
fn other_rules(folder: &Path) {
    let text = audiences(1, 46).replace("audience: bench-00003\n", "audience: renamed\n");
    std::fs::write(folder.join("audiences.yaml"), text).unwrap();
    let paint = paint().replace("category: 14d", "category: 10d");
    std::fs::write(folder.join("paint.yaml"), paint).unwrap();
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
        settings["painter"] = serde_json::json!({ "sweep_per_second": 300 });
    })
}

#[test]
fn new_rules_reach_everybody_once_through_kills_in_the_middle_of_the_sweep() {
    let mut random = Random::from_environment();
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let shop = Shop::open(generated_shop(PARTITIONS, false, first.path()));
    let records = generated(&shop, 7, 3_000, 12_000);
    let (before, after) = records.split_at(6_000);
    shop.feed(before);
    let mut painter = started(&shop, 0);
    drained(&shop, &mut painter, false);

    other_rules(second.path());
    let says = apply(&shop, second.path(), &["--remove", "bench-00003"]);
    println!("{says}");
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
    let says = apply(
        &shop,
        first.path(),
        &[
            "--remove",
            "renamed",
            "--remove",
            "bench-00040",
            "--remove",
            "bench-00041",
            "--remove",
            "bench-00042",
            "--remove",
            "bench-00043",
            "--remove",
            "bench-00044",
            "--remove",
            "bench-00045",
        ],
    );
    println!("{says}");
    wait_for("everybody is met again", || shop.is_settled().then_some(()));
    drained(&shop, &mut painter, false);
    painter.stop();

    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, 12_000);
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
