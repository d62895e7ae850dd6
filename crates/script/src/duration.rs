//! Durations as rule files write them: whole numbers with `ms s m h d w`, also joined, from the largest unit down.

use tzeva_model::Millis;

/// The units, largest first, in milliseconds.
const UNITS: [(&str, i64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing there.
    #[error("a duration is wanted")]
    Empty,
    /// A number without a unit, or with blanks before it.
    #[error("a number must be followed at once by its unit, one of ms s m h d w")]
    NoUnit,
    /// A unit that there isn't.
    #[error("`{0}` is no unit of time: use ms s m h d w")]
    UnknownUnit(String),
    /// `30m1h`, `1h1h`.
    #[error("units go from the largest to the smallest, each once")]
    Order,
    /// `1.5h`.
    #[error("numbers are whole")]
    NotWhole,
    /// Beyond 292 million years.
    #[error("out of range")]
    OutOfRange,
}

// === impl DurationError ===

impl DurationError {
    /// What to write instead of `text`, where that can be told.
    #[must_use]
    pub fn help(&self, text: &str) -> String {
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        match self {
            Self::NoUnit if squeezed != text && parse_duration(&squeezed).is_ok() => {
                format!("write `{squeezed}`")
            }
            Self::UnknownUnit(unit)
                if unit.starts_with(['y', 'Y', 'M']) || unit.starts_with("mo") =>
            {
                "months and years have no fixed length: write days, such as `30d` or `365d`".into()
            }
            Self::NotWhole => "join smaller units: `1h30m` instead of `1.5h`".into(),
            _ => "write it as `30s`, `1h30m`, `14d` or `2w`".into(),
        }
    }
}

/// Reads a duration; zero is one.
///
/// # Errors
/// See [`DurationError`]; a retry never helps.
///
/// # Example
/// ```
/// use tzeva_script::parse_duration;
/// assert_eq!(parse_duration("1h30m").unwrap().get(), 5_400_000);
/// assert!(parse_duration("1 w").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Millis, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let (mut rest, mut total, mut next) = (text, 0i64, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        if digits == 0 {
            return Err(DurationError::NoUnit);
        }
        if tail.starts_with(['.', ',']) {
            return Err(DurationError::NotWhole);
        }
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        if unit.is_empty() {
            return Err(DurationError::NoUnit);
        }
        let place = UNITS.iter().position(|(name, _)| *name == unit);
        let place = place.ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
        if place < next {
            return Err(DurationError::Order);
        }
        next = place + 1;
        let number: i64 = number.parse().map_err(|_| DurationError::OutOfRange)?;
        total = number
            .checked_mul(UNITS[place].1)
            .and_then(|part| total.checked_add(part))
            .ok_or(DurationError::OutOfRange)?;
        rest = tail;
    }
    Ok(Millis::new(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, want) in [
            ("250ms", 250),
            ("0s", 0),
            ("1h30m", 5_400_000),
            ("2w", 1_209_600_000),
            ("1d1ms", 86_400_001),
            ("400d", 34_560_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Millis::new(want)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, want) in [
            ("", DurationError::Empty),
            ("1 w", DurationError::NoUnit),
            ("60", DurationError::NoUnit),
            ("h", DurationError::NoUnit),
            ("1y", DurationError::UnknownUnit("y".into())),
            ("2months", DurationError::UnknownUnit("months".into())),
            ("30m1h", DurationError::Order),
            ("1h1h", DurationError::Order),
            ("1.5h", DurationError::NotWhole),
            ("99999999999999999999d", DurationError::OutOfRange),
            ("9999999999999d", DurationError::OutOfRange),
            ("-1h", DurationError::NoUnit),
        ] {
            assert_eq!(parse_duration(text), Err(want), "{text}");
        }
        assert_eq!(DurationError::NoUnit.help("1 w"), "write `1w`");
    }

    #[test]
    fn what_a_duration_prints_is_read_back() {
        for ms in [1, 999, 60_000, 5_400_000, 86_400_001, 34_560_000_000] {
            let duration = Millis::new(ms);
            assert_eq!(parse_duration(&duration.to_string()), Ok(duration));
        }
    }
}
