//! Reads what `write` writes. A text that is not so is a mistake in a regression file, and panics.

use crate::Sure;
use crate::case::{BASE, Case, Move};
use crate::history::category;
use tzeva_audience::{
    AmountTest, Audience, Compare, CountTest, Dose, EventLeaf, Falloff, Field, FieldTest,
    HalfLives, InLeaf, InterestLeaf, LastLeaf, Leaf, Node, Paint, PaintEvent, RankLeaf, RuleSet,
    SequenceLeaf, ShareLeaf, Stay, Step, SumLeaf, Test, TraitLeaf, Where,
};
use tzeva_model::{
    Amount, Currencies, Currency, Event, EventId, Item, Level, Millis, Name, NameId, NameKind,
    Rate, RulesVersion, TagKey, UnixMillis, Value, VisitorId,
};
use tzeva_oracle::{Input, Settings};

/// A line: its words, some of which are `key=value`.
struct Line<'a>(Vec<&'a str>);

/// What is left of a condition's tokens.
struct Tokens<'a>(std::iter::Peekable<std::vec::IntoIter<&'a str>>);

/// Reads a whole case; lines that begin with `#` are for people.
#[must_use]
pub fn case(text: &str) -> Case {
    let mut settings = None;
    let mut moves = Vec::new();
    let mut until = None;
    let mut sets = vec![no_rules(0)];
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for text in lines.filter(|line| !line.starts_with('#')) {
        let line = Line(text.split_whitespace().collect());
        match line.0[0] {
            "settings" => settings = Some(self::settings(&line)),
            "currency" => {
                let settings: &mut Settings = settings.as_mut().sure();
                settings.currencies = currencies(&line);
            }
            "half_life" | "paint" | "audience" | "enter" | "exit_when" => {
                rule(&line, text, sets.last_mut().sure());
            }
            "activate" => {
                let version = u64::try_from(sets.len()).ok().sure();
                sets.push(no_rules(version));
                moves.push(Move::Activate(Box::new(no_rules(version))));
            }
            "record" => moves.push(Move::Record(Box::new(input(&line)))),
            "clock" => moves.push(Move::Clock(instant(line.0[1]))),
            "until" => until = Some(instant(line.0[1])),
            other => panic!("unknown word {other}"),
        }
    }
    sets.iter_mut().for_each(|set| set.paint.events.sort_by_key(|paint| paint.event));
    let mut sets = sets.into_iter();
    let rules = sets.next().sure();
    for step in &mut moves {
        if let Move::Activate(set) = step {
            **set = sets.next().sure();
        }
    }
    Case { settings: settings.sure(), rules, moves, until: until.sure() }
}

fn no_rules(version: u64) -> RuleSet {
    let version = RulesVersion::new(version);
    RuleSet { version, audiences: Vec::new(), paint: Paint::default() }
}

/// Reads a line of a rule set.
fn rule(line: &Line, text: &str, set: &mut RuleSet) {
    let word = line.0[0];
    let condition = || node(&text[word.len()..]);
    match word {
        "half_life" => set.paint = half_life(line),
        "paint" => set.paint.events.push(paint_event(line)),
        "audience" => set.audiences.push(audience(line)),
        "enter" => set.audiences.last_mut().sure().enter = condition(),
        _ => set.audiences.last_mut().sure().exit_when = Some(condition()),
    }
}

// === impl Line ===

impl<'a> Line<'a> {
    fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter_map(|word| word.split_once('='));
        pairs.filter(move |(other, _)| *other == key).map(|(_, value)| value)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.all(key).next()
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key).map(parse)
    }

    fn millis(&self, key: &str) -> Millis {
        Millis::new(self.number(key).sure())
    }
}

// === impl Tokens ===

impl<'a> Tokens<'a> {
    fn word(&mut self) -> &'a str {
        self.0.next().sure()
    }

    /// What comes before the closing bracket, which is taken too.
    fn rest(&mut self) -> Vec<&'a str> {
        let mut words = Vec::new();
        loop {
            match self.word() {
                ")" => return words,
                word => words.push(word),
            }
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().unwrap_or_else(|| panic!("cannot read {text}"))
}

fn instant(text: &str) -> UnixMillis {
    UnixMillis::new(BASE + parse::<i64>(text))
}

fn settings(line: &Line) -> Settings {
    Settings {
        max_strokes: line.number("max_strokes").sure(),
        max_cells: line.number("max_cells").sure(),
        max_age: line.millis("max_age"),
        max_items: line.number("max_items").sure(),
        max_total_items: line.number("max_total_items").sure(),
        idle: line.millis("idle"),
        late_after: line.millis("late_after"),
        currencies: Currencies::default(),
        backtest: line.number("backtest").sure(),
    }
}

fn currencies(line: &Line) -> Currencies {
    let rate = |(name, rate): (&str, &str)| {
        (Currency::try_new(name).sure(), Rate::from_billionths(parse(rate)).sure())
    };
    let rates = line.0[2..].iter().filter_map(|word| word.split_once('=')).map(rate);
    Currencies { home: Currency::try_new(line.0[1]), rates: rates.collect() }
}

fn half_life(line: &Line) -> Paint {
    Paint {
        half_life: HalfLives {
            shop: line.millis("shop"),
            brand: line.millis("brand"),
            category: line.millis("category"),
            product: line.millis("product"),
        },
        events: Vec::new(),
        forget_below: line.number("forget_below").sure(),
        falloff: Falloff { category: line.number("falloff").sure() },
    }
}

fn paint_event(line: &Line) -> PaintEvent {
    let dose = |level| match line.text(level) {
        Some("clear") => Some(Dose::Clear),
        Some(weight) => Some(Dose::Add(parse(weight))),
        None => None,
    };
    PaintEvent {
        event: NameId::of(NameKind::Event, line.0[1]),
        shop: dose("shop"),
        brand: dose("brand"),
        category: dose("category"),
        product: dose("product"),
    }
}

fn audience(line: &Line) -> Audience {
    let at_most = line.number("at_most").map(Millis::new);
    Audience {
        name: Name::new(NameKind::Audience, line.0[1]),
        version: line.number("version").sure(),
        describe: None,
        owner: None,
        labels: Vec::new(),
        enter: Node::All(Vec::new()),
        exit_when: None,
        enter_after: line.millis("enter_after"),
        stay: Stay { at_least: line.millis("at_least"), at_most },
        reenter_after: line.millis("reenter_after"),
    }
}

fn node(text: &str) -> Node {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut tokens = Tokens(tokens.into_iter().peekable());
    tokens.word();
    one_node(&mut tokens)
}

/// Reads a node whose opening bracket is taken already.
fn one_node(tokens: &mut Tokens) -> Node {
    let parts = |tokens: &mut Tokens| {
        let mut parts = Vec::new();
        while tokens.word() == "(" {
            parts.push(one_node(tokens));
        }
        parts
    };
    match tokens.word() {
        "all" => Node::All(parts(tokens)),
        "any" => Node::Any(parts(tokens)),
        "not" => Node::Not(Box::new(parts(tokens).remove(0))),
        kind => Node::Leaf(leaf(kind, tokens)),
    }
}

fn leaf(kind: &str, tokens: &mut Tokens) -> Leaf {
    match kind {
        "sequence" => return sequence(tokens),
        "trait" => {
            tokens.word();
            let FieldTest { field, test } = test(&tokens.rest());
            tokens.word();
            let Field::Property(name) = field else { panic!("a trait has a name of its own") };
            return Leaf::Trait(TraitLeaf { name, test });
        }
        "sum" => return sum(tokens),
        "in" => {
            let audience = Name::new(NameKind::Audience, tokens.rest()[0]);
            return Leaf::In(InLeaf { audience });
        }
        _ => {}
    }
    let what = tokens.word();
    let compare = tokens.word();
    let (words, filter) = filter(tokens);
    let line = Line(words);
    let name = Name::new(NameKind::Event, what);
    let at_least = compare.starts_with(">=");
    let bound = compare.trim_start_matches(['>', '=', '<']);
    let text = what.to_owned();
    match kind {
        "event" => Leaf::Event(EventLeaf {
            name,
            filter,
            count: count(compare),
            within: line.number("within").map(Millis::new),
            after: line.text("after").map(|y| Name::new(NameKind::Event, y)),
        }),
        "last" => {
            Leaf::Last(LastLeaf { event: name, filter, at_least, ago: Millis::new(parse(bound)) })
        }
        "interest" => {
            let threshold = parse(bound);
            Leaf::Interest(InterestLeaf { tag: tag(what), text, at_least, threshold })
        }
        "rank" => Leaf::Rank(RankLeaf { tag: tag(what), text, rank: count(compare) }),
        "share" => Leaf::Share(ShareLeaf { tag: tag(what), text, at_least, share: parse(bound) }),
        other => panic!("unknown leaf {other}"),
    }
}

/// Words and tests up to the closing bracket, which is taken too.
fn filter<'a>(tokens: &mut Tokens<'a>) -> (Vec<&'a str>, Where) {
    let (mut words, mut filter) = (Vec::new(), Where::default());
    loop {
        match tokens.word() {
            ")" => return (words, filter),
            "(" => {
                let test = test(&tokens.rest());
                let by_item = matches!(
                    test.field,
                    Field::Product
                        | Field::Category
                        | Field::Brand
                        | Field::Price
                        | Field::Quantity
                );
                if by_item { &mut filter.item } else { &mut filter.event }.push(test);
            }
            word => words.push(word),
        }
    }
}

fn sum(tokens: &mut Tokens) -> Leaf {
    let event = Name::new(NameKind::Event, tokens.word());
    tokens.word();
    let FieldTest { field: of, test } = test(&tokens.rest());
    let Test::Number { low, high } = test else { panic!("a sum lies in a range") };
    let (words, filter) = filter(tokens);
    let within = Line(words).number("within").map(Millis::new);
    Leaf::Sum(SumLeaf { event, filter, of, is: AmountTest { low, high }, within })
}

fn sequence(tokens: &mut Tokens) -> Leaf {
    let (mut words, mut steps) = (Vec::new(), Vec::new());
    loop {
        match tokens.word() {
            ")" => break,
            "(" => {
                tokens.word();
                let name = Name::new(NameKind::Event, tokens.word());
                steps.push(Step { name, filter: filter(tokens).1 });
            }
            word => words.push(word),
        }
    }
    let line = Line(words);
    let millis = |key| line.number(key).map(Millis::new);
    Leaf::Sequence(SequenceLeaf { steps, span: millis("span"), within: millis("within") })
}

/// The tag written `text`, as in audience files.
pub(crate) fn tag(text: &str) -> TagKey {
    let of = |level, kind, name| TagKey { level, id: NameId::of(kind, name) };
    match text.split_once('/') {
        Some(("brand", name)) => of(Level::Brand, NameKind::Brand, name),
        Some(("product", name)) => of(Level::Product, NameKind::Product, name),
        Some(("category", path)) => {
            let depth = u8::try_from(path.split('/').count()).ok().sure();
            of(Level::Category(depth), NameKind::Category, path)
        }
        _ => of(Level::Shop, NameKind::Shop, ""),
    }
}

fn count(text: &str) -> CountTest {
    if let Some((low, high)) = text.split_once("..") {
        return CountTest::Between(parse(low), parse(high));
    }
    let number = text.trim_start_matches(['>', '=', '<']);
    let compare = match &text[..text.len() - number.len()] {
        ">=" => Compare::AtLeast,
        ">" => Compare::MoreThan,
        "<=" => Compare::AtMost,
        "<" => Compare::LessThan,
        _ => Compare::Equal,
    };
    CountTest::Is(compare, parse(number))
}

fn test(words: &[&str]) -> FieldTest {
    let (field, kind) = match words[0] {
        "product" => (Field::Product, NameKind::Product),
        "category" => (Field::Category, NameKind::Category),
        "brand" => (Field::Brand, NameKind::Brand),
        "price" => (Field::Price, NameKind::Product),
        "quantity" => (Field::Quantity, NameKind::Product),
        "revenue" => (Field::Revenue, NameKind::Product),
        "coupon" => (Field::Coupon, NameKind::Product),
        "channel" => (Field::Channel, NameKind::Product),
        "country" => (Field::Country, NameKind::Product),
        "page.path" => (Field::PagePath, NameKind::Product),
        other => {
            let name = other.trim_start_matches("properties.");
            (Field::Property(name.into()), NameKind::Product)
        }
    };
    let rest = &words[2..];
    let names = || rest.iter().map(|text| Name::new(kind, text)).collect();
    let texts = || rest.iter().map(|text| (*text).into()).collect();
    let numbers = || rest.iter().map(|text| Amount::new(parse(text))).collect();
    let end = |sign: char| {
        let word = rest.iter().find(|word| word.starts_with(sign))?;
        let number = word.trim_start_matches(['>', '=', '<']);
        Some((Amount::new(parse(number)), word.contains('=')))
    };
    let test = match words[1] {
        "in" => Test::In(names()),
        "not_in" => Test::NotIn(names()),
        "text_in" => Test::TextIn(texts()),
        "text_not_in" => Test::TextNotIn(texts()),
        "starts_with" => Test::StartsWith(rest[0].into()),
        "number" => Test::Number { low: end('>'), high: end('<') },
        "number_in" => Test::NumberIn(numbers()),
        "number_not_in" => Test::NumberNotIn(numbers()),
        "exists" => Test::Exists(parse(rest[0])),
        "bool" => Test::Bool(parse(rest[0])),
        other => panic!("unknown test {other}"),
    };
    FieldTest { field, test }
}

fn input(line: &Line) -> Input {
    let text = |key| line.text(key).map(Into::into);
    let event = Event {
        visitor: VisitorId::try_new(line.0[2]).ok().sure(),
        id: EventId::new(line.text("id").sure()),
        name: Name::new(NameKind::Event, line.0[3]),
        occurred_at: instant(line.text("at").sure()),
        items: line.all("item").map(item).collect(),
        revenue: line.number("revenue").map(Amount::new),
        currency: line.text("currency").and_then(Currency::try_new),
        coupon: text("coupon"),
        channel: text("channel"),
        country: text("country"),
        page_path: text("page.path"),
        properties: line.all("property").map(named_value).collect(),
        traceparent: text("traceparent"),
        traits: line.all("trait").map(named_value).collect(),
    };
    Input { record_time: instant(line.0[1]), event }
}

fn named_value(text: &str) -> (Box<str>, Value) {
    let parts: Vec<&str> = text.split(':').collect();
    let value = match parts[1] {
        "text" => Value::Text(parts[2].into()),
        "number" => Value::Number(Amount::new(parse(parts[2]))),
        _ => Value::Bool(parse(parts[2])),
    };
    (parts[0].into(), value)
}

fn item(text: &str) -> Item {
    let parts: Vec<Option<&str>> =
        text.split(';').map(|part| (part != "-").then_some(part)).collect();
    Item {
        product: parts[0].map(|name| Name::new(NameKind::Product, name)),
        brand: parts[1].map(|name| Name::new(NameKind::Brand, name)),
        category: parts[2].map(category),
        price: parts[3].map(|price| Amount::new(parse(price))),
        quantity: parts[4].map(parse),
    }
}
