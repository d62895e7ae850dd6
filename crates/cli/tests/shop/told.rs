//! Changes as the outside is told of them: what the slow evaluator makes of them, and what the topic holds.

use super::Shop;
use super::sets::Sets;
use serde_json::Value;
use std::collections::BTreeMap;
use tzeva_commit::Commit;
use tzeva_model::{Change, NameId, Partition, Place};

/// A change in words, without what only rendering decides (its id, its sentence).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub visitor: String,
    pub effective_at: String,
    pub audience: String,
    pub change: String,
    pub n: u64,
    pub version: String,
    pub decided_at: String,
    pub origin: String,
    pub kind: String,
    pub leaf: String,
    pub exact: bool,
    pub evidence: Vec<(String, String, Option<String>)>,
    pub cause: Option<(String, String, String)>,
}

// === impl Told ===

impl Told {
    /// The changes of a partition as they must be published.
    pub(crate) fn all(
        sets: &Sets,
        names: &BTreeMap<NameId, String>,
        commits: &[Commit],
        changes: &[Change],
    ) -> Vec<Self> {
        let decided = commits.iter().flat_map(|c| c.changes.iter().map(|_| c.clock.to_string()));
        let told = |((change, decided_at), n)| Self::of(sets, names, (change, decided_at, n));
        changes.iter().zip(decided).zip(1..).map(told).collect()
    }

    fn of(
        sets: &Sets,
        names: &BTreeMap<NameId, String>,
        (change, decided_at, n): (&Change, String, u64),
    ) -> Self {
        let name =
            |id: NameId| names.get(&id).cloned().unwrap_or_else(|| panic!("{id} was never fed"));
        let reason = &change.reason;
        let audience = sets.audience(change);
        // Of an audience that is gone there is no place in a file.
        let gone = reason.place == Place::Audience;
        let leaf = if gone { String::new() } else { audience.path(reason.place) };
        let evidence = reason.evidence.iter();
        let cause = reason.cause.as_ref();
        Self {
            visitor: change.visitor.to_string(),
            effective_at: change.effective_at.to_string(),
            audience: audience.name.text().to_owned(),
            change: change.direction.word().to_owned(),
            n,
            version: format!("{:08x}", change.audience_version),
            decided_at,
            origin: change.origin.word().to_owned(),
            kind: reason.kind.word().to_owned(),
            leaf,
            exact: reason.exact,
            evidence: evidence
                .map(|e| (name(e.event), e.at.to_string(), e.product.map(name)))
                .collect(),
            cause: cause.map(|c| (c.id.as_str().to_owned(), name(c.name), c.time.to_string())),
        }
    }

    /// Reads the published form.
    pub(crate) fn parse(json: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(json).unwrap();
        let reason = &value["reason"];
        assert!(!text(&reason["text"]).is_empty(), "{value}");
        let evidence = |e: &Value| {
            let product = e.get("product").map(text);
            (text(&e["event"]), text(&e["at"]), product)
        };
        let cause = &reason["cause"];
        let cause = (!cause.is_null())
            .then(|| (text(&cause["id"]), text(&cause["name"]), text(&cause["time"])));
        Self {
            visitor: text(&value["visitor"]),
            effective_at: text(&value["effective_at"]),
            audience: text(&value["audience"]),
            change: text(&value["change"]),
            n: value["n"].as_u64().unwrap(),
            version: text(&value["audience_version"]),
            decided_at: text(&value["decided_at"]),
            origin: text(&value["origin"]),
            kind: text(&reason["kind"]),
            leaf: text(&reason["leaf"]),
            exact: reason["exact"].as_bool().unwrap(),
            evidence: reason["evidence"].as_array().unwrap().iter().map(evidence).collect(),
            cause,
        }
    }
}

/// What the changes topic holds, repeats dropped by n, and how many those were.
pub(crate) fn published(shop: &Shop, partition: Partition) -> (Vec<Told>, usize) {
    let mut seen: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let (mut highest, mut repeated) = (0, 0);
    for record in shop.admin.read_changes(partition).unwrap() {
        let record = record.unwrap();
        let header = |name: &str| {
            let (_, value) = record.headers.iter().find(|(key, _)| key == name).unwrap();
            String::from_utf8(value.clone()).unwrap()
        };
        let n: u64 = header("tzeva_n").parse().unwrap();
        assert!(n <= highest + 1, "n {n} overtook {} in partition {partition}", highest + 1);
        assert_eq!(header("tzeva_partition"), partition.to_string());
        assert_eq!(header("ce_specversion"), "1.0");
        highest = highest.max(n);
        if let Some(first) = seen.get(&n) {
            assert!(*first == record.value, "a repeat of n {n} has other bytes");
            repeated += 1;
        }
        let told = Told::parse(&record.value);
        assert_eq!(told.n, n);
        assert_eq!(record.key.as_deref(), Some(told.visitor.as_bytes()));
        assert_eq!(header("ce_time"), told.effective_at);
        assert_eq!(header("ce_type"), format!("tzeva.audience.{}.v1", told.change));
        seen.entry(n).or_insert(record.value);
    }
    (seen.values().map(|value| Told::parse(value)).collect(), repeated)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
