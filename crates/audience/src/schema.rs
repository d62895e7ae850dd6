//! The JSON Schema of rule files, for editors: they complete keys and mark what can't be.
//!
//! Made from the shapes that the checker itself reads with, so a key can't be known to one and not to the other. A schema
//! can't say everything (what history keeps, which audiences there are, what contradicts itself): it lets through all that
//! the compiler accepts, and more. Draft 7, since that is what editors read.

use crate::check::Shape;
use crate::condition::{CONDITION, EVENT, LAST};
use crate::document::{AUDIENCE, STAY};
use crate::filter::FIELDS;
use crate::interest::INTEREST;
use crate::leaf::{SEQUENCE, STEP, TRAIT};
use crate::paint_file::{DOCUMENT, DOSES, FALLOFF, HALF_LIFE, PAINT};
use crate::sum::SUM;
use crate::{Field, SequenceLeaf};
use serde_json::{Map, Value, json};

/// A key, what it means, and the schema of its value.
type Key = (&'static str, &'static str, Value);

const DURATION: &str = "^ *[0-9]+(ms|s|m|h|d|w)([0-9]+(ms|s|m|h|d|w))* *$";
const TOLD: &str = "^ *[0-9][0-9a-z]* +[^ ]+.*$";
const CHANGE: &str = "^ *[0-9][0-9a-z]* +(entered|exited) *$";
const COUNT: &str = "^ *(((>=|>|<=|<|=)? *[0-9]+)|(between +[0-9]+ +and +[0-9]+)) *$";
const SIDE: &str = "^ *(>=|>|<=|<) *[-+0-9.eE]+ *$";
const DISTANCE: &str = "^ *(>=|>|<=|<) *[0-9a-z]+ +ago *$";
const AMOUNT: &str = "^ *(((>=|>|<=|<|=)? *-?[0-9.]+)|(between +-?[0-9.]+ +and +-?[0-9.]+)) *$";

/// The schema of one document of a rule file: an audience, the paint, or tests.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Audiences of tzeva",
        "anyOf": [
            of("audience"),
            of("paint_document"),
            of("tests_document"),
        ],
        "definitions": {
            "audience": audience(),
            "condition": condition(),
            "event": event(),
            "sum": sum(),
            "last": last(),
            "interest": interest(),
            "sequence": sequence(),
            "trait": of_trait(),
            "where": filter(),
            "paint_document": paint_document(),
            "tests_document": tests_document(),
            "text": { "type": ["string", "number", "boolean"] },
            "duration": { "type": "string", "pattern": DURATION },
            "test": test(),
        },
    })
}

/// Documents of tests, which the crate `trial` reads.
fn tests_document() -> Value {
    let event =
        json!({ "type": "string", "description": "OFFSET NAME key=value ...", "pattern": TOLD });
    let change = json!({ "type": "string", "description": "OFFSET entered, or OFFSET exited", "pattern": CHANGE });
    let case = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "events", "expect"],
        "properties": {
            "name": of("text"),
            "events": { "type": "array", "minItems": 1, "items": event },
            "expect": { "type": "array", "items": change },
            "until": of("duration"),
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["tests", "cases"],
        "properties": { "tests": of("text"), "cases": { "type": "array", "items": case } },
    })
}

fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// A number as such, or a text of this pattern.
fn number_or(pattern: &str) -> Value {
    json!({ "anyOf": [{ "type": "number" }, text(pattern)] })
}

/// A mapping of a shape. A key of the shape that isn't told of here would be missing: a test looks for that.
fn object(shape: &Shape, required: &[&str], keys: Vec<Key>) -> Value {
    let mut properties = Map::new();
    for (key, meaning, mut schema) in keys {
        debug_assert!(shape.keys.contains(&key), "{key} is no key of {}", shape.noun);
        // Beside `$ref` draft 7 reads nothing, so what is said of the key goes around it.
        if schema.get("$ref").is_some() {
            schema = json!({ "allOf": [schema] });
        }
        schema["description"] = meaning.into();
        properties.insert(key.to_owned(), schema);
    }
    debug_assert_eq!(properties.len(), shape.keys.len(), "{} lacks keys", shape.noun);
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn audience() -> Value {
    object(
        &AUDIENCE,
        &["audience", "enter"],
        vec![
            (
                "audience",
                "Its name: lower-case letters, digits, `-`, `_`, `.`.",
                json!({ "type": ["string", "number"], "pattern": "^[a-z0-9][a-z0-9._-]{0,99}$" }),
            ),
            ("describe", "What it is for, for people.", of("text")),
            ("owner", "Who answers for it.", of("text")),
            (
                "labels",
                "Free labels.",
                json!({ "type": "object", "additionalProperties": of("text") }),
            ),
            ("enter", "The condition to get in.", of("condition")),
            ("exit_when", "Leave as soon as this holds.", of("condition")),
            ("enter_after", "How long `enter` must have held without a gap.", of("duration")),
            ("stay", "Bounds of a stay.", stay()),
            ("reenter_after", "How long after an exit nobody gets in again.", of("duration")),
        ],
    )
}

fn stay() -> Value {
    let keys = vec![
        ("at_least", "`enter` ceasing to hold ends no stay before this.", of("duration")),
        ("at_most", "The stay ends now.", of("duration")),
    ];
    object(&STAY, &[], keys)
}

fn condition() -> Value {
    let list = || json!({ "type": "array", "minItems": 1, "items": of("condition") });
    let mut schema = object(
        &CONDITION,
        &[],
        vec![
            ("all", "All of them hold.", list()),
            ("any", "At least one holds.", list()),
            ("not", "It doesn't hold.", of("condition")),
            ("event", "So many such events lie in the window.", of("event")),
            ("sum", "What such events add up to.", of("sum")),
            ("last", "The last such event is so long ago.", of("last")),
            ("interest", "The score of a tag, its rank or its share.", of("interest")),
            ("sequence", "Such events came one after the other.", of("sequence")),
            ("trait", "The last known value of a trait.", of("trait")),
            ("in", "The visitor is a member of this audience.", of("text")),
        ],
    );
    (schema["minProperties"], schema["maxProperties"]) = (1.into(), 1.into());
    schema
}

fn event() -> Value {
    let keys = vec![
        ("name", "The event's name, such as `product_added`.", of("text")),
        ("where", "Which of them.", of("where")),
        ("count", "How many: `\">= 3\"`; at least one if left out.", number_or(COUNT)),
        ("within", "Less than so long ago.", of("duration")),
        ("after", "Only what came after: `last NAME`.", text("^ *last +.+$")),
    ];
    object(&EVENT, &["name"], keys)
}

fn sum() -> Value {
    let keys = vec![
        ("event", "The event's name; `order_completed` if left out.", of("text")),
        ("of", "`revenue`, `quantity`, `price` or a kept `properties.NAME`.", of("text")),
        ("is", "How the sum compares: `\">= 200\"`.", number_or(AMOUNT)),
        ("where", "Which events, and which of their items.", of("where")),
        ("within", "Less than so long ago.", of("duration")),
    ];
    object(&SUM, &["of", "is"], keys)
}

fn last() -> Value {
    let keys = vec![
        ("event", "The event's name.", of("text")),
        ("where", "Which of them.", of("where")),
        ("is", "How long ago: `\">= 1h ago\"`, `\"< 1h ago\"`.", text(DISTANCE)),
    ];
    object(&LAST, &["event", "is"], keys)
}

fn interest() -> Value {
    let keys = vec![
        (
            "tag",
            "`shop`, `brand/NAME`, `category/PATH` or `product/ID`.",
            text("^ *(shop|(brand|category|product) */.+)$"),
        ),
        ("is", "How the faded score compares: `\">= 6\"`.", text(SIDE)),
        ("rank", "Its place in its level, the strongest being 1: `\"<= 3\"`.", number_or(COUNT)),
        ("share", "Its part of its level's interest: `\">= 0.5\"`.", text(SIDE)),
    ];
    let mut schema = object(&INTEREST, &["tag"], keys);
    (schema["minProperties"], schema["maxProperties"]) = (2.into(), 2.into());
    schema
}

fn sequence() -> Value {
    let keys =
        vec![("name", "The event's name.", of("text")), ("where", "Which of them.", of("where"))];
    let step = json!({ "anyOf": [of("text"), object(&STEP, &["name"], keys)] });
    let steps = json!({
        "type": "array", "minItems": 2, "maxItems": SequenceLeaf::MOST, "items": step,
    });
    let keys = vec![
        ("steps", "The events, first to last: a name, or `{ name, where }`.", steps),
        ("span", "The last less than this after the first.", of("duration")),
        ("within", "The last less than so long ago.", of("duration")),
    ];
    object(&SEQUENCE, &["steps"], keys)
}

fn of_trait() -> Value {
    let keys = vec![
        ("name", "The trait's name, as `identify` sends it.", of("text")),
        ("is", "What it must be: a value, a list, or a comparison.", of("test")),
    ];
    object(&TRAIT, &["name", "is"], keys)
}

fn filter() -> Value {
    let meaning = |field: &Field| match field {
        Field::Product => "The product's id or sku.",
        Field::Category => "The category path, or anything below it.",
        Field::Brand => "The brand.",
        Field::Price => "The price of one piece.",
        Field::Quantity => "The number of pieces.",
        Field::Revenue => "What the event earned.",
        Field::Coupon => "The coupon used.",
        Field::Channel => "The channel, such as `web`.",
        Field::Country => "The country, as sent.",
        Field::PagePath => "The page's path: with `*` a glob, else itself and what is below it.",
        Field::Property(_) => "A kept property.",
    };
    let test = |field| json!({ "allOf": [of("test")], "description": meaning(field) });
    let properties: Map<String, Value> =
        FIELDS.iter().map(|(name, field)| ((*name).to_owned(), test(field))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^properties\\..+$": test(&Field::Property("".into())) },
        "additionalProperties": false,
    })
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

fn paint_document() -> Value {
    let level = |schema: &Value| -> Vec<Key> {
        vec![
            ("shop", "The shop's tag.", schema.clone()),
            ("brand", "Tags of brands.", schema.clone()),
            ("category", "Tags of category paths, each depth.", schema.clone()),
            ("product", "Tags of products.", schema.clone()),
        ]
    };
    let weight =
        json!({ "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, { "const": "clear" }] });
    let half_lives = object(&HALF_LIFE, HALF_LIFE.keys, level(&of("duration")));
    let doses = object(&DOSES, &[], level(&weight));
    let falloff = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 });
    let falloff =
        object(&FALLOFF, &[], vec![("category", "The part that each depth up gets.", falloff)]);
    let keys = vec![
        ("half_life", "In which time a score halves, for each level.", half_lives),
        (
            "events",
            "What each event paints.",
            json!({ "type": "object", "additionalProperties": doses }),
        ),
        (
            "forget_below",
            "Fainter tags are forgotten when their level is painted; 0 forgets nothing.",
            json!({ "type": "number", "minimum": 0 }),
        ),
        ("falloff", "How much less the depths above a category's leaf get.", falloff),
    ];
    let paint = object(&PAINT, &["half_life", "events"], keys);
    object(&DOCUMENT, &["paint"], vec![("paint", "How events mark visitors.", paint)])
}
