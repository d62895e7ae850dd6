//! `docs/settings.md` names every setting with its default, and no other; the example is one that would start.

use super::{Mode, Settings, check, load};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn root(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

/// Every leaf by its path; of a list of things, the first one's.
fn leaves(tree: &Value, at: &str, found: &mut BTreeMap<String, String>) {
    match tree {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                leaves(value, &path, found);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            leaves(&items[0], &format!("{at}[]"), found);
        }
        value => {
            found.insert(at.to_owned(), value.to_string());
        }
    }
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let mut known = BTreeMap::new();
    leaves(&serde_json::to_value(Settings::default()).unwrap(), "", &mut known);
    let text = std::fs::read_to_string(root("docs/settings.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cell = |cell: Option<&str>| cell.unwrap().trim().trim_matches('`').to_owned();
    let documented: BTreeMap<String, String> = rows
        .map(|row| {
            let mut cells = row.split('|').skip(1);
            (cell(cells.next()), cell(cells.next()))
        })
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn the_example_is_fine() {
    let loaded = load(Some(&root("tzeva.example.yaml")), std::iter::empty()).unwrap();
    assert_eq!(check(&loaded.settings, Mode::Server), Vec::<String>::new());
}
