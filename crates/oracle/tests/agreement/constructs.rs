//! Names for what a rule set is made of, so that it can be counted. No arm stands for "the rest": a new clause of the
//! language doesn't compile here until it has a name, and then the generator must make it.

use std::collections::BTreeSet;
use tzeva_audience::{
    AmountTest, Audience, Compare, CountTest, Field, FieldTest, Leaf, Node, Test, Where,
};
use tzeva_model::{Level, TagKey};

/// Names of constructs.
pub(crate) type Names = BTreeSet<String>;

/// The policies of `audience`.
pub(crate) fn policies(audience: &Audience) -> Names {
    let zero = tzeva_model::Millis::ZERO;
    let policies = [
        ("exit_when", audience.exit_when.is_some()),
        ("enter_after", audience.enter_after > zero),
        ("reenter_after", audience.reenter_after > zero),
        ("stay.at_least", audience.stay.at_least > zero),
        ("stay.at_most", audience.stay.at_most.is_some()),
    ];
    policies.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect()
}

/// The leaves of an audience as `Place::Leaf` counts them: what each says, and what it stands in.
pub(crate) fn leaves(audience: &Audience) -> Vec<Names> {
    let mut leaves = Vec::new();
    below(&audience.enter, &Names::new(), &mut leaves);
    let exit = Names::from(["exit_when".to_owned()]);
    audience.exit_when.iter().for_each(|node| below(node, &exit, &mut leaves));
    leaves
}

fn below(node: &Node, above: &Names, leaves: &mut Vec<Names>) {
    let (name, parts) = match node {
        Node::All(parts) => ("all", parts.as_slice()),
        Node::Any(parts) => ("any", parts.as_slice()),
        Node::Not(part) => ("not", std::slice::from_ref(&**part)),
        Node::Leaf(one) => return leaves.push(above | &leaf(one)),
    };
    let above = above | &Names::from([name.to_owned()]);
    parts.iter().for_each(|part| below(part, &above, leaves));
}

/// What a leaf says.
fn leaf(leaf: &Leaf) -> Names {
    let mut names = Names::new();
    let mut add = |name: String| names.extend([name]);
    match leaf {
        Leaf::Event(event) => {
            add(format!("event, count {}", count(event.count)));
            add(format!("event, {}", given("within", event.within.is_some())));
            add(format!("event, {}", given("after: last", event.after.is_some())));
            filter("event", &event.filter, &mut add);
        }
        Leaf::Sum(sum) => {
            add(format!("sum of {}", field(&sum.of)));
            add(format!("sum {}", amounts(sum.is)));
            add(format!("sum, {}", given("within", sum.within.is_some())));
            if sum.of == Field::Revenue && !sum.filter.item.is_empty() {
                add("sum of the revenue of matching items".to_owned());
            }
            filter("sum", &sum.filter, &mut add);
        }
        Leaf::Last(last) => {
            add(format!("last {} ago", if last.at_least { ">=" } else { "<" }));
            filter("last", &last.filter, &mut add);
        }
        Leaf::Interest(one) => {
            add(format!("interest {} in {}", side(one.at_least), level(one.tag)));
        }
        Leaf::Rank(one) => {
            add(format!("rank {}", count(one.rank)));
            add(format!("rank in {}", level(one.tag)));
        }
        Leaf::Share(one) => {
            add(format!("share {}", side(one.at_least)));
            add(format!("share in {}", level(one.tag)));
        }
        Leaf::Sequence(sequence) => {
            add(format!("sequence of {}", if sequence.steps.len() > 2 { "more" } else { "2" }));
            let (span, within) = (sequence.span.is_some(), sequence.within.is_some());
            add(format!("sequence, {}, {}", given("span", span), given("within", within)));
            sequence.steps.iter().for_each(|step| filter("sequence", &step.filter, &mut add));
        }
        Leaf::Trait(one) => add(format!("trait {}", test(&one.test))),
        Leaf::In(_) => add("in".to_owned()),
    }
    names
}

fn filter(leaf: &str, filter: &Where, add: &mut impl FnMut(String)) {
    let all = || filter.item.iter().chain(&filter.event);
    if all().next().is_some() {
        add(format!("where in {leaf}"));
    }
    if filter.item.len() > 1 {
        add("where, several tests of one item".to_owned());
    }
    if !filter.item.is_empty() && !filter.event.is_empty() {
        add("where, tests of item and event".to_owned());
    }
    all().for_each(|one| add(of_field(one)));
}

fn of_field(one: &FieldTest) -> String {
    let what = match (&one.field, &one.test) {
        (Field::PagePath, Test::TextIn(all) | Test::TextNotIn(all)) => {
            let glob = if all.iter().any(|one| one.contains('*')) { "glob" } else { "prefix" };
            format!("{} {glob}", test(&one.test))
        }
        _ => test(&one.test),
    };
    format!("where {} {what}", field(&one.field))
}

fn field(field: &Field) -> &'static str {
    match field {
        Field::Product => "product",
        Field::Category => "category",
        Field::Brand => "brand",
        Field::Price => "price",
        Field::Quantity => "quantity",
        Field::Revenue => "revenue",
        Field::Coupon => "coupon",
        Field::Channel => "channel",
        Field::Country => "country",
        Field::PagePath => "page.path",
        Field::Property(_) => "properties",
    }
}

fn test(test: &Test) -> String {
    let several = |many: usize| if many > 1 { " several" } else { "" };
    match test {
        Test::In(all) => format!("in{}", several(all.len())),
        Test::NotIn(all) => format!("not in{}", several(all.len())),
        Test::TextIn(all) => format!("text in{}", several(all.len())),
        Test::TextNotIn(all) => format!("text not in{}", several(all.len())),
        Test::StartsWith(_) => "starts_with".to_owned(),
        Test::Number { low, high } => format!("number {}", range(low.as_ref(), high.as_ref())),
        Test::NumberIn(all) => format!("number in{}", several(all.len())),
        Test::NumberNotIn(all) => format!("number not in{}", several(all.len())),
        Test::Exists(there) => format!("exists {there}"),
        Test::Bool(wanted) => format!("is {wanted}"),
    }
}

fn amounts(is: AmountTest) -> &'static str {
    range(is.low.as_ref(), is.high.as_ref())
}

fn range<A>(low: Option<&(A, bool)>, high: Option<&(A, bool)>) -> &'static str {
    match (low, high) {
        (Some((_, true)), None) => ">=",
        (Some((_, false)), None) => ">",
        (None, Some((_, true))) => "<=",
        (None, Some((_, false))) => "<",
        (Some(_), Some(_)) => "between",
        (None, None) => "anything",
    }
}

fn count(count: CountTest) -> &'static str {
    match count {
        CountTest::Is(Compare::Equal, 0) => "= 0",
        CountTest::Is(compare, _) => compare.sign(),
        CountTest::Between(..) => "between",
    }
}

fn side(at_least: bool) -> &'static str {
    if at_least { ">=" } else { "<" }
}

fn given(what: &str, is: bool) -> String {
    if is { what.to_owned() } else { format!("no {what}") }
}

fn level(tag: TagKey) -> String {
    match tag.level {
        Level::Shop => "shop".to_owned(),
        Level::Brand => "brand".to_owned(),
        Level::Category(depth) => format!("category at {depth}"),
        Level::Product => "product".to_owned(),
    }
}

/// All names that must be met: every leaf, node and policy, and every field with every test that the compiler takes.
pub(crate) fn language() -> Names {
    let mut names: Names = FRAME_AND_LEAVES.iter().map(|&name| name.to_owned()).collect();
    let counts = [">=", ">", "<=", "<", "=", "= 0", "between"];
    names.extend(counts.iter().map(|sign| format!("event, count {sign}")));
    names.extend(counts.iter().filter(|sign| **sign != "= 0").map(|sign| format!("rank {sign}")));
    names.extend([">=", ">", "<=", "<", "between"].map(|sign| format!("sum {sign}")));
    let levels = ["shop", "brand", "product", "category at 1", "category at 2", "category at 3"];
    for level in levels {
        names.extend([format!("interest >= in {level}"), format!("interest < in {level}")]);
        names.extend([format!("rank in {level}"), format!("share in {level}")]);
    }
    for field in ["product", "brand", "category"] {
        names.extend(NAMES.map(|test| format!("where {field} {test}")));
    }
    for field in ["price", "quantity", "revenue"] {
        let can_be = |test: &&str| (field, *test) != ("quantity", "exists false");
        let tests = NUMBERS.into_iter().filter(can_be);
        names.extend(tests.map(|test| format!("where {field} {test}")));
    }
    for field in ["coupon", "channel", "country"] {
        names.extend(TEXTS.map(|test| format!("where {field} {test}")));
    }
    for test in NUMBERS.into_iter().chain(TEXTS).chain(["is true", "is false"]) {
        names.extend([format!("where properties {test}"), format!("trait {test}")]);
    }
    for test in ["text in", "text not in", "text in several", "text not in several"] {
        names.extend([
            format!("where page.path {test} glob"),
            format!("where page.path {test} prefix"),
        ]);
    }
    names.extend(
        ["starts_with", "exists true", "exists false"].map(|t| format!("where page.path {t}")),
    );
    names
}

const FRAME_AND_LEAVES: [&str; 36] = [
    "all",
    "any",
    "not",
    "in",
    "exit_when",
    "enter_after",
    "reenter_after",
    "stay.at_least",
    "stay.at_most",
    "event, within",
    "event, no within",
    "event, after: last",
    "event, no after: last",
    "sum of revenue",
    "sum of quantity",
    "sum of price",
    "sum of properties",
    "sum of the revenue of matching items",
    "sum, within",
    "sum, no within",
    "last >= ago",
    "last < ago",
    "share >=",
    "share <",
    "sequence of 2",
    "sequence of more",
    "sequence, span, within",
    "sequence, span, no within",
    "sequence, no span, within",
    "sequence, no span, no within",
    "where in event",
    "where in sum",
    "where in last",
    "where in sequence",
    "where, several tests of one item",
    "where, tests of item and event",
];

const NAMES: [&str; 6] =
    ["in", "not in", "in several", "not in several", "exists true", "exists false"];
const NUMBERS: [&str; 11] = [
    "number in",
    "number not in",
    "number in several",
    "number not in several",
    "number >=",
    "number >",
    "number <=",
    "number <",
    "number between",
    "exists true",
    "exists false",
];
const TEXTS: [&str; 7] = [
    "text in",
    "text not in",
    "text in several",
    "text not in several",
    "starts_with",
    "exists true",
    "exists false",
];
