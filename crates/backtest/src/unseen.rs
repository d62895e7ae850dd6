//! Events that audiences ask for and that are not in the history: misspelt, or not sent yet.

use crate::names::Names;
use std::collections::BTreeMap;
use std::sync::Arc;
use tzeva_audience::{Leaf, RuleSet};
use tzeva_model::{Name, NameKind};
use tzeva_script::nearest;

/// An event that never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    pub event: String,
    /// The audiences that ask for it.
    pub audiences: Vec<String>,
    /// One that did come and is spelt much alike.
    pub near: Option<String>,
}

/// Events that `rules` name and nothing in `names` stands for, by name.
#[must_use]
pub fn unseen(rules: &[Arc<RuleSet>], names: &Names) -> Vec<Unseen> {
    let mut asked: BTreeMap<&Name, Vec<String>> = BTreeMap::new();
    for audience in rules.iter().flat_map(|rules| &rules.audiences) {
        let leaves = audience.leaves();
        for event in leaves.iter().flat_map(|(_, leaf)| events(leaf)) {
            if names.text(event.id()).is_none() {
                asked.entry(event).or_default().push(audience.name.text().to_owned());
            }
        }
    }
    if asked.is_empty() {
        return Vec::new();
    }
    let seen = names.of_kind(NameKind::Event);
    asked.values_mut().for_each(Vec::dedup);
    let mut told: Vec<_> = asked
        .into_iter()
        .map(|(event, audiences)| Unseen {
            event: event.text().to_owned(),
            audiences,
            near: nearest(event.text(), seen.iter().map(String::as_str)).map(str::to_owned),
        })
        .collect();
    told.sort_by(|a, b| a.event.cmp(&b.event));
    told
}

/// The events that a leaf names.
fn events(leaf: &Leaf) -> Vec<&Name> {
    match leaf {
        Leaf::Event(leaf) => [&leaf.name].into_iter().chain(&leaf.after).collect(),
        Leaf::Sum(leaf) => vec![&leaf.event],
        Leaf::Last(leaf) => vec![&leaf.event],
        Leaf::Sequence(leaf) => leaf.steps.iter().map(|step| &step.name).collect(),
        Leaf::Interest(_) | Leaf::Rank(_) | Leaf::Share(_) | Leaf::Trait(_) | Leaf::In(_) => vec![],
    }
}
