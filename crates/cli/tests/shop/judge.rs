//! What must hold after a run on real servers, whatever broke.
//!
//! The log is read back and judged as any reader does; its commits say which source records were decided, in which
//! order and up to which instant. From those records, read back too, the independent evaluator makes the changes anew.
//! The log, the changes topic, the store and the dead letters must each say the same.

use super::sets::Sets;
use super::told::{Told, published};
use super::{MAX_AGE, Shop};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc;
use tzeva_commit::Commit;
use tzeva_commit::port::{SourceRecord, StoreReply, Ticket};
use tzeva_decode::{Decoded, Decoder, NotFound, Raw, SchemaKey};
use tzeva_model::{
    Change, Event, LogOffset, NameId, Origin, Partition, ReasonKind, RejectionCode, SourceOffset,
    TopicIndex, UnixMillis, VisitorId,
};
use tzeva_oracle::{Input, Step};
use tzeva_profile::{Profile, fold, stored};
use tzeva_testkit::readback::{Counting, covers_every_record_once};

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    pub events: usize,
    pub rejected: BTreeMap<RejectionCode, usize>,
    pub changes: Vec<Told>,
    pub profiles: usize,
    pub claims: usize,
    /// Commits that owners wrote who had been replaced.
    pub ignored: usize,
    pub repeated: usize,
    /// Switches to other rules.
    pub switches: usize,
    /// The `until` of the last commit of each partition.
    pub untils: Vec<UnixMillis>,
}

/// Follows a log as it grows.
pub(crate) struct Follower {
    pub log: Counting,
    next: LogOffset,
}

/// A source record in the order of decisions: its time, and what it is.
type Decided = (UnixMillis, Result<Event, RejectionCode>);

/// A dead letter: topic, partition, offset, code.
type Letter = (String, String, String, String);

/// Checks everything; the store only if it is not being written to.
pub(crate) fn all(shop: &Shop) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut folded = BTreeMap::new();
    let mut letters = BTreeMap::new();
    let sets = Sets::of(shop);
    for partition in shop.partitions() {
        let mut follower = Follower::new();
        follower.read(shop, partition);
        let commits = &follower.log.commits;
        verdicts.claims += follower.log.claims;
        verdicts.ignored += follower.log.ignored;
        verdicts.untils.extend(commits.last().map(|commit| commit.until));
        let sources = sources(shop, partition);
        let counts: Vec<usize> = sources.iter().map(Vec::len).collect();
        covers_every_record_once(commits, &counts);
        let decided = decided(shop, partition, &sources, commits, &mut letters);
        let events: Vec<&Event> =
            decided.iter().flatten().filter_map(|(_, event)| event.as_ref().ok()).collect();
        verdicts.events += events.len();
        for (_, outcome) in decided.iter().flatten() {
            if let Err(code) = outcome {
                *verdicts.rejected.entry(*code).or_default() += 1;
            }
        }
        let expected = oracle(&sets, commits, &decided);
        let logged: Vec<Change> = commits.iter().flat_map(|c| c.changes.clone()).collect();
        let switches = switches(&sets, commits).count();
        verdicts.switches += switches;
        let compared = if switches == 0 { <[Change]>::to_vec } else { by_visitor };
        let both = (compared(&logged), compared(&expected));
        assert_same(partition, "the log and the slow evaluator", &both.0, &both.1);
        let names = names(&sets, &events);
        let told = Told::all(&sets, &names, commits, &logged);
        let (there, repeated) = published(shop, partition);
        assert_same(partition, "the changes topic and the slow evaluator", &there, &told);
        verdicts.repeated += repeated;
        verdicts.changes.extend(told);
        fold_all(&mut folded, commits);
    }
    verdicts.profiles = folded.len();
    store_is_the_fold(shop, &folded);
    dead_letters(shop, &letters);
    verdicts
}

// === impl Follower ===

impl Follower {
    pub(crate) fn new() -> Self {
        Self { log: Counting::new(), next: LogOffset::new(0) }
    }

    /// Reads what is new.
    pub(crate) fn read(&mut self, shop: &Shop, partition: Partition) {
        for entry in shop.admin.read_log(partition, Some(self.next)).unwrap() {
            let entry = entry.unwrap();
            self.next = entry.offset.next();
            self.log.observe(&entry);
        }
    }

    /// How many source records were decided.
    pub(crate) fn decided(&self) -> i64 {
        let last = self.log.commits.last();
        last.map_or(0, |commit| commit.inputs.iter().map(|range| range.next.get()).sum())
    }

    /// True if the last commit says nothing: nothing has happened for a while.
    pub(crate) fn is_quiet(&self) -> bool {
        self.log.commits.last().is_some_and(|commit| {
            commit.deltas.is_empty() && commit.inputs.iter().all(|range| range.from == range.next)
        })
    }
}

/// All records of a partition, a list a topic.
fn sources(shop: &Shop, partition: Partition) -> Vec<Vec<SourceRecord>> {
    let records = |topic: &tzeva_kafka::SourceTopic| {
        let records = shop.admin.records(&topic.name, partition, None).unwrap();
        records.collect::<Result<Vec<_>, _>>().unwrap()
    };
    shop.kafka.topics.sources.iter().map(records).collect()
}

/// What each commit decided, in the order that its meaning gives; notes the records that are none.
fn decided(
    shop: &Shop,
    partition: Partition,
    sources: &[Vec<SourceRecord>],
    commits: &[Commit],
    letters: &mut BTreeMap<Letter, SourceRecord>,
) -> Vec<Vec<Decided>> {
    let mut decoder = Decoder::new(&shop.decode_settings()).unwrap();
    let mut all = Vec::new();
    for commit in commits {
        let mut records = Vec::new();
        for range in &commit.inputs {
            let inside = sources[usize::from(range.topic.get())]
                .iter()
                .filter(|r| r.offset >= range.from && r.offset < range.next);
            records.extend(inside.map(|record| (time(shop, record, commit), range.topic, record)));
        }
        records.sort_by_key(|&(time, topic, record)| (time, topic, record.offset));
        let mut of_commit = Vec::new();
        for (time, topic, record) in records {
            let outcome = event(shop, &mut decoder, partition, record);
            if let Err(code) = outcome {
                letters
                    .insert(letter(shop, partition, (topic, record.offset), code), record.clone());
            }
            of_commit.push((time, outcome));
        }
        all.push(of_commit);
    }
    all
}

fn time(shop: &Shop, record: &SourceRecord, commit: &Commit) -> UnixMillis {
    if shop.wanted.create_time { record.time.min(commit.clock) } else { record.time }
}

fn letter(
    shop: &Shop,
    partition: Partition,
    (topic, offset): (TopicIndex, SourceOffset),
    code: RejectionCode,
) -> Letter {
    let name = shop.source(topic).to_owned();
    (name, partition.to_string(), offset.to_string(), code.word().to_owned())
}

fn event(
    shop: &Shop,
    decoder: &mut Decoder,
    partition: Partition,
    record: &SourceRecord,
) -> Result<Event, RejectionCode> {
    let key = record.key.as_deref();
    let raw = Raw { partition, key, value: &record.value, headers: &record.headers };
    loop {
        match decoder.decode(&raw) {
            Decoded::Event(event) => return Ok(event),
            Decoded::Rejected(rejection) => return Err(rejection.code),
            Decoded::NeedsSchema(key) => {
                let known = shop.schemas.iter().find(|(id, _)| SchemaKey::Id(*id) == key);
                decoder.learn(key, known.map(|(_, text)| text.as_str()).ok_or(NotFound));
            }
        }
    }
}

/// Commits that are switches to other rules.
fn switches<'a>(sets: &'a Sets, commits: &'a [Commit]) -> impl Iterator<Item = &'a Commit> {
    let mut version = sets.first(commits).version;
    commits.iter().filter(move |commit| {
        std::mem::replace(&mut version, commit.rules_version) != commit.rules_version
    })
}

/// Each visitor's changes together: whom a sweep meets when is left open, and so whether what time did meanwhile is told
/// on time.
fn by_visitor(changes: &[Change]) -> Vec<Change> {
    let mut changes = changes.to_vec();
    changes.sort_by(|a, b| a.visitor.cmp(&b.visitor));
    for change in &mut changes {
        if matches!(change.reason.kind, ReasonKind::Deadline | ReasonKind::Forgotten) {
            change.origin = Origin::Live;
        }
    }
    changes
}

fn oracle(sets: &Sets, commits: &[Commit], decided: &[Vec<Decided>]) -> Vec<Change> {
    let settings = tzeva_oracle::Settings {
        max_age: MAX_AGE,
        idle: MAX_AGE,
        ..tzeva_oracle::Settings::default()
    };
    let input = |(time, outcome): &Decided| {
        let event = outcome.as_ref().ok().cloned();
        (*time, event.map(|event| Input { record_time: *time, event }))
    };
    let inputs: Vec<Vec<_>> = decided.iter().map(|all| all.iter().map(input).collect()).collect();
    let mut steps = Vec::new();
    let switches: BTreeSet<_> = switches(sets, commits).map(|commit| commit.seq).collect();
    for (commit, inputs) in commits.iter().zip(&inputs) {
        for (time, input) in inputs {
            steps.push(input.as_ref().map_or(Step::Clock(*time), Step::Record));
        }
        // Of a group the last record has the inputs, and time goes on behind them.
        if !commit.more {
            steps.push(Step::Clock(commit.until));
        }
        if switches.contains(&commit.seq) {
            steps.push(Step::Activate(sets.get(commit.rules_version)));
        }
    }
    // A commit fires what lies before its `until`; the evaluator's last argument is included.
    let until = commits.last().map_or(0, |commit| commit.until.get() - 1);
    tzeva_oracle::run_steps(sets.first(commits), &settings, &steps, UnixMillis::new(until))
}

fn names(sets: &Sets, events: &[&Event]) -> BTreeMap<NameId, String> {
    let products = events.iter().flat_map(|event| &event.items).filter_map(|i| i.product.as_ref());
    let names = events.iter().map(|event| &event.name).chain(products);
    let audiences = sets.audiences().map(|audience| &audience.name);
    names.chain(audiences).map(|name| (name.id(), name.text().to_owned())).collect()
}

fn fold_all(folded: &mut BTreeMap<VisitorId, Profile>, commits: &[Commit]) {
    for commit in commits {
        for delta in &commit.deltas {
            let before = folded.remove(&delta.visitor);
            if let Some(after) = fold(before, delta, commit.seq).unwrap() {
                folded.insert(delta.visitor.clone(), after);
            }
        }
    }
}

fn store_is_the_fold(shop: &Shop, folded: &BTreeMap<VisitorId, Profile>) {
    let there = store(shop);
    for (visitor, profile) in folded {
        assert_eq!(there.get(visitor), Some(profile), "the stored profile of {visitor}");
    }
    let more: Vec<_> = there.keys().filter(|visitor| !folded.contains_key(visitor)).collect();
    assert!(more.is_empty(), "the store has profiles that the log has not: {more:?}");
}

/// Every profile of the store.
pub(crate) fn store(shop: &Shop) -> BTreeMap<VisitorId, Profile> {
    let (sender, replies) = mpsc::channel();
    let sink = Arc::new(move |reply| drop(sender.send(reply)));
    let mut store = tzeva_redis::connect(&shop.redis, sink).unwrap().store;
    let mut profiles = BTreeMap::new();
    for shard in shop.partitions().flat_map(|p| p.shards(shop.wanted.partitions)) {
        let mut cursor = Some(0);
        while let Some(at) = cursor {
            store.scan(Partition::new(0), Ticket(1), shard, at);
            let StoreReply::Scanned(_, _, page) = replies.recv().unwrap() else {
                panic!("a scan was answered by something else")
            };
            let page = page.unwrap();
            let decode =
                |(visitor, bytes): (_, Vec<u8>)| (visitor, stored::decode(&bytes).unwrap());
            profiles.extend(page.profiles.into_iter().map(decode));
            cursor = page.next;
        }
    }
    profiles
}

/// Every rejected record is a dead letter with its code, and nothing else is.
fn dead_letters(shop: &Shop, expected: &BTreeMap<Letter, SourceRecord>) {
    let mut there = BTreeMap::new();
    for partition in shop.partitions() {
        for record in shop.admin.read_dead_letters(partition).unwrap() {
            let record = record.unwrap();
            let header = |name: &str| {
                let found = record.headers.iter().find(|(key, _)| key == name);
                let (_, value) =
                    found.unwrap_or_else(|| panic!("no header {name}: {:?}", record.headers));
                String::from_utf8(value.clone()).unwrap()
            };
            for name in
                ["dlq.stage", "dlq.error", "dlq.attempts", "dlq.app_version", "dlq.rules_version"]
            {
                assert!(!header(name).is_empty(), "{name}");
            }
            let place = ["dlq.topic", "dlq.partition", "dlq.offset", "dlq.code"].map(header);
            let [topic, partition, offset, code] = place;
            there.insert((topic, partition, offset, code), record.clone());
        }
    }
    let keys =
        |letters: &BTreeMap<Letter, SourceRecord>| letters.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&there), keys(expected), "the dead letters");
    for (place, original) in expected {
        let letter = &there[place];
        assert_eq!(letter.key, original.key, "{place:?}");
        assert!(letter.value == original.value, "{place:?}: not the original's value");
    }
}

/// Compares two lists; a failure shows the first difference alone.
pub(crate) fn assert_same<T: PartialEq + std::fmt::Debug>(
    partition: Partition,
    what: &str,
    left: &[T],
    right: &[T],
) {
    if left == right {
        return;
    }
    let at = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    panic!(
        "{what} differ in partition {partition} at {at} of {} and {}:\n{:#?}\n{:#?}",
        left.len(),
        right.len(),
        left.get(at),
        right.get(at)
    );
}
