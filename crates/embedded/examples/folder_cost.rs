//! What the folder costs: fsynced appends and ingested records a second, microseconds a profile of the guarded apply.
//! Not a gate: figures depend on the disk.
//!
//! `cargo run --release -p tzeva-embedded --example folder_cost -- DIR` works in a fresh folder under DIR.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement by hand"
)]

use std::time::Instant;
use tzeva_commit::Marker;
use tzeva_commit::port::{AppendResult, Apply, LogReply, StoreReply, Ticket, Write};
use tzeva_embedded::{Folder, NewRecord, Settings};
use tzeva_model::{
    Epoch, Incarnation, LogOffset, Partition, Seq, TopicIndex, UnixMillis, VisitorId,
};
use tzeva_testkit::conformance::{replies, visitors_of_one_shard};

fn main() {
    let parent = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let dir = tempfile::tempdir_in(parent).unwrap();
    let topics = vec!["visits".to_owned()];
    let folder = Folder::open(dir.path(), Settings { topics, ..Settings::default() }).unwrap();
    for in_flight in [1, 8, 64] {
        appends(&folder, in_flight);
    }
    for batch in [100, 1_000, 5_000] {
        ingest(&folder, batch);
    }
    for writes in [1, 16, 64] {
        applies(&folder, writes);
    }
}

/// Records of 16 KiB, so many in flight.
fn appends(folder: &Folder, in_flight: u64) {
    const COUNT: u64 = 4_000;
    let (sink, mut answers) = replies();
    let mut log = folder.log(sink).unwrap();
    let begun = Instant::now();
    for ticket in 0..COUNT + in_flight {
        if ticket < COUNT {
            log.append(Partition::new(0), Ticket(ticket), vec![0xa5; 16 << 10]);
        }
        if ticket >= in_flight {
            let reply = answers.wait();
            assert!(matches!(reply, LogReply::Appended(_, _, AppendResult::At(..))), "{reply:?}");
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = 4_000.0 / seconds;
    println!(
        "append, 16 KiB, {in_flight:>2} in flight: {rate:9.0} records/s, {:5.0} MB/s",
        rate / 61.0
    );
}

/// Records of 486 B, `batch` of them to one fsync.
fn ingest(folder: &Folder, batch: u32) {
    const COUNT: u32 = 200_000;
    let mut ingest = folder.ingest();
    let begun = Instant::now();
    for _ in 0..COUNT / batch {
        let record = |number: u32| NewRecord {
            topic: TopicIndex::new(0),
            partition: Partition::new(u16::try_from(number % 4).unwrap()),
            time: UnixMillis::new(1),
            key: Some(b"visitor".to_vec()),
            headers: Vec::new(),
            value: vec![b'x'; 486],
        };
        ingest.commit((0..batch).map(record).collect(), Some(("input", b"1"))).unwrap();
    }
    let rate = f64::from(COUNT) / begun.elapsed().as_secs_f64();
    println!("ingest, 486 B, {batch:>4} a batch:      {rate:9.0} records/s");
}

/// Profiles of 400 B in steps of `writes` on one shard.
fn applies(folder: &Folder, writes: usize) {
    let (shard, visitors) = visitors_of_one_shard(writes);
    let (sink, mut answers) = replies();
    let mut store = folder.store(sink).unwrap();
    let first = folder.marker(shard).unwrap().map_or(0, |marker| marker.seq.get());
    let steps = u32::try_from(100_000 / writes).unwrap();
    let begun = Instant::now();
    for seq in (first + 1..).take(steps as usize) {
        let marker = Marker {
            incarnation: Incarnation::new(1),
            offset: LogOffset::new(0),
            epoch: Epoch::new(0),
            seq: Seq::new(seq),
            filed_until: UnixMillis::new(0),
        };
        let write = |visitor: &VisitorId| Write {
            visitor: visitor.clone(),
            profile: Some(vec![0xa5; 400]),
        };
        let writes = visitors.iter().map(write).collect();
        let step = Apply { shard, prev: Seq::new(seq - 1), marker, writes, due: Vec::new() };
        store.apply(shard.partition(4), Ticket(seq), vec![step]);
        if seq > first + 8 {
            assert!(matches!(answers.wait(), StoreReply::Applied(..)));
        }
    }
    let profiles = f64::from(steps) * f64::from(u32::try_from(writes).unwrap());
    let each = begun.elapsed().as_secs_f64() * 1e6 / profiles;
    println!("apply, 400 B, {writes:>2} a step:         {each:9.2} us a profile");
}
