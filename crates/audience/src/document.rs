//! Audience documents: the top-level keys and the policies.

use crate::canonical::version;
use crate::check::{Checker, Shape, ZeroOk, head, shortened};
use crate::code::Code;
use crate::problem::At;
use crate::tree::{Kind, Tree};
use crate::{Audience, Leaf, Node, Stay};
use tzeva_model::{Millis, Name, NameKind};

pub(crate) const AUDIENCE: Shape = Shape {
    noun: "an audience",
    keys: &[
        "audience",
        "describe",
        "owner",
        "labels",
        "enter",
        "exit_when",
        "enter_after",
        "stay",
        "reenter_after",
    ],
    later: &["per", "percentile", "holdout", "date", "consent", "destinations"],
};
pub(crate) const STAY: Shape = Shape { noun: "`stay`", keys: &["at_least", "at_most"], later: &[] };

/// The longest name of an audience, in bytes: it becomes part of keys, paths and metrics.
pub(crate) const MAX_NAME: usize = 100;
/// The most leaves of one audience: a place counts them in 16 bits, and nobody reads more.
const MAX_LEAVES: usize = 1_000;

/// Places in an audience document.
pub(crate) struct Places {
    /// Of the leaves of `enter`, then those of `exit_when`.
    pub(crate) leaves: Vec<At>,
    pub(crate) exit_when: Option<At>,
}

impl Checker<'_> {
    /// Reads an audience document. Its name comes back even if the rest can't be read.
    pub(crate) fn audience(&mut self, tree: &Tree) -> (Option<(Name, At)>, Option<Audience>) {
        let Some(entries) = self.entries(tree, &AUDIENCE) else { return (None, None) };
        let name = entries.get("audience").and_then(|tree| self.audience_name(tree));
        let describe = entries.get("describe").map(|tree| self.prose(tree, "`describe`"));
        let owner = entries.get("owner").map(|tree| self.prose(tree, "`owner`"));
        let labels = entries.get("labels").map_or(Some(Vec::new()), |tree| self.labels(tree));
        let mut places = Places { leaves: Vec::new(), exit_when: entries.key_at("exit_when") };
        let enter = self.required(&entries, "enter", "an audience");
        let enter = enter.and_then(|tree| self.condition(tree, &mut places.leaves));
        let exit_when = match entries.get("exit_when") {
            Some(tree) => self.condition(tree, &mut places.leaves).map(Some),
            None => Some(None),
        };
        let wait = |this: &mut Self, key: &str| match entries.get(key) {
            Some(tree) => this.duration(tree, &format!("`{key}`"), ZeroOk::Yes),
            None => Some(Millis::ZERO),
        };
        let (enter_after, reenter_after) = (wait(self, "enter_after"), wait(self, "reenter_after"));
        let stay = match entries.get("stay") {
            Some(tree) => self.stay(tree, entries.key_at("exit_when")),
            None => Some(Stay::default()),
        };
        let named = name.clone();
        if places.leaves.len() > MAX_LEAVES {
            let message = format!("more than {MAX_LEAVES} leaves in one audience");
            self.refuse(
                Code::TooManyLeaves,
                entries.at,
                message,
                "use lists: `where: { product: [a, b] }`",
            );
            return (named, None);
        }
        self.check_logic(enter.as_ref(), exit_when.as_ref().and_then(Option::as_ref), &places);
        let read = || {
            let mut audience = Audience {
                name: name?.0,
                version: 0,
                describe: describe.unwrap_or(Some(None))?,
                owner: owner.unwrap_or(Some(None))?,
                labels: labels?,
                enter: enter?,
                exit_when: exit_when?,
                enter_after: enter_after?,
                stay: stay?,
                reenter_after: reenter_after?,
            };
            audience.version = version(&audience);
            Some(audience)
        };
        let audience = read();
        if let Some(audience) = &audience {
            self.warn_of_exits(audience, &places);
        }
        (named, audience)
    }

    /// A name: 1-100 lower-case letters, digits, `-`, `_`, `.`; a letter or a digit first.
    fn audience_name(&mut self, tree: &Tree) -> Option<(Name, At)> {
        let text = self.text(tree, "the name of an audience")?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let odd = text.chars().find(|&c| !fits(c));
        let help = "use 1-100 lower-case letters a-z, digits, `-`, `_`, `.`, beginning with a letter or a digit";
        let message = match odd {
            Some(odd) => format!(
                "`{}` can't name an audience: it holds `{}`",
                shortened(text),
                odd.escape_debug()
            ),
            None if text.len() > MAX_NAME => {
                format!("a name of {} characters, at most {MAX_NAME} are allowed", text.len())
            }
            None if text.starts_with(['-', '_', '.']) => {
                format!("`{}` can't name an audience: it begins with a sign", shortened(text))
            }
            None => return Some((Name::new(NameKind::Audience, text), tree.at)),
        };
        let such = proper(text).map_or_else(String::new, |name| format!("such as `{name}`: "));
        self.refuse(Code::BadName, tree.at, message, &format!("{such}{help}"));
        None
    }

    /// Words for people; empty ones are none.
    fn prose(&mut self, tree: &Tree, what: &str) -> Option<Option<String>> {
        match tree.text() {
            Some(text) => {
                let text = text.trim();
                Some((!text.is_empty()).then(|| text.to_owned()))
            }
            None => {
                self.wrong_shape(tree, &format!("a text as {what}"));
                None
            }
        }
    }

    fn labels(&mut self, tree: &Tree) -> Option<Vec<(String, String)>> {
        let Kind::Map(pairs) = &tree.kind else {
            self.wrong_shape(tree, "a mapping of labels, such as `{ team: crm }`");
            return None;
        };
        let mut labels = std::collections::BTreeMap::new();
        let mut whole = true;
        for (key, value) in pairs {
            match (self.text(key, "the key of a label"), self.text(value, "the text of a label")) {
                (Some(key_text), Some(text)) => {
                    if labels.insert(key_text.to_owned(), text.to_owned()).is_some() {
                        let message =
                            format!("the label `{}` stands here twice", shortened(key_text));
                        self.refuse(Code::DuplicateKey, key.at, message, "");
                    }
                }
                _ => whole = false,
            }
        }
        whole.then(|| labels.into_iter().collect())
    }

    fn stay(&mut self, tree: &Tree, exit_when: Option<At>) -> Option<Stay> {
        let entries = self.entries(tree, &STAY)?;
        let at_least = match entries.get("at_least") {
            Some(tree) => self.duration(tree, "`stay.at_least`", ZeroOk::Yes),
            None => Some(Millis::ZERO),
        };
        let at_most = match entries.get("at_most") {
            Some(tree) => self.duration(tree, "`stay.at_most`", ZeroOk::No).map(Some),
            None => Some(None),
        };
        if let (Some(_), Some(at)) = (exit_when, entries.key_at("at_least")) {
            let message = "`stay.at_least` beside `exit_when`, which ends a stay at once";
            let help = "with `exit_when` the entry condition alone never ends a stay: leave `at_least` out";
            self.refuse(Code::AtLeastBesideExitWhen, at, message, help);
        }
        if let (Some(least), Some(Some(most)), Some(at)) =
            (at_least, at_most, entries.key_at("at_least"))
            && least > most
        {
            let message = format!("a stay of at least {least} and at most {most}");
            self.refuse(Code::AtLeastOverAtMost, at, message, "make `at_least` the shorter one");
        }
        Some(Stay { at_least: at_least?, at_most: at_most? })
    }

    /// Warns of exits that are likely to disappoint.
    fn warn_of_exits(&mut self, audience: &Audience, places: &Places) {
        let Some(exit_when) = &audience.exit_when else { return };
        let at = places.exit_when.unwrap_or(At { file: 0, start: 0, end: 0 });
        if audience.stay.at_most.is_none() && !time_makes_true(exit_when, true) {
            let message = "only further events end a stay: no `stay.at_most`, and time alone never makes `exit_when` true";
            let help = "add `stay: { at_most: 30d }`, or somebody who never comes back stays until the profile ends";
            self.refuse(Code::ExitNotByTime, at, message, help);
        }
        let mut negated = Vec::new();
        negated_after(&audience.enter, true, &mut negated);
        let mut place = 0;
        audience.enter.each_leaf(&mut |_| place += 1);
        let mut hits = Vec::new();
        exit_when.each_leaf(&mut |leaf| {
            if let Leaf::Event(event) = leaf
                && event.within.is_some()
                && negated.contains(&event.name.text())
            {
                hits.push((place, event.name.text().to_owned()));
            }
            place += 1;
        });
        for (place, event) in hits {
            let at = places.leaves.get(place).copied().unwrap_or(at);
            let message = format!(
                "`exit_when` looks at `{event}` with `within`, `enter` at what comes `after`"
            );
            let help = format!(
                "an old `{event}` keeps everybody out until it leaves the window: write `after: last ...` here as in `enter`"
            );
            self.refuse(Code::ExitWithinAfter, at, message, &help);
        }
    }
}

/// A name that an audience may have, near to one that none may.
fn proper(text: &str) -> Option<String> {
    let lower = |c: char| match c {
        'a'..='z' | '0'..='9' | '_' | '.' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '-',
    };
    let words: String = text.chars().map(lower).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    let name = name.trim_start_matches(['_', '.', '-']);
    (!name.is_empty() && name.len() <= MAX_NAME).then(|| name.to_owned())
}

/// Where an unreadable document is pointed at.
pub(crate) fn first_key(tree: &Tree) -> Option<(&str, At)> {
    match &tree.kind {
        Kind::Map(pairs) => pairs.first().and_then(|(key, _)| Some((key.text()?, head(key)))),
        _ => None,
    }
}

/// Events that `enter` negates with `after`.
fn negated_after<'a>(node: &'a Node, upright: bool, found: &mut Vec<&'a str>) {
    match node {
        Node::All(nodes) | Node::Any(nodes) => {
            nodes.iter().for_each(|node| negated_after(node, upright, found));
        }
        Node::Not(node) => negated_after(node, !upright, found),
        Node::Leaf(Leaf::Event(event)) if !upright && event.after.is_some() => {
            found.push(event.name.text());
        }
        Node::Leaf(_) => {}
    }
}

/// Tells whether a leaf in there can become `wanted` with no event, by a window that is written down or by fading.
fn time_makes_true(node: &Node, wanted: bool) -> bool {
    match node {
        Node::All(nodes) | Node::Any(nodes) => {
            nodes.iter().any(|node| time_makes_true(node, wanted))
        }
        Node::Not(node) => time_makes_true(node, !wanted),
        Node::Leaf(Leaf::Last(last)) => last.at_least == wanted,
        Node::Leaf(Leaf::Interest(interest)) => interest.at_least != wanted,
        // Whichever way: a term that leaves the window may be negative.
        Node::Leaf(Leaf::Sum(sum)) => sum.within.is_some(),
        Node::Leaf(Leaf::Sequence(sequence)) => sequence.within.is_some() && !wanted,
        // Time may make the other audience let somebody in or out.
        Node::Leaf(Leaf::In(_)) => true,
        Node::Leaf(Leaf::Rank(_) | Leaf::Share(_) | Leaf::Trait(_)) => false,
        Node::Leaf(Leaf::Event(event)) => {
            let (low, high) = event.count.range();
            let falls_in = high < u64::from(u32::MAX);
            event.within.is_some() && if wanted { falls_in } else { low > 0 }
        }
    }
}
