//! How a visitor stands in an audience, as people and programs read it: the tree of the rule, and one sentence.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use tzeva_audience::{Audience, Compare, CountTest, Found, Leaf, Node, RuleSet};
use tzeva_engine::{Engine, Explained, Settings, Told, explain_in};
use tzeva_model::{Change, Direction, Evidence, Millis, NameId, UnixMillis, VisitorId};
use tzeva_phrase::{leaf_words, sentence};
use tzeva_profile::{Profile, State};

/// What an explanation is made with.
pub struct Explaining<'a> {
    /// The rules to explain by.
    pub rules: &'a Arc<RuleSet>,
    /// The settings of the engine that decided.
    pub settings: &'a Settings,
    /// Text of an id, if it is known.
    pub name: &'a dyn Fn(NameId) -> Option<String>,
    /// The wall clock.
    pub now: UnixMillis,
}

/// An explanation.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainedView {
    /// The visitor id.
    pub visitor: String,
    /// The name of the audience.
    pub audience: String,
    /// The instant it speaks of.
    pub at: String,
    /// Whether the visitor is in it.
    pub member: bool,
    /// Since when, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// All of it in one sentence.
    pub says: String,
    /// What time alone does next, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextView>,
    /// The entry condition.
    pub enter: NodeView,
    /// The exit condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_when: Option<NodeView>,
}

/// What time alone does next.
#[derive(Debug, Serialize, Deserialize)]
pub struct NextView {
    /// When.
    pub at: String,
    /// `enters` or `leaves`.
    pub change: Cow<'static, str>,
    /// The reason, as its change will tell it.
    pub because: String,
    /// Names of events that may change that if one comes before.
    pub unless: Vec<String>,
}

/// A node of the rule.
#[derive(Debug, Serialize, Deserialize)]
pub struct NodeView {
    /// `all`, `any`, `not`, or what the leaf says.
    pub says: String,
    /// Whether it is true.
    pub holds: bool,
    /// Since when, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where that isn't known: it has been so from here on, and perhaps for longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub so_from: Option<String>,
    /// When it flips if no event comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flips: Option<String>,
    /// False if it rests on folded history.
    pub exact: bool,
    /// Events that bear it out, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceView>,
    /// Its parts, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<NodeView>,
}

/// An event that bears a leaf out.
#[derive(Debug, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The name of the event.
    pub event: String,
    /// When.
    pub at: String,
    /// The product, of several the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

// === impl Explaining ===

impl Explaining<'_> {
    /// How the visitor stands in the audience called `name`; `None` if there is no such audience. The profile is up to
    /// date: no sweep is under way.
    pub fn view(&self, visitor: &VisitorId, profile: Profile, name: &str) -> Option<ExplainedView> {
        let engine = Engine::new(Arc::clone(self.rules), self.settings.clone(), profile.seen);
        self.view_in(engine, (visitor, profile), name)
    }

    /// The same by an engine that holds nobody, runs under the same rules, and may know of a sweep.
    pub fn view_in(
        &self,
        engine: Engine,
        (visitor, profile): (&VisitorId, Profile),
        name: &str,
    ) -> Option<ExplainedView> {
        let place = self.rules.audiences.iter().position(|a| a.name.text() == name)?;
        let audience = &self.rules.audiences[place];
        let told = explain_in(engine, (visitor, profile), place, self.now)?;
        let since = match told.state {
            Some(State::In { since }) => Some(since),
            _ => None,
        };
        let next = told.next.as_ref().map(|change| self.next(audience, change));
        Some(ExplainedView {
            visitor: visitor.as_str().into(),
            audience: name.into(),
            at: self.now.to_string(),
            member: since.is_some(),
            since: since.map(|at| at.to_string()),
            says: self.says(name, since, (&told, next.as_ref())),
            next,
            enter: self.node(&audience.enter, &told.enter),
            exit_when: audience
                .exit_when
                .as_ref()
                .zip(told.exit_when.as_ref())
                .map(|(node, told)| self.node(node, told)),
        })
    }

    fn next(&self, audience: &Audience, change: &Change) -> NextView {
        NextView {
            at: change.effective_at.to_string(),
            change: Cow::Borrowed(match change.direction {
                Direction::Entered => "enters",
                Direction::Exited => "leaves",
            }),
            because: sentence(self.rules, change, self.name),
            unless: events(audience, change.direction).into_iter().collect(),
        }
    }

    /// "in since ..., leaves at T unless ...".
    fn says(
        &self,
        name: &str,
        since: Option<UnixMillis>,
        (told, next): (&Explained, Option<&NextView>),
    ) -> String {
        let stands = match (since, told.state) {
            (Some(since), _) => format!("in {name} since {since}"),
            (None, Some(State::Out { pending: Some(since), .. })) => {
                format!("not in {name}, the entry condition holds since {since}")
            }
            (None, Some(State::Out { disarmed: true, .. })) => {
                format!("not in {name}, the condition must cease before a new entry")
            }
            (None, _) => format!("not in {name}"),
        };
        let Some((change, next)) = told.next.as_ref().zip(next) else {
            return format!("{stands}; time alone changes nothing");
        };
        let left = whole_seconds(change.effective_at - self.now);
        let unless = match next.unless.split_last() {
            None => String::new(),
            Some((only, [])) => format!(", unless {only} comes before"),
            Some((last, rest)) => format!(", unless {} or {last} comes before", rest.join(", ")),
        };
        let NextView { at, change, because, .. } = next;
        format!("{stands}; {change} at {at} (in {left}) as {because}{unless}")
    }

    fn node(&self, node: &Node, told: &Told) -> NodeView {
        let (says, parts): (String, &[Node]) = match node {
            Node::All(nodes) => ("all".into(), nodes),
            Node::Any(nodes) => ("any".into(), nodes),
            Node::Not(node) => ("not".into(), std::slice::from_ref(&**node)),
            Node::Leaf(leaf) => (leaf_words(leaf), &[]),
        };
        NodeView {
            says,
            holds: told.holds,
            since: told.since.map(|at| at.to_string()),
            so_from: told.so_from.map(|at| at.to_string()),
            flips: told.flips.map(|at| at.to_string()),
            exact: told.exact,
            evidence: told.evidence.iter().map(|evidence| self.evidence(evidence)).collect(),
            parts: parts
                .iter()
                .zip(&told.parts)
                .map(|(node, told)| self.node(node, told))
                .collect(),
        }
    }

    fn evidence(&self, evidence: &Evidence) -> EvidenceView {
        let named = |id: NameId| (self.name)(id).unwrap_or_else(|| id.to_string());
        EvidenceView {
            event: named(evidence.event),
            at: evidence.at.to_string(),
            product: evidence.product.map(named),
        }
    }
}

/// The events that may bring another change before that one; of interest those that paint can't be told from the rule
/// alone. With `exit_when` a stay ends by it alone, whatever becomes of `enter`.
fn events(audience: &Audience, direction: Direction) -> BTreeSet<String> {
    let by_exit = direction == Direction::Exited && audience.exit_when.is_some();
    let found = (0..).map_while(|index| audience.found(index));
    let mut names = BTreeSet::new();
    for Found { leaf, negated, .. } in found.filter(|found| found.in_exit || !by_exit) {
        match leaf {
            Leaf::Event(leaf) => {
                names.insert(leaf.name.text().to_owned());
                // A later "after" leaves fewer to count: it makes no "at least so many" true.
                let at_least =
                    matches!(leaf.count, CountTest::Is(Compare::AtLeast | Compare::MoreThan, _));
                let ends_nothing = by_exit && !negated && at_least;
                let after = leaf.after.as_ref().filter(|_| !ends_nothing);
                names.extend(after.map(|after| after.text().to_owned()));
            }
            Leaf::Sum(leaf) => drop(names.insert(leaf.event.text().to_owned())),
            Leaf::Last(leaf) => drop(names.insert(leaf.event.text().to_owned())),
            Leaf::Sequence(leaf) => {
                names.extend(leaf.steps.iter().map(|step| step.name.text().to_owned()));
            }
            Leaf::Interest(_) | Leaf::Rank(_) | Leaf::Share(_) => {
                names.insert("an event that paints".to_owned());
            }
            Leaf::Trait(_) => drop(names.insert("a new trait".to_owned())),
            Leaf::In(leaf) => drop(names.insert(format!("a change in {}", leaf.audience.text()))),
        }
    }
    names
}

/// A span for people, whose clock shows seconds.
fn whole_seconds(span: Millis) -> Millis {
    let second = Millis::new(1_000);
    if span < second { span } else { Millis::new(span.get() / 1_000 * 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_audience::{CheckSettings, SourceFile, compile};

    /// What may come before the exit, or the entry, of that audience.
    fn unless(conditions: &str, direction: Direction) -> String {
        let text = format!("audience: a\n{conditions}");
        let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
        let compiled = compile(&[SourceFile { path: "a.yaml".into(), text }], &settings);
        let rules = compiled.rules.unwrap_or_else(|| panic!("{:?}", compiled.problems));
        events(&rules.audiences[0], direction).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_can_bring_another_change_is_named() {
        let cart = "enter: { event: { name: added } }\nexit_when: { event: { name: bought, after: last added } }\n";
        assert_eq!(unless(cart, Direction::Exited), "bought");
        assert_eq!(unless(cart, Direction::Entered), "added bought");
        let few = "enter: { event: { name: added } }\nexit_when: { event: { name: seen, after: last bought, count: '< 3' } }\n";
        assert_eq!(unless(few, Direction::Exited), "bought seen");
        let not = "enter: { event: { name: added } }\nexit_when: { not: { event: { name: seen, after: last bought } } }\n";
        assert_eq!(unless(not, Direction::Exited), "bought seen");
        let own = "enter: { event: { name: seen, after: last bought } }\n";
        assert_eq!(unless(own, Direction::Exited), "bought seen");
    }
}
