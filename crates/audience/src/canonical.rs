//! Canonical text: what an audience means, written one way.
//!
//! Made from the values and not from the file, so that comments, blanks, the order of keys and the order of files change
//! no version. Every text is quoted and escaped by our own rule (no compiler's tables), so that no two audiences share one
//! and none changes with a toolchain. An audience's own text leaves out
//! what people alone read (`describe`, `owner`, `labels`); the rule set's takes everything in.

use crate::{
    Audience, CountTest, Dose, EventLeaf, Leaf, Node, Paint, RuleSet, Step, SumLeaf, Test, Where,
};
use std::fmt::Write as _;
use tzeva_model::{Amount, Millis, Name, RulesVersion};
use xxhash_rust::xxh3::xxh3_64;

/// The first 32 bits of the xxh3 of an audience's canonical text.
pub(crate) fn version(audience: &Audience) -> u32 {
    let hash = xxh3_64(audience_text(audience).as_bytes());
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// The xxh3 of everything.
pub(crate) fn rules_version(audiences: &[Audience], paint: &Paint) -> RulesVersion {
    let mut text = paint_text(paint);
    for audience in audiences {
        text += &audience_text(audience);
        let people = [&audience.describe, &audience.owner];
        let labels = audience.labels.iter().flat_map(|(key, value)| [key, value]);
        let people = people.map(|text| text.as_deref().map_or("-".to_owned(), quoted)).join(" ");
        text += &format!("(for-people {people} {})\n", list(labels.map(String::as_str)));
    }
    RulesVersion::new(xxh3_64(text.as_bytes()))
}

/// What tells one leaf from another; leaves with one key are true together.
#[must_use]
pub fn leaf_key(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Event(event) => format!("{} {}", event_key(event), count_text(event.count)),
        Leaf::Sum(leaf) => {
            let (low, high) = leaf.is.range();
            format!("{} from {low} to {high}", sum_key(leaf))
        }
        Leaf::Last(last) => {
            let (key, sign) = (last_key(&last.event, &last.filter), sign(last.at_least));
            format!("{key} {sign} {}", last.ago.get())
        }
        Leaf::Interest(interest) => {
            let (text, bits) = (&interest.text, interest.threshold.to_bits());
            format!("(interest {}) {} {bits:016x}", quoted(text), sign(interest.at_least))
        }
        Leaf::Rank(leaf) => {
            format!("(rank {}) {}", quoted(&leaf.text), count_text(leaf.rank))
        }
        Leaf::Share(leaf) => {
            let (text, bits) = (quoted(&leaf.text), leaf.share.to_bits());
            format!("(share {text}) {} {bits:016x}", sign(leaf.at_least))
        }
        Leaf::Sequence(leaf) => {
            let step =
                |step: &Step| format!("{} {}", quoted(step.name.text()), where_text(&step.filter));
            let steps: Vec<_> = leaf.steps.iter().map(step).collect();
            let (span, within) = (optional(leaf.span), optional(leaf.within));
            format!("(sequence {span} {within} {})", steps.join(" "))
        }
        Leaf::Trait(leaf) => format!("(trait {} {})", quoted(&leaf.name), test_text(&leaf.test)),
        Leaf::In(leaf) => format!("(in {})", quoted(leaf.audience.text())),
    }
}

/// What an `event` leaf counts.
pub(crate) fn event_key(leaf: &EventLeaf) -> String {
    let after = leaf.after.as_ref().map_or("-".to_owned(), |after| quoted(after.text()));
    let (within, filter) = (optional(leaf.within), where_text(&leaf.filter));
    format!("(count {} {filter} {within} {after})", quoted(leaf.name.text()))
}

/// What a `sum` leaf adds up.
pub(crate) fn sum_key(leaf: &SumLeaf) -> String {
    let (within, filter) = (optional(leaf.within), where_text(&leaf.filter));
    let (event, of) = (quoted(leaf.event.text()), quoted(&leaf.of.word()));
    format!("(sum {of} {event} {filter} {within})")
}

/// Whose age a `last` leaf looks at.
pub(crate) fn last_key(event: &Name, filter: &Where) -> String {
    format!("(last {} {})", quoted(event.text()), where_text(filter))
}

fn sign(at_least: bool) -> &'static str {
    if at_least { ">=" } else { "<" }
}

fn audience_text(audience: &Audience) -> String {
    let mut text = format!("(audience {}\n enter ", quoted(audience.name.text()));
    node_text(&audience.enter, &mut text);
    if let Some(exit_when) = &audience.exit_when {
        text += "\n exit_when ";
        node_text(exit_when, &mut text);
    }
    let (stay, at_most) = (audience.stay, optional(audience.stay.at_most));
    let (enter, reenter) = (audience.enter_after.get(), audience.reenter_after.get());
    let least = stay.at_least.get();
    text += "\n enter_after ";
    text += &format!("{enter} at_least {least} at_most {at_most} reenter_after {reenter})\n");
    text
}

fn node_text(node: &Node, text: &mut String) {
    let (word, nodes) = match node {
        Node::Leaf(leaf) => {
            *text += &leaf_key(leaf);
            return;
        }
        Node::All(nodes) => ("all", nodes.as_slice()),
        Node::Any(nodes) => ("any", nodes.as_slice()),
        Node::Not(node) => ("not", std::slice::from_ref(&**node)),
    };
    let _ = write!(text, "({word}");
    for node in nodes {
        text.push(' ');
        node_text(node, text);
    }
    text.push(')');
}

fn count_text(count: CountTest) -> String {
    match count {
        CountTest::Is(compare, k) => format!("{} {k}", compare.sign()),
        CountTest::Between(low, high) => format!("between {low} and {high}"),
    }
}

fn where_text(clause: &Where) -> String {
    let mut text = String::from("(where");
    for test in clause.item.iter().chain(&clause.event) {
        let _ = write!(text, " ({} {})", quoted(&test.field.word()), test_text(&test.test));
    }
    text + ")"
}

fn test_text(test: &Test) -> String {
    let names = |names: &[Name]| list(names.iter().map(Name::text));
    let texts = |texts: &[Box<str>]| list(texts.iter().map(|text| &**text));
    let numbers = |numbers: &[Amount]| {
        numbers.iter().map(|number| number.get().to_string()).collect::<Vec<_>>().join(" ")
    };
    match test {
        Test::In(list) => format!("in {}", names(list)),
        Test::NotIn(list) => format!("not in {}", names(list)),
        Test::TextIn(list) => format!("text in {}", texts(list)),
        Test::TextNotIn(list) => format!("text not in {}", texts(list)),
        Test::StartsWith(start) => format!("starts_with {}", quoted(start)),
        Test::Number { low, high } => {
            let end = |end: &Option<(Amount, bool)>| match end {
                Some((value, true)) => format!("{} in", value.get()),
                Some((value, false)) => format!("{} out", value.get()),
                None => "open".to_owned(),
            };
            format!("from {} to {}", end(low), end(high))
        }
        Test::NumberNotIn(list) => format!("number not in {}", numbers(list)),
        Test::NumberIn(list) => format!("number in {}", numbers(list)),
        Test::Exists(there) => format!("exists {there}"),
        Test::Bool(value) => format!("is {value}"),
    }
}

/// A text in quotes; `"` and `\` inside it stand behind a `\`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(quoted).collect::<Vec<_>>().join(" ")
}

fn optional(duration: Option<Millis>) -> String {
    duration.map_or("-".to_owned(), |duration| duration.get().to_string())
}

fn paint_text(paint: &Paint) -> String {
    let half = paint.half_life;
    let mut text = format!(
        "(paint {} {} {} {} forget_below {:016x} falloff {:016x}\n",
        half.shop.get(),
        half.brand.get(),
        half.category.get(),
        half.product.get(),
        paint.forget_below.to_bits(),
        paint.falloff.category.to_bits(),
    );
    let dose = |dose: Option<Dose>| match dose {
        Some(Dose::Add(weight)) => format!("{:016x}", weight.to_bits()),
        Some(Dose::Clear) => "clear".to_owned(),
        None => "-".to_owned(),
    };
    for event in &paint.events {
        let [shop, brand, category, product] =
            [event.shop, event.brand, event.category, event.product].map(dose);
        let _ = writeln!(text, " ({} {shop} {brand} {category} {product})", event.event);
    }
    text + ")\n"
}

impl RuleSet {
    /// The version that these audiences and this paint have together; `version` of a compiled set is this.
    #[must_use]
    pub fn computed_version(&self) -> RulesVersion {
        rules_version(&self.audiences, &self.paint)
    }
}
