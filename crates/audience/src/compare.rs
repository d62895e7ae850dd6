//! Comparisons: the operator is the first word of a text.

use std::borrow::Cow;

/// An operator and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'t> {
    AtLeast(&'t str),
    MoreThan(&'t str),
    AtMost(&'t str),
    LessThan(&'t str),
    Equal(&'t str),
    NotEqual(&'t str),
    Between(&'t str, &'t str),
    In(Vec<String>),
    NotIn(Vec<String>),
    StartsWith(&'t str),
    /// No operator: the text itself.
    Bare(&'t str),
}

/// Makes an operation of what follows its sign.
type Make<'t> = fn(&'t str) -> Operation<'t>;

/// Why a text that begins with an operator can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperationError(pub(crate) Cow<'static, str>);

// === impl Operation ===

impl<'t> Operation<'t> {
    /// Reads a text.
    pub(crate) fn parse(text: &'t str) -> Result<Self, OperationError> {
        let text = text.trim();
        for (sign, instead) in
            [("==", "="), ("=>", ">="), ("=<", "<="), ("<>", "!="), ("≥", ">="), ("≤", "<=")]
        {
            if text.starts_with(sign) {
                return Err(OperationError(
                    format!("`{sign}` is no operator: use `{instead}`").into(),
                ));
            }
        }
        let signs: [(&str, Make<'t>); 6] = [
            (">=", Self::AtLeast),
            ("<=", Self::AtMost),
            ("!=", Self::NotEqual),
            (">", Self::MoreThan),
            ("<", Self::LessThan),
            ("=", Self::Equal),
        ];
        for (sign, make) in signs {
            if let Some(rest) = text.strip_prefix(sign) {
                return filled(sign, rest.trim()).map(make);
            }
        }
        if let Some(rest) = word(text, "between") {
            let Some((low, high)) = rest.split_once(" and ") else {
                return Err(OperationError(
                    "`between` wants two values: `between 10 and 20`".into(),
                ));
            };
            return Ok(Self::Between(filled("between", low.trim())?, filled("and", high.trim())?));
        }
        if let Some(rest) = word(text, "starts_with") {
            return filled("starts_with", rest).map(Self::StartsWith);
        }
        if let Some(rest) = word(text, "not in") {
            return list("not in", rest).map(Self::NotIn);
        }
        if let Some(rest) = word(text, "in") {
            return list("in", rest).map(Self::In);
        }
        Ok(Self::Bare(text))
    }
}

/// What follows the operator `word`, if `text` begins with it.
fn word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with([' ', '['])).then(|| rest.trim())
}

fn filled<'t>(sign: &str, value: &'t str) -> Result<&'t str, OperationError> {
    match value {
        "" => Err(OperationError(format!("nothing follows `{sign}`").into())),
        _ => Ok(unquoted(value)),
    }
}

/// The parts of `[a, b, "c, d"]`.
fn list(sign: &str, text: &str) -> Result<Vec<String>, OperationError> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let Some(inner) = inner else {
        return Err(OperationError(format!("`{sign}` wants a list: `{sign} [a, b]`").into()));
    };
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in inner.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                part.push(c);
            }
            ',' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(c),
        }
    }
    if quoted {
        return Err(OperationError("a quotation mark is missing in the list".into()));
    }
    parts.push(part);
    let parts: Vec<_> = parts.iter().map(|part| unquoted(part.trim()).to_owned()).collect();
    if parts.iter().any(String::is_empty) {
        return Err(OperationError(
            format!("`{sign}` wants a list without gaps: `{sign} [a, b]`").into(),
        ));
    }
    Ok(parts)
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_operator() {
        for (text, want) in [
            (">= 80", Operation::AtLeast("80")),
            (">80", Operation::MoreThan("80")),
            ("!= GB", Operation::NotEqual("GB")),
            ("between 10 and 20", Operation::Between("10", "20")),
            ("in [GB, IE]", Operation::In(vec!["GB".into(), "IE".into()])),
            ("not in [\"a, b\"]", Operation::NotIn(vec!["a, b".into()])),
            ("starts_with /p", Operation::StartsWith("/p")),
            ("= \"in love\"", Operation::Equal("in love")),
            ("indigo", Operation::Bare("indigo")),
            ("In Style", Operation::Bare("In Style")),
        ] {
            assert_eq!(Operation::parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn broken_operators_are_refused() {
        for text in ["==3", "=> 3", ">=", "between 3", "in GB", "in [a,,b]", "in []", "in [\"a]"] {
            assert!(Operation::parse(text).is_err(), "{text}");
        }
    }
}
