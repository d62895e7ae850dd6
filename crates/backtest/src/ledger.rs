//! All changes of a run in the order in which one engine would have decided them: by instant; at one instant first those
//! that events caused, in order of arrival, then those that time alone caused, by visitor. Only here they get their
//! numbers, and only here is known how many were members at once.

use crate::replay::Plan;
use crate::runs::{Key, Pile, Record, Runs};
use crate::tally::Tally;
use std::io::{self, Write};
use tzeva_audience::RuleSet;
use tzeva_model::{Change, ChangeNumber, Direction, Incarnation, NameId, Partition, UnixMillis};
use tzeva_painter::render::{Renderer, numbered};

/// The changes of one decision, in bytes: the visitor, if time alone caused them; a zero, which no visitor id holds; then
/// each change: place of the audience and direction, length of the text, text.
#[derive(Default)]
pub struct Entry(Vec<u8>);

/// A change of an entry.
struct Line<'a> {
    place: usize,
    direction: Direction,
    text: &'a str,
}

/// The tie of what time alone caused: behind the numbers of all events.
const BY_TIME: u64 = u64::MAX;
/// Set in the place of an audience that was exited.
const EXITED: u32 = 1 << 31;
/// A backtest has one partition and one life.
const PLACE: (Incarnation, Partition) = (Incarnation::new(0), Partition::new(0));

/// Writes changes as others read them, but for their numbers.
pub fn renderer<'a>(
    rules: &'a RuleSet,
    plan: &Plan<'_>,
    name: &'a dyn Fn(NameId) -> Option<String>,
) -> Renderer<'a> {
    let (incarnation, partition) = PLACE;
    Renderer { rules, idle: plan.settings.idle, name, incarnation, partition }
}

/// A change but for its number.
pub fn text(renderer: &Renderer<'_>, change: &Change) -> String {
    renderer.change(change, ChangeNumber::new(0), change.effective_at).unnumbered()
}

/// Puts the changes of one set of rules in order: into its tally, and as lines to `out`. Answers how many there are.
///
/// # Errors
/// A temporary file can't be read, or `out` not be written.
pub fn settle(
    changes: &Runs,
    set: u16,
    tally: &mut Tally,
    mut out: Option<&mut dyn Write>,
) -> io::Result<u64> {
    let mut number = 0;
    let mut entries = changes.group(set)?;
    while let Some(Record { at, bytes, .. }) = entries.next()? {
        let mut rest = begun(bytes)?;
        while let Some((line, behind)) = line(rest)? {
            number += 1;
            tally.moved(line.place, line.direction, UnixMillis::new(at));
            if let Some(out) = &mut out {
                writeln!(out, "{}", numbered(PLACE, ChangeNumber::new(number), line.text))?;
            }
            rest = behind;
        }
    }
    out.map_or(Ok(()), Write::flush)?;
    Ok(number)
}

// === impl Entry ===

impl Entry {
    /// Begins an entry; `visitor` is empty where an event's number says all about the order.
    pub fn begin(&mut self, visitor: &str) {
        self.0.clear();
        self.0.extend_from_slice(visitor.as_bytes());
        self.0.push(0);
    }

    /// Adds a change.
    pub fn add(&mut self, place: u32, direction: Direction, text: &str) {
        let place = place | if direction == Direction::Exited { EXITED } else { 0 };
        self.0.extend_from_slice(&place.to_le_bytes());
        self.0.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Puts it on a pile; `number` is that of the event that caused it.
    pub fn push(&self, (set, at, number): (u16, i64, Option<u64>), pile: &mut Pile) {
        let key = Key { group: set, part: 0, at, tie: number.unwrap_or(BY_TIME) };
        pile.push(key, |out| out.extend_from_slice(&self.0));
    }
}

/// What stands behind the visitor.
fn begun(bytes: &[u8]) -> io::Result<&[u8]> {
    let zero = memchr::memchr(0, bytes).ok_or_else(damaged)?;
    Ok(&bytes[zero + 1..])
}

/// The first change, and what stands behind it.
fn line(bytes: &[u8]) -> io::Result<Option<(Line<'_>, &[u8])>> {
    let Some((place, rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let (len, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
    let (place, len) = (u32::from_le_bytes(*place), u32::from_le_bytes(*len));
    let (text, rest) = rest.split_at_checked(len as usize).ok_or_else(damaged)?;
    let direction = if place & EXITED == 0 { Direction::Entered } else { Direction::Exited };
    let text = std::str::from_utf8(text).map_err(|_| damaged())?;
    Ok(Some((Line { place: (place & !EXITED) as usize, direction, text }, rest)))
}

#[cold]
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a sorted change is damaged")
}
