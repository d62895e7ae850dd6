//! What two rule sets say differently.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tzeva_audience::{Audience, Paint, RuleSet};
use tzeva_model::NameId;

/// What differs between rules that hold and rules that shall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// Names, sorted; so for the others.
    pub added: Vec<String>,
    /// Which parts of an audience differ: `enter`, `exit_when`, policies; only `text` if it means the same.
    pub edited: BTreeMap<String, Vec<String>>,
    /// Names of audiences that would be gone.
    pub removed: Vec<String>,
    /// How many audiences are as they were.
    pub unchanged: usize,
    /// What of the paint differs, a line each.
    pub paint: Vec<String>,
}

// === impl Differences ===

impl Differences {
    /// From the rules that hold, if there are any, to those that shall.
    #[must_use]
    pub fn between(old: Option<&RuleSet>, new: &RuleSet) -> Self {
        let held: BTreeMap<NameId, &Audience> = old
            .into_iter()
            .flat_map(|old| &old.audiences)
            .map(|held| (held.name.id(), held))
            .collect();
        let mut differences = Self::default();
        let mut kept = Vec::new();
        for audience in &new.audiences {
            let name = audience.name.text().to_owned();
            kept.push(audience.name.id());
            match held.get(&audience.name.id()).map(|held| parts(held, audience)) {
                None => differences.added.push(name),
                Some(parts) if parts.is_empty() => differences.unchanged += 1,
                Some(parts) => {
                    differences.edited.insert(name, parts);
                }
            }
        }
        let removed = held.iter().filter(|(id, _)| !kept.contains(id));
        differences.removed = removed.map(|(_, held)| held.name.text().to_owned()).collect();
        differences.added.sort_unstable();
        differences.removed.sort_unstable();
        if let Some(old) = old {
            differences.paint = paint(&old.paint, &new.paint);
        }
        differences
    }

    /// Tells whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { added, edited, removed, unchanged: _, paint } = self;
        added.is_empty() && edited.is_empty() && removed.is_empty() && paint.is_empty()
    }
}

/// What differs between two audiences of one name.
fn parts(old: &Audience, new: &Audience) -> Vec<String> {
    let all = [
        ("enter", old.enter != new.enter),
        ("exit_when", old.exit_when != new.exit_when),
        ("enter_after", old.enter_after != new.enter_after),
        ("stay.at_least", old.stay.at_least != new.stay.at_least),
        ("stay.at_most", old.stay.at_most != new.stay.at_most),
        ("reenter_after", old.reenter_after != new.reenter_after),
        (
            "text",
            (&old.describe, &old.owner, &old.labels) != (&new.describe, &new.owner, &new.labels),
        ),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part.to_owned()).collect()
}

/// What differs in how events paint.
fn paint(old: &Paint, new: &Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let (was, is) = (old.half_life, new.half_life);
    for (level, was, is) in [
        ("shop", was.shop, is.shop),
        ("brand", was.brand, is.brand),
        ("category", was.category, is.category),
        ("product", was.product, is.product),
    ] {
        if was != is {
            lines.push(format!("half_life.{level}: {was} becomes {is}"));
        }
    }
    let (was, is) = (old.forget_below, new.forget_below);
    if was.to_bits() != is.to_bits() {
        lines.push(format!("forget_below: {was} becomes {is}"));
    }
    let (was, is) = (old.falloff.category, new.falloff.category);
    if was.to_bits() != is.to_bits() {
        lines.push(format!("falloff.category: {was} becomes {is}"));
    }
    let moved = new.events.iter().filter(|event| !old.events.contains(event)).count();
    let gone =
        old.events.iter().filter(|event| new.events.iter().all(|other| other.event != event.event));
    let gone = gone.count();
    if moved + gone > 0 {
        lines.push(format!("events: {moved} new or with other weights, {gone} no longer paint"));
    }
    lines
}
