//! Any bytes as a stored profile: refused, or a profile that comes back from its own bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tzeva_profile::stored::{decode, decode_head, encode};

fuzz_target!(|bytes: &[u8]| {
    let _ = decode_head(bytes);
    let Ok(profile) = decode(bytes) else { return };
    let again = encode(&profile);
    match decode(&again) {
        // Debug text, because a stored score may be no number.
        Ok(back) => assert_eq!(format!("{back:?}"), format!("{profile:?}")),
        Err(error) => panic!("what was written can't be read: {error}"),
    }
});
