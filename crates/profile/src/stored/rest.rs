//! Cells, traits, standings, and what few strokes have: the sections that most profiles keep short or empty.

use super::tags::{put_key, take_key};
use crate::bytes::{
    Corrupt, Input, flag, put_amount, put_count, put_fixed, put_signed, put_span, put_varint,
};
use crate::known::{Ids, Texts, put_id, take_id};
use crate::{Cell, Extra, Profile, Standing, State};
use tzeva_model::{Millis, UnixMillis, Value};

/// Flags of a cell: its event, its tag are those of the cell before.
const SAME_EVENT: u8 = 1 << 2;
const SAME_TAG: u8 = 1 << 3;
/// Low bits of a standing's byte.
const IN: u8 = 0;
const OUT: u8 = 1;

pub(super) fn put_cells(out: &mut Vec<u8>, cells: &[Cell], ids: &mut Ids) {
    put_count(out, cells.len());
    let mut before: Option<&Cell> = None;
    for cell in cells {
        let same_event = before.is_some_and(|before| before.event == cell.event);
        let same_tag = before.is_some_and(|before| before.tag == cell.tag);
        let flags = flag(same_event, SAME_EVENT) | flag(same_tag, SAME_TAG);
        if same_tag {
            out.push(flags);
        } else {
            put_key(out, cell.tag, flags, ids);
        }
        if !same_event {
            ids.put(out, cell.event);
        }
        put_signed(out, i64::from(cell.day) - before.map_or(0, |before| i64::from(before.day)));
        put_varint(out, u64::from(cell.count));
        put_amount(out, cell.sum);
        put_span(out, midnight(cell.day), cell.first);
        put_span(out, cell.first, cell.last);
        before = Some(cell);
    }
}

pub(super) fn take_cells(input: &mut Input<'_>, ids: &mut Ids) -> Result<Vec<Cell>, Corrupt> {
    let mut cells: Vec<Cell> = Vec::new();
    for _ in 0..input.varint()? {
        let before = cells.last().copied();
        let flags = *input.rest().first().ok_or(Corrupt::Short)?;
        if flags >> 4 != 0 {
            return Err(Corrupt::Code);
        }
        let tag = if flags & SAME_TAG == 0 {
            take_key(input, ids)?.0
        } else {
            input.byte()?;
            before.ok_or(Corrupt::Reference)?.tag
        };
        let event = match before {
            _ if flags & SAME_EVENT == 0 => ids.take(input)?,
            Some(before) => before.event,
            None => return Err(Corrupt::Reference),
        };
        let day = i64::from(before.map_or(0, |before| before.day)).checked_add(input.signed()?);
        let day = day.and_then(|day| i32::try_from(day).ok()).ok_or(Corrupt::Range)?;
        let count = Some(input.number()?).filter(|&count| count > 0).ok_or(Corrupt::Range)?;
        let sum = input.amount()?;
        let first = input.after(midnight(day))?;
        let last = input.after(first)?;
        cells.push(Cell { event, tag, day, count, sum, first, last });
    }
    let key = |cell: &Cell| (cell.event, cell.tag, cell.day);
    sorted(cells, |a, b| key(a) < key(b))
}

pub(super) fn put_traits<'a>(out: &mut Vec<u8>, profile: &'a Profile, texts: &mut Texts<'a>) {
    put_count(out, profile.traits.len());
    for (name, value, at) in &profile.traits {
        texts.put(out, name);
        put_value(out, value, texts);
        put_span(out, *at, profile.seen);
    }
}

pub(super) fn take_traits<'a>(
    input: &mut Input<'a>,
    seen: UnixMillis,
    texts: &mut Texts<'a>,
) -> Result<Vec<(Box<str>, Value, UnixMillis)>, Corrupt> {
    let mut traits = Vec::new();
    for _ in 0..input.varint()? {
        let name = texts.take(input)?.into();
        let value = take_value(input, texts)?;
        traits.push((name, value, input.before(seen)?));
    }
    sorted(traits, |a, b| a.0 < b.0)
}

/// A standing: its audience; a byte that says in (with the width of the span, so that it needs no varint) or out (with
/// what is remembered); spans back from `seen`.
pub(crate) fn put_standing(out: &mut Vec<u8>, standing: &Standing, seen: UnixMillis) {
    put_id(out, standing.audience);
    match standing.state {
        State::In { since } => {
            let span = seen.get().wrapping_sub(since.get()).cast_unsigned();
            let width = (64 - span.leading_zeros()).div_ceil(8).max(1);
            out.push(IN | ((low(width) - 1) << 2));
            put_fixed(out, span, width as usize);
        }
        State::Out { last_exit, disarmed, pending } => {
            let flags =
                flag(last_exit.is_some(), 4) | flag(disarmed, 8) | flag(pending.is_some(), 16);
            out.push(OUT | flags);
            for at in [last_exit, pending].into_iter().flatten() {
                put_span(out, at, seen);
            }
        }
    }
}

pub(crate) fn take_standing(input: &mut Input<'_>, seen: UnixMillis) -> Result<Standing, Corrupt> {
    let audience = take_id(input)?;
    let head = input.byte()?;
    if head >> 5 != 0 {
        return Err(Corrupt::Code);
    }
    let state = match head & 3 {
        IN => {
            let span = input.fixed(usize::from(head >> 2) + 1)?;
            State::In { since: UnixMillis::new(seen.get().wrapping_sub(span.cast_signed())) }
        }
        OUT => {
            let mut at = |bit| (head & bit != 0).then(|| input.before(seen)).transpose();
            let (last_exit, pending) = (at(4)?, at(16)?);
            State::Out { last_exit, disarmed: head & 8 != 0, pending }
        }
        _ => return Err(Corrupt::Code),
    };
    Ok(Standing { audience, state })
}

/// What a stroke has beside its kind: coupon, page path, properties.
pub(crate) fn put_own<'a>(out: &mut Vec<u8>, extra: &'a Extra, texts: &mut Texts<'a>) {
    let flags = flag(extra.coupon.is_some(), 1)
        | flag(extra.page_path.is_some(), 2)
        | flag(!extra.properties.is_empty(), 4);
    out.push(flags);
    for text in [&extra.coupon, &extra.page_path].into_iter().flatten() {
        texts.put(out, text);
    }
    if !extra.properties.is_empty() {
        put_count(out, extra.properties.len());
        for (name, value) in &extra.properties {
            texts.put(out, name);
            put_value(out, value, texts);
        }
    }
}

pub(crate) fn take_own<'a>(input: &mut Input<'a>, texts: &mut Texts<'a>) -> Result<Extra, Corrupt> {
    let flags = input.byte()?;
    if flags >> 3 != 0 {
        return Err(Corrupt::Code);
    }
    let mut text = |bit| (flags & bit != 0).then(|| texts.take(input).map(Box::from)).transpose();
    let mut extra = Extra { coupon: text(1)?, page_path: text(2)?, ..Extra::default() };
    if flags & 4 != 0 {
        for _ in 0..input.varint()? {
            let name = texts.take(input)?.into();
            extra.properties.push((name, take_value(input, texts)?));
        }
        extra.properties = sorted(extra.properties, |a, b| a.0 < b.0)?;
    }
    Ok(extra)
}

/// 0 false, 1 true, 2 a number, 3 a text.
pub(crate) fn put_value<'a>(out: &mut Vec<u8>, value: &'a Value, texts: &mut Texts<'a>) {
    match value {
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::Number(number) => {
            out.push(2);
            put_amount(out, *number);
        }
        Value::Text(text) => {
            out.push(3);
            texts.put(out, text);
        }
    }
}

pub(crate) fn take_value<'a>(
    input: &mut Input<'a>,
    texts: &mut Texts<'a>,
) -> Result<Value, Corrupt> {
    Ok(match input.byte()? {
        0 => Value::Bool(false),
        1 => Value::Bool(true),
        2 => Value::Number(input.amount()?),
        3 => Value::Text(texts.take(input)?.into()),
        _ => return Err(Corrupt::Code),
    })
}

/// The list, if each entry and its next are `in_order`.
pub(super) fn sorted<T>(
    list: Vec<T>,
    in_order: impl Fn(&T, &T) -> bool,
) -> Result<Vec<T>, Corrupt> {
    let fine = list.windows(2).all(|pair| in_order(&pair[0], &pair[1]));
    if fine { Ok(list) } else { Err(Corrupt::Order) }
}

fn midnight(day: i32) -> UnixMillis {
    UnixMillis::new(i64::from(day) * Millis::DAY.get())
}

#[expect(clippy::cast_possible_truncation, reason = "1 to 8")]
const fn low(width: u32) -> u8 {
    width as u8
}
