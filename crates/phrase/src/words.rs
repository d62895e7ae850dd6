//! Rules in words: leaves, filters and tags as one line for people.

use crate::sentence::score;
use std::fmt::Display;
use tzeva_audience::{
    Compare, CountTest, FieldTest, Leaf, SequenceLeaf, Step, SumLeaf, Test, Where,
};
use tzeva_model::{Amount, Name};

/// So many of a thing: `1 visitor`, `2 visitors`.
#[must_use]
pub fn amount<N: From<u8> + PartialEq + Display>(count: N, one: &str, many: &str) -> String {
    if count == N::from(1) { format!("1 {one}") } else { format!("{count} {many}") }
}

/// The statement in one line: `product_viewed >= 3 times within 14d (category Shoes/Running)`.
#[must_use]
pub fn leaf_words(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Event(event) => {
            let mut words = event.name.text().to_owned();
            words += &filter_words(&event.filter);
            words += &match event.count {
                CountTest::Is(Compare::AtLeast, 1) => " at least once".to_owned(),
                CountTest::Is(Compare::Equal | Compare::AtMost, 0) => " never".to_owned(),
                CountTest::Is(compare, 1) => format!(" {} 1 time", compare.sign()),
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
        Leaf::Sum(leaf) => sum_words(leaf, "is"),
        Leaf::Last(last) => {
            let sign = if last.at_least { ">=" } else { "<" };
            let filter = filter_words(&last.filter);
            format!("last {}{filter} {sign} {} ago", last.event.text(), last.ago)
        }
        Leaf::Interest(interest) => {
            let sign = if interest.at_least { ">=" } else { "<" };
            format!("interest in {} {sign} {}", interest.text, score(interest.threshold))
        }
        Leaf::Rank(leaf) => {
            let (what, of) = (tag_words(&leaf.text), level_words(&leaf.text));
            format!("{what} is {} of {of}", place_words(leaf.rank))
        }
        Leaf::Share(leaf) => {
            let (what, of) = (tag_words(&leaf.text), level_words(&leaf.text));
            let sign = if leaf.at_least { ">=" } else { "<" };
            format!("{what} {sign} {} of the interest in {of}", percent(leaf.share))
        }
        Leaf::Sequence(leaf) => {
            let within = leaf.within.map_or(String::new(), |within| format!(" within {within}"));
            format!("{}{within}", steps_words(leaf))
        }
        Leaf::Trait(leaf) => format!("trait {}", test_words(&leaf.name, &leaf.test)),
        Leaf::In(leaf) => format!("in {}", leaf.audience.text()),
    }
}

/// What a tag is called in a sentence.
pub(crate) fn tag_words(tag: &str) -> &str {
    if tag == "shop" { "the shop" } else { tag }
}

/// What the tags of a tag's level are called: those that it competes with.
pub(crate) fn level_words(tag: &str) -> String {
    match tag.split_once('/') {
        Some(("category", path)) => match path.split('/').count() {
            1 => "the categories".to_owned(),
            depth => format!("the categories of depth {depth}"),
        },
        Some(("brand", _)) => "the brands".to_owned(),
        Some(("product", _)) => "the products".to_owned(),
        _ => "the shop".to_owned(),
    }
}

/// `the first`, `among the first 3`, `3rd or later`.
pub(crate) fn place_words(rank: CountTest) -> String {
    let top = u64::from(u32::MAX);
    match rank.range() {
        (0 | 1, 1) => "the first".to_owned(),
        (0 | 1, high) if high >= top => "any".to_owned(),
        (0 | 1, high) => format!("among the first {high}"),
        (low, high) if high >= top => format!("number {low} or later"),
        (low, high) if low == high => format!("number {low}"),
        (low, high) => format!("number {low} to {high}"),
    }
}

/// A share as percent, to four places.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `the sum of revenue of order_completed within 90d is >= 200`.
pub(crate) fn sum_words(leaf: &SumLeaf, is: &str) -> String {
    let (of, event, filter) = (leaf.of.word(), leaf.event.text(), filter_words(&leaf.filter));
    let within = leaf.within.map_or(String::new(), |within| format!(" within {within}"));
    let range = range_words(leaf.is.low, leaf.is.high);
    format!("the sum of {of} of {event}{filter}{within} {is} {range}")
}

/// `product_viewed, then product_added, all within 1h`.
pub(crate) fn steps_words(leaf: &SequenceLeaf) -> String {
    let step = |step: &Step| format!("{}{}", step.name.text(), filter_words(&step.filter));
    let steps = leaf.steps.iter().map(step).collect::<Vec<_>>().join(", then ");
    let span = leaf.span.map_or(String::new(), |span| format!(" in less than {span}"));
    format!("{steps}{span}")
}

/// A filter in brackets, or nothing.
pub(crate) fn filter_words(filter: &Where) -> String {
    let words = |test: &FieldTest| test_words(&test.field.word(), &test.test);
    let tests: Vec<_> = filter.item.iter().chain(&filter.event).map(words).collect();
    if tests.is_empty() { String::new() } else { format!(" ({})", tests.join(", ")) }
}

/// A test of what is called `field`.
pub(crate) fn test_words(field: &str, test: &Test) -> String {
    let names = |names: &[Name]| listed(names.iter().map(Name::text));
    match test {
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
        (Some((low, true)), Some((high, true))) if low == high => low.to_string(),
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
