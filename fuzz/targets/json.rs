//! Any bytes as a record of a topic of JSON: an event or a rejection, twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use tzeva_decode::{Decoder, Raw, Settings};
use tzeva_model::Partition;

thread_local! {
    // Made once, as a painter does: making one takes far longer than a record.
    static DECODER: RefCell<Decoder> = RefCell::new(decoder());
}

fn decoder() -> Decoder {
    let keep = vec!["page.path".to_owned(), "properties.color".to_owned()];
    Decoder::new(&Settings { keep, ..Settings::default() }).expect("these settings are right")
}

fuzz_target!(|value: &[u8]| {
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    DECODER.with_borrow_mut(|decoder| assert_eq!(decoder.decode(&raw), decoder.decode(&raw)));
});
