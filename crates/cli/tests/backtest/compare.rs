//! Two sets of rules over one history: what is told of their difference is what two runs show.

use super::{changes, sample, text, tzeva};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who is in which audience at the end, and who ever was.
type Members = (BTreeSet<(String, String)>, BTreeSet<(String, String)>);

/// The sample's rules, a little later in life: one audience asks for more, one is gone, one is new.
fn edited(folder: &Path) -> PathBuf {
    let edited = folder.join("edited");
    fs::create_dir(&edited).unwrap();
    for name in ["cart.yaml", "interest.yaml", "paint.yaml", "visitors.yaml"] {
        let rules = fs::read_to_string(sample("audiences").join(name)).unwrap();
        let rules = rules
            .replace("count: \">= 6\"", "count: \">= 9\"")
            .replace("is: \">= 15\"", "is: \">= 12\"")
            .replace("is: \"< 1\"", "is: \"< 0.5\"")
            .replace("audience: wishlist-without-cart", "audience: wishlist-only")
            .replace("audience: payment-trouble", "audience: payment-worries");
        fs::write(edited.join(name), rules).unwrap();
    }
    edited
}

fn members(changes: &str) -> Members {
    let (mut now, mut ever) = Members::default();
    for line in changes.lines() {
        let change: Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| change[key].as_str().unwrap().to_owned();
        let member = (word("audience"), word("visitor"));
        if word("change") == "entered" {
            now.insert(member.clone());
            ever.insert(member);
        } else {
            now.remove(&member);
        }
    }
    (now, ever)
}

/// Who is in `one` and not in `other`, an audience each.
fn only<'a>(
    one: &'a BTreeSet<(String, String)>,
    other: &'a BTreeSet<(String, String)>,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (audience, visitor) in one.difference(other) {
        all.entry(audience).or_default().push(visitor);
    }
    all
}

#[test]
fn a_difference_is_what_two_runs_show() {
    let folder = tempfile::tempdir().unwrap();
    let (first, events) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let second = edited(folder.path());
    let run = |rules: &Path| {
        let until = "2024-04-01T00:00:00Z";
        let given = ["--audiences", text(rules), "--until", until, "--events", text(&events)];
        members(&changes(folder.path(), &given))
    };
    let ((now, ever), (then, ever_then)) = (run(&first), run(&second));
    let given = ["audience", "diff", text(&first), text(&second), "--output", "json"];
    let more = ["--until", "2024-04-01T00:00:00Z", "--events", text(&events)];
    let ended = tzeva(&[&given[..], &more[..]].concat());
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let sides = [
        ("enter", only(&then, &now)),
        ("leave", only(&now, &then)),
        ("ever_enter", only(&ever_then, &ever)),
        ("ever_leave", only(&ever, &ever_then)),
    ];
    let named = told["differences"].as_array().unwrap();
    assert!(named.len() >= 3, "{told:#}");
    for (side, want) in sides {
        let mut found = BTreeMap::new();
        for each in named.iter().filter(|each| each[side]["count"] != 0) {
            let some = each[side]["some"].as_array().unwrap();
            let some: Vec<&str> = some.iter().map(|id| id.as_str().unwrap()).collect();
            found.insert(
                each["audience"].as_str().unwrap(),
                (each[side]["count"].as_u64().unwrap(), some),
            );
        }
        let want: BTreeMap<&str, (u64, Vec<&str>)> = want
            .into_iter()
            .map(|(audience, mut all)| {
                let count = all.len() as u64;
                all.truncate(5);
                (audience, (count, all))
            })
            .collect();
        assert_eq!(found, want, "{side}");
    }
}

#[test]
fn a_second_set_of_rules_changes_nothing_about_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (first, events) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let second = edited(folder.path());
    let given = ["--audiences", text(&first), "--events", text(&events)];
    let want = changes(folder.path(), &given);
    let against = [&given[..], &["--against", text(&second)]].concat();
    assert!(changes(folder.path(), &against) == want);
    let ended = tzeva(&[&["backtest", "--json"], &against[..]].concat());
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let name = |summary: &Value| summary["audience"].as_str().unwrap().to_owned();
    let names = |summary: &Value| -> Vec<String> {
        summary["audiences"].as_array().unwrap().iter().map(name).collect()
    };
    assert!(names(&told).contains(&"payment-trouble".to_owned()));
    assert!(names(&told["against"]).contains(&"payment-worries".to_owned()));
    let same = tzeva(&["audience", "diff", text(&first), text(&first), "--events", text(&events)]);
    assert!(String::from_utf8_lossy(&same.stdout).contains("nobody would enter or leave"));
}
