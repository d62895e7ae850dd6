//! Bytes that no writer wrote, found by fuzzing: they are refused, whatever they announce.

use tzeva_profile::stored::decode;

#[test]
fn announced_counts_whose_sum_is_beyond_all_bounds_are_refused() {
    let found = "0101ffffffffffffffffff010b000b0c80c880ef82b1c6ff7f000000f2ffff01ffffffffffffffffff01\
                 0b000b0c80c880ef82b1c6ff7f000000f2ffffffffffffffff80ffffffffffff8001fecaad0b";
    let digit = |place: usize| u8::from_str_radix(&found[place..place + 2], 16);
    let bytes: Result<Vec<u8>, _> = (0..found.len()).step_by(2).map(digit).collect();
    assert!(decode(&bytes.expect("hex digits")).is_err());
}
