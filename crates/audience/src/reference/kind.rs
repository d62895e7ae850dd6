//! What a key takes: in words with its bounds, and as JSON Schema.

use super::{Key, conditions, documents, fields};
use crate::SequenceLeaf;
use crate::document::MAX_NAME;
use crate::paint_file::{DOSES, FALLOFF, FORGET_BELOW, HALF_LIFE, MAX_WEIGHT, PAINT};
use crate::schema::{object, of};
use serde_json::{Value, json};

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// The name that an audience has.
    Name,
    /// The name of another audience.
    Member,
    Labels,
    Condition,
    Conditions,
    /// A leaf of this key.
    Leaf(&'static str),
    /// A duration that may be nothing.
    Wait,
    /// A duration above nothing.
    Span,
    Stay,
    /// The name of an event.
    Event,
    Where,
    Count,
    Rank,
    After,
    SumField,
    Amount,
    Distance,
    Tag,
    Threshold,
    Share,
    Steps,
    /// What a field must be.
    Test,
    HalfLives,
    PaintEvents,
    Weight,
    ForgetBelow,
    Falloff,
    Part,
    Paint,
    Cases,
    Told,
    Changes,
}

const DURATION: &str = "^ *[0-9]+(ms|s|m|h|d|w)([0-9]+(ms|s|m|h|d|w))* *$";
const TOLD: &str = "^ *[0-9][0-9a-z]* +[^ ]+.*$";
const CHANGE: &str = "^ *[0-9][0-9a-z]* +(entered|exited) *$";
const COUNT: &str = "^ *(((>=|>|<=|<|=)? *[0-9]+)|(between +[0-9]+ +and +[0-9]+)) *$";
const SIDE: &str = "^ *(>=|>|<=|<) *[-+0-9.eE]+ *$";
const DISTANCE: &str = "^ *(>=|>|<=|<) *[0-9a-z]+ +ago *$";
const AMOUNT: &str = "^ *(((>=|>|<=|<|=)? *-?[0-9.]+)|(between +-?[0-9.]+ +and +-?[0-9.]+)) *$";

// === impl Kind ===

impl Kind {
    /// For people, in Markdown.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Name => format!(
                "1-{MAX_NAME} lower-case letters, digits, `-`, `_`, `.`; a letter or a digit first"
            ),
            Self::Member => "the name of an audience of the same folder".into(),
            Self::Labels => "a mapping of texts to texts".into(),
            Self::Condition => "a [condition](conditions.md)".into(),
            Self::Conditions => "a list of [conditions](conditions.md), at least one".into(),
            Self::Leaf(word) => format!("a mapping, see [below](#{word})"),
            Self::Wait => "a [duration](values.md#duration)".into(),
            Self::Span => "a [duration](values.md#duration) above nothing".into(),
            Self::Stay => "a mapping with `at_least`, `at_most` or both".into(),
            Self::Event => "the [name of an event](values.md#event-name)".into(),
            Self::Where => "a mapping of [fields](where.md) to what they must be".into(),
            Self::Count => "a [count](values.md#count)".into(),
            Self::Rank => "a [count](values.md#count), the strongest being 1".into(),
            Self::After => "`last` and the [name of an event](values.md#event-name)".into(),
            Self::SumField => "`revenue`, `quantity`, `price` or a kept `properties.NAME`".into(),
            Self::Amount => "an [amount](values.md#amount) to compare with".into(),
            Self::Distance => "a [distance](values.md#distance)".into(),
            Self::Tag => "a [tag](values.md#tag)".into(),
            Self::Threshold => "a [side](values.md#side) of a score above 0".into(),
            Self::Share => "a [side](values.md#side) of a part of 1".into(),
            Self::Steps => {
                format!("a list of 2-{} names or `{{ name, where }}`", SequenceLeaf::MOST)
            }
            Self::Test => "a [value or a comparison](where.md#operators), as of a property".into(),
            Self::HalfLives => "a mapping of all four levels to durations above nothing".into(),
            Self::PaintEvents => "a mapping of names of events to weights by level".into(),
            Self::Weight => format!("a number above 0, up to {MAX_WEIGHT}, or `clear`"),
            Self::ForgetBelow => format!("a number from 0 to {MAX_WEIGHT}"),
            Self::Falloff => "a mapping with `category`".into(),
            Self::Part => "a number above 0, up to 1".into(),
            Self::Paint => "a mapping, see below".into(),
            Self::Cases => "a list of cases".into(),
            Self::Told => "a list of events, at least one: `OFFSET NAME key=value ...`".into(),
            Self::Changes => "a list of `OFFSET entered` and `OFFSET exited`, taking turns".into(),
        }
    }

    /// For editors.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Text | Self::Event | Self::Member | Self::SumField => of("text"),
            Self::Name => {
                json!({ "type": ["string", "number"], "pattern": "^[a-z0-9][a-z0-9._-]{0,99}$" })
            }
            Self::Labels => json!({ "type": "object", "additionalProperties": of("text") }),
            Self::Condition => of("condition"),
            Self::Conditions => json!({ "type": "array", "minItems": 1, "items": of("condition") }),
            Self::Leaf(word) => of(word),
            Self::Wait | Self::Span => of("duration"),
            Self::Stay => documents::stay(),
            Self::Where => of("where"),
            Self::Count | Self::Rank => number_or(COUNT),
            Self::After => text("^ *last +.+$"),
            Self::Amount => number_or(AMOUNT),
            Self::Distance => text(DISTANCE),
            Self::Tag => text("^ *(shop|(brand|category|product) */.+)$"),
            Self::Threshold | Self::Share => text(SIDE),
            Self::Steps => json!({
                "type": "array", "minItems": 2, "maxItems": SequenceLeaf::MOST,
                "items": { "anyOf": [of("text"), conditions::step()] },
            }),
            Self::Test => of("test"),
            Self::HalfLives => object(&HALF_LIFE, &levels(Kind::Span, Key::needed)),
            Self::PaintEvents => {
                let doses = object(
                    &DOSES,
                    &levels(Kind::Weight, |word, kind, meaning| {
                        Key::optional(word, kind, "not painted", meaning)
                    }),
                );
                json!({ "type": "object", "additionalProperties": doses })
            }
            Self::Weight => {
                json!({ "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, { "const": "clear" }] })
            }
            Self::ForgetBelow => json!({ "type": "number", "minimum": 0 }),
            Self::Falloff => object(&FALLOFF, &documents::falloff_keys()),
            Self::Part => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
            Self::Paint => object(&PAINT, &documents::paint_keys()),
            Self::Cases => {
                json!({ "type": "array", "items": documents::schema_of(&documents::case_keys()) })
            }
            Self::Told => {
                let event = json!({ "type": "string", "description": "OFFSET NAME key=value ...", "pattern": TOLD });
                json!({ "type": "array", "minItems": 1, "items": event })
            }
            Self::Changes => {
                let change = json!({ "type": "string", "description": "OFFSET entered, or OFFSET exited", "pattern": CHANGE });
                json!({ "type": "array", "items": change })
            }
        }
    }
}

/// The schema of a duration.
pub(crate) fn duration() -> Value {
    json!({ "type": "string", "pattern": DURATION })
}

/// The default of `forget_below`, in words.
pub(crate) fn forget_below() -> String {
    FORGET_BELOW.to_string()
}

/// The fields that a `where` may name, as keys of a schema.
pub(crate) fn filter() -> Value {
    fields::schema()
}

/// A key for each level.
fn levels(kind: Kind, make: fn(&'static str, Kind, &'static str) -> Key) -> Vec<Key> {
    vec![
        make("shop", kind, "The shop's tag."),
        make("brand", kind, "Tags of brands."),
        make("category", kind, "Tags of category paths, each depth."),
        make("product", kind, "Tags of products."),
    ]
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// A number as such, or a text of this pattern.
fn number_or(pattern: &str) -> Value {
    json!({ "anyOf": [{ "type": "number" }, text(pattern)] })
}
