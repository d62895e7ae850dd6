use super::*;
use crate::samples::commit;
use crate::{DeadLetter, Met, NewName, Sweep};
use proptest::prelude::*;
use tzeva_model::{
    Change, Direction, NameId, NameKind, Origin, Place, Reason, ReasonKind, RejectionCode,
    SourceOffset, TopicIndex, UnixMillis, VisitorId,
};
use tzeva_profile::Op;

const LIMIT: usize = 700;

fn visitor(number: usize) -> VisitorId {
    VisitorId::try_new(&format!("visitor-{number}")).unwrap()
}

fn change(number: usize) -> Change {
    Change {
        visitor: visitor(number),
        audience: NameId::new(1),
        audience_version: 2,
        direction: Direction::Entered,
        effective_at: UnixMillis::new(1_000),
        origin: Origin::Live,
        reason: Reason {
            kind: ReasonKind::Event,
            place: Place::Enter,
            exact: true,
            evidence: Vec::new(),
            cause: None,
        },
    }
}

/// A decision with so many ops for each visitor, and so many changes, names and dead letters.
fn decision(ops: &[usize], changes: usize, names: usize, letters: usize) -> Commit {
    let deltas: Vec<Delta> = ops
        .iter()
        .enumerate()
        .map(|(number, count)| Delta {
            visitor: visitor(number),
            ops: (0..*count).map(|at| Op::Seen(UnixMillis::new(at as i64 * 1_000_000))).collect(),
        })
        .collect();
    let mut shards: Vec<_> = deltas.iter().map(|delta| delta.visitor.shard()).collect();
    shards.sort_unstable();
    shards.dedup();
    let shards = shards.into_iter().map(|shard| ShardLink { shard, prev: Seq::new(3) }).collect();
    let name = |number: usize| NewName {
        kind: NameKind::Brand,
        id: NameId::new(number as u64),
        text: "Acme".into(),
    };
    let letter = |number: usize| DeadLetter {
        topic: TopicIndex::new(0),
        offset: SourceOffset::new(number as i64),
        code: RejectionCode::BadValue,
        error: "price is below zero".into(),
        head: vec![7; 60].into(),
    };
    Commit {
        deltas,
        shards,
        changes: (0..changes).map(change).collect(),
        names: (0..names).map(name).collect(),
        dead_letters: (0..letters).map(letter).collect(),
        sweep: Some(Sweep {
            former: tzeva_model::RulesVersion::new(6),
            since: tzeva_model::UnixMillis::new(900),
            met: Some(Met { shard: tzeva_model::Shard::new(4), last: None }),
        }),
        ..commit(1, 5)
    }
}

/// Puts a group back together, checking what must hold of each record.
fn joined(group: Vec<(Commit, Vec<u8>)>, whole: &Commit) -> Commit {
    let mut links: BTreeMap<Shard, Seq> = BTreeMap::new();
    let mut all = Commit { deltas: vec![], changes: vec![], names: vec![], ..whole.clone() };
    all.dead_letters.clear();
    let last = group.len() - 1;
    for (number, (part, bytes)) in group.into_iter().enumerate() {
        assert!(bytes.len() <= LIMIT, "{} bytes", bytes.len());
        assert_eq!(crate::decode(&bytes), Ok(crate::LogRecord::Commit(Box::new(part.clone()))));
        assert_eq!(part.seq.get(), whole.seq.get() + number as u64);
        assert_eq!(part.more, number != last);
        assert_eq!(part.sweep.is_some(), number == last && whole.sweep.is_some());
        assert_eq!((part.until, part.clock), (whole.until, whole.clock));
        let unchanged = part.inputs.iter().all(|range| range.from == range.next);
        assert_eq!(unchanged, number != last);
        let from = whole.changes_from.get() + all.changes.len() as u64;
        assert_eq!(part.changes_from.get(), from);
        let mut touched: Vec<_> = part.deltas.iter().map(|delta| delta.visitor.shard()).collect();
        touched.sort_unstable();
        touched.dedup();
        assert_eq!(part.shards.iter().map(|link| link.shard).collect::<Vec<_>>(), touched);
        for link in &part.shards {
            let before = whole.shards.iter().find(|one| one.shard == link.shard).unwrap().prev;
            assert_eq!(link.prev, links.insert(link.shard, part.seq).unwrap_or(before));
        }
        for delta in part.deltas {
            assert!(!delta.ops.is_empty());
            match all.deltas.last_mut() {
                Some(open) if open.visitor == delta.visitor => open.ops.extend(delta.ops),
                _ => all.deltas.push(delta),
            }
        }
        all.changes.extend(part.changes);
        all.names.extend(part.names);
        all.dead_letters.extend(part.dead_letters);
    }
    all
}

#[test]
fn what_fits_is_not_cut() {
    let whole = decision(&[1], 1, 1, 1);
    let group = split(whole.clone(), RECORD_LIMIT).unwrap();
    assert_eq!(group, [(whole.clone(), encode_commit(&whole))]);
}

#[test]
fn an_effect_over_the_limit_is_refused() {
    let mut whole = decision(&[1], 0, 0, 1);
    whole.dead_letters[0].head = vec![0; LIMIT].into();
    assert_eq!(split(whole, LIMIT).unwrap_err().what, "dead letter");
}

#[test]
fn a_delta_too_large_for_a_record_is_cut_between_ops() {
    let whole = decision(&[2, 400, 2], 3, 0, 0);
    let group = split(whole.clone(), LIMIT).unwrap();
    assert!(group.len() > 3);
    assert_eq!(joined(group, &whole), whole);
}

proptest! {
    #[test]
    fn a_group_put_together_is_the_decision(
        ops in prop::collection::vec(1_usize..90, 0..30),
        changes in 0_usize..40,
        names in 0_usize..40,
        letters in 0_usize..12,
    ) {
        let whole = decision(&ops, changes, names, letters);
        let group = split(whole.clone(), LIMIT).unwrap();
        prop_assert_eq!(joined(group, &whole), whole);
    }
}
