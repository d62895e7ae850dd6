use super::*;
use proptest::prelude::*;
use std::sync::Mutex;

type Given = (u16, u32, i64, u64, Vec<u8>);

/// All records group by group, and how many bytes were spilled.
fn merged(given: &[Given], limit: usize, pile: usize) -> (Vec<Given>, u64) {
    let runs = Mutex::new(Runs::new(limit));
    let mut open = Pile::default();
    for (group, part, at, tie, bytes) in given {
        let key = Key { group: *group, part: *part, at: *at, tie: *tie };
        open.push(key, |out| out.extend_from_slice(bytes));
        if open.size() >= pile {
            settle(&mut open, &runs).unwrap();
        }
    }
    settle(&mut open, &runs).unwrap();
    let runs = runs.into_inner().unwrap();
    let mut found = Vec::new();
    for group in 0..8 {
        let mut merge = runs.group(group).unwrap();
        while let Some(Record { part, at, tie, bytes }) = merge.next().unwrap() {
            found.push((group, part, at, tie, bytes.to_vec()));
        }
    }
    (found, runs.spilled())
}

proptest! {
    #[test]
    fn however_little_memory_there_is_records_come_as_sorted_at_once(
        given in prop::collection::vec(
            (0_u16..8, 0_u32..3, -4_i64..4, 0_u64..4, prop::collection::vec(any::<u8>(), 0..12)),
            0..300,
        ),
        limit in 0_usize..6_000,
        pile in 1_usize..4_000,
    ) {
        let mut want = given.clone();
        want.sort();
        prop_assert_eq!(merged(&given, limit, pile).0, want);
    }
}

#[test]
fn what_does_not_fit_goes_to_the_disk_in_stretches_longer_than_a_buffer() {
    let record = |n: u64| (3, 5, (n * 7_919 % 1_000).cast_signed(), n, vec![0; 700]);
    let given: Vec<Given> = (0..2_000).map(record).collect();
    let mut want = given.clone();
    want.sort();
    let (found, spilled) = merged(&given, 100_000, 400_000);
    assert!(spilled > 1_000_000, "{spilled} bytes");
    assert!(found == want);
    let (found, spilled) = merged(&given, usize::MAX, 400_000);
    assert_eq!(spilled, 0);
    assert!(found == want);
}

#[test]
fn a_record_longer_than_a_buffer_is_whole() {
    let given = vec![(0, 0, 1, 0, vec![7; 300_000]), (0, 0, 2, 0, vec![8; 10])];
    assert!(merged(&given, 0, 1).0 == given);
}
