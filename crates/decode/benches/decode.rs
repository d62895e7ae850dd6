//! How long a record takes: `cargo bench -p tzeva-decode`. Prints the best of several rounds; no gate.
//!
//! JSON is the call of `docs/events.md`; Avro is a visit of the published schema, framed by fingerprint. Each is timed to the
//! finished event, names hashed and owned.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and the examples")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement prints or fails")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use tzeva_decode::{Decoded, Decoder, Raw, Settings};
use tzeva_model::Partition;

const ROUNDS: usize = 20;
const RECORDS: u32 = 20_000;

fn main() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/site-visit/examples");
    let json = std::fs::read_to_string(examples.join("valid/product-added.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hex = std::fs::read_to_string(examples.join("valid/by-fingerprint.single.hex")).unwrap();
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    measure("json", json.to_string().as_bytes());
    measure("avro", &digits.chunks(2).map(byte).collect::<Vec<_>>());
}

fn measure(name: &str, value: &[u8]) {
    let settings = Settings { partitions: 1, ..Settings::default() };
    let mut decoder = Decoder::new(&settings).unwrap();
    let raw = Raw { partition: Partition::new(0), key: Some(b"v-42"), value, headers: &[] };
    let round = |decoder: &mut Decoder| {
        let start = Instant::now();
        for _ in 0..RECORDS {
            let decoded = decoder.decode(black_box(&raw));
            assert!(matches!(black_box(decoded), Decoded::Event(_)));
        }
        start.elapsed().as_nanos() / u128::from(RECORDS)
    };
    let best = (0..ROUNDS).map(|_| round(&mut decoder)).min().unwrap();
    println!("{name}: {} bytes, {best} ns an event", value.len());
}
