//! The JSON Schema lets through what the compiler accepts, and stops what a schema can see.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use regex_lite::Regex;
use serde_json::Value;
use std::path::Path;

/// The documents of the rule files in a folder, each with its file's name, as JSON.
fn documents(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = text.trim_start_matches('\u{feff}').replace('\r', "");
        for document in format!("\n{text}").split("\n---") {
            let Ok(value) = serde_saphyr::from_str::<Value>(document) else { continue };
            if !value.is_null() {
                found.push((name.clone(), value));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// What of `value` the schema doesn't let through.
fn fault(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let wrong = |(word, rule): (&String, &Value)| match word.as_str() {
        "$ref" => {
            let name = rule.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
            fault(root, &root["definitions"][name], value, at)
        }
        "allOf" => rule.as_array().unwrap().iter().find_map(|part| fault(root, part, value, at)),
        "anyOf" => {
            let mut parts = rule.as_array().unwrap().iter();
            let fine = parts.any(|part| fault(root, part, value, at).is_none());
            (!fine).then(|| format!("{at}: none of {rule} for {value}"))
        }
        "items" => {
            let mut items = value.as_array().into_iter().flatten();
            items.find_map(|item| fault(root, rule, item, at))
        }
        "properties" | "patternProperties" | "additionalProperties" => {
            let mut entries = value.as_object().into_iter().flatten();
            entries.find_map(|(key, part)| {
                let at = format!("{at}.{key}");
                match of_key(schema, key)? {
                    Value::Bool(false) => Some(format!("{at} is no key")),
                    schema => fault(root, schema, part, &at),
                }
            })
        }
        word => (!meets(word, rule, value)).then(|| format!("{at}: {word} {rule} for {value}")),
    };
    schema.as_object().unwrap().iter().find_map(wrong)
}

/// What a schema says of a key.
fn of_key<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let own = schema.get("properties").and_then(|all| all.get(key));
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let by_pattern =
        patterns.into_iter().flatten().find(|(p, _)| Regex::new(p).unwrap().is_match(key));
    own.or(by_pattern.map(|(_, s)| s)).or_else(|| schema.get("additionalProperties"))
}

/// Whether a value meets a word that looks at it alone: those of draft 7 that our schema is made of, and no others.
fn meets(word: &str, rule: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("unknown type {other}"),
    };
    let number = |fine: fn(f64, f64) -> bool| {
        value.as_f64().is_none_or(|number| fine(number, rule.as_f64().unwrap()))
    };
    let items = value.as_array().map(|items| items.len() as u64);
    let keys = value.as_object().map(|keys| keys.len() as u64);
    match word {
        "$schema" | "title" | "description" | "definitions" => true,
        "type" => rule.as_array().map_or_else(|| is(rule), |kinds| kinds.iter().any(is)),
        "const" => value == rule,
        "pattern" => {
            let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "exclusiveMinimum" => number(|number, least| number > least),
        "minimum" => number(|number, least| number >= least),
        "maximum" => number(|number, most| number <= most),
        "minItems" => items.is_none_or(|items| items >= rule.as_u64().unwrap()),
        "maxItems" => items.is_none_or(|items| items <= rule.as_u64().unwrap()),
        "minProperties" => keys.is_none_or(|keys| keys >= rule.as_u64().unwrap()),
        "maxProperties" => keys.is_none_or(|keys| keys <= rule.as_u64().unwrap()),
        "required" => {
            let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
            !value.is_object() || rule.as_array().unwrap().iter().all(has)
        }
        other => panic!("unknown word {other}"),
    }
}

/// The fault of a document, by the part of the schema that its first key leads to, since `anyOf` says little.
fn document_fault(document: &Value) -> Option<String> {
    let root = tzeva_audience::schema();
    let whole = fault(&root, &root, document, "document");
    let kind = if document.get("paint").is_some() { "paint_document" } else { "audience" };
    whole.map(|whole| fault(&root, &root["definitions"][kind], document, kind).unwrap_or(whole))
}

#[test]
fn what_the_compiler_accepts_the_schema_lets_through() {
    for folder in ["tests/accepted", "../../audiences/retail"] {
        for (name, document) in documents(folder) {
            assert_eq!(document_fault(&document), None, "{name}: {document}");
        }
    }
}

#[test]
fn what_a_schema_can_see_it_stops() {
    let seen = [
        "unknown_key",
        "unknown_key-leaf",
        "one_condition",
        "one_condition-interest",
        "missing_key",
        "missing_key-interest",
        "missing_key-sequence",
        "bad_steps",
        "bad_after",
        "bad_tag",
        "bad_weight",
        "unknown_field",
        "wrong_shape-leaves",
        "window_without_event",
    ];
    let documents = documents("tests/refused");
    for name in seen {
        let mut faults = documents.iter().filter(|(of, _)| of == name);
        assert!(faults.any(|(_, document)| document_fault(document).is_some()), "{name}");
    }
}
