//! What a `where` may name, and how it compares.

use super::{Chapter, Topic, topic};
use crate::Field;
use crate::filter::{FIELDS, Sort, sort};
use crate::schema::of;
use serde_json::{Map, Value, json};

/// A field: its word, what it is, and a test of it that shows how it compares.
type Told = (&'static str, &'static str, &'static str);

/// An operator: its word, when it holds, what it takes, and a test that uses it.
type Operator = (&'static str, &'static str, &'static [Takes], &'static str);

/// What an operator can look at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Names,
    Numbers,
    Texts,
}

const FIELDS_TOLD: [Told; 11] = [
    ("product", "The product's id, or its sku.", "product: [shoe-1, shoe-2]"),
    ("category", "The category path, or anything below it.", "category: Shoes/Running"),
    ("brand", "The brand.", "brand: \"not in [Acme, Bolt]\""),
    ("price", "The price of one piece.", "price: between 10 and 20"),
    ("quantity", "The number of pieces, whole; 1 if it is not given.", "quantity: \">= 2\""),
    ("revenue", "What the event earned.", "revenue: \">= 79.90\""),
    ("coupon", "The coupon used.", "coupon: { exists: true }"),
    ("channel", "The channel, such as `web`.", "channel: app"),
    ("country", "The country, as sent.", "country: \"!= GB\""),
    (
        "page.path",
        "The page's path: with a `*` a glob (any run of characters, `/` too), else itself and what is below it.",
        "page.path: [/sale, \"/*/shoes\"]",
    ),
    (
        "properties.NAME",
        "A property: a number and `true` or `false` without quotes compare as such, else as text.",
        "properties.color: red",
    ),
];

use Takes::{Names, Numbers, Texts};
const ALL: &[Takes] = &[Names, Numbers, Texts];

const OPERATORS: [Operator; 12] = [
    ("VALUE", "It is this value. Of a category: this path or one below it.", ALL, "brand: Acme"),
    ("[A, B]", "It is one of these.", ALL, "country: [GB, IE]"),
    (
        "=",
        "As the bare value; for a value that looks like an operator.",
        ALL,
        "coupon: \"= between\"",
    ),
    ("!=", "It is there, and another value.", ALL, "country: \"!= GB\""),
    ("in", "It is one of these.", ALL, "country: \"in [GB, IE]\""),
    ("not in", "It is there, and none of these.", ALL, "country: \"not in [GB, IE]\""),
    (">=", "It is this much, or more.", &[Numbers], "price: \">= 80\""),
    (">", "It is more.", &[Numbers], "price: \"> 80\""),
    ("<=", "It is this much, or less.", &[Numbers], "price: \"<= 80\""),
    ("<", "It is less.", &[Numbers], "price: \"< 80\""),
    ("between", "It lies between the two, both ends in.", &[Numbers], "price: between 10 and 20"),
    ("starts_with", "It is a text that begins so.", &[Texts], "coupon: starts_with SUMMER"),
];

const EXISTS: (&str, &str, &str) = (
    "exists",
    "It is there, or it isn't: the only test that a missing field can pass.",
    "coupon: { exists: false }",
);

/// The schema of a `where`.
pub(crate) fn schema() -> Value {
    let test = |meaning: &str| json!({ "allOf": [of("test")], "description": meaning });
    let (mut named, mut patterns) = (Map::new(), Map::new());
    for (word, meaning, _) in FIELDS_TOLD {
        match word {
            "properties.NAME" => patterns.insert("^properties\\..+$".to_owned(), test(meaning)),
            word => named.insert(word.to_owned(), test(meaning)),
        };
    }
    debug_assert_eq!(named.len(), FIELDS.len(), "a field is not told of");
    json!({
        "type": "object",
        "properties": named,
        "patternProperties": patterns,
        "additionalProperties": false,
    })
}

pub(crate) fn topics() -> Vec<Topic> {
    let fields = FIELDS_TOLD.map(|(word, meaning, example)| {
        let field = FIELDS.iter().find(|(name, _)| *name == word).map(|(_, field)| field.clone());
        let field = field.unwrap_or_else(|| Field::Property("NAME".into()));
        let meaning = format!("{meaning}\n\nCompares as {}.{}", compares(&field), notes(&field));
        topic(Chapter::Fields, word, &meaning, (&[], None), &framed(example))
    });
    let operators = OPERATORS.map(|(word, meaning, takes, example)| {
        let takes: Vec<_> = takes.iter().map(|takes| takes.words()).collect();
        let meaning = format!("{meaning}\n\nOf {}.", takes.join(", "));
        topic(Chapter::Operators, word, &meaning, (&[], None), &framed(example))
    });
    let (word, meaning, example) = EXISTS;
    let exists = topic(
        Chapter::Operators,
        word,
        &format!("{meaning}\n\nOf every field."),
        (&[], None),
        &framed(example),
    );
    fields.into_iter().chain(operators).chain([exists]).collect()
}

/// A document around a test.
fn framed(test: &str) -> String {
    format!(
        "audience: example\nenter:\n  event:\n    name: order_completed\n    where: {{ {test} }}\n"
    )
}

fn compares(field: &Field) -> String {
    let (as_what, takes) = match sort(field) {
        Sort::Name(_) => ("a name", vec![Names]),
        Sort::Category => ("a path, which also means everything below it", vec![Names]),
        Sort::Number if *field == Field::Quantity => ("a whole number", vec![Numbers]),
        Sort::Number => ("a number with up to four decimals", vec![Numbers]),
        Sort::Text => ("a text, letter by letter", vec![Texts]),
        Sort::Path => ("a path of a page", vec![Texts]),
        Sort::Property => ("what it holds", vec![Numbers, Texts]),
    };
    let words = OPERATORS.iter().filter(|(_, _, of, _)| of.iter().any(|of| takes.contains(of)));
    let words: Vec<_> = words.map(|(word, ..)| format!("`{word}`")).collect();
    format!("{as_what}: {}, `{{ exists: true }}`", words.join(", "))
}

fn notes(field: &Field) -> &'static str {
    match field {
        Field::PagePath | Field::Property(_) => {
            " History keeps it only if the settings name it: `history: { keep: [page.path, properties.color] }`."
        }
        Field::Product | Field::Brand | Field::Category | Field::Price | Field::Quantity => {
            " Tests of `product`, `category`, `brand`, `price` and `quantity` must be met by one and the same item of an order."
        }
        _ => "",
    }
}

// === impl Takes ===

impl Takes {
    const fn words(self) -> &'static str {
        match self {
            Names => "names (`product`, `brand`, `category`)",
            Numbers => "numbers (`price`, `quantity`, `revenue`, properties)",
            Texts => "texts (`coupon`, `channel`, `country`, `page.path`, properties)",
        }
    }
}
