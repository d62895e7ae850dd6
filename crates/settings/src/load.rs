//! Reads settings: the file, then what the environment overrides, every unknown key named at once.
//!
//! `TZEVA_KAFKA__BROKERS=a:9092` overrides `kafka.brokers`: the prefix, then the keys joined by two underscores. A value
//! is read as YAML, so that lists and numbers can be given.

use crate::Settings;
use serde_json::{Map, Value};
use std::path::Path;

/// Settings and where they came from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file read; `None`: defaults.
    pub file: Option<String>,
    /// The environment variables that overrode something.
    pub overridden: Vec<String>,
}

/// The prefix of overriding variables.
const PREFIX: &str = "TZEVA_";

/// Variables with the prefix that are no settings: they are read elsewhere.
const NOT_SETTINGS: [&str; 6] = [
    "TZEVA_CONFIG",
    "TZEVA_SERVERS",
    "TZEVA_CASES",
    "TZEVA_SEED",
    "TZEVA_SEEDS",
    "TZEVA_WRITE_EXPECTED",
];

/// Reads `file` (nothing: defaults) and the given environment.
///
/// # Errors
/// Every problem found, a line each: what is wrong, where, and the nearest known key.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, Vec<String>> {
    let mut problems = Vec::new();
    let mut tree = match file.map(|path| (path, std::fs::read_to_string(path))) {
        None => Value::Object(Map::new()),
        Some((path, Err(error))) => {
            return Err(vec![format!("read settings {}: {error}", path.display())]);
        }
        Some((path, Ok(text))) => match serde_saphyr::from_str::<Value>(&text) {
            Ok(Value::Null) => Value::Object(Map::new()),
            Ok(tree @ Value::Object(_)) => tree,
            Ok(_) => {
                return Err(vec![format!("{}: a mapping of settings is expected", path.display())]);
            }
            Err(error) => return Err(vec![format!("{}: {error}", path.display())]),
        },
    };
    let mut overridden = Vec::new();
    for (name, text) in environment {
        let Some(keys) = name.strip_prefix(PREFIX) else { continue };
        let test_only = name.starts_with("TZEVA_TEST_") || NOT_SETTINGS.contains(&name.as_str());
        if test_only {
            continue;
        }
        let value = serde_saphyr::from_str::<Value>(&text).unwrap_or(Value::String(text));
        set(&mut tree, &keys.to_lowercase().split("__").collect::<Vec<_>>(), value);
        overridden.push(name);
    }
    let known = serde_json::to_value(Settings::default()).unwrap_or_default();
    unknown_keys(&tree, &known, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    wrong_values(&tree, "", &|value| value, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let settings =
        serde_json::from_value(tree).map_err(|error| vec![format!("settings: {error}")])?;
    let file = file.map(|path| path.display().to_string());
    Ok(Loaded { settings, file, overridden })
}

/// Tries each value by itself, so that all wrong ones are named: every other setting has a default. `around` puts a value
/// where it belongs.
fn wrong_values(
    tree: &Value,
    at: &str,
    around: &dyn Fn(Value) -> Value,
    problems: &mut Vec<String>,
) {
    match tree {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                let inside = |value| around(Value::Object(Map::from_iter([(key.clone(), value)])));
                wrong_values(value, &path, &inside, problems);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                let inside = |value| around(Value::Array(vec![value]));
                wrong_values(item, &format!("{at}[{index}]"), &inside, problems);
            }
        }
        value => {
            if let Err(error) = serde_json::from_value::<Settings>(around(value.clone())) {
                problems.push(format!("{at} is {value}: {error}"));
            }
        }
    }
}

/// Sets the value at a path of keys, making mappings on the way.
fn set(tree: &mut Value, keys: &[&str], value: Value) {
    let Some((first, rest)) = keys.split_first() else { return };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    let Value::Object(map) = tree else { return };
    if rest.is_empty() {
        map.insert((*first).to_owned(), value);
    } else {
        set(map.entry((*first).to_owned()).or_insert(Value::Null), rest, value);
    }
}

/// Names every key of `tree` that `known` has not. An empty mapping in `known` takes any key.
fn unknown_keys(tree: &Value, known: &Value, at: &str, problems: &mut Vec<String>) {
    match (tree, known) {
        (Value::Object(map), Value::Object(keys)) if !keys.is_empty() => {
            for (key, value) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match keys.get(key) {
                    Some(inner) => unknown_keys(value, inner, &path, problems),
                    None => problems
                        .push(format!("unknown setting `{path}`{}", nearest(key, keys.keys()))),
                }
            }
        }
        (Value::Array(items), Value::Array(templates)) => {
            let Some(template) = templates.first() else { return };
            for (index, item) in items.iter().enumerate() {
                unknown_keys(item, template, &format!("{at}[{index}]"), problems);
            }
        }
        _ => {}
    }
}

/// `; did you mean ...?`, if a known key is near.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a String>) -> String {
    let near = known.map(|name| (distance(key, name), name)).min();
    match near {
        Some((distance, name)) if distance <= (key.len() / 3).max(1) => {
            format!("; did you mean `{name}`?")
        }
        _ => String::new(),
    }
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &r) in right.iter().enumerate() {
            let cost = diagonal + usize::from(l != r);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn loaded(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let environment = environment.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
        load(Some(file.path()), environment)
    }

    #[test]
    fn every_unknown_key_is_named_with_the_nearest_known_one() {
        let problems =
            loaded("kafka: {broker: x}\nsources: [{topik: a}]\nfoo: 1", &[]).unwrap_err();
        assert_eq!(
            problems,
            [
                "unknown setting `foo`",
                "unknown setting `kafka.broker`; did you mean `brokers`?",
                "unknown setting `sources[0].topik`; did you mean `topic`?",
            ]
        );
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let environment =
            [("TZEVA_KAFKA__BROKERS", "b:1"), ("TZEVA_PARTITIONS", "16"), ("HOME", "x")];
        let loaded = loaded("kafka: {brokers: 'a:1'}", &environment).unwrap();
        assert_eq!(loaded.settings.kafka.brokers, "b:1");
        assert_eq!(loaded.settings.partitions, Some(16));
        assert_eq!(loaded.overridden, ["TZEVA_KAFKA__BROKERS", "TZEVA_PARTITIONS"]);
    }

    #[test]
    fn a_duration_without_a_unit_is_refused() {
        let problems = loaded("late_after: '24'", &[]).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("late_after is \"24\": "), "{problems:?}");
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        let text = "partitions: many\nsources: [{topic: a}, {topic: 7}]\nhistory: {max_age: 400}";
        let problems = loaded(text, &[]).unwrap_err();
        let places: Vec<_> = problems.iter().filter_map(|p| p.split(" is ").next()).collect();
        assert_eq!(places, ["history.max_age", "partitions", "sources[1].topic"]);
    }
}
