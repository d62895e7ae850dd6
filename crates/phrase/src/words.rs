//! Rules in words: leaves, filters and tags as one line for people.

use crate::sentence::score;
use tzeva_audience::{CountTest, FieldTest, Leaf, Test, Where};
use tzeva_model::{Amount, Name};

/// The statement in one line: `product_viewed >= 3 times within 14d (category Shoes/Running)`.
#[must_use]
pub fn leaf_words(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Event(event) => {
            let mut words = event.name.text().to_owned();
            words += &filter_words(&event.filter);
            words += &match event.count {
                CountTest::Is(compare, k) => format!(" {} {k} times", compare.sign()),
                CountTest::Between(low, high) => format!(" {low} to {high} times"),
            };
            if let Some(after) = &event.after {
                words += &format!(" after the last {}", after.text());
            }
            if let Some(within) = event.within {
                words += &format!(" within {within}");
            }
            words
        }
        Leaf::Last(last) => {
            let sign = if last.at_least { ">=" } else { "<" };
            let filter = filter_words(&last.filter);
            format!("last {}{filter} {sign} {} ago", last.event.text(), last.ago)
        }
        Leaf::Interest(interest) => {
            let sign = if interest.at_least { ">=" } else { "<" };
            format!("interest in {} {sign} {}", interest.text, score(interest.threshold))
        }
    }
}

/// What a tag is called in a sentence.
pub(crate) fn tag_words(tag: &str) -> &str {
    if tag == "shop" { "the shop" } else { tag }
}

/// A filter in brackets, or nothing.
pub(crate) fn filter_words(filter: &Where) -> String {
    let tests: Vec<_> = filter.item.iter().chain(&filter.event).map(test_words).collect();
    if tests.is_empty() { String::new() } else { format!(" ({})", tests.join(", ")) }
}

fn test_words(test: &FieldTest) -> String {
    let field = test.field.word();
    let names = |names: &[Name]| listed(names.iter().map(Name::text));
    match &test.test {
        Test::In(list) => format!("{field} {}", names(list)),
        Test::NotIn(list) => format!("{field} not {}", names(list)),
        Test::TextIn(list) => format!("{field} {}", listed(list.iter().map(|text| &**text))),
        Test::TextNotIn(list) => format!("{field} not {}", listed(list.iter().map(|text| &**text))),
        Test::StartsWith(start) => format!("{field} starts with {start}"),
        Test::Number { low, high } => format!("{field} {}", range_words(*low, *high)),
        Test::NumberIn(list) => format!("{field} {}", numbers(list)),
        Test::NumberNotIn(list) => format!("{field} not {}", numbers(list)),
        Test::Exists(true) => format!("with {field}"),
        Test::Exists(false) => format!("without {field}"),
        Test::Bool(value) => format!("{field} {value}"),
    }
}

fn range_words(low: Option<(Amount, bool)>, high: Option<(Amount, bool)>) -> String {
    let end = |(value, inclusive): (Amount, bool), sign: &str| {
        format!("{sign}{} {value}", if inclusive { "=" } else { "" })
    };
    match (low, high) {
        (Some((low, true)), Some((high, true))) => format!("{low} to {high}"),
        (Some(low), Some(high)) => format!("{} and {}", end(low, ">"), end(high, "<")),
        (Some(low), None) => end(low, ">"),
        (None, Some(high)) => end(high, "<"),
        (None, None) => "any number".into(),
    }
}

fn numbers(list: &[Amount]) -> String {
    let texts: Vec<_> = list.iter().map(ToString::to_string).collect();
    listed(texts.iter().map(String::as_str))
}

/// `A`, `A or B`, `A, B or 3 more`.
fn listed<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = texts.len();
    let shown: Vec<_> = texts.take(3).collect();
    match shown.as_slice() {
        [a, b] => format!("{a} or {b}"),
        [a, b, c] if count == 3 => format!("{a}, {b} or {c}"),
        [a, b, _] => format!("{a}, {b} or {} more", count - 2),
        _ => shown.concat(),
    }
}
