//! What shops are fed: the shipped sample, and the generated workload.

use super::{Record, Shop, Wanted, sample_folder};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use tzeva_bench::{Plan, Topic, Traffic, audiences, paint};
use tzeva_decode::{Decoded, Decoder, Raw, Settings};
use tzeva_model::{Event, Millis, Partition, UnixMillis};

/// A shop for the sample.
pub(crate) fn sample_shop(partitions: u16, create_time: bool) -> Wanted {
    let keep = vec!["properties.platform".to_owned()];
    Wanted { partitions, create_time, audiences: sample_folder().join("audiences"), keep }
}

/// A shop for the generated workload; its audiences go to `folder`.
pub(crate) fn generated_shop(partitions: u16, create_time: bool, folder: &Path) -> Wanted {
    std::fs::write(folder.join("audiences.yaml"), audiences(1, 40)).unwrap();
    std::fs::write(folder.join("paint.yaml"), paint()).unwrap();
    Wanted { partitions, create_time, audiences: folder.to_owned(), keep: Vec::new() }
}

/// The calls of the sample, in order of time.
pub(crate) fn sample_calls() -> Vec<(Event, String)> {
    let packed = std::fs::read(sample_folder().join("ecom.ndjson.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let mut decoder = Decoder::new(&Settings::default()).unwrap();
    let mut event = |line: &str| {
        let value = line.as_bytes();
        let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
        match decoder.decode(&raw) {
            Decoded::Event(event) => event,
            other => panic!("{line}: {other:?}"),
        }
    };
    text.lines().map(|line| (event(line), line.to_owned())).collect()
}

/// The sample as records, later by `shift`; what is about buying goes to the second topic.
pub(crate) fn sample(shop: &Shop, shift: Millis) -> Vec<Record> {
    let buying = ["add_to_cart", "cart", "shipping_details", "payment_details", "purchase"];
    let record = |(event, line): (Event, String)| {
        let topic = u8::from(buying.contains(&event.name.text()));
        let at = event.occurred_at + shift;
        let value = if shift == Millis::ZERO { line } else { restamped(&line, at) };
        shop.record(topic, event.visitor.as_str(), at, value.into_bytes())
    };
    sample_calls().into_iter().map(record).collect()
}

/// A generated workload as records: products, prices, orders and refunds.
pub(crate) fn generated(shop: &Shop, seed: u64, visitors: u64, events: u64) -> Vec<Record> {
    let traffic = Traffic::new(Plan::sized(seed, visitors, events));
    let record = |sent: tzeva_bench::Sent| {
        let topic = u8::from(sent.topic == Topic::Purchases);
        shop.record(topic, &sent.call.visitor, sent.record_time, sent.call.json())
    };
    traffic.map(record).collect()
}

/// The wall clock.
pub(crate) fn now() -> UnixMillis {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixMillis::new(i64::try_from(since.as_millis()).unwrap())
}

fn restamped(line: &str, at: UnixMillis) -> String {
    let mut call: Value = serde_json::from_str(line).unwrap();
    call["timestamp"] = json!(at.to_string());
    call.to_string()
}
