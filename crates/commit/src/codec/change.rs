//! Changes within a commit. A visitor that the same record has a delta of is named by the delta's place: most changes
//! belong to one, and an id is as long as all the rest of a change.

use super::RecordError;
use super::input::Input;
use super::output::Output;
use crate::Commit;
use std::collections::HashMap;
use tzeva_model::{
    Cause, Change, Direction, EventId, Evidence, Origin, Place, Reason, ReasonKind, UnixMillis,
    VisitorId,
};
use tzeva_profile::Delta;

const EXITED: u8 = 1;
const EXACT: u8 = 2;
const CAUSE: u8 = 4;
const TRACED: u8 = 8;

/// The first delta of each visitor, counted from 1.
struct Places<'a>(HashMap<&'a VisitorId, u64>);

pub(super) fn put_all(out: &mut Output, commit: &Commit) {
    out.count(commit.changes.len());
    if commit.changes.is_empty() {
        return;
    }
    let places = Places::of(&commit.deltas);
    for change in &commit.changes {
        put(out, commit.until, places.get(&change.visitor), change);
    }
}

pub(super) fn take_all(
    input: &mut Input<'_>,
    until: UnixMillis,
    deltas: &[Delta],
) -> Result<Vec<Change>, RecordError> {
    let places = Places::of(deltas);
    input.list(|input| {
        let visitor = match input.varint()? {
            0 => take_visitor(input, &places)?,
            place => {
                let index = usize::try_from(place - 1).unwrap_or(usize::MAX);
                let visitor = deltas.get(index).map(|delta| &delta.visitor);
                let visitor = visitor.filter(|visitor| places.get(visitor) == Some(place));
                visitor.ok_or_else(|| input.corrupt("a change names no delta"))?.clone()
            }
        };
        take(input, until, visitor)
    })
}

/// Writes `change`; `place` counts from 1 and names a delta of the record.
pub(super) fn put(out: &mut Output, until: UnixMillis, place: Option<u64>, change: &Change) {
    out.varint(place.unwrap_or(0));
    if place.is_none() {
        out.text(change.visitor.as_str());
    }
    out.id(change.audience);
    out.fixed32(change.audience_version);
    out.byte(flags(change));
    let reason = &change.reason;
    out.byte(origin_number(change.origin));
    out.byte(kind_number(reason.kind));
    out.varint(place_number(reason.place));
    out.instant_near(until, change.effective_at);
    out.count(reason.evidence.len());
    for evidence in &reason.evidence {
        out.id(evidence.event);
        out.instant_near(change.effective_at, evidence.at);
        out.flag(evidence.product.is_some());
        if let Some(product) = evidence.product {
            out.id(product);
        }
    }
    if let Some(cause) = &reason.cause {
        out.text(cause.id.as_str());
        out.id(cause.name);
        out.instant_near(change.effective_at, cause.time);
        if let Some(traceparent) = &cause.traceparent {
            out.text(traceparent);
        }
    }
}

fn flags(change: &Change) -> u8 {
    let cause = change.reason.cause.as_ref();
    let traced = cause.is_some_and(|cause| cause.traceparent.is_some());
    let bit = |flag, set| if set { flag } else { 0 };
    bit(EXITED, change.direction == Direction::Exited)
        | bit(EXACT, change.reason.exact)
        | bit(CAUSE, cause.is_some())
        | bit(TRACED, traced)
}

fn take_visitor(input: &mut Input<'_>, places: &Places<'_>) -> Result<VisitorId, RecordError> {
    let visitor = input.visitor()?;
    match places.get(&visitor) {
        None => Ok(visitor),
        Some(_) => Err(input.corrupt("a change spells out a visitor that has a delta")),
    }
}

fn take(
    input: &mut Input<'_>,
    until: UnixMillis,
    visitor: VisitorId,
) -> Result<Change, RecordError> {
    let audience = input.id()?;
    let audience_version = input.fixed32()?;
    let flags = input.byte()?;
    if flags > (EXITED | EXACT | CAUSE | TRACED) || flags & (CAUSE | TRACED) == TRACED {
        return Err(input.corrupt("no change has these flags"));
    }
    let origin = take_origin(input)?;
    let kind = take_kind(input)?;
    let place = take_place(input)?;
    let effective_at = input.instant_near(until)?;
    let evidence = input.list(|input| take_evidence(input, effective_at))?;
    let cause = if flags & CAUSE == 0 {
        None
    } else {
        Some(Cause {
            id: EventId::new(input.text()?),
            name: input.id()?,
            time: input.instant_near(effective_at)?,
            traceparent: if flags & TRACED == 0 { None } else { Some(input.text()?.into()) },
        })
    };
    Ok(Change {
        visitor,
        audience,
        audience_version,
        direction: if flags & EXITED == 0 { Direction::Entered } else { Direction::Exited },
        effective_at,
        origin,
        reason: Reason { kind, place, exact: flags & EXACT != 0, evidence, cause },
    })
}

fn take_evidence(input: &mut Input<'_>, base: UnixMillis) -> Result<Evidence, RecordError> {
    Ok(Evidence {
        event: input.id()?,
        at: input.instant_near(base)?,
        product: if input.flag()? { Some(input.id()?) } else { None },
    })
}

/// Written numbers; never changed, never used again.
const fn origin_number(origin: Origin) -> u8 {
    match origin {
        Origin::Live => 0,
        Origin::Late => 1,
        Origin::Replay => 2,
        Origin::Backfill => 3,
        Origin::Rules => 4,
    }
}

fn take_origin(input: &mut Input<'_>) -> Result<Origin, RecordError> {
    Ok(match input.byte()? {
        0 => Origin::Live,
        1 => Origin::Late,
        2 => Origin::Replay,
        3 => Origin::Backfill,
        4 => Origin::Rules,
        _ => return Err(input.corrupt("no origin has this number")),
    })
}

/// Written numbers; never changed, never used again.
const fn kind_number(kind: ReasonKind) -> u8 {
    match kind {
        ReasonKind::Event => 0,
        ReasonKind::Deadline => 1,
        ReasonKind::Rules => 2,
        ReasonKind::AudienceRemoved => 3,
        ReasonKind::Forgotten => 4,
    }
}

fn take_kind(input: &mut Input<'_>) -> Result<ReasonKind, RecordError> {
    Ok(match input.byte()? {
        0 => ReasonKind::Event,
        1 => ReasonKind::Deadline,
        2 => ReasonKind::Rules,
        3 => ReasonKind::AudienceRemoved,
        4 => ReasonKind::Forgotten,
        _ => return Err(input.corrupt("no kind of reason has this number")),
    })
}

/// Written numbers; never changed, never used again. A leaf is 16 + its number.
fn place_number(place: Place) -> u64 {
    match place {
        Place::Enter => 0,
        Place::ExitWhen => 1,
        Place::EnterAfter => 2,
        Place::ReenterAfter => 3,
        Place::AtLeast => 4,
        Place::AtMost => 5,
        Place::Idle => 6,
        Place::Audience => 7,
        Place::Leaf(leaf) => 16 + u64::from(leaf),
    }
}

fn take_place(input: &mut Input<'_>) -> Result<Place, RecordError> {
    Ok(match input.varint()? {
        0 => Place::Enter,
        1 => Place::ExitWhen,
        2 => Place::EnterAfter,
        3 => Place::ReenterAfter,
        4 => Place::AtLeast,
        5 => Place::AtMost,
        6 => Place::Idle,
        7 => Place::Audience,
        number => match number.checked_sub(16).map(u16::try_from) {
            Some(Ok(leaf)) => Place::Leaf(leaf),
            _ => return Err(input.corrupt("no place has this number")),
        },
    })
}

// === impl Places ===

impl<'a> Places<'a> {
    fn of(deltas: &'a [Delta]) -> Self {
        let mut places = HashMap::new();
        for (place, delta) in (1..).zip(deltas) {
            places.entry(&delta.visitor).or_insert(place);
        }
        Self(places)
    }

    fn get(&self, visitor: &VisitorId) -> Option<u64> {
        self.0.get(visitor).copied()
    }
}
