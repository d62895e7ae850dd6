//! The folder keeps the laws of all four ports.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use tempfile::TempDir;
use tzeva_embedded::{Folder, NewRecord, Settings};
use tzeva_model::{Partition, UnixMillis};
use tzeva_testkit::conformance::{
    changes_laws, log_laws, reads_are_atomic, replies, source_laws, store_equals_its_naive_twin,
    store_laws,
};

const COUNT: u16 = 4;

fn folder() -> (TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let topics = vec!["site-visits".to_owned(), "purchases".to_owned()];
    let settings = Settings { partitions: Some(COUNT), topics, ..Settings::default() };
    let folder = Folder::open(dir.path(), settings).unwrap();
    (dir, folder)
}

#[test]
fn the_log_keeps_the_laws() {
    let (_dir, folder) = folder();
    let (sink, mut replies) = replies();
    let mut log = folder.log(sink).unwrap();
    log_laws(&mut *log, &mut replies, (Partition::new(3), Partition::new(0)));
}

#[test]
fn the_store_keeps_the_laws() {
    let (_dir, folder) = folder();
    let (sink, mut replies) = replies();
    let mut store = folder.store(sink).unwrap();
    store_laws(&mut *store, &mut replies, COUNT);
}

#[test]
fn a_read_never_sees_a_step_half_done() {
    let (_dir, folder) = folder();
    let (sink, mut applied) = replies();
    let mut writer = folder.store(sink).unwrap();
    let (sink, mut read) = replies();
    let mut reader = folder.store(sink).unwrap();
    reads_are_atomic((&mut *writer, &mut applied), (&mut *reader, &mut read), COUNT);
}

#[test]
fn the_store_equals_its_naive_twin() {
    for seed in 0..20 {
        let (_dir, folder) = folder();
        let (sink, mut replies) = replies();
        let mut store = folder.store(sink).unwrap();
        store_equals_its_naive_twin(&mut *store, &mut replies, COUNT, (seed, 100));
    }
}

#[test]
fn the_changes_keep_the_laws() {
    let (_dir, folder) = folder();
    let (sink, mut replies) = replies();
    let mut changes = folder.changes(sink).unwrap();
    changes_laws(&mut *changes, &mut replies, (Partition::new(0), Partition::new(1)));
}

#[test]
fn the_source_keeps_the_laws() {
    let (_dir, folder) = folder();
    let (sink, mut replies) = replies();
    let mut source = folder.source(sink).unwrap();
    let mut ingest = folder.ingest();
    source_laws(&mut *source, &mut replies, Partition::new(2), &mut |topic, partition, values| {
        let record = |value| NewRecord {
            topic,
            partition,
            time: UnixMillis::new(5),
            key: None,
            headers: Vec::new(),
            value,
        };
        ingest.commit(values.into_iter().map(record).collect(), None).unwrap();
    });
}
