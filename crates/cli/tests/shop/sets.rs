//! The rule sets that were published to a shop's topic.

use super::Shop;
use super::judge::Follower;
use std::sync::Arc;
use tzeva_audience::{Audience, RuleSet, compile};
use tzeva_commit::Commit;
use tzeva_kafka::RulesTopic;
use tzeva_model::{Change, RulesVersion};

/// Each under the version it was published with; the first one is what a log begins with.
pub(crate) struct Sets(Vec<Arc<RuleSet>>);

impl Shop {
    /// True if every partition is under the rules that count, and none of them sweeps.
    pub(crate) fn is_settled(&self) -> bool {
        let (book, _) = RulesTopic::new(&self.kafka).unwrap().read().unwrap();
        let head = book.head().unwrap().version;
        self.partitions().all(|partition| {
            let mut follower = Follower::new();
            follower.read(self, partition);
            let last = follower.log.commits.pop();
            last.is_some_and(|last| last.rules_version == head && last.sweep.is_none())
        })
    }
}

impl Sets {
    /// Reads and compiles them; where nothing was published, the shop's own.
    pub(crate) fn of(shop: &Shop) -> Self {
        let (book, _) = RulesTopic::new(&shop.kafka).unwrap().read().unwrap();
        let set = |publication: &Arc<tzeva_rulebook::Publication>| {
            let rules = compile(&publication.files, &shop.check_settings()).rules.unwrap();
            Arc::new(RuleSet { version: publication.version, ..rules })
        };
        let sets: Vec<_> = book.chain().iter().map(set).collect();
        Self(if sets.is_empty() { vec![Arc::clone(&shop.rules)] } else { sets })
    }

    /// The set of this version.
    pub(crate) fn get(&self, version: RulesVersion) -> &RuleSet {
        let set = self.0.iter().find(|set| set.version == version);
        set.unwrap_or_else(|| panic!("rules {version:?} were never published"))
    }

    /// The set that a log with these commits begins with: what the first commit was decided under, or what was in force
    /// before it if it is a switch.
    pub(crate) fn first(&self, commits: &[Commit]) -> &RuleSet {
        let Some(first) = commits.first() else { return &self.0[0] };
        match &first.sweep {
            Some(sweep) if sweep.met.is_none() => self.get(sweep.former),
            _ => self.get(first.rules_version),
        }
    }

    /// All audiences, also of sets that nobody switched to.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &Audience> {
        self.0.iter().flat_map(|set| &set.audiences)
    }

    /// The audience that a change is about, as it read when the change was decided.
    pub(crate) fn audience(&self, change: &Change) -> &Audience {
        let same =
            |a: &&Audience| a.name.id() == change.audience && a.version == change.audience_version;
        self.audiences().find(same).unwrap_or_else(|| panic!("{change:?} is of no audience"))
    }
}
