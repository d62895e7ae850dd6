//! What must hold after a run, whatever broke.
//!
//! 1. The inputs of the commits that count cover every source offset once; `until` never decreases; seq and n are dense.
//! 2. The meaning of each commit, recomputed by the engine from its ranges, gives equal deltas and changes.
//! 3. The store is the fold of the log.
//! 4. The published changes, filtered by n, are the logged ones; entered and exited alternate.
//! 5. No deadline fired early and none is missing: (6) covers it, as every instant is compared.
//! 6. The independent slow evaluator agrees on every change.
//! 7. Every name that an applied event carried can be looked up.
//! 8. Every record that could not be applied is a dead letter of a commit that counts, and is published with its original;
//!    nothing else is.
//! 9. What a marker names is a commit that counts. No record is larger than the settings say.

use crate::process::Run;
use crate::rules::{self, Following};
use crate::shop::{COUNT, PARTITIONS};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_commit::port::{Outgoing, SourceRecord};
use tzeva_commit::{Commit, LogRecord, decode};
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_engine::{Draft, Engine, Rules};
use tzeva_model::{
    Change, Direction, Event, Name, NameKind, Origin, Partition, ReasonKind, RulesVersion,
    TopicIndex, UnixMillis, VisitorId,
};
use tzeva_oracle::{Input, Step};
use tzeva_profile::{Profile, fold, stored};
use tzeva_testkit::readback::{Counting, covers_every_record_once};

/// What a commit's records held, with their record times.
type Events = Vec<(UnixMillis, Option<Event>)>;

/// Checks everything; how many records of counting commits the next one goes on with.
pub(crate) fn all(run: &Run) -> u64 {
    let mut cut = 0;
    assert_eq!(run.refused, Vec::<String>::new(), "nothing may be refused");
    for partition in PARTITIONS {
        let commits = counting(run, partition);
        let topics = [0, 1].map(|topic| run.world.source(TopicIndex::new(topic), partition).len());
        covers_every_record_once(&commits, &topics);
        let events = events(run, partition, &commits);
        let first = rules::first(run, partition);
        meaning_recomputed(run, first, (&commits, &events));
        store_is_the_fold(run, partition, &commits);
        published_is_what_was_logged(run, partition, &commits);
        oracle_agrees(run, first, (&commits, &events));
        let in_force = commits.iter().map(|commit| commit.rules_version).collect();
        names_are_told(run, &events, in_force);
        what_was_refused_is_published(run, partition, &commits);
        markers_name_what_counts(run, partition, &commits);
        cut += commits.iter().filter(|commit| commit.more).count() as u64;
    }
    cut
}

/// Nobody's time went past a record that was there, seen or not: each is decided at its own time. (Not so where clocks
/// of brokers differ.)
pub(crate) fn no_record_is_behind_engine_time(run: &Run) {
    for partition in PARTITIONS {
        let mut until = UnixMillis::MIN;
        for commit in counting(run, partition) {
            for range in &commit.inputs {
                let records = run.world.source(range.topic, partition);
                for record in
                    records.iter().filter(|r| r.offset >= range.from && r.offset < range.next)
                {
                    assert!(record.time >= until, "a record of {} at {until}", record.time);
                }
            }
            // The records of a group say its `until`, and the last one its inputs.
            if !commit.more {
                until = commit.until;
            }
        }
    }
}

/// The commits that count.
pub(crate) fn counting(run: &Run, partition: Partition) -> Vec<Commit> {
    run.world.log(partition).into_iter().collect::<Counting>().commits
}

/// The events of each commit, in the order that its meaning gives them, with their record times.
fn events(
    run: &Run,
    partition: Partition,
    commits: &[Commit],
) -> Vec<Vec<(UnixMillis, Option<Event>)>> {
    let decode = tzeva_decode::Settings { partitions: COUNT, ..tzeva_decode::Settings::default() };
    let mut decoder = Decoder::new(&decode).unwrap();
    let topics: Vec<Vec<SourceRecord>> =
        (0u8..2).map(|topic| run.world.source(TopicIndex::new(topic), partition)).collect();
    let mut of = |commit: &Commit| {
        let mut records = Vec::new();
        for range in &commit.inputs {
            let topic = &topics[usize::from(range.topic.get())];
            let inside = topic.iter().filter(|r| r.offset >= range.from && r.offset < range.next);
            records.extend(inside.map(|record| (record.time, range.topic, record.offset, record)));
        }
        records.sort_by_key(|&(time, topic, offset, _)| (time, topic, offset));
        let event = |record: &SourceRecord, decoder: &mut Decoder| {
            let key = record.key.as_deref();
            match decoder.decode(&Raw { partition, key, value: &record.value, headers: &[] }) {
                Decoded::Event(event) => Some(event),
                _ => None,
            }
        };
        records
            .into_iter()
            .map(|(time, _, _, record)| (time, event(record, &mut decoder)))
            .collect()
    };
    commits.iter().map(&mut of).collect()
}

fn meaning_recomputed(run: &Run, first: &Rules, (commits, events): (&[Commit], &[Events])) {
    let mut engine = Engine::under(first.clone(), run.settings.engine.clone(), UnixMillis::new(0));
    let mut rules = Following::new(run);
    let mut group: (Vec<tzeva_profile::Delta>, Vec<Change>) = Default::default();
    for (commit, events) in commits.iter().zip(events) {
        group.0.extend(commit.deltas.iter().cloned());
        group.1.extend(commit.changes.iter().cloned());
        if commit.more {
            assert!(events.is_empty(), "only the last record of a group moves the inputs");
            continue;
        }
        let mut draft = Draft::default();
        for (time, event) in events {
            engine.fire_until(*time, &mut draft);
            if let Some(event) = event {
                let _ = engine.take(*time, event, &mut draft);
            }
        }
        engine.fire_until(commit.until, &mut draft);
        rules.follow(commit, &mut engine, &mut draft);
        let logged = std::mem::take(&mut group);
        assert_eq!(joined(&logged.0), joined(&draft.deltas), "deltas of commit {}", commit.seq);
        assert_eq!(logged.1, draft.changes, "changes of commit {}", commit.seq);
    }
}

/// Ops by visitor: a delta may be cut between two records of a group.
fn joined(deltas: &[tzeva_profile::Delta]) -> BTreeMap<VisitorId, Vec<tzeva_profile::Op>> {
    let mut all: BTreeMap<VisitorId, Vec<tzeva_profile::Op>> = BTreeMap::new();
    for delta in deltas {
        all.entry(delta.visitor.clone()).or_default().extend(delta.ops.iter().cloned());
    }
    all
}

fn store_is_the_fold(run: &Run, partition: Partition, commits: &[Commit]) {
    let mut folded: BTreeMap<VisitorId, Profile> = BTreeMap::new();
    for commit in commits {
        for delta in &commit.deltas {
            let before = folded.remove(&delta.visitor);
            if let Some(after) = fold(before, delta, commit.seq).unwrap() {
                folded.insert(delta.visitor.clone(), after);
            }
        }
    }
    let mut stored = BTreeMap::new();
    for shard in partition.shards(COUNT) {
        for (visitor, bytes) in run.world.shard(shard).profiles {
            stored.insert(visitor, stored::decode(&bytes).unwrap());
        }
    }
    assert_eq!(stored, folded, "the store is the fold of the log");
}

fn published_is_what_was_logged(run: &Run, partition: Partition, commits: &[Commit]) {
    let mut seen: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut highest = 0;
    for published in run.world.published(partition) {
        if let Outgoing::Change { n, value, .. } = published.message {
            assert!(n.get() <= highest + 1, "n {n} overtook {}", highest + 1);
            highest = highest.max(n.get());
            let first = seen.entry(n.get()).or_insert_with(|| value.clone());
            assert_eq!(*first, value, "a repeat of n {n} has the same bytes");
        }
    }
    let logged: Vec<&Change> = commits.iter().flat_map(|commit| &commit.changes).collect();
    assert_eq!(highest, logged.len() as u64, "every change is published");
    let mut standing: BTreeMap<(VisitorId, tzeva_model::NameId), Direction> = BTreeMap::new();
    for (change, value) in logged.iter().zip(seen.values()) {
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains(&format!("\"visitor\":\"{}\"", change.visitor)), "{text}");
        assert!(text.contains(&format!("\"change\":\"{}\"", change.direction.word())), "{text}");
        let key = (change.visitor.clone(), change.audience);
        let before = standing.insert(key, change.direction).unwrap_or(Direction::Exited);
        assert_ne!(before, change.direction, "entered and exited alternate");
    }
}

fn oracle_agrees(run: &Run, first: &Rules, (commits, events): (&[Commit], &[Events])) {
    let engine = &run.settings.engine;
    let settings = tzeva_oracle::Settings {
        max_strokes: engine.max_strokes,
        max_cells: engine.max_cells,
        max_age: engine.max_age,
        max_items: engine.max_items,
        max_total_items: engine.max_total_items,
        idle: engine.idle,
        late_after: engine.late_after,
        currencies: engine.currencies.clone(),
        backtest: false,
    };
    let inputs: Vec<Vec<(UnixMillis, Option<Input>)>> = events
        .iter()
        .map(|events| {
            let input = |(time, event): &(UnixMillis, Option<Event>)| {
                (*time, event.clone().map(|event| Input { record_time: *time, event }))
            };
            events.iter().map(input).collect()
        })
        .collect();
    let mut steps = Vec::new();
    let mut version = first.version();
    for (commit, inputs) in commits.iter().zip(&inputs) {
        for (time, input) in inputs {
            steps.push(input.as_ref().map_or(Step::Clock(*time), Step::Record));
        }
        // Of a group the last record has the inputs, and time goes on behind them.
        if !commit.more {
            steps.push(Step::Clock(commit.until));
        }
        if commit.rules_version != version {
            version = commit.rules_version;
            steps.push(Step::Activate(rules::of(run, version).set()));
        }
    }
    let until = commits.last().map_or(UnixMillis::MIN, |commit| commit.until);
    let before = UnixMillis::new(until.get() - 1);
    let expected = tzeva_oracle::run_steps(first.set(), &settings, &steps, before);
    let mut logged: Vec<Change> =
        commits.iter().flat_map(|commit| commit.changes.clone()).collect();
    if run.published.len() == 1 {
        assert_eq!(logged, expected, "the slow evaluator agrees");
    }
    // Whom a sweep meets when is left open, and so whether what time did since is told on time: each visitor's own
    // changes are not.
    for change in &mut logged {
        if matches!(change.reason.kind, ReasonKind::Deadline | ReasonKind::Forgotten) {
            change.origin = Origin::Live;
        }
    }
    let (ours, theirs) = (by_visitor(&logged), by_visitor(&expected));
    for (visitor, theirs) in &theirs {
        let ours = ours.get(visitor).map_or(&[][..], Vec::as_slice);
        let place = ours.iter().zip(theirs).position(|(a, b)| a != b);
        let place = place.unwrap_or(ours.len().min(theirs.len()));
        assert_eq!(ours.get(place), theirs.get(place), "the slow evaluator agrees on {visitor}");
    }
    assert_eq!(logged.len(), expected.len(), "nobody else moves");
}

fn by_visitor(changes: &[Change]) -> BTreeMap<&VisitorId, Vec<&Change>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    changes.iter().for_each(|change| all.entry(&change.visitor).or_default().push(change));
    all
}

fn names_are_told(run: &Run, events: &[Events], in_force: BTreeSet<RulesVersion>) {
    let names = run.world.names();
    let told = |kind: NameKind, name: &Name| {
        let key = format!("{}/{:016x}", kind.word(), name.id().get());
        assert_eq!(names.get(&key).map(String::as_str), Some(name.text()), "{key}");
    };
    for event in events.iter().flatten().filter_map(|(_, event)| event.as_ref()) {
        told(NameKind::Event, &event.name);
        for item in &event.items {
            item.product.iter().for_each(|name| told(NameKind::Product, name));
            item.brand.iter().for_each(|name| told(NameKind::Brand, name));
        }
    }
    for version in in_force {
        let rules = rules::of(run, version);
        rules.set().audiences.iter().for_each(|audience| told(NameKind::Audience, &audience.name));
    }
}

fn what_was_refused_is_published(run: &Run, partition: Partition, commits: &[Commit]) {
    let decode = tzeva_decode::Settings { partitions: COUNT, ..tzeva_decode::Settings::default() };
    let mut decoder = Decoder::new(&decode).unwrap();
    let mut refused = BTreeSet::new();
    for topic in (0u8..2).map(TopicIndex::new) {
        for record in run.world.source(topic, partition) {
            let key = record.key.as_deref();
            let raw = Raw { partition, key, value: &record.value, headers: &[] };
            if let Decoded::Rejected(rejection) = decoder.decode(&raw) {
                refused.insert((topic, record.offset, rejection.code));
            }
        }
    }
    let letters: Vec<_> = commits.iter().flat_map(|commit| &commit.dead_letters).collect();
    let logged = letters.iter().map(|letter| (letter.topic, letter.offset, letter.code));
    assert_eq!(logged.collect::<BTreeSet<_>>(), refused, "each refused record is logged");
    assert_eq!(letters.len(), refused.len(), "and once");
    let mut published = BTreeSet::new();
    for message in run.world.published(partition) {
        if let Outgoing::DeadLetter { topic, offset, .. } = message.message {
            let original = run.world.source(topic, partition);
            let original = original.into_iter().find(|record| record.offset == offset);
            assert_eq!(message.original, original, "a dead letter has its original");
            published.insert((topic, offset));
        }
    }
    let refused: BTreeSet<_> = refused.into_iter().map(|(topic, at, _)| (topic, at)).collect();
    assert_eq!(published, refused, "each refused record is published");
}

fn markers_name_what_counts(run: &Run, partition: Partition, commits: &[Commit]) {
    let log = run.world.log(partition);
    for entry in &log {
        let limit = run.settings.pace.record_bytes;
        assert!(entry.bytes.len() <= limit, "a record of {} bytes", entry.bytes.len());
    }
    for shard in partition.shards(COUNT) {
        let Some(marker) = run.world.shard(shard).marker else { continue };
        let there = log.iter().find(|entry| entry.offset == marker.offset).unwrap();
        let LogRecord::Commit(there) = decode(&there.bytes).unwrap() else {
            panic!("shard {shard}: {marker:?} names no commit")
        };
        let named = (marker.epoch, marker.seq);
        assert_eq!(named, (there.epoch, there.seq), "shard {shard}: what its marker names");
        assert!(commits.contains(&there), "shard {shard}: {marker:?} names what counts");
    }
}
