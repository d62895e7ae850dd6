//! Event names are one word to us however a producer writes them: `Product Added`, `ProductAdded` and `product_added`
//! are the same event, so decoding folds what comes in and the rules fold what people write.

/// Folds `text` to snake case: camel-case humps and runs of anything but letters and digits become one `_`, letters
/// lower case, no `_` at either end. Empty if `text` holds neither letter nor digit.
///
/// A hump starts at a capital after a small letter or digit, and at the last capital of several before a small one:
/// `HTTPError` is `http_error`.
///
/// # Example
/// ```
/// use tzeva_model::fold_event_name;
/// assert_eq!(fold_event_name("Product Added"), "product_added");
/// assert_eq!(fold_event_name("ProductAdded"), "product_added");
/// ```
#[must_use]
pub fn fold_event_name(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 4);
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        let hump = c.is_uppercase()
            && before.is_some_and(|b| {
                !b.is_uppercase() || rest.peek().is_some_and(|next| next.is_lowercase())
            });
        if (hump || before.is_none()) && !folded.is_empty() {
            folded.push('_');
        }
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            folded.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        }
        before = Some(c);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_folds_to_one() {
        for (text, want) in [
            ("Product Added", "product_added"),
            ("ProductAdded", "product_added"),
            ("product_added", "product_added"),
            ("  product -- added! ", "product_added"),
            ("productAdded", "product_added"),
            ("PRODUCT ADDED", "product_added"),
            ("PRODUCT_ADDED", "product_added"),
            ("HTTPError", "http_error"),
            ("Step2Done", "step2_done"),
            ("Über Größe", "über_größe"),
            ("נוסף למועדפים", "נוסף_למועדפים"),
            ("--", ""),
        ] {
            assert_eq!(fold_event_name(text), want, "{text}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["Product Added", "aB1C2dE", "İstanbul Event", "x__Y"] {
            let once = fold_event_name(text);
            assert_eq!(fold_event_name(&once), once);
        }
    }
}
