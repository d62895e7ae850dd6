//! The JSON Schema of rule files, for editors: they complete keys and mark what can't be.
//!
//! Made from the shapes that the checker itself reads with and from the tables of the [reference](mod@crate::reference), so a
//! key can't be known to one and not to the other. A schema can't say everything (what history keeps, which audiences
//! there are, what contradicts itself): it lets through all that the compiler accepts, and more. Draft 7, since that is
//! what editors read.

use crate::check::Shape;
use crate::condition::{CONDITION, EVENT, LAST};
use crate::document::AUDIENCE;
use crate::interest::INTEREST;
use crate::leaf::{SEQUENCE, TRAIT};
use crate::paint_file::DOCUMENT;
use crate::reference::kind::{self, Kind};
use crate::reference::{Key, conditions, documents};
use crate::sum::SUM;
use serde_json::{Map, Value, json};

/// The schema of one document of a rule file: an audience, the paint, or tests.
#[must_use]
pub fn schema() -> Value {
    let paint = Key::needed("paint", Kind::Paint, "How events mark visitors.");
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Audiences of tzeva",
        "anyOf": [
            of("audience"),
            of("paint_document"),
            of("tests_document"),
        ],
        "definitions": {
            "audience": object(&AUDIENCE, &documents::audience_keys()),
            "condition": one(object(&CONDITION, &conditions::condition_keys()), 1),
            "event": object(&EVENT, &conditions::event_keys()),
            "sum": object(&SUM, &conditions::sum_keys()),
            "last": object(&LAST, &conditions::last_keys()),
            "interest": one(object(&INTEREST, &conditions::interest_keys()), 2),
            "sequence": object(&SEQUENCE, &conditions::sequence_keys()),
            "trait": object(&TRAIT, &conditions::trait_keys()),
            "where": kind::filter(),
            "paint_document": object(&DOCUMENT, &[paint]),
            "tests_document": documents::schema_of(&documents::tests_keys()),
            "text": { "type": ["string", "number", "boolean"] },
            "duration": kind::duration(),
            "test": test(),
        },
    })
}

pub(crate) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// A mapping of a shape. A key of the shape that isn't told of here would be missing: a test looks for that.
pub(crate) fn object(shape: &Shape, keys: &[Key]) -> Value {
    let same = keys.len() == shape.keys.len() && keys.iter().all(|k| shape.keys.contains(&k.word));
    debug_assert!(same, "{} has other keys than are told of", shape.noun);
    documents::schema_of(keys)
}

/// The properties of a mapping.
pub(crate) fn described(keys: &[Key]) -> Map<String, Value> {
    let property = |key: &Key| {
        let mut schema = key.kind.schema();
        // Beside `$ref` draft 7 reads nothing, so what is said of the key goes around it.
        if schema.get("$ref").is_some() {
            schema = json!({ "allOf": [schema] });
        }
        schema["description"] = key.meaning.into();
        (key.word.to_owned(), schema)
    };
    keys.iter().map(property).collect()
}

/// So many keys, no more and no less.
fn one(mut schema: Value, keys: usize) -> Value {
    (schema["minProperties"], schema["maxProperties"]) = (keys.into(), keys.into());
    schema
}

/// What a field must be.
fn test() -> Value {
    json!({
        "description": "A value, a list of values, `{ exists: true }`, or a comparison: \"!= GB\", \">= 80\", \
                        \"in [GB, IE]\", \"not in [GB, IE]\", \"between 10 and 20\", \"starts_with x\".",
        "anyOf": [
            of("text"),
            { "type": "array", "minItems": 1, "items": of("text") },
            {
                "type": "object",
                "properties": { "exists": { "type": "boolean" } },
                "required": ["exists"],
                "additionalProperties": false,
            },
        ],
    })
}
