//! The written form of records, byte by byte in `docs/log-form.md`.
//!
//! Every record is an envelope for ever: format, lowest reader, kind, body, CRC32C of all before it. So any version can
//! tell a record that is *newer* (its checksum is right, its lowest reader is above us: update) from one that is *corrupt*
//! (a person has to look), and neither is ever taken for the other or passed over.
//!
//! The form is canonical: equal values have equal bytes, and bytes that decode are the ones that encoding gives, as long
//! as the format is ours. A newer format that lowers its reader to ours may add fields behind the ones here, nowhere else.
//! Decoding any bytes whatever ends in a value or an error, and allocates no more than a small multiple of their length.

mod change;
mod commit;
mod input;
mod output;

use crate::{Anchor, AnchorCause, Claim, DeadLetter, LogRecord, LostRange, NewName};
use input::Input;
use output::Output;
use tzeva_model::{Change, ChangeNumber, Incarnation, RulesVersion, Seq, UnixMillis, VisitorId};
use tzeva_profile::{Delta, Op, wire};

/// The format that this version writes.
pub const FORMAT: u8 = 1;
/// The lowest reader that can take what this version writes.
const MIN_READER: u8 = 1;
/// Format, lowest reader, kind, checksum.
const ENVELOPE: usize = 7;

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A newer version wrote it: update this one.
    #[error(
        "written in format {format} for readers of {min_reader} and above, this one is {FORMAT}"
    )]
    Newer {
        /// The format it is written in.
        format: u8,
        /// The lowest reader that can take it.
        min_reader: u8,
    },
    /// No version wrote this.
    #[error("corrupt at byte {at}: {what}")]
    Corrupt {
        /// Where, from the beginning.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Anchor = 1,
    Claim = 2,
    Commit = 3,
}

/// The bytes of `record`; equal records have equal bytes.
#[must_use]
pub fn encode(record: &LogRecord) -> Vec<u8> {
    match record {
        LogRecord::Anchor(anchor) => sealed(Kind::Anchor, |out| put_anchor(out, anchor)),
        LogRecord::Claim(claim) => sealed(Kind::Claim, |out| {
            out.text(&claim.owner);
            out.fixed64(claim.nonce);
        }),
        LogRecord::Commit(commit) => encode_commit(commit),
    }
}

/// The bytes of a commit; the same as [`encode`] of it as a record.
#[must_use]
pub fn encode_commit(commit: &crate::Commit) -> Vec<u8> {
    sealed(Kind::Commit, |out| commit::put(out, commit))
}

/// The record that `bytes` hold.
///
/// # Errors
/// [`RecordError`]; a retry never helps.
pub fn decode(bytes: &[u8]) -> Result<LogRecord, RecordError> {
    let (head, body) = open(bytes)?;
    let mut input = Input::new(body, head.len());
    let record = match head[2] {
        1 => LogRecord::Anchor(take_anchor(&mut input)?),
        2 => LogRecord::Claim(Claim { owner: input.text()?.into(), nonce: input.fixed64()? }),
        3 => LogRecord::Commit(Box::new(commit::take(&mut input)?)),
        _ => return Err(RecordError::Corrupt { at: 2, what: "no kind of record has this number" }),
    };
    if head[0] == FORMAT {
        input.end()?;
    }
    Ok(record)
}

/// At most so many bytes does a record grow by this name.
pub(crate) fn bytes_of_name(name: &NewName) -> usize {
    counted(|out| commit::put_name(out, name))
}

/// At most so many bytes does a record grow by this change.
pub(crate) fn bytes_of_change(change: &Change) -> usize {
    // The distance of two instants takes at most ten bytes; from the epoch or from `until` makes no odds.
    counted(|out| change::put(out, UnixMillis::new(0), None, change)) + 10
}

/// At most so many bytes does a record grow by this dead letter.
pub(crate) fn bytes_of_dead_letter(letter: &DeadLetter) -> usize {
    counted(|out| commit::put_dead_letter(out, letter))
}

/// So many bytes does a record grow by this delta.
pub(crate) fn bytes_of_delta(delta: &Delta) -> usize {
    counted(|out| wire::put_delta(out.raw(), delta))
}

/// At most so many bytes does a delta of `visitor` grow by this op.
pub(crate) fn bytes_of_op(visitor: &VisitorId, op: &Op) -> usize {
    let alone = Delta { visitor: visitor.clone(), ops: vec![op.clone()] };
    bytes_of_delta(&alone) - visitor.as_str().len()
}

fn counted(put: impl FnOnce(&mut Output)) -> usize {
    let mut out = Output::default();
    put(&mut out);
    out.len()
}

/// Checks the envelope; gives format, lowest reader and kind, and the body.
fn open(bytes: &[u8]) -> Result<(&[u8; 3], &[u8]), RecordError> {
    let short = RecordError::Corrupt { at: bytes.len(), what: "shorter than its envelope" };
    if bytes.len() < ENVELOPE {
        return Err(short);
    }
    let (sealed, sum) = bytes.split_last_chunk::<4>().ok_or(short)?;
    if crc32c::crc32c(sealed) != u32::from_le_bytes(*sum) {
        return Err(RecordError::Corrupt { at: sealed.len(), what: "the checksum is wrong" });
    }
    let (head, body) = sealed.split_first_chunk::<3>().ok_or(short)?;
    check_reader(head[0], head[1])?;
    Ok((head, body))
}

fn check_reader(format: u8, min_reader: u8) -> Result<(), RecordError> {
    if min_reader > FORMAT {
        return Err(RecordError::Newer { format, min_reader });
    }
    if format == 0 || min_reader == 0 || min_reader > format {
        return Err(RecordError::Corrupt { at: 0, what: "no version wrote this format" });
    }
    Ok(())
}

fn sealed(kind: Kind, body: impl FnOnce(&mut Output)) -> Vec<u8> {
    let mut out = Output::default();
    out.byte(FORMAT);
    out.byte(MIN_READER);
    out.byte(kind as u8);
    body(&mut out);
    out.seal()
}

fn put_anchor(out: &mut Output, anchor: &Anchor) {
    out.fixed64(anchor.incarnation.get());
    out.varint(anchor.partitions.into());
    out.varint(anchor.seq.get());
    out.varint(anchor.n.get());
    out.instant(anchor.until);
    out.count(anchor.inputs.len());
    for (topic, offset) in &anchor.inputs {
        out.text(topic);
        out.signed(offset.get());
    }
    out.fixed64(anchor.rules_version.get());
    out.fixed64(anchor.swept.get());
    out.byte(match anchor.cause {
        AnchorCause::First => 0,
        AnchorCause::Restore => 1,
        AnchorCause::Outage => 2,
        AnchorCause::Grow => 3,
    });
    out.count(anchor.lost.len());
    for range in &anchor.lost {
        out.text(&range.topic);
        out.signed(range.from.get());
        out.signed(range.to.get());
    }
}

fn take_anchor(input: &mut Input<'_>) -> Result<Anchor, RecordError> {
    Ok(Anchor {
        incarnation: Incarnation::new(input.fixed64()?),
        partitions: input.narrow("no partition count is so high")?,
        seq: Seq::new(input.varint()?),
        n: ChangeNumber::new(input.varint()?),
        until: input.instant()?,
        inputs: input.list(|input| Ok((input.text()?.into(), input.source_offset()?)))?,
        rules_version: RulesVersion::new(input.fixed64()?),
        swept: RulesVersion::new(input.fixed64()?),
        cause: match input.byte()? {
            0 => AnchorCause::First,
            1 => AnchorCause::Restore,
            2 => AnchorCause::Outage,
            3 => AnchorCause::Grow,
            _ => return Err(input.corrupt("no cause has this number")),
        },
        lost: input.list(|input| {
            Ok(LostRange {
                topic: input.text()?.into(),
                from: input.source_offset()?,
                to: input.source_offset()?,
            })
        })?,
    })
}

#[cfg(test)]
mod tests;
