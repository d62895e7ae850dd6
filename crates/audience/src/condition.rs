//! Conditions: the nodes `all`, `any`, `not` and the leaves.

use crate::check::{Checker, Entries, Shape, ZeroOk, head, shortened};
use crate::code::Code;
use crate::compare::Operation;
use crate::problem::At;
use crate::tree::{Kind, Style, Tree};
use crate::{Compare, CountTest, EventLeaf, LastLeaf, Leaf, Node, Where};
use tzeva_model::Name;

pub(crate) const CONDITION: Shape = Shape {
    noun: "a condition",
    keys: &["all", "any", "not", "event", "sum", "last", "interest", "sequence", "trait", "in"],
    later: &["date", "consent"],
};
pub(crate) const EVENT: Shape = Shape {
    noun: "an `event` condition",
    keys: &["name", "where", "count", "within", "after"],
    later: &["per"],
};
pub(crate) const LAST: Shape =
    Shape { noun: "a `last` condition", keys: &["event", "where", "is"], later: &["per"] };
/// Keys of a leaf that are often left standing alone.
const STRAYS: [&str; 5] = ["within", "count", "where", "after", "is"];

impl Checker<'_> {
    /// Reads a condition; pushes the place of every leaf that could be read, in document order.
    pub(crate) fn condition(&mut self, tree: &Tree, places: &mut Vec<At>) -> Option<Node> {
        if let Kind::Map(pairs) = &tree.kind {
            let word = |pair: &(Tree, Tree)| pair.0.text().is_some_and(|key| STRAYS.contains(&key));
            if let [stray, ..] = pairs.as_slice()
                && pairs.iter().all(word)
            {
                let key = stray.0.text().unwrap_or_default();
                let message = format!("`{key}` stands alone, without the event it belongs to");
                let help =
                    "put it inside `event: { name: ..., ... }` or `last: { event: ..., ... }`";
                self.refuse(Code::WindowWithoutEvent, stray.0.at, message, help);
                return None;
            }
        }
        let entries = self.entries(tree, &CONDITION)?;
        let mut found = CONDITION.keys.iter().filter(|key| entries.get(key).is_some());
        let Some(first) = found.next() else {
            if matches!(&tree.kind, Kind::Map(pairs) if pairs.is_empty()) {
                let help = format!("a condition is one of {}", CONDITION.keys.join(", "));
                self.refuse(Code::OneCondition, head(tree), "an empty condition", &help);
            }
            return None;
        };
        if let Some(second) = found.next() {
            let at = entries.key_at(second).unwrap_or(entries.at);
            let message = format!("one condition holds both `{first}` and `{second}`");
            self.refuse(
                Code::OneCondition,
                at,
                message,
                "put them as two items under `all:` or `any:`",
            );
            return None;
        }
        let value = entries.get(first)?;
        match *first {
            "all" => self.several(value, "all", places).map(Node::All),
            "any" => self.several(value, "any", places).map(Node::Any),
            "not" => Some(Node::Not(Box::new(self.condition(value, places)?))),
            leaf => {
                let at = entries.key_at(leaf).unwrap_or(entries.at);
                let leaf = match leaf {
                    "event" => Leaf::Event(self.event(value)?),
                    "sum" => Leaf::Sum(self.sum(value)?),
                    "last" => Leaf::Last(self.last(value)?),
                    "interest" => self.interest(value)?,
                    "sequence" => Leaf::Sequence(self.sequence(value)?),
                    "trait" => Leaf::Trait(self.trait_leaf(value)?),
                    _ => Leaf::In(self.in_leaf(value)?),
                };
                places.push(at);
                Some(Node::Leaf(leaf))
            }
        }
    }

    /// The conditions of a list that could be read; `None` if there are none.
    fn several(&mut self, tree: &Tree, key: &str, places: &mut Vec<At>) -> Option<Vec<Node>> {
        let Kind::List(items) = &tree.kind else {
            self.wrong_shape(tree, &format!("a list of conditions under `{key}`"));
            return None;
        };
        if items.is_empty() {
            let message = format!("`{key}` lists no condition");
            self.refuse(Code::OneCondition, head(tree), message, "list at least one");
        }
        let read = items.iter().filter_map(|item| self.condition(item, places));
        let nodes: Vec<_> = read.collect();
        (!nodes.is_empty()).then_some(nodes)
    }

    fn event(&mut self, tree: &Tree) -> Option<EventLeaf> {
        let entries = self.entries(tree, &EVENT)?;
        let name = match entries.get("name") {
            Some(name) => self.event_text(name),
            None => {
                self.refuse_nameless(&entries);
                None
            }
        };
        let filter = self.filter(&entries);
        let count = match entries.get("count") {
            Some(tree) => self.count(tree),
            None => Some(CountTest::Is(Compare::AtLeast, 1)),
        };
        let within = match entries.get("within") {
            Some(tree) => self.duration(tree, "`within`", ZeroOk::No).map(Some),
            None => Some(None),
        };
        let after = match entries.get("after") {
            Some(tree) => self.after(tree).map(Some),
            None => Some(None),
        };
        Some(EventLeaf {
            name: name?,
            filter: filter?,
            count: count?,
            within: within?,
            after: after?,
        })
    }

    fn refuse_nameless(&mut self, entries: &Entries<'_>) {
        if entries.incomplete {
            return;
        }
        let (code, message) = match entries.get("within") {
            Some(_) => (Code::WindowWithoutEvent, "a window without the name of its event"),
            None => (Code::MissingKey, "an `event` condition needs `name`"),
        };
        self.refuse(
            code,
            entries.at,
            message,
            "write `event: { name: product_added, within: 3d }`",
        );
    }

    pub(crate) fn event_text(&mut self, tree: &Tree) -> Option<Name> {
        let text = self.text(tree, "the name of an event")?;
        self.event_name(text, tree.at)
    }

    pub(crate) fn filter(&mut self, entries: &Entries<'_>) -> Option<Where> {
        match entries.get("where") {
            Some(tree) => self.where_clause(tree),
            None => Some(Where::default()),
        }
    }

    fn after(&mut self, tree: &Tree) -> Option<Name> {
        let text = self.text(tree, "`last NAME`")?;
        let Some(event) = text.strip_prefix("last ") else {
            let message = format!("`after` takes `last NAME`, not `{}`", shortened(text));
            let help = format!("write `after: last {}`", shortened(text));
            self.refuse(Code::BadAfter, tree.at, message, &help);
            return None;
        };
        self.event_name(event, tree.at)
    }

    fn count(&mut self, tree: &Tree) -> Option<CountTest> {
        let test = self.count_test(tree)?;
        self.count_can_flip(test, tree.at)?;
        Some(test)
    }

    /// A comparison of whole numbers, whatever they count.
    pub(crate) fn count_test(&mut self, tree: &Tree) -> Option<CountTest> {
        let text = self.comparison(tree, "a count such as \">= 3\"")?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten()
        };
        let is = |compare, text| number(text).map(|k| CountTest::Is(compare, k));
        let operation = Operation::parse(text);
        let test = match &operation {
            Ok(Operation::AtLeast(k)) => is(Compare::AtLeast, k),
            Ok(Operation::MoreThan(k)) => is(Compare::MoreThan, k),
            Ok(Operation::AtMost(k)) => is(Compare::AtMost, k),
            Ok(Operation::LessThan(k)) => is(Compare::LessThan, k),
            Ok(Operation::Equal(k) | Operation::Bare(k)) => is(Compare::Equal, k),
            Ok(Operation::Between(low, high)) => {
                number(low).zip(number(high)).map(|(low, high)| CountTest::Between(low, high))
            }
            _ => None,
        };
        if test.is_none() {
            let message = match operation {
                Err(error) => error.0.into_owned(),
                Ok(_) => format!("`{}` is no count", shortened(text)),
            };
            let help = "a count is a whole number up to 4294967295, alone or after >= > < <= =, or `between 2 and 5`";
            self.refuse(Code::BadCount, tree.at, message, help);
        }
        test
    }

    /// Refuses a count that no number of events, or every number, meets; warns of one beyond the history.
    fn count_can_flip(&mut self, test: CountTest, at: At) -> Option<()> {
        let (low, high) = test.range();
        if low > high || low > u64::from(u32::MAX) {
            self.refuse(Code::NeverTrue, at, "no number of events is such a count", "");
            return None;
        }
        if low == 0 && high >= u64::from(u32::MAX) {
            let help = "leave the condition out, or ask for at least one: \">= 1\"";
            self.refuse(Code::NeverFalse, at, "every number of events is such a count", help);
            return None;
        }
        let most = self.settings.max_strokes as u64;
        let needed = if high >= u64::from(u32::MAX) { low } else { high };
        if needed > most {
            let message =
                format!("history keeps {most} events of a visitor exactly, fewer than asked for");
            let help = "beyond that, folded events are counted by the day; set `history.max_strokes` higher to be exact";
            self.refuse(Code::CountOverHistory, at, message, help);
        }
        Some(())
    }

    fn last(&mut self, tree: &Tree) -> Option<LastLeaf> {
        let entries = self.entries(tree, &LAST)?;
        let event = self.required(&entries, "event", "a `last` condition");
        let event = event.and_then(|tree| self.event_text(tree));
        let filter = self.filter(&entries);
        let is = self.required(&entries, "is", "a `last` condition");
        let (at_least, ago) = is.and_then(|tree| self.distance(tree))?;
        Some(LastLeaf { event: event?, filter: filter?, at_least, ago })
    }

    /// `>= 1h ago`. As instants are whole milliseconds, `> D` is `>= D + 1 ms`.
    fn distance(&mut self, tree: &Tree) -> Option<(bool, tzeva_model::Millis)> {
        let text = self.comparison(tree, "a distance such as \">= 1h ago\"")?;
        let help =
            "write \">= 1h ago\" (an hour or longer ago) or \"< 1h ago\" (less than an hour ago)";
        let (at_least, more, value) = match Operation::parse(text) {
            Ok(Operation::AtLeast(value)) => (true, 0, value),
            Ok(Operation::MoreThan(value)) => (true, 1, value),
            Ok(Operation::LessThan(value)) => (false, 0, value),
            Ok(Operation::AtMost(value)) => (false, 1, value),
            _ => {
                let message = format!("`{}` doesn't say on which side of an age", shortened(text));
                self.refuse(Code::BadComparison, tree.at, message, help);
                return None;
            }
        };
        let Some(value) = value.strip_suffix("ago").map(str::trim) else {
            let message = format!("`{}` lacks its `ago`", shortened(text));
            self.refuse(Code::BadComparison, tree.at, message, help);
            return None;
        };
        let ago = self.duration_of(value, tree.at, "the distance", ZeroOk::No)?;
        let ago = tzeva_model::Millis::new(ago.get() + more);
        if at_least && ago >= self.settings.max_age {
            let message = format!(
                "an event of {ago} ago is forgotten: history is kept for {}",
                self.settings.max_age
            );
            self.refuse(Code::NeverTrue, tree.at, message, "ask for less than that");
            return None;
        }
        Some((at_least, ago))
    }
}

/// A finite decimal without names such as `inf`.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b".+-eE".contains(&b));
    plain.then(|| text.parse::<f64>().ok()).flatten().filter(|value| value.is_finite())
}

/// Tells whether a text was written without quotes.
pub(crate) fn is_plain(tree: &Tree) -> bool {
    matches!(tree.kind, Kind::Text(_, Style::Plain))
}
