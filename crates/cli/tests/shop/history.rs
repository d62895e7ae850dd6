//! The same history by `tzeva backtest`: the same engine without a painter, a log or servers around it.

use super::Shop;
use super::judge::{Verdicts, assert_same};
use super::painter::run;
use super::told::Told;
use std::path::Path;
use tzeva_model::{UnixMillis, VisitorId};

/// Runs a file of events through `tzeva backtest` up to the last commit, and compares change by change what came of it with
/// what the live run published. Every event must have been recorded at the instant at which it occurred: a backtest knows
/// of no other, and no file says in which order two topics' events of one instant and visitor came.
pub(crate) fn agrees(shop: &Shop, events: &Path, verdicts: &Verdicts) {
    // A commit fires what lies before its `until`, and `--until` is included.
    let ends: Vec<UnixMillis> = verdicts.untils.iter().map(|until| before(*until)).collect();
    let until = ends.iter().max().unwrap().to_string();
    let changes = shop.folder.path().join("backtest.ndjson");
    let audiences = shop.wanted.audiences.display().to_string();
    let mut arguments = vec!["backtest", "--audiences", &audiences, "--until", &until];
    arguments.extend(["--changes", changes.to_str().unwrap()]);
    arguments.extend(["--events", events.to_str().unwrap()]);
    let end = run(&arguments, &shop.settings_file("backtest.yaml", |_| {}));
    assert_eq!(end.code, Some(0), "{}", end.says);
    let text = std::fs::read_to_string(changes).unwrap();
    let all: Vec<Told> = text.lines().map(|line| Told::parse(line.as_bytes())).collect();
    let count = shop.wanted.partitions;
    for (partition, end) in shop.partitions().zip(ends) {
        let here = |told: &&Told| {
            let visitor = VisitorId::try_new(&told.visitor).unwrap();
            visitor.partition(count) == partition && instant(&told.effective_at) <= end
        };
        let replayed = all.iter().filter(here);
        let live = verdicts.changes.iter().filter(here);
        assert_same(
            partition,
            "the backtest and the live run",
            &by_visitor(replayed),
            &by_visitor(live),
        );
    }
}

/// Each visitor's changes in the order in which they were decided, without what only a partition's log gives them.
fn by_visitor<'a>(changes: impl Iterator<Item = &'a Told>) -> Vec<Told> {
    let bare = |told: &Told| Told { n: 0, decided_at: String::new(), ..told.clone() };
    let mut changes: Vec<Told> = changes.map(bare).collect();
    // Stable: within a visitor nothing moves.
    changes.sort_by(|a, b| a.visitor.cmp(&b.visitor));
    changes
}

fn before(until: UnixMillis) -> UnixMillis {
    UnixMillis::new(until.get() - 1)
}

fn instant(text: &str) -> UnixMillis {
    let instant: jiff::Timestamp = text.parse().unwrap();
    UnixMillis::new(instant.as_millisecond())
}
