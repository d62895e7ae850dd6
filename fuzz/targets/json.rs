//! Any bytes as a record of a topic of JSON: an event or a rejection, twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tzeva_decode::{Decoder, Raw, Settings};
use tzeva_model::Partition;

fuzz_target!(|value: &[u8]| {
    let keep = vec!["page.path".to_owned(), "properties.color".to_owned()];
    let Ok(mut decoder) = Decoder::new(&Settings { keep, ..Settings::default() }) else { return };
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    assert_eq!(decoder.decode(&raw), decoder.decode(&raw));
});
