use super::*;
use crate::samples::{anchor, claim, commit};
use crate::{Commit, InputRange, Met, ShardLink, Sweep};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tzeva_model::{
    Cause, Direction, Epoch, EventId, Evidence, NameId, NameKind, Origin, Place, Reason,
    ReasonKind, RejectionCode, Shard, SourceOffset, TopicIndex,
};

fn visitors() -> impl Strategy<Value = VisitorId> {
    "[a-z]{1,3}".prop_map(|text| VisitorId::try_new(&text).unwrap())
}

fn instants() -> impl Strategy<Value = UnixMillis> {
    prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64].prop_map(UnixMillis::new)
}

fn ids() -> impl Strategy<Value = NameId> {
    any::<u64>().prop_map(NameId::new)
}

fn deltas() -> impl Strategy<Value = Delta> {
    let op = prop_oneof![
        instants().prop_map(Op::Seen),
        prop::option::of(instants()).prop_map(Op::Deadline),
        any::<u16>().prop_map(Op::DropStroke),
        ids().prop_map(Op::Unstand),
        Just(Op::Forget),
    ];
    (visitors(), prop::collection::vec(op, 1..4)).prop_map(|(visitor, ops)| Delta { visitor, ops })
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![
        any::<u16>().prop_map(Place::Leaf),
        Just(Place::Enter),
        Just(Place::ExitWhen),
        Just(Place::EnterAfter),
        Just(Place::ReenterAfter),
        Just(Place::AtLeast),
        Just(Place::AtMost),
        Just(Place::Idle),
        Just(Place::Audience),
    ]
}

fn reasons() -> impl Strategy<Value = Reason> {
    let kinds = prop::sample::select(vec![
        ReasonKind::Event,
        ReasonKind::Deadline,
        ReasonKind::Rules,
        ReasonKind::AudienceRemoved,
        ReasonKind::Forgotten,
    ]);
    let evidence = (ids(), instants(), prop::option::of(ids()))
        .prop_map(|(event, at, product)| Evidence { event, at, product });
    let cause = ("[a-z]{0,9}", ids(), instants(), prop::option::of("[0-9a-f-]{5}")).prop_map(
        |(id, name, time, traceparent)| Cause {
            id: EventId::new(&id),
            name,
            time,
            traceparent: traceparent.map(Into::into),
        },
    );
    let evidence = prop::collection::vec(evidence, 0..3);
    (kinds, places(), any::<bool>(), evidence, prop::option::of(cause)).prop_map(
        |(kind, place, exact, evidence, cause)| Reason { kind, place, exact, evidence, cause },
    )
}

fn changes() -> impl Strategy<Value = Change> {
    let origins = prop::sample::select(vec![
        Origin::Live,
        Origin::Late,
        Origin::Replay,
        Origin::Backfill,
        Origin::Rules,
    ]);
    let directions = prop::sample::select(vec![Direction::Entered, Direction::Exited]);
    (visitors(), ids(), any::<u32>(), directions, instants(), origins, reasons()).prop_map(
        |(visitor, audience, audience_version, direction, effective_at, origin, reason)| Change {
            visitor,
            audience,
            audience_version,
            direction,
            effective_at,
            origin,
            reason,
        },
    )
}

fn effects() -> impl Strategy<Value = Commit> {
    let names = (prop::sample::select(NameKind::ALL.to_vec()), ids(), "[A-Z]{0,5}")
        .prop_map(|(kind, id, text)| NewName { kind, id, text: text.into() });
    let letters = (
        prop::sample::select(RejectionCode::ALL.to_vec()),
        any::<i64>(),
        "[a-z ]{0,9}",
        prop::collection::vec(any::<u8>(), 0..9),
    )
        .prop_map(|(code, at, error, head)| DeadLetter {
            topic: TopicIndex::new(1),
            offset: SourceOffset::new(at),
            code,
            error: error.into(),
            head: head.into(),
        });
    let met = (0_u16..1024, prop::option::of(visitors()))
        .prop_map(|(shard, last)| Met { shard: Shard::new(shard), last });
    let sweep =
        (any::<u64>(), any::<i64>(), prop::option::of(met)).prop_map(|(former, since, met)| {
            let (former, since) = (RulesVersion::new(former), UnixMillis::new(since));
            Sweep { former, since, met }
        });
    (
        prop::collection::vec(deltas(), 0..6),
        prop::collection::vec(names, 0..4),
        prop::collection::vec(changes(), 0..6),
        prop::collection::vec(letters, 0..3),
        prop::option::of(sweep),
    )
        .prop_map(|(deltas, names, changes, dead_letters, sweep)| Commit {
            deltas,
            names,
            changes,
            dead_letters,
            sweep,
            ..commit(1, 1)
        })
}

fn commits() -> impl Strategy<Value = Commit> {
    let inputs = (any::<u8>(), any::<i64>(), any::<i64>()).prop_map(|(topic, from, next)| {
        let (from, next) = (SourceOffset::new(from), SourceOffset::new(next));
        InputRange { topic: TopicIndex::new(topic), from, next }
    });
    let shards = (0_u16..1024, any::<u64>())
        .prop_map(|(shard, prev)| ShardLink { shard: Shard::new(shard), prev: Seq::new(prev) });
    (
        effects(),
        (any::<i64>(), any::<u64>(), instants(), instants()),
        (any::<u64>(), any::<u32>(), any::<u64>(), any::<u64>(), any::<bool>()),
        prop::collection::vec(inputs, 0..3),
        prop::collection::vec(shards, 0..3),
    )
        .prop_map(|(effects, (epoch, seq, until, clock), numbers, inputs, shards)| Commit {
            epoch: Epoch::new(epoch),
            seq: Seq::new(seq),
            until,
            clock,
            rules_version: RulesVersion::new(numbers.0),
            code_version: numbers.1,
            changes_from: ChangeNumber::new(numbers.2),
            projected: ChangeNumber::new(numbers.3),
            more: numbers.4,
            inputs,
            shards,
            ..effects
        })
}

/// With the checksum mended, so that damage reaches the fields.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 4;
    let sum = crc32c::crc32c(&bytes[..body]).to_le_bytes();
    bytes[body..].copy_from_slice(&sum);
    bytes
}

#[test]
fn anchors_and_claims_come_back() {
    for record in [anchor(), claim(u64::MAX)] {
        assert_eq!(decode(&encode(&record)), Ok(record));
    }
}

#[test]
fn a_newer_record_is_told_from_a_corrupt_one() {
    let mut bytes = encode(&claim(1));
    bytes[0] = 2;
    bytes[1] = 2;
    assert!(matches!(decode(&bytes), Err(RecordError::Corrupt { .. })), "damage is not an update");
    let newer = RecordError::Newer { format: 2, min_reader: 2 };
    assert_eq!(decode(&resealed(bytes)), Err(newer));
}

#[test]
fn a_newer_format_that_we_can_read_may_add_fields_at_the_end() {
    let mut bytes = encode(&claim(1));
    bytes.truncate(bytes.len() - 4);
    bytes.extend([9; 3 + 4]);
    let ours = resealed(bytes.clone());
    assert!(matches!(decode(&ours), Err(RecordError::Corrupt { .. })));
    bytes[0] = 2;
    assert_eq!(decode(&resealed(bytes)), Ok(claim(1)));
}

#[test]
fn a_change_names_its_visitor_once() {
    let visitor = VisitorId::try_new("a-visitor-with-a-long-id").unwrap();
    let delta = Delta { visitor: visitor.clone(), ops: vec![Op::Forget] };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let change = changes().new_tree(&mut runner).unwrap().current();
    let change = Change { visitor, ..change };
    let with = Commit { deltas: vec![delta], changes: vec![change.clone()], ..commit(1, 1) };
    let without = Commit { changes: vec![change], ..commit(1, 1) };
    let delta_alone = Commit { changes: vec![], ..with.clone() };
    let alone = encode_commit(&delta_alone).len() - encode_commit(&commit(1, 1)).len();
    assert_eq!(encode_commit(&with).len() + 25, encode_commit(&without).len() + alone);
}

proptest! {
    #[test]
    fn a_commit_comes_back_and_its_bytes_are_the_only_ones(commit in commits()) {
        let record = LogRecord::Commit(Box::new(commit));
        let bytes = encode(&record);
        prop_assert_eq!(decode(&bytes), Ok(record));
    }

    #[test]
    fn a_flipped_bit_is_seen(commit in commits(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = encode_commit(&commit);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let found = decode(&bytes);
        prop_assert!(matches!(found, Err(RecordError::Corrupt { .. })), "{found:?}");
    }

    #[test]
    fn damage_under_a_good_checksum_never_panics_and_what_decodes_is_canonical(
        commit in commits(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_commit(&commit);
        let at = at.index(bytes.len() - 4);
        bytes[at] = byte;
        let bytes = resealed(bytes);
        if let Ok(record) = decode(&bytes) && bytes[0] == FORMAT {
            prop_assert_eq!(encode(&record), bytes);
        }
    }

    #[test]
    fn any_bytes_end_in_a_value_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in 0_u8..5,
    ) {
        let _ = decode(&bytes);
        let mut sealed = vec![FORMAT, 1, kind];
        sealed.extend(bytes);
        sealed.extend([0; 4]);
        let _ = decode(&resealed(sealed));
    }
}
