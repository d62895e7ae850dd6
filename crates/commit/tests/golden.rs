//! Old bytes: what a former version wrote must be read for ever, and be written again to the same bytes as long as the
//! format number stands. A file is hex, any white space between. A change that breaks one of these needs a new format.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use tzeva_commit::{
    Anchor, AnchorCause, Claim, Commit, DeadLetter, InputRange, LogRecord, LostRange, Met, NewName,
    ShardLink, Sweep, decode, encode,
};
use tzeva_model::{
    Cause, Change, ChangeNumber, Direction, Epoch, EventId, Evidence, Incarnation, Name, NameKind,
    Origin, Place, Reason, ReasonKind, RejectionCode, RulesVersion, Seq, SourceOffset, TopicIndex,
    UnixMillis, VisitorId,
};
use tzeva_profile::{Delta, Op};

fn check(record: &LogRecord, golden: &str) {
    let digits: Vec<u8> = golden.bytes().filter(u8::is_ascii_hexdigit).collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let written: String = encode(record).iter().map(|byte| format!("{byte:02x}")).collect();
    let wanted: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, wanted);
    assert_eq!(&decode(&bytes).unwrap(), record);
}

fn instant(ms: i64) -> UnixMillis {
    UnixMillis::new(1_795_341_600_000 + ms)
}

fn visitor() -> VisitorId {
    VisitorId::try_new("v-42").unwrap()
}

fn anchor() -> LogRecord {
    LogRecord::Anchor(Anchor {
        incarnation: Incarnation::new(0x0102_0304_0506_0708),
        partitions: 64,
        seq: Seq::new(300),
        n: ChangeNumber::new(5),
        until: instant(0),
        inputs: vec![
            ("tzeva.site-visits".into(), SourceOffset::new(1_000)),
            ("tzeva.purchases".into(), SourceOffset::new(0)),
        ],
        rules_version: RulesVersion::new(0xaabb),
        swept: RulesVersion::new(0xaabb),
        cause: AnchorCause::Outage,
        lost: vec![LostRange {
            topic: "tzeva.site-visits".into(),
            from: SourceOffset::new(900),
            to: SourceOffset::new(1_000),
        }],
    })
}

fn change() -> Change {
    Change {
        visitor: visitor(),
        audience: Name::new(NameKind::Audience, "abandoned-cart").id(),
        audience_version: 0x9b1c_44e0,
        direction: Direction::Exited,
        effective_at: instant(-5),
        origin: Origin::Late,
        reason: Reason {
            kind: ReasonKind::Event,
            place: Place::Leaf(3),
            exact: true,
            evidence: vec![Evidence {
                event: Name::new(NameKind::Event, "product_added").id(),
                at: instant(-60_000),
                product: Some(Name::new(NameKind::Product, "shoe-1").id()),
            }],
            cause: Some(Cause {
                id: EventId::new("e-1"),
                name: Name::new(NameKind::Event, "order_completed").id(),
                time: instant(-9),
                traceparent: Some("00-1-2-01".into()),
            }),
        },
    }
}

fn commit() -> LogRecord {
    let brand = Name::new(NameKind::Brand, "Acme");
    LogRecord::Commit(Box::new(Commit {
        epoch: Epoch::new(4_012),
        seq: Seq::new(301),
        until: instant(0),
        clock: instant(40),
        rules_version: RulesVersion::new(0xaabb),
        code_version: 1,
        inputs: vec![
            InputRange {
                topic: TopicIndex::new(0),
                from: SourceOffset::new(1_000),
                next: SourceOffset::new(1_200),
            },
            InputRange {
                topic: TopicIndex::new(1),
                from: SourceOffset::new(7),
                next: SourceOffset::new(7),
            },
        ],
        shards: vec![ShardLink { shard: visitor().shard(), prev: Seq::new(299) }],
        deltas: vec![Delta {
            visitor: visitor(),
            ops: vec![Op::Unstand(brand.id()), Op::Seen(instant(-5)), Op::Deadline(None)],
        }],
        names: vec![NewName { kind: NameKind::Brand, id: brand.id(), text: brand.text().into() }],
        changes_from: ChangeNumber::new(6),
        changes: vec![change()],
        dead_letters: vec![DeadLetter {
            topic: TopicIndex::new(0),
            offset: SourceOffset::new(1_003),
            code: RejectionCode::BadValue,
            error: "price is below zero".into(),
            head: b"{\"price\":-1}".as_slice().into(),
        }],
        sweep: Some(Sweep {
            former: RulesVersion::new(0xaabb),
            since: instant(-30_000),
            met: Some(Met { shard: visitor().shard(), last: Some(visitor()) }),
        }),
        projected: ChangeNumber::new(5),
        more: false,
    }))
}

#[test]
fn an_anchor_of_format_1_is_read() {
    check(&anchor(), include_str!("golden/anchor-1.hex"));
}

#[test]
fn a_claim_of_format_1_is_read() {
    let claim = LogRecord::Claim(Claim { owner: "painter-0:17".into(), nonce: 0x1122_3344 });
    check(&claim, include_str!("golden/claim-1.hex"));
}

#[test]
fn a_commit_of_format_1_is_read() {
    check(&commit(), include_str!("golden/commit-1.hex"));
}

#[test]
fn a_quiet_commit_of_format_1_is_read() {
    let LogRecord::Commit(full) = commit() else { unreachable!() };
    let quiet = Commit {
        shards: Vec::new(),
        deltas: Vec::new(),
        names: Vec::new(),
        changes: Vec::new(),
        dead_letters: Vec::new(),
        sweep: None,
        more: true,
        ..*full
    };
    check(&LogRecord::Commit(Box::new(quiet)), include_str!("golden/quiet-commit-1.hex"));
}
