//! The body of a commit record.

use super::input::Input;
use super::output::Output;
use super::{RecordError, change};
use crate::{Commit, DeadLetter, InputRange, Met, NewName, ShardLink, Sweep};
use tzeva_model::{
    ChangeNumber, Epoch, NameKind, RejectionCode, RulesVersion, SHARDS, Seq, Shard, SourceOffset,
    TopicIndex, UnixMillis,
};
use tzeva_profile::wire;

pub(super) fn put(out: &mut Output, commit: &Commit) {
    out.signed(commit.epoch.get());
    out.varint(commit.seq.get());
    out.instant(commit.until);
    out.instant_near(commit.until, commit.clock);
    out.fixed64(commit.rules_version.get());
    out.varint(commit.code_version.into());
    out.flag(commit.more);
    out.varint(commit.projected.get());
    out.count(commit.inputs.len());
    for range in &commit.inputs {
        out.byte(range.topic.get());
        out.signed(range.from.get());
        out.signed(range.next.get().wrapping_sub(range.from.get()));
    }
    out.count(commit.shards.len());
    for link in &commit.shards {
        out.varint(link.shard.get().into());
        out.varint(link.prev.get());
    }
    out.count(commit.names.len());
    for name in &commit.names {
        put_name(out, name);
    }
    out.count(commit.deltas.len());
    for delta in &commit.deltas {
        wire::put_delta(out.raw(), delta);
    }
    out.varint(commit.changes_from.get());
    change::put_all(out, commit);
    out.count(commit.dead_letters.len());
    for letter in &commit.dead_letters {
        put_dead_letter(out, letter);
    }
    put_sweep(out, commit);
}

pub(super) fn take(input: &mut Input<'_>) -> Result<Commit, RecordError> {
    let epoch = Epoch::new(input.signed()?);
    let seq = Seq::new(input.varint()?);
    let until = input.instant()?;
    let clock = input.instant_near(until)?;
    let rules_version = RulesVersion::new(input.fixed64()?);
    let code_version = input.narrow("no code has so high a version")?;
    let more = input.flag()?;
    let projected = ChangeNumber::new(input.varint()?);
    let inputs = input.list(take_range)?;
    let shards = input.list(|input| {
        Ok(ShardLink { shard: take_shard(input)?, prev: Seq::new(input.varint()?) })
    })?;
    let names = input.list(take_name)?;
    let deltas = input.list(|input| input.part("a delta is not one", wire::take_delta))?;
    let changes_from = ChangeNumber::new(input.varint()?);
    let changes = change::take_all(input, until, &deltas)?;
    let dead_letters = input.list(take_dead_letter)?;
    let sweep = take_sweep(input, until)?;
    Ok(Commit {
        epoch,
        seq,
        until,
        clock,
        rules_version,
        code_version,
        inputs,
        shards,
        deltas,
        names,
        changes_from,
        changes,
        dead_letters,
        sweep,
        projected,
        more,
    })
}

pub(super) fn put_name(out: &mut Output, name: &NewName) {
    out.byte(name_kind_number(name.kind));
    out.id(name.id);
    out.text(&name.text);
}

pub(super) fn put_dead_letter(out: &mut Output, letter: &DeadLetter) {
    out.byte(letter.topic.get());
    out.signed(letter.offset.get());
    out.byte(code_number(letter.code));
    out.text(&letter.error);
    out.bytes(&letter.head);
}

fn take_range(input: &mut Input<'_>) -> Result<InputRange, RecordError> {
    let topic = TopicIndex::new(input.byte()?);
    let from = input.source_offset()?;
    let next = SourceOffset::new(from.get().wrapping_add(input.signed()?));
    Ok(InputRange { topic, from, next })
}

fn take_shard(input: &mut Input<'_>) -> Result<Shard, RecordError> {
    let number: u16 = input.narrow("no shard has this number")?;
    if number < SHARDS { Ok(Shard::new(number)) } else { Err(input.corrupt("no shard is so high")) }
}

fn take_name(input: &mut Input<'_>) -> Result<NewName, RecordError> {
    let number = input.byte()?;
    let kind = NameKind::ALL.into_iter().find(|kind| name_kind_number(*kind) == number);
    let kind = kind.ok_or_else(|| input.corrupt("no kind of name has this number"))?;
    Ok(NewName { kind, id: input.id()?, text: input.text()?.into() })
}

fn take_dead_letter(input: &mut Input<'_>) -> Result<DeadLetter, RecordError> {
    let topic = TopicIndex::new(input.byte()?);
    let offset = input.source_offset()?;
    let number = input.byte()?;
    let code = RejectionCode::ALL.into_iter().find(|code| code_number(*code) == number);
    let code = code.ok_or_else(|| input.corrupt("no rejection has this number"))?;
    Ok(DeadLetter { topic, offset, code, error: input.text()?.into(), head: input.bytes()?.into() })
}

/// 1 and 2 are left to a form that no painter ever wrote.
fn put_sweep(out: &mut Output, commit: &Commit) {
    let Some(Sweep { former, since, met }) = &commit.sweep else { return out.byte(0) };
    out.byte(match met {
        None => 3,
        Some(Met { last: None, .. }) => 4,
        Some(Met { last: Some(_), .. }) => 5,
    });
    out.fixed64(former.get());
    out.instant_near(commit.until, *since);
    if let Some(Met { shard, last }) = met {
        out.varint(shard.get().into());
        if let Some(last) = last {
            out.text(last.as_str());
        }
    }
}

fn take_sweep(input: &mut Input<'_>, until: UnixMillis) -> Result<Option<Sweep>, RecordError> {
    let form = input.byte()?;
    if form == 0 {
        return Ok(None);
    }
    if !(3..=5).contains(&form) {
        return Err(input.corrupt("no sweep has this form"));
    }
    let former = RulesVersion::new(input.fixed64()?);
    let since = input.instant_near(until)?;
    let met = match form {
        3 => None,
        4 => Some(Met { shard: take_shard(input)?, last: None }),
        _ => Some(Met { shard: take_shard(input)?, last: Some(input.visitor()?) }),
    };
    Ok(Some(Sweep { former, since, met }))
}

/// Written numbers; never changed, never used again.
const fn name_kind_number(kind: NameKind) -> u8 {
    match kind {
        NameKind::Shop => 0,
        NameKind::Event => 1,
        NameKind::Product => 2,
        NameKind::Brand => 3,
        NameKind::Category => 4,
        NameKind::Audience => 5,
    }
}

/// Written numbers; never changed, never used again.
const fn code_number(code: RejectionCode) -> u8 {
    match code {
        RejectionCode::Malformed => 0,
        RejectionCode::SchemaUnknown => 1,
        RejectionCode::SchemaIncompatible => 2,
        RejectionCode::MissingField => 3,
        RejectionCode::BadValue => 4,
        RejectionCode::TooLarge => 5,
        RejectionCode::TooDeep => 6,
        RejectionCode::Misrouted => 7,
        RejectionCode::WrongKey => 8,
        RejectionCode::NameCollision => 9,
        RejectionCode::UnsupportedType => 10,
        RejectionCode::Unprocessable => 11,
    }
}
