//! Who would enter or leave under other rules, for people and for programs.

use crate::compare::{Difference, Differences, Group};
use serde_json::{Value, json};
use tzeva_terminal::out;

/// For people: a line an audience, then some of the visitors.
pub fn text(differences: &Differences) {
    let head = ["audience", "enter", "leave", "ever in only then", "ever in only now", "such as"];
    let rows: Vec<Vec<String>> = differences.each().map(|(name, each)| row(name, each)).collect();
    if rows.is_empty() {
        out::line("nobody would enter or leave, and nobody would ever have");
        return;
    }
    out::table(&head, &rows);
}

/// For programs: an object an audience.
pub fn list(differences: &Differences) -> Vec<Value> {
    let group = |group: &Group| {
        let some: Vec<&str> = group.some.iter().map(tzeva_model::VisitorId::as_str).collect();
        json!({ "count": group.count, "some": some })
    };
    let each = differences.each().map(|(name, difference)| {
        json!({
            "audience": name,
            "enter": group(&difference.enter),
            "leave": group(&difference.leave),
            "ever_enter": group(&difference.ever_enter),
            "ever_leave": group(&difference.ever_leave),
        })
    });
    each.collect()
}

fn row(name: &str, difference: &Difference) -> Vec<String> {
    let Difference { enter, leave, ever_enter, ever_leave } = difference;
    let signed = |sign: &'static str, group: &Group| -> Vec<String> {
        group.some.iter().map(|visitor| format!("{sign}{}", out::safe(visitor.as_str()))).collect()
    };
    let counts = [enter, leave, ever_enter, ever_leave].map(|group| group.count.to_string());
    let mut row = vec![name.to_owned()];
    row.extend(counts);
    row.push([signed("+", enter), signed("-", leave)].concat().join(" "));
    row
}
