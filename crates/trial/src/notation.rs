//! The notation of events: `OFFSET NAME key=value ...`, cut into words that know their place.
//!
//! A value with blanks stands in double quotes, `brand="Red Wing"`; within them `\"` is a quote and `\\` a backslash.

use std::ops::Range;

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    /// What stands before the first `=`; the whole word if there is none.
    pub(crate) key: &'t str,
    /// What stands behind it, quotes and escapes resolved.
    pub(crate) value: Option<Text>,
    /// Where it stands, in bytes of the line.
    pub(crate) place: Range<usize>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

/// Why a line can't be cut into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) place: Range<usize>,
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

/// Cuts a line.
pub(crate) fn words(line: &str) -> Result<Vec<Word<'_>>, Broken> {
    let mut words = Vec::new();
    let mut place = 0;
    loop {
        place += line[place..].len() - line[place..].trim_start().len();
        if place == line.len() {
            return Ok(words);
        }
        let word = word(line, place)?;
        place = word.place.end;
        words.push(word);
    }
}

/// The word that begins at byte `start`, which is no blank.
fn word(line: &str, start: usize) -> Result<Word<'_>, Broken> {
    let rest = &line[start..];
    let bare = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let Some(equals) = rest[..bare].find('=') else {
        return Ok(Word { key: &rest[..bare], value: None, place: start..start + bare });
    };
    let (key, value) = (&rest[..equals], &rest[equals + 1..]);
    if !value.starts_with('"') {
        let text = Text { text: rest[equals + 1..bare].to_owned(), quoted: false };
        return Ok(Word { key, value: Some(text), place: start..start + bare });
    }
    let (text, length) = quoted(value).ok_or(Broken {
        place: start + equals + 1..line.len(),
        message: "a quotation mark that is never closed",
        help: "put one at the end of the value: brand=\"Red Wing\"",
    })?;
    let end = start + equals + 1 + length;
    if line[end..].starts_with(|next: char| !next.is_whitespace()) {
        return Err(Broken {
            place: end..end + line[end..].find(char::is_whitespace).unwrap_or(line.len() - end),
            message: "something follows the closing quotation mark",
            help: "leave a blank behind the value",
        });
    }
    Ok(Word { key, value: Some(Text { text, quoted: true }), place: start..end })
}

/// The text between quotes, and how many bytes it takes with them; `None` if they are never closed.
fn quoted(value: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = value.char_indices().skip(1);
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => return Some((text, place + 1)),
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            _ => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_blanks_outside_of_quotes() {
        let words = words(r#"1h30m  a brand="Red \"W\" ing" price=80 EUR x="#).unwrap();
        let shown: Vec<_> = words
            .iter()
            .map(|word| (word.key, word.value.as_ref().map(|value| value.text.as_str())))
            .collect();
        assert_eq!(
            shown,
            [
                ("1h30m", None),
                ("a", None),
                ("brand", Some("Red \"W\" ing")),
                ("price", Some("80")),
                ("EUR", None),
                ("x", Some("")),
            ]
        );
    }

    #[test]
    fn broken_quotes_are_told() {
        assert_eq!(words(r#"0s a b="c"#).unwrap_err().place, 7..9);
        assert_eq!(words(r#"0s a b="c"d e"#).unwrap_err().place, 10..11);
    }
}
