//! `where`: does an event pass the tests? A comparison with a missing field is false, also a negated one.

use tzeva_audience::{Field, Test, Where};
use tzeva_model::{Amount, Event, Item, Name, Value};

/// What a field holds.
enum Found<'a> {
    Nothing,
    /// The names that it answers to: a category to all its depths.
    Names(Vec<&'a Name>),
    Text(&'a str),
    /// A page's path, which patterns are matched against.
    Path(&'a str),
    Number(Amount),
    Bool(bool),
}

/// Tells whether `event` passes: one and the same item passes all item tests, the event itself the others.
pub(crate) fn passes(event: &Event, filter: &Where) -> bool {
    let some_item =
        filter.item.is_empty() || event.items.iter().any(|item| item_passes(item, filter));
    some_item && filter.event.iter().all(|test| holds(&of_event(event, &test.field), &test.test))
}

/// Tells whether one item passes all item tests.
pub(crate) fn item_passes(item: &Item, filter: &Where) -> bool {
    filter.item.iter().all(|test| holds(&of_item(item, &test.field), &test.test))
}

fn of_item<'a>(item: &'a Item, field: &Field) -> Found<'a> {
    match field {
        Field::Product => item.product.as_ref().map_or(Found::Nothing, |n| Found::Names(vec![n])),
        Field::Brand => item.brand.as_ref().map_or(Found::Nothing, |n| Found::Names(vec![n])),
        Field::Category => item
            .category
            .as_ref()
            .map_or(Found::Nothing, |path| Found::Names(path.depths().iter().collect())),
        Field::Price => item.price.map_or(Found::Nothing, Found::Number),
        // Pieces that nobody counted are one piece, so a quantity is always there.
        Field::Quantity => Found::Number(pieces(item.quantity.unwrap_or(1))),
        _ => Found::Nothing,
    }
}

fn of_event<'a>(event: &'a Event, field: &Field) -> Found<'a> {
    let text = |text: &'a Option<Box<str>>| match text {
        Some(text) => Found::Text(text),
        None => Found::Nothing,
    };
    match field {
        Field::Revenue => event.revenue.map_or(Found::Nothing, Found::Number),
        Field::Coupon => text(&event.coupon),
        Field::Channel => text(&event.channel),
        Field::Country => text(&event.country),
        Field::PagePath => event.page_path.as_deref().map_or(Found::Nothing, Found::Path),
        Field::Property(name) => {
            let found = event.properties.iter().find(|(other, _)| other == name);
            of_value(found.map(|(_, value)| value))
        }
        _ => Found::Nothing,
    }
}

fn of_value(value: Option<&Value>) -> Found<'_> {
    match value {
        Some(Value::Text(text)) => Found::Text(text),
        Some(Value::Number(number)) => Found::Number(*number),
        Some(Value::Bool(bool)) => Found::Bool(*bool),
        None => Found::Nothing,
    }
}

/// Tells whether a value, if there is one, passes a test.
pub(crate) fn value_passes(value: Option<&Value>, test: &Test) -> bool {
    holds(&of_value(value), test)
}

fn holds(found: &Found, test: &Test) -> bool {
    match (test, found) {
        (Test::Exists(wanted), found) => *wanted != matches!(found, Found::Nothing),
        (_, Found::Nothing) => false,
        (Test::In(names), Found::Names(own)) => own.iter().any(|name| names.contains(name)),
        (Test::NotIn(names), Found::Names(own)) => !own.iter().any(|name| names.contains(name)),
        (Test::TextIn(texts), Found::Text(text)) => texts.iter().any(|other| **other == **text),
        (Test::TextNotIn(texts), Found::Text(text)) => !texts.iter().any(|other| **other == **text),
        (Test::TextIn(patterns), Found::Path(path)) => patterns.iter().any(|p| covers(p, path)),
        (Test::TextNotIn(patterns), Found::Path(path)) => !patterns.iter().any(|p| covers(p, path)),
        (Test::StartsWith(start), Found::Text(text) | Found::Path(text)) => {
            text.starts_with(&**start)
        }
        (Test::Number { low, high }, Found::Number(number)) => {
            let above = low.is_none_or(|(low, is_in)| low < *number || is_in && low == *number);
            let below = high.is_none_or(|(high, is_in)| *number < high || is_in && high == *number);
            above && below
        }
        (Test::NumberIn(numbers), Found::Number(number)) => numbers.contains(number),
        (Test::NumberNotIn(numbers), Found::Number(number)) => !numbers.contains(number),
        (Test::Bool(wanted), Found::Bool(bool)) => wanted == bool,
        // A field of another kind than the test's compares with nothing, as if it were missing.
        _ => false,
    }
}

fn pieces(count: u32) -> Amount {
    Amount::new(i64::from(count) * 10_000)
}

/// A pattern with `*` is a glob over the whole path; without, the path itself or anything below it.
fn covers(pattern: &str, path: &str) -> bool {
    if let Some((before, after)) = pattern.split_once('*') {
        let Some(rest) = path.strip_prefix(before) else { return false };
        // What `*` stands for ends anywhere that lets the rest of the pattern match.
        let mut ends = (0..=rest.len()).filter(|&end| rest.is_char_boundary(end));
        return ends.any(|end| glob(after, &rest[end..]));
    }
    match path.strip_prefix(pattern) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || pattern.ends_with('/'),
        None => false,
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    if pattern.contains('*') { covers(pattern, text) } else { pattern == text }
}
