//! Any bytes as bare Avro of both published schemas; the first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tzeva_decode::{Decoder, Raw, Settings};
use tzeva_model::Partition;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, value)) = bytes.split_first() else { return };
    let schema = if first % 2 == 0 { "site-visit" } else { "purchase" };
    let settings = Settings { bare_schema: Some(schema.into()), ..Settings::default() };
    let Ok(mut decoder) = Decoder::new(&settings) else { return };
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    assert_eq!(decoder.decode(&raw), decoder.decode(&raw));
});
