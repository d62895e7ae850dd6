//! What the folder promises beyond the ports: who may open it, what is there after opening it again, dead letters.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tzeva_commit::Marker;
use tzeva_commit::port::{
    AppendResult, Apply, ApplyResult, ChangesReply, LogReply, Outgoing, SourceReply, StoreReply,
    Ticket, Write,
};
use tzeva_embedded::{Folder, FolderError, NewRecord, OpenMode, Settings};
use tzeva_model::{
    ChangeNumber, Epoch, Incarnation, LogOffset, Partition, Seq, SourceOffset, TopicIndex,
    UnixMillis, VisitorId,
};
use tzeva_testkit::conformance::replies;

const ONE: Partition = Partition::new(1);
const VISITS: TopicIndex = TopicIndex::new(0);

fn settings() -> Settings {
    Settings { topics: vec!["visits".into(), "orders".into()], ..Settings::default() }
}

fn open(path: &Path) -> Folder {
    Folder::open(path, settings()).unwrap()
}

fn record(value: &[u8]) -> NewRecord {
    NewRecord {
        topic: VISITS,
        partition: ONE,
        time: UnixMillis::new(77),
        key: Some(b"v-1".to_vec()),
        headers: vec![("trace".into(), b"1".to_vec())],
        value: value.to_vec(),
    }
}

#[test]
fn a_folder_is_opened_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let Err(second) = Folder::open(dir.path(), settings()) else {
        panic!("opened twice");
    };
    assert!(matches!(second, FolderError::Locked { .. }), "{second}");
    assert!(second.to_string().contains("in use by another process"), "{second}");
    assert!(!second.is_settings());
    drop(first);
    open(dir.path());
}

#[test]
fn the_partition_count_never_changes() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(open(dir.path()).partitions(), 4, "the default of a new folder");
    let other = Settings { partitions: Some(16), ..settings() };
    let Err(error) = Folder::open(dir.path(), other) else { panic!("opened with another count") };
    assert!(error.is_settings());
    assert!(error.to_string().contains("has 4 partitions, the settings say 16"), "{error}");
    let same = Settings { partitions: Some(4), ..settings() };
    assert_eq!(Folder::open(dir.path(), same).unwrap().partitions(), 4);
}

#[test]
fn settings_that_fit_no_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |settings: Settings, part: &str| {
        let Err(error) = Folder::open(dir.path(), settings) else { panic!("opened: {part}") };
        assert!(error.is_settings() && error.to_string().contains(part), "{error}");
    };
    refused(Settings { partitions: Some(6), ..settings() }, "power of two");
    refused(Settings { partitions: Some(2048), ..settings() }, "up to 1024");
    refused(Settings { topics: vec!["a/b".into()], ..settings() }, "no topic name");
    refused(Settings { topics: vec!["a".into(), "a".into()], ..settings() }, "named twice");
    refused(Settings { mode: OpenMode::MustExist, ..settings() }, "does not exist");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn log_time_never_goes_back_even_if_the_clock_does() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(1_000));
    let append = |folder: &Folder| {
        let (sink, mut replies) = replies();
        let mut log = folder.log(sink).unwrap();
        log.append(ONE, Ticket(1), b"x".to_vec());
        match replies.wait() {
            LogReply::Appended(_, _, AppendResult::At(offset, time)) => (offset.get(), time.get()),
            other => panic!("{other:?}"),
        }
    };
    let with_clock = || {
        let now = now.clone();
        let clock = Arc::new(move || UnixMillis::new(now.load(Ordering::Relaxed)));
        Folder::open(dir.path(), Settings { clock, ..settings() }).unwrap()
    };
    let folder = with_clock();
    assert_eq!(append(&folder), (0, 1_000));
    now.store(400, Ordering::Relaxed);
    assert_eq!(append(&folder), (1, 1_000));
    drop(folder);
    let folder = with_clock();
    assert_eq!(append(&folder), (2, 1_000), "the mark is kept in the folder");
    now.store(1_001, Ordering::Relaxed);
    assert_eq!(append(&folder), (3, 1_001));
}

#[test]
fn an_oversized_record_is_refused_and_leaves_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let folder = open(dir.path());
    let (sink, mut replies) = replies();
    let mut log = folder.log(sink).unwrap();
    log.append(ONE, Ticket(1), vec![0; (2 << 20) + 1]);
    log.append(ONE, Ticket(2), vec![0; 2 << 20]);
    log.append(Partition::new(9), Ticket(3), vec![]);
    let results: Vec<_> = (0..3)
        .map(|_| match replies.wait() {
            LogReply::Appended(_, _, result) => result,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(matches!(&results[0], AppendResult::Refused(error) if !error.transient));
    assert!(matches!(results[1], AppendResult::At(offset, _) if offset.get() == 0));
    assert!(matches!(&results[2], AppendResult::Refused(error) if !error.transient));
}

#[test]
fn a_dead_letter_carries_the_whole_original() {
    let dir = tempfile::tempdir().unwrap();
    let folder = open(dir.path());
    let big = vec![b'x'; 100_000];
    folder.ingest().commit(vec![record(b"fine"), record(&big)], None).unwrap();
    let (sink, mut replies) = replies();
    let mut changes = folder.changes(sink).unwrap();
    let letter = |offset| Outgoing::DeadLetter {
        topic: VISITS,
        offset: SourceOffset::new(offset),
        headers: vec![("dlq.code".into(), b"malformed".to_vec())],
        head: b"xxx".to_vec(),
    };
    // The second time is a projector that did not know how far it came.
    for _ in 0..2 {
        changes.publish(ONE, Ticket(1), vec![letter(1), letter(7)]);
        assert!(matches!(replies.wait(), ChangesReply::Published(_, _, Ok(()))));
    }
    let letters: Vec<_> = folder.dead_letters().map(Result::unwrap).collect();
    assert_eq!(letters.len(), 2);
    let [whole, cut] = &letters[..] else { panic!("two letters") };
    assert_eq!((&*whole.topic, whole.partition, whole.offset.get()), ("visits", ONE, 1));
    assert_eq!(whole.message.key, Some(b"v-1".to_vec()));
    assert_eq!(whole.message.value, big);
    let names: Vec<_> = whole.message.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["trace", "dlq.code"]);
    assert_eq!(cut.message.value, b"xxx", "the original is gone: its head");
    let names: Vec<_> = cut.message.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["dlq.truncated", "dlq.code"]);
}

#[test]
fn everything_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let visitor = VisitorId::try_new("v-42").unwrap();
    let partition = visitor.partition(4);
    let marker = Marker {
        incarnation: Incarnation::new(3),
        offset: LogOffset::new(1),
        epoch: Epoch::new(0),
        seq: Seq::new(1),
        filed_until: UnixMillis::new(5),
    };
    {
        let folder = open(dir.path());
        let offsets = folder.ingest().commit(vec![record(b"a")], Some(("in.ndjson", b"17")));
        assert_eq!(offsets.unwrap(), [SourceOffset::new(0)]);
        let (sink, mut answers) = replies();
        let mut store = folder.store(sink).unwrap();
        let write = Write { visitor: visitor.clone(), profile: Some(b"p".to_vec()) };
        let shard = visitor.shard();
        let step = Apply { shard, prev: Seq::new(0), marker, writes: vec![write], due: vec![] };
        store.apply(partition, Ticket(1), vec![step]);
        let StoreReply::Applied(_, _, results) = answers.wait() else { panic!("no apply") };
        assert_eq!(results, [(shard, ApplyResult::Applied)]);
        let (sink, mut answers) = replies();
        let mut changes = folder.changes(sink).unwrap();
        let change = Outgoing::Change {
            n: ChangeNumber::new(1),
            key: b"v-42".to_vec(),
            headers: vec![],
            value: b"{}".to_vec(),
        };
        let name = Outgoing::Name { key: "brand/aa".into(), text: "Acme".into() };
        changes.publish(partition, Ticket(1), vec![change, name]);
        assert!(matches!(answers.wait(), ChangesReply::Published(_, _, Ok(()))));
    }
    let folder = open(dir.path());
    assert_eq!(folder.ingest().position("in.ndjson").unwrap(), Some(b"17".to_vec()));
    assert_eq!(folder.ingest().position("other").unwrap(), None);
    assert_eq!(folder.source_ends(ONE), [SourceOffset::new(1), SourceOffset::new(0)]);
    assert_eq!(folder.read_profile(&visitor).unwrap(), Some(b"p".to_vec()));
    assert_eq!(folder.marker(visitor.shard()).unwrap(), Some(marker));
    let changes: Vec<_> =
        folder.read_changes(partition, ChangeNumber::new(1)).map(Result::unwrap).collect();
    assert_eq!((changes.len(), changes[0].0), (1, ChangeNumber::new(1)));
    assert_eq!(changes[0].1.value, b"{}");
    let names: Vec<_> = folder.names().map(Result::unwrap).collect();
    assert_eq!(names, [("brand/aa".to_owned(), "Acme".to_owned())]);
    assert_eq!(folder.name("brand/aa").unwrap().as_deref(), Some("Acme"));
}

#[test]
fn a_record_for_no_topic_or_partition_writes_nothing_of_its_batch() {
    let dir = tempfile::tempdir().unwrap();
    let folder = open(dir.path());
    let stray = NewRecord { partition: Partition::new(4), ..record(b"b") };
    let error = folder.ingest().commit(vec![record(b"a"), stray], Some(("in", b"2"))).unwrap_err();
    assert!(error.is_settings(), "{error}");
    assert_eq!(folder.source_ends(ONE)[0], SourceOffset::new(0));
    assert_eq!(folder.ingest().position("in").unwrap(), None);
}

/// While a file is being taken in, what the folder holds is not all: no topic is at its end, and no proof is given.
#[test]
fn nothing_is_at_its_end_while_more_is_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let folder = open(dir.path());
    folder.set_catching_up(true);
    folder.ingest().commit(vec![record(b"a")], None).unwrap();
    let (sink, mut replies) = replies();
    let mut source = folder.source(sink).unwrap();
    source.open(ONE, 1, vec![SourceOffset::new(0); 2]);
    let asked = UnixMillis::new(1_000);
    let mut told = |wanted: usize| {
        let mut ends = Vec::new();
        source.prove(ONE, Ticket(7), asked);
        loop {
            match replies.wait() {
                SourceReply::Records { topic, at_end, .. } => ends.push((topic.get(), at_end)),
                SourceReply::Ends(_, _, proof) if ends.len() >= wanted => {
                    return (ends, proof.unwrap().0);
                }
                SourceReply::Ends(..) => source.prove(ONE, Ticket(7), asked),
                _ => {}
            }
        }
    };
    assert_eq!(told(1), (vec![(0, false)], UnixMillis::MIN));
    folder.set_catching_up(false);
    let (mut ends, proven) = told(2);
    ends.sort_unstable();
    assert_eq!((ends, proven), (vec![(0, true), (1, true)], asked));
}
