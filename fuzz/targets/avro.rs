//! Any bytes as bare Avro of both published schemas; the first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use tzeva_decode::{Decoder, Raw, Settings};
use tzeva_model::Partition;

thread_local! {
    // Made once, as a painter does: making one takes far longer than a record.
    static DECODERS: RefCell<[Decoder; 2]> = RefCell::new(["site-visit", "purchase"].map(decoder));
}

fn decoder(schema: &str) -> Decoder {
    let settings = Settings { bare_schema: Some(schema.into()), ..Settings::default() };
    Decoder::new(&settings).expect("the schema is published")
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, value)) = bytes.split_first() else { return };
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    DECODERS.with_borrow_mut(|decoders| {
        let decoder = &mut decoders[usize::from(first % 2)];
        assert_eq!(decoder.decode(&raw), decoder.decode(&raw));
    });
});
