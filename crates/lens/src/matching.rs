//! Whether a stroke meets a `where`.
//!
//! All product tests must be met by one and the same item, the others by the stroke itself. A comparison with a missing
//! field is false, also `!=` and `not in`, and so is one with a value of another type. A merged item has no product, brand or price any more, so tests on these fail.

use tzeva_audience::{Field, FieldTest, Test, Where};
use tzeva_model::{Amount, Name, NameId, Value};
use tzeva_profile::{Stroke, StrokeItem};

/// The value of a field, as tests look at it.
enum Found<'a> {
    /// The field is not there.
    Missing,
    /// One id; of a category the ids of all depths.
    Ids(&'a [NameId]),
    Text(&'a str),
    Path(&'a str),
    Number(Amount),
    Bool(bool),
}

/// Tells whether `stroke` meets `filter`.
#[inline]
pub fn matches(stroke: &Stroke, filter: &Where) -> bool {
    filter.event.iter().all(|test| event_meets(stroke, test))
        && (filter.item.is_empty() || stroke.items.iter().any(|item| item_meets(item, filter)))
}

/// Tells whether one item meets all item tests.
pub(crate) fn item_meets(item: &StrokeItem, filter: &Where) -> bool {
    filter.item.iter().all(|test| meets(item, test))
}

fn meets(item: &StrokeItem, test: &FieldTest) -> bool {
    let found = match test.field {
        Field::Product => ids(item.product.as_ref()),
        Field::Brand => ids(item.brand.as_ref()),
        Field::Category if item.category.is_empty() => Found::Missing,
        Field::Category => Found::Ids(&item.category),
        Field::Price => item.price.map_or(Found::Missing, Found::Number),
        // Absent counts as one piece, so a quantity is always there.
        Field::Quantity => {
            Found::Number(Amount::new(10_000).times(item.quantity.unwrap_or(1).into()))
        }
        _ => Found::Missing,
    };
    holds(&found, &test.test)
}

fn event_meets(stroke: &Stroke, test: &FieldTest) -> bool {
    let extra = stroke.extra.as_deref();
    let found = match &test.field {
        Field::Revenue => stroke.revenue.map_or(Found::Missing, Found::Number),
        Field::Coupon => texts(extra.and_then(|e| e.coupon.as_deref())),
        Field::Channel => texts(extra.and_then(|e| e.channel.as_deref())),
        Field::Country => texts(extra.and_then(|e| e.country.as_deref())),
        Field::PagePath => {
            extra.and_then(|e| e.page_path.as_deref()).map_or(Found::Missing, Found::Path)
        }
        Field::Property(name) => {
            let value = extra.and_then(|e| {
                let at = e.properties.binary_search_by(|(n, _)| n.cmp(name)).ok()?;
                Some(&e.properties[at].1)
            });
            found(value)
        }
        _ => Found::Missing,
    };
    holds(&found, &test.test)
}

/// Tells whether a value, if there is one, meets `test`.
pub(crate) fn value_meets(value: Option<&Value>, test: &Test) -> bool {
    holds(&found(value), test)
}

fn found(value: Option<&Value>) -> Found<'_> {
    match value {
        None => Found::Missing,
        Some(Value::Text(text)) => Found::Text(text),
        Some(Value::Number(number)) => Found::Number(*number),
        Some(Value::Bool(bool)) => Found::Bool(*bool),
    }
}

fn ids(id: Option<&NameId>) -> Found<'_> {
    id.map_or(Found::Missing, |id| Found::Ids(std::slice::from_ref(id)))
}

fn texts(text: Option<&str>) -> Found<'_> {
    text.map_or(Found::Missing, Found::Text)
}

fn holds(found: &Found<'_>, test: &Test) -> bool {
    match (found, test) {
        (Found::Missing, test) => matches!(test, Test::Exists(false)),
        (_, Test::Exists(there)) => *there,
        (Found::Ids(ids), Test::In(names)) => any_id(ids, names),
        (Found::Ids(ids), Test::NotIn(names)) => !any_id(ids, names),
        (Found::Text(text), Test::TextIn(texts)) => texts.iter().any(|t| **t == **text),
        (Found::Text(text), Test::TextNotIn(texts)) => texts.iter().all(|t| **t != **text),
        (Found::Path(path), Test::TextIn(patterns)) => {
            patterns.iter().any(|p| path_matches(path, p))
        }
        (Found::Path(path), Test::TextNotIn(patterns)) => {
            !patterns.iter().any(|p| path_matches(path, p))
        }
        (Found::Text(text) | Found::Path(text), Test::StartsWith(start)) => {
            text.starts_with(&**start)
        }
        (Found::Number(number), Test::Number { low, high }) => {
            low.is_none_or(|(low, within)| *number > low || within && *number == low)
                && high.is_none_or(|(high, within)| *number < high || within && *number == high)
        }
        (Found::Number(number), Test::NumberIn(numbers)) => numbers.contains(number),
        (Found::Number(number), Test::NumberNotIn(numbers)) => !numbers.contains(number),
        (Found::Bool(value), Test::Bool(wanted)) => value == wanted,
        // A value of another type compares with nothing, as if the field were missing.
        _ => false,
    }
}

fn any_id(ids: &[NameId], names: &[Name]) -> bool {
    names.iter().any(|name| ids.contains(&name.id()))
}

/// With `*` a glob over the whole path, else the path itself or anything below it.
fn path_matches(path: &str, pattern: &str) -> bool {
    if let Some((head, rest)) = pattern.split_once('*') {
        return path.strip_prefix(head).is_some_and(|path| glob(path, rest));
    }
    match path.strip_prefix(pattern) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || pattern.ends_with('/'),
        None => false,
    }
}

/// What follows a star: a star stands for any run, `/` too. Each part is taken where it comes first, which leaves the most
/// for the others; so the time is linear in text and pattern, however many stars there are.
fn glob(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(tail) = parts.next_back() else { return true };
    let Some(mut text) = text.strip_suffix(tail) else { return false };
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_path_is_a_glob_with_a_star_and_else_a_prefix_at_a_slash() {
        for (path, pattern, want) in [
            ("/sale", "/sale", true),
            ("/sale/shoes", "/sale", true),
            ("/sales", "/sale", false),
            ("/sale/shoes", "/sale/", true),
            ("/sale", "/sale/", false),
            ("/sale/shoes", "/sale/*", true),
            ("/sale", "/sale/*", false),
            ("/a/b/c", "*/c", true),
            ("/a/b/c", "/a*b*d", false),
            ("/anything", "/", true),
            ("/ab/ab", "/a*ab", true),
            ("/ab", "/ab*ab", false),
            ("/aXbXc", "/a**b*c", true),
            ("/a", "*", true),
            ("/שלום/x", "/ש*/x", true),
        ] {
            assert_eq!(path_matches(path, pattern), want, "{path} {pattern}");
        }
    }

    /// Ends at once; a matcher that tried every place for every star would not within the age of the universe.
    #[test]
    fn a_glob_made_to_be_slow_is_not() {
        let path = format!("/{}", "a".repeat(8_000));
        let pattern = format!("/{}b", "*a".repeat(4_000));
        assert!(!path_matches(&path, &pattern));
        assert!(path_matches(&path, &pattern[..pattern.len() - 1]));
        let many = format!("/{}*", "a*".repeat(3_999));
        assert!(path_matches(&path, &many));
    }
}
