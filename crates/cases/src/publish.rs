//! Cases as people and shops write them: audiences and paint as YAML, events as JSON. So the same case goes through
//! files, the compiler, the decoder and whatever stands behind them.

use crate::Sure;
use crate::history::EVENTS;
use std::fmt::Write;
use tzeva_audience::{
    AmountTest, Audience, Compare, CountTest, Dose, FieldTest, Leaf, Node, Paint, Test, Where,
};
use tzeva_model::{Amount, Event, Item, Millis, Name, NameId, NameKind, Value};

/// An audience file; texts of cases need no escapes.
#[must_use]
pub fn audience(audience: &Audience) -> String {
    let mut text =
        format!("audience: {}\nenter: {}\n", audience.name.text(), node(&audience.enter));
    if let Some(exit_when) = &audience.exit_when {
        let _ = writeln!(text, "exit_when: {}", node(exit_when));
    }
    for (key, wait) in
        [("enter_after", audience.enter_after), ("reenter_after", audience.reenter_after)]
    {
        if wait > Millis::ZERO {
            let _ = writeln!(text, "{key}: {}", span(wait));
        }
    }
    let at_least = (audience.stay.at_least > Millis::ZERO)
        .then(|| format!("at_least: {}", span(audience.stay.at_least)));
    let at_most = audience.stay.at_most.map(|most| format!("at_most: {}", span(most)));
    let stay: Vec<String> = at_least.into_iter().chain(at_most).collect();
    if !stay.is_empty() {
        let _ = writeln!(text, "stay: {{ {} }}", stay.join(", "));
    }
    text
}

/// The paint file.
#[must_use]
pub fn paint(paint: &Paint) -> String {
    let half = &paint.half_life;
    let mut text = format!(
        "paint:\n  half_life: {{ shop: {}, brand: {}, category: {}, product: {} }}\n",
        span(half.shop),
        span(half.brand),
        span(half.category),
        span(half.product)
    );
    let mut events = Vec::new();
    for event in &paint.events {
        let name = EVENTS.iter().find(|name| NameId::of(NameKind::Event, name) == event.event);
        let doses = [
            ("shop", event.shop),
            ("brand", event.brand),
            ("category", event.category),
            ("product", event.product),
        ];
        let doses: Vec<String> = doses
            .iter()
            .filter_map(|(level, dose)| {
                Some(match (*dose)? {
                    Dose::Add(weight) => format!("{level}: {weight}"),
                    Dose::Clear => format!("{level}: clear"),
                })
            })
            .collect();
        if !doses.is_empty() {
            events.push(format!("{}: {{ {} }}", name.sure(), doses.join(", ")));
        }
    }
    let _ = writeln!(text, "  events: {{ {} }}", events.join(", "));
    let _ = writeln!(text, "  forget_below: {}", paint.forget_below);
    let _ = writeln!(text, "  falloff: {{ category: {} }}", paint.falloff.category);
    text
}

/// An event as a shop's site sends it.
#[must_use]
pub fn event(event: &Event) -> String {
    let kind = if event.name.text() == "identify" { "identify" } else { "track" };
    let mut text = format!(
        r#"{{"messageId":"{}","type":"{kind}","event":"{}","anonymousId":"{}","timestamp":"{}""#,
        event.id.as_str(),
        event.name.text(),
        event.visitor,
        event.occurred_at
    );
    let page = event.page_path.as_ref();
    let _ = page.map(|path| write!(text, r#","context":{{"page":{{"path":"{path}"}}}}"#));
    let pairs = |pairs: &[(Box<str>, Value)]| -> Vec<String> {
        pairs.iter().map(|(name, is)| format!(r#""{name}":{}"#, value(is))).collect()
    };
    if kind == "identify" {
        let _ = write!(text, r#","traits":{{{}}}"#, pairs(&event.traits).join(","));
    }
    let mut properties = pairs(&event.properties);
    properties.extend(event.revenue.map(|revenue| format!(r#""revenue":{}"#, amount(revenue))));
    properties.extend(event.currency.map(|currency| format!(r#""currency":"{currency}""#)));
    let texts =
        [("coupon", &event.coupon), ("channel", &event.channel), ("country", &event.country)];
    for (key, text) in texts {
        properties.extend(text.as_ref().map(|text| format!(r#""{key}":"{text}""#)));
    }
    if !event.items.is_empty() {
        let items: Vec<String> = event.items.iter().map(item).collect();
        properties.push(format!(r#""products":[{}]"#, items.join(",")));
    }
    let _ = write!(text, r#","properties":{{{}}}}}"#, properties.join(","));
    text
}

fn item(item: &Item) -> String {
    let text = |key: &str, name: &Name| format!(r#""{key}":"{}""#, name.text());
    let mut fields = Vec::new();
    fields.extend(item.product.as_ref().map(|name| text("product_id", name)));
    fields.extend(item.brand.as_ref().map(|name| text("brand", name)));
    fields.extend(item.category.as_ref().map(|path| text("category", path.leaf())));
    fields.extend(item.price.map(|price| format!(r#""price":{}"#, amount(price))));
    fields.extend(item.quantity.map(|quantity| format!(r#""quantity":{quantity}"#)));
    format!("{{{}}}", fields.join(","))
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!(r#""{text}""#),
        Value::Number(number) => amount(*number),
        Value::Bool(is) => is.to_string(),
    }
}

/// Amounts of cases are whole.
fn amount(amount: Amount) -> String {
    (amount.get() / 10_000).to_string()
}

fn span(span: Millis) -> String {
    format!("{}ms", span.get())
}

fn node(this: &Node) -> String {
    let joined = |parts: &[Node]| parts.iter().map(node).collect::<Vec<_>>().join(", ");
    match this {
        Node::All(parts) => format!("{{ all: [{}] }}", joined(parts)),
        Node::Any(parts) => format!("{{ any: [{}] }}", joined(parts)),
        Node::Not(part) => format!("{{ not: {} }}", node(part)),
        Node::Leaf(leaf) => self::leaf(leaf),
    }
}

fn leaf(leaf: &Leaf) -> String {
    let within = |within: Option<Millis>| within.map(|w| format!(", within: {}", span(w)));
    match leaf {
        Leaf::Event(leaf) => {
            let after = leaf.after.as_ref().map(|y| format!(", after: last {}", y.text()));
            let (within, after) = (within(leaf.within).unwrap_or_default(), after);
            let (name, count) = (leaf.name.text(), count(leaf.count));
            let (after, filter) = (after.unwrap_or_default(), filter(&leaf.filter));
            format!(r#"{{ event: {{ name: {name}, count: "{count}"{within}{after}{filter} }} }}"#)
        }
        Leaf::Sum(leaf) => {
            let (event, of, is) = (leaf.event.text(), leaf.of.word(), range(leaf.is));
            let within = within(leaf.within).unwrap_or_default();
            let filter = filter(&leaf.filter);
            format!(r#"{{ sum: {{ event: {event}, of: {of}, is: "{is}"{within}{filter} }} }}"#)
        }
        Leaf::Last(leaf) => {
            let compare = side(leaf.at_least);
            let (event, ago, filter) = (leaf.event.text(), span(leaf.ago), filter(&leaf.filter));
            format!(r#"{{ last: {{ event: {event}, is: "{compare} {ago} ago"{filter} }} }}"#)
        }
        Leaf::Interest(leaf) => {
            let (tag, is, bound) = (&leaf.text, side(leaf.at_least), leaf.threshold);
            format!(r#"{{ interest: {{ tag: {tag}, is: "{is} {bound}" }} }}"#)
        }
        Leaf::Rank(leaf) => {
            format!(r#"{{ interest: {{ tag: {}, rank: "{}" }} }}"#, leaf.text, count(leaf.rank))
        }
        Leaf::Share(leaf) => {
            let (tag, is, bound) = (&leaf.text, side(leaf.at_least), leaf.share);
            format!(r#"{{ interest: {{ tag: {tag}, share: "{is} {bound}" }} }}"#)
        }
        Leaf::Sequence(leaf) => {
            let step = |step: &tzeva_audience::Step| {
                format!("{{ name: {}{} }}", step.name.text(), filter(&step.filter))
            };
            let steps: Vec<String> = leaf.steps.iter().map(step).collect();
            let span = leaf.span.map(|s| format!(", span: {}", span(s))).unwrap_or_default();
            let within = within(leaf.within).unwrap_or_default();
            format!("{{ sequence: {{ steps: [{}]{span}{within} }} }}", steps.join(", "))
        }
        Leaf::Trait(leaf) => {
            format!("{{ trait: {{ name: {}, is: {} }} }}", leaf.name, test(&leaf.test))
        }
        Leaf::In(leaf) => format!("{{ in: {} }}", leaf.audience.text()),
    }
}

fn side(at_least: bool) -> &'static str {
    if at_least { ">=" } else { "<" }
}

fn count(count: CountTest) -> String {
    match count {
        CountTest::Is(Compare::Equal, k) => k.to_string(),
        CountTest::Is(compare, k) => format!("{} {k}", compare.sign()),
        CountTest::Between(low, high) => format!("between {low} and {high}"),
    }
}

fn range(is: AmountTest) -> String {
    ends(is.low, is.high)
}

fn ends(low: Option<(Amount, bool)>, high: Option<(Amount, bool)>) -> String {
    match (low, high) {
        (Some((low, true)), Some((high, true))) => {
            format!("between {} and {}", amount(low), amount(high))
        }
        (Some((low, is_in)), None) => format!("{} {}", if is_in { ">=" } else { ">" }, amount(low)),
        (None, Some((high, is_in))) => {
            format!("{} {}", if is_in { "<=" } else { "<" }, amount(high))
        }
        _ => panic!("no file says that"),
    }
}

fn filter(filter: &Where) -> String {
    let tests: Vec<String> = filter.item.iter().chain(&filter.event).map(field).collect();
    if tests.is_empty() { String::new() } else { format!(", where: {{ {} }}", tests.join(", ")) }
}

fn field(one: &FieldTest) -> String {
    format!("{}: {}", one.field.word(), test(&one.test))
}

fn test(test: &Test) -> String {
    let names = |all: &[Name]| all.iter().map(|n| n.text().to_owned()).collect::<Vec<_>>();
    let texts = |all: &[Box<str>]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let numbers = |all: &[Amount]| all.iter().map(|n| amount(*n)).collect::<Vec<_>>();
    let quoted = |all: Vec<String>| {
        let all: Vec<String> = all.iter().map(|one| format!(r#""{one}""#)).collect();
        format!("[{}]", all.join(", "))
    };
    let none_of = |all: Vec<String>| match all.as_slice() {
        [only] => format!(r#""!= {only}""#),
        _ => format!(r#""not in [{}]""#, all.join(", ")),
    };
    match test {
        Test::In(all) => quoted(names(all)),
        Test::NotIn(all) => none_of(names(all)),
        Test::TextIn(all) => quoted(texts(all)),
        Test::TextNotIn(all) => none_of(texts(all)),
        Test::StartsWith(start) => format!(r#""starts_with {start}""#),
        Test::Number { low, high } => format!(r#""{}""#, ends(*low, *high)),
        Test::NumberIn(all) => format!("[{}]", numbers(all).join(", ")),
        Test::NumberNotIn(all) => none_of(numbers(all)),
        Test::Exists(there) => format!("{{ exists: {there} }}"),
        Test::Bool(wanted) => wanted.to_string(),
    }
}
