//! Cases as text that people can read and `read` reads back. Instants are offsets from the base, amounts ten-thousandths.

use crate::Sure;
use crate::case::{BASE, Case, Move};
use crate::history::EVENTS;
use std::fmt::Write;
use tzeva_audience::{
    Audience, Compare, CountTest, Dose, Field, FieldTest, Leaf, Node, Paint, RuleSet, Test, Where,
};
use tzeva_model::{
    Amount, Change, Currencies, Event, Item, Name, NameId, NameKind, UnixMillis, Value,
};

/// The whole case.
#[must_use]
pub fn case(case: &Case) -> String {
    let mut text = String::new();
    let settings = &case.settings;
    let _ = writeln!(
        text,
        "settings max_strokes={} max_cells={} max_age={} max_items={} max_total_items={} idle={} late_after={} backtest={}",
        settings.max_strokes,
        settings.max_cells,
        settings.max_age.get(),
        settings.max_items,
        settings.max_total_items,
        settings.idle.get(),
        settings.late_after.get(),
        settings.backtest,
    );
    currencies(&mut text, &settings.currencies);
    rules(&mut text, &case.rules);
    for step in &case.moves {
        match step {
            Move::Record(input) => {
                let _ = write!(text, "record {}", offset(input.record_time));
                event(&mut text, &input.event);
                text.push('\n');
            }
            Move::Clock(until) => {
                let _ = writeln!(text, "clock {}", offset(*until));
            }
            Move::Activate(set) => {
                text += "activate\n";
                rules(&mut text, set);
            }
        }
    }
    let _ = writeln!(text, "until {}", offset(case.until));
    text
}

fn rules(text: &mut String, rules: &RuleSet) {
    paint(text, &rules.paint);
    rules.audiences.iter().for_each(|one| audience(text, one));
}

/// A change, for people.
#[must_use]
pub fn change(change: &Change) -> String {
    let reason = &change.reason;
    let evidence: Vec<i64> = reason.evidence.iter().map(|e| offset(e.at)).collect();
    let audience = (0..20)
        .map(|number| format!("a{number}"))
        .find(|name| NameId::of(NameKind::Audience, name) == change.audience);
    format!(
        "{} {} {} {}: {} {:?}{} evidence {evidence:?} cause {:?} {}",
        offset(change.effective_at),
        change.visitor,
        change.direction.word(),
        audience.unwrap_or_default(),
        reason.kind.word(),
        reason.place,
        if reason.exact { "" } else { " not exact" },
        reason.cause.as_ref().map(|cause| cause.id.as_str()),
        change.origin.word(),
    )
}

fn offset(at: UnixMillis) -> i64 {
    at.get() - BASE
}

fn currencies(text: &mut String, currencies: &Currencies) {
    if let Some(home) = currencies.home {
        let _ = write!(text, "currency {home}");
        for (currency, rate) in &currencies.rates {
            let _ = write!(text, " {currency}={}", rate.billionths());
        }
        text.push('\n');
    }
}

fn paint(text: &mut String, paint: &Paint) {
    let half = &paint.half_life;
    let _ = writeln!(
        text,
        "half_life shop={} brand={} category={} product={} forget_below={} falloff={}",
        half.shop.get(),
        half.brand.get(),
        half.category.get(),
        half.product.get(),
        paint.forget_below,
        paint.falloff.category,
    );
    for paint in &paint.events {
        let name = EVENTS.iter().find(|name| NameId::of(NameKind::Event, name) == paint.event);
        let _ = write!(text, "paint {}", name.sure());
        let doses = [
            ("shop", paint.shop),
            ("brand", paint.brand),
            ("category", paint.category),
            ("product", paint.product),
        ];
        for (level, dose) in doses {
            let _ = match dose {
                Some(Dose::Add(weight)) => write!(text, " {level}={weight}"),
                Some(Dose::Clear) => write!(text, " {level}=clear"),
                None => Ok(()),
            };
        }
        text.push('\n');
    }
}

fn audience(text: &mut String, audience: &Audience) {
    let _ = write!(text, "audience {} version={}", audience.name.text(), audience.version);
    let _ = write!(text, " enter_after={}", audience.enter_after.get());
    let _ = write!(text, " at_least={}", audience.stay.at_least.get());
    if let Some(at_most) = audience.stay.at_most {
        let _ = write!(text, " at_most={}", at_most.get());
    }
    let _ = writeln!(text, " reenter_after={}", audience.reenter_after.get());
    let _ = writeln!(text, "  enter {}", node(&audience.enter));
    if let Some(exit_when) = &audience.exit_when {
        let _ = writeln!(text, "  exit_when {}", node(exit_when));
    }
}

fn node(this: &Node) -> String {
    let joined = |parts: &[Node]| parts.iter().map(node).collect::<Vec<_>>().join(" ");
    match this {
        Node::All(parts) => format!("(all {})", joined(parts)),
        Node::Any(parts) => format!("(any {})", joined(parts)),
        Node::Not(part) => format!("(not {})", node(part)),
        Node::Leaf(leaf) => self::leaf(leaf),
    }
}

fn leaf(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Event(leaf) => {
            let within = leaf.within.map(|w| format!(" within={}", w.get())).unwrap_or_default();
            let after = leaf.after.as_ref().map(|y| format!(" after={}", y.text()));
            let (name, count) = (leaf.name.text(), count(leaf.count));
            let after = after.unwrap_or_default();
            format!("(event {name} {count}{within}{after}{})", filter(&leaf.filter))
        }
        Leaf::Sum(leaf) => {
            let range = Test::Number { low: leaf.is.low, high: leaf.is.high };
            let is = test(&FieldTest { field: leaf.of.clone(), test: range });
            let within = leaf.within.map(|w| format!(" within={}", w.get())).unwrap_or_default();
            format!("(sum {}{is}{within}{})", leaf.event.text(), filter(&leaf.filter))
        }
        Leaf::Last(leaf) => {
            let compare = if leaf.at_least { ">=" } else { "<" };
            let (name, ago) = (leaf.event.text(), leaf.ago.get());
            format!("(last {name} {compare}{ago}{})", filter(&leaf.filter))
        }
        Leaf::Interest(leaf) => {
            let compare = if leaf.at_least { ">=" } else { "<" };
            format!("(interest {} {compare}{})", leaf.text, leaf.threshold)
        }
        Leaf::Rank(leaf) => format!("(rank {} {})", leaf.text, count(leaf.rank)),
        Leaf::Share(leaf) => {
            let compare = if leaf.at_least { ">=" } else { "<" };
            format!("(share {} {compare}{})", leaf.text, leaf.share)
        }
        Leaf::Sequence(leaf) => {
            let mut text = "(sequence".to_owned();
            let _ = leaf.span.map(|span| write!(text, " span={}", span.get()));
            let _ = leaf.within.map(|within| write!(text, " within={}", within.get()));
            for step in &leaf.steps {
                let _ = write!(text, " (step {}{})", step.name.text(), filter(&step.filter));
            }
            text + ")"
        }
        Leaf::Trait(leaf) => {
            let field = Field::Property(leaf.name.clone());
            format!("(trait{})", test(&FieldTest { field, test: leaf.test.clone() }))
        }
        Leaf::In(leaf) => format!("(in {})", leaf.audience.text()),
    }
}

fn count(count: CountTest) -> String {
    match count {
        CountTest::Is(Compare::AtLeast, k) => format!(">={k}"),
        CountTest::Is(Compare::MoreThan, k) => format!(">{k}"),
        CountTest::Is(Compare::AtMost, k) => format!("<={k}"),
        CountTest::Is(Compare::LessThan, k) => format!("<{k}"),
        CountTest::Is(Compare::Equal, k) => format!("={k}"),
        CountTest::Between(low, high) => format!("{low}..{high}"),
    }
}

fn filter(filter: &Where) -> String {
    filter.item.iter().chain(&filter.event).map(test).collect()
}

fn test(one: &FieldTest) -> String {
    let names = |names: &[Name]| names.iter().map(|n| format!(" {}", n.text())).collect::<String>();
    let texts = |texts: &[Box<str>]| texts.iter().map(|t| format!(" {t}")).collect::<String>();
    let numbers = |all: &[Amount]| all.iter().map(|n| format!(" {}", n.get())).collect::<String>();
    let test = match &one.test {
        Test::In(all) => format!("in{}", names(all)),
        Test::NotIn(all) => format!("not_in{}", names(all)),
        Test::TextIn(all) => format!("text_in{}", texts(all)),
        Test::TextNotIn(all) => format!("text_not_in{}", texts(all)),
        Test::StartsWith(start) => format!("starts_with {start}"),
        Test::NumberIn(all) => format!("number_in{}", numbers(all)),
        Test::NumberNotIn(all) => format!("number_not_in{}", numbers(all)),
        Test::Number { low, high } => {
            let low = low.map(|(at, is_in)| (if is_in { " >=" } else { " >" }, at));
            let high = high.map(|(at, is_in)| (if is_in { " <=" } else { " <" }, at));
            let ends = [low, high].into_iter().flatten();
            let ends: String = ends.map(|(sign, at)| format!("{sign}{}", at.get())).collect();
            format!("number{ends}")
        }
        Test::Exists(there) => format!("exists {there}"),
        Test::Bool(wanted) => format!("bool {wanted}"),
    };
    format!(" ({} {test})", one.field.word())
}

fn event(text: &mut String, event: &Event) {
    let (visitor, name, id) = (&event.visitor, event.name.text(), event.id.as_str());
    let _ = write!(text, " {visitor} {name} id={id} at={}", offset(event.occurred_at));
    let _ = event.revenue.map(|revenue| write!(text, " revenue={}", revenue.get()));
    let _ = event.currency.map(|currency| write!(text, " currency={currency}"));
    let texts = [
        ("coupon", &event.coupon),
        ("channel", &event.channel),
        ("country", &event.country),
        ("page.path", &event.page_path),
        ("traceparent", &event.traceparent),
    ];
    for (key, value) in texts {
        let _ = value.as_ref().map(|value| write!(text, " {key}={value}"));
    }
    let properties = event.properties.iter().map(|(name, value)| ("property", name, value));
    let traits = event.traits.iter().map(|(name, value)| ("trait", name, value));
    for (kind, name, value) in properties.chain(traits) {
        let _ = write!(text, " {kind}={name}:{}", self::value(value));
    }
    event.items.iter().for_each(|item| self::item(text, item));
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("text:{text}"),
        Value::Number(number) => format!("number:{}", number.get()),
        Value::Bool(bool) => format!("bool:{bool}"),
    }
}

fn item(text: &mut String, item: &Item) {
    let name = |name: &Option<Name>| name.as_ref().map_or("-".to_owned(), |n| n.text().to_owned());
    let category = item.category.as_ref().map(|path| path.leaf().clone());
    let _ = write!(
        text,
        " item={};{};{};{};{}",
        name(&item.product),
        name(&item.brand),
        name(&category),
        item.price.map_or("-".to_owned(), |price| price.get().to_string()),
        item.quantity.map_or("-".to_owned(), |quantity| quantity.to_string()),
    );
}
