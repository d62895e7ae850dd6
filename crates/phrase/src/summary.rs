//! What a rule set costs and shares, for people who write rules.
//!
//! An event wakes only the audiences whose truth it can change, so what an audience costs is how often it is woken. Two
//! audiences that say the same of a visitor share that clause: it is decided once.

use crate::leaf_words;
use std::collections::BTreeMap;
use tzeva_audience::{Audience, Leaf, RankLeaf, RuleSet, SequenceLeaf, ShareLeaf, leaf_key};
use tzeva_model::Millis;

/// Events of people who only look; they make up most of a shop's traffic.
const BROWSING: [&str; 4] =
    ["page_viewed", "product_viewed", "product_list_viewed", "products_searched"];
/// How many audiences that share a clause are named.
const NAMED: usize = 3;

/// A rule set as `audience check` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSetSummary {
    /// Every audience, in the order of the rule set.
    pub audiences: Vec<AudienceSummary>,
    /// How many leaves there are in all.
    pub leaves: usize,
    /// How many different clauses they come down to.
    pub clauses: usize,
}

/// One audience.
#[derive(Clone, Debug, PartialEq)]
pub struct AudienceSummary {
    /// Its name.
    pub name: String,
    /// Its version, eight hex digits.
    pub version: String,
    /// Its leaves, in document order.
    pub leaves: Vec<LeafSummary>,
    /// Its policies in words: `exit_when`, `stay at most 7d`.
    pub policies: Vec<String>,
    /// What time alone can decide; empty: it needs no deadlines.
    pub deadlines: Vec<String>,
    /// How often events wake it.
    pub cost: Cost,
}

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafSummary {
    /// Its path in the audience file.
    pub path: String,
    /// What it says, in one line.
    pub words: String,
    /// How many other audiences say the same.
    pub shared_by: usize,
    /// The first few of them, sorted by name.
    pub shared_with: Vec<String>,
}

/// How often events wake an audience: the class of its widest leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cost {
    /// Only by events that are rare, or about few products.
    Cheap,
    /// By looking around in a part of the shop.
    Medium,
    /// By nearly every event of every visitor.
    Wide,
}

// === impl Cost ===

impl Cost {
    /// The word that people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cheap => "cheap",
            Self::Medium => "medium",
            Self::Wide => "wide",
        }
    }
}

/// Describes what was compiled.
#[must_use]
pub fn summary(rules: &RuleSet) -> RuleSetSummary {
    let mut clauses: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut leaves = 0;
    for (index, audience) in rules.audiences.iter().enumerate() {
        for (_, leaf) in audience.leaves() {
            leaves += 1;
            let holders = clauses.entry(leaf_key(leaf)).or_default();
            if holders.last() != Some(&index) {
                holders.push(index);
            }
        }
    }
    let audiences = rules.audiences.iter().enumerate();
    let audiences = audiences.map(|(index, audience)| describe(rules, (index, audience), &clauses));
    RuleSetSummary { audiences: audiences.collect(), leaves, clauses: clauses.len() }
}

fn describe(
    rules: &RuleSet,
    (index, audience): (usize, &Audience),
    clauses: &BTreeMap<String, Vec<usize>>,
) -> AudienceSummary {
    let leaves = audience.leaves();
    let cost = leaves.iter().map(|(_, leaf)| cost(leaf)).max().unwrap_or(Cost::Cheap);
    let deadlines = deadlines(audience);
    let summary = |(path, leaf): (String, &Leaf)| {
        let holders = clauses.get(&leaf_key(leaf)).map(Vec::as_slice).unwrap_or_default();
        let others = holders.iter().filter(|&&holder| holder != index).take(NAMED);
        LeafSummary {
            path,
            words: leaf_words(leaf),
            shared_by: holders.len().saturating_sub(1),
            shared_with: others.map(|&i| rules.audiences[i].name.text().to_owned()).collect(),
        }
    };
    AudienceSummary {
        name: audience.name.text().to_owned(),
        version: format!("{:08x}", audience.version),
        leaves: leaves.into_iter().map(summary).collect(),
        policies: policies(audience),
        deadlines,
        cost,
    }
}

fn cost(leaf: &Leaf) -> Cost {
    let (event, filter) = match leaf {
        Leaf::Trait(_) | Leaf::In(_) => return Cost::Cheap,
        Leaf::Rank(RankLeaf { text, .. }) | Leaf::Share(ShareLeaf { text, .. }) => {
            return if text.starts_with("product/") { Cost::Cheap } else { Cost::Medium };
        }
        // An event in its course can only be the last step.
        Leaf::Sequence(SequenceLeaf { steps, .. }) => match steps.last() {
            Some(step) => (&step.name, &step.filter),
            None => return Cost::Cheap,
        },
        Leaf::Interest(interest) if interest.text == "shop" => return Cost::Wide,
        Leaf::Interest(interest) if interest.text.starts_with("product/") => return Cost::Cheap,
        Leaf::Interest(_) => return Cost::Medium,
        Leaf::Event(event) => (&event.name, &event.filter),
        Leaf::Sum(sum) => (&sum.event, &sum.filter),
        Leaf::Last(last) => (&last.event, &last.filter),
    };
    let narrowed = !(filter.item.is_empty() && filter.event.is_empty());
    match (BROWSING.contains(&event.text()), narrowed) {
        (true, false) => Cost::Wide,
        (true, true) => Cost::Medium,
        (false, _) => Cost::Cheap,
    }
}

fn deadlines(audience: &Audience) -> Vec<String> {
    let leaves = audience.leaves();
    let mut needed: Vec<String> = leaves
        .into_iter()
        .filter(|(_, leaf)| match leaf {
            Leaf::Event(event) => event.within.is_some(),
            Leaf::Sum(sum) => sum.within.is_some(),
            Leaf::Sequence(sequence) => sequence.within.is_some(),
            Leaf::Last(_) | Leaf::Interest(_) => true,
            Leaf::Rank(_) | Leaf::Share(_) | Leaf::Trait(_) | Leaf::In(_) => false,
        })
        .map(|(path, _)| path)
        .collect();
    let stay = audience.stay;
    for (needs, path) in [
        (audience.enter_after > Millis::ZERO, "enter_after"),
        (stay.at_least > Millis::ZERO, "stay.at_least"),
        (stay.at_most.is_some(), "stay.at_most"),
        (audience.reenter_after > Millis::ZERO, "reenter_after"),
    ] {
        if needs {
            needed.push(path.to_owned());
        }
    }
    needed
}

fn policies(audience: &Audience) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |said: bool, text: String| {
        if said {
            words.push(text);
        }
    };
    let stay = audience.stay;
    add(audience.exit_when.is_some(), "leaves as soon as exit_when holds".into());
    let (after, again) = (audience.enter_after, audience.reenter_after);
    add(after > Millis::ZERO, format!("enters after {after}"));
    add(stay.at_least > Millis::ZERO, format!("stays at least {}", stay.at_least));
    let most = stay.at_most.unwrap_or(Millis::ZERO);
    add(stay.at_most.is_some(), format!("stays at most {most}"));
    add(again > Millis::ZERO, format!("enters again after {again}"));
    words
}
