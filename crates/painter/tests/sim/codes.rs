//! Every code of a rejection is shown: those that bytes alone can give by the published examples (`schemas/*/examples`,
//! which `decode` is tested against), the others by a cause that is brought about here, on a real owner.

use crate::process::Run;
use crate::shop::{self, COUNT, PARTITIONS, viewed};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tzeva_commit::port::Outgoing;
use tzeva_commit::{LogRecord, decode};
use tzeva_model::RejectionCode::{Misrouted, NameCollision, Unprocessable, WrongKey};
use tzeva_model::{Millis, NameId, NameKind, RejectionCode, SourceOffset, TopicIndex, VisitorId};
use tzeva_testkit::sim::{Faults, NewRecord};

/// The codes beside the invalid examples.
fn shown_by_examples() -> BTreeSet<RejectionCode> {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let mut codes = BTreeSet::new();
    for topic in ["site-visit", "purchase"] {
        let invalid = schemas.join(topic).join("examples/invalid");
        for file in std::fs::read_dir(invalid).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|kind| kind == "code") {
                let word = std::fs::read_to_string(file).unwrap();
                codes.insert(RejectionCode::from_word(word.trim()).unwrap());
            }
        }
    }
    codes
}

/// The dead letters of the first partition's log.
fn logged(run: &Run) -> BTreeMap<(TopicIndex, SourceOffset), RejectionCode> {
    let mut letters = BTreeMap::new();
    for entry in run.world.log(PARTITIONS[0]) {
        if let LogRecord::Commit(commit) = decode(&entry.bytes).unwrap() {
            let of = commit.dead_letters.iter();
            letters.extend(of.map(|letter| ((letter.topic, letter.offset), letter.code)));
        }
    }
    letters
}

#[test]
fn every_code_has_an_example_or_a_cause_that_is_brought_about() {
    let home = PARTITIONS[0];
    let visitor = &shop::visitors(home)[0];
    let stray = (0..).map(|n| VisitorId::try_new(&format!("stray{n}")).unwrap());
    let stray = stray.clone().find(|visitor| visitor.partition(COUNT) != home).unwrap();
    let mut run = Run::new(1, Faults::default());
    // As if the hash were weak: another product is known under the id of p3.
    run.named = vec![(NameId::of(NameKind::Product, "p3"), "other".into())];
    // A bug: whoever decodes a record of the second topic panics.
    run.decoders_missing = 1;
    let produce = |topic, key: &str, value: String| {
        let (key, value) = (Some(key.as_bytes().to_vec()), value.into_bytes());
        let record = NewRecord { key, value, ..NewRecord::default() };
        run.world.produce(TopicIndex::new(topic), home, record);
    };
    let now = run.world.now();
    produce(0, visitor.as_str(), viewed(visitor, 0, now));
    produce(0, stray.as_str(), viewed(&stray, 1, now));
    let account = "\"userId\":\"a-7\",\"anonymousId\"";
    produce(0, "a-7", viewed(visitor, 2, now).replace("\"anonymousId\"", account));
    produce(0, visitor.as_str(), viewed(visitor, 3, now));
    produce(1, visitor.as_str(), viewed(visitor, 4, now));
    produce(0, visitor.as_str(), viewed(visitor, 5, now));
    run.start();
    run.assign_somebody();
    run.pass(Millis::MINUTE);

    let at = |topic, offset| (TopicIndex::new(topic), SourceOffset::new(offset));
    let brought_about = BTreeMap::from([
        (at(0, 1), Misrouted),
        (at(0, 2), WrongKey),
        (at(0, 3), NameCollision),
        (at(1, 0), Unprocessable),
    ]);
    assert_eq!(logged(&run), brought_about);
    let letter = |message: &Outgoing| matches!(message, Outgoing::DeadLetter { .. });
    let published = run.world.published(home);
    assert_eq!(published.iter().filter(|one| letter(&one.message)).count(), 4);
    assert_eq!(run.seen.panics, 2, "a record is given up after the second time");
    assert_eq!((run.seen.painted, run.seen.rejected), (2, 4), "the others are decided");

    let mut shown = shown_by_examples();
    shown.extend(brought_about.into_values());
    assert_eq!(shown, BTreeSet::from(RejectionCode::ALL), "a code without an example or a cause");
}
