//! RFC 3339 instants, any offset; what is finer than a millisecond is cut, never rounded, so that an event can't move
//! into the next millisecond. Date and time may be joined by `T`, `t` or a space. A leap second is read as second 59.

use tzeva_model::UnixMillis;

/// Reads `text` as an event's instant is read; `None` if it is no RFC 3339 instant, or after the last one that there is.
pub fn parse(text: &str) -> Option<UnixMillis> {
    let b = text.as_bytes();
    let fixed = b.get(..19)?;
    let joined = matches!(fixed[10], b'T' | b't' | b' ');
    if fixed[4] != b'-' || fixed[7] != b'-' || !joined || fixed[13] != b':' || fixed[16] != b':' {
        return None;
    }
    let year = two(&fixed[0..2])? * 100 + two(&fixed[2..4])?;
    let (month, day) = (two(&fixed[5..7])?, two(&fixed[8..10])?);
    let (hour, minute) = (two(&fixed[11..13])?, two(&fixed[14..16])?);
    let second = two(&fixed[17..19])?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let (fraction_ms, rest) = fraction(&b[19..])?;
    let offset_minutes = offset(rest)?;
    let minutes = (days_from_epoch(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
    let instant = UnixMillis::new(minutes * 60_000 + second.min(59) * 1_000 + fraction_ms);
    (instant <= UnixMillis::MAX).then_some(instant)
}

fn two(digits: &[u8]) -> Option<i64> {
    let &[a, b] = digits else { return None };
    (a.is_ascii_digit() && b.is_ascii_digit())
        .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
}

/// Milliseconds of the fraction, and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let ms = [100, 10, 1].iter().zip(&digits[..length]).map(|(w, d)| w * i64::from(d - b'0')).sum();
    Some((ms, &digits[length..]))
}

/// The offset from UTC in minutes.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
            let total = hours * 60 + minutes;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the Unix epoch, proleptic Gregorian
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// jiff reads the same text independently.
        #[test]
        fn instants_are_what_jiff_reads(
            second in -62_135_596_800_i64..253_402_207_000,
            nanos in 0_i32..1_000_000_000,
            digits in 0_usize..10,
            offset in -1_439_i64..1_440,
        ) {
            let utc = UnixMillis::new((second + offset * 60) * 1_000).to_string();
            let fraction = if digits == 0 { String::new() } else { format!(".{nanos:09}")[..=digits].to_owned() };
            let sign = if offset < 0 { '-' } else { '+' };
            let (h, m) = (offset.abs() / 60, offset.abs() % 60);
            let text = format!("{}{fraction}{sign}{h:02}:{m:02}", &utc[..19]);
            let theirs: jiff::Timestamp = text.parse().unwrap();
            let theirs = theirs.as_nanosecond().div_euclid(1_000_000);
            prop_assert_eq!(parse(&text).map(|i| i128::from(i.get())), Some(theirs), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZ:.+ -]{0,32}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut() {
        assert_eq!(parse("1970-01-01T00:00:00.0019999Z"), Some(UnixMillis::new(1)));
        assert_eq!(parse("1969-12-31T23:59:59.9999Z"), Some(UnixMillis::new(-1)));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "2026-11-22",
            "2026-11-22T10:00:00",
            "2026-02-29T10:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00+0100",
            "2026-13-01T10:00:00Z",
            "9999-12-31T23:59:59-00:01",
            "1795341600060",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
