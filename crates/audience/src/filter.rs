//! `where`: tests on the fields of an event.

use crate::check::{Checker, head, shortened};
use crate::code::Code;
use crate::compare::Operation;
use crate::condition::is_plain;
use crate::problem::At;
use crate::tree::{Kind, Tree};
use crate::{Field, FieldTest, Test, Where};
use tzeva_model::{Amount, Name, NameKind};
use tzeva_script::nearest;

/// The fields by name; properties come beside them.
pub(crate) const FIELDS: [(&str, Field); 10] = [
    ("product", Field::Product),
    ("category", Field::Category),
    ("brand", Field::Brand),
    ("price", Field::Price),
    ("quantity", Field::Quantity),
    ("revenue", Field::Revenue),
    ("coupon", Field::Coupon),
    ("channel", Field::Channel),
    ("country", Field::Country),
    ("page.path", Field::PagePath),
];

/// How the values of a field compare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Name(NameKind),
    Category,
    Number,
    Text,
    Path,
    /// Whatever the property holds.
    Property,
}

/// A value to compare with, its place, and whether it was written without quotes.
type Value<'t> = (&'t str, bool);

impl Checker<'_> {
    /// Reads `where`; its tests come sorted by field, so that the order of keys means nothing.
    pub(crate) fn where_clause(&mut self, tree: &Tree) -> Option<Where> {
        let Kind::Map(pairs) = &tree.kind else {
            self.wrong_shape(tree, "a mapping of fields under `where`");
            return None;
        };
        let (mut clause, mut whole) = (Where::default(), true);
        let mut seen = std::collections::BTreeSet::new();
        for (key, value) in pairs {
            let Some(word) = key.text() else {
                self.wrong_shape(key, "the name of a field");
                whole = false;
                continue;
            };
            if !seen.insert(word) {
                self.refuse(Code::DuplicateKey, key.at, format!("`{word}` stands here twice"), "");
            }
            let test = self.field(word, key.at).and_then(|field| {
                let test = self.field_test(&field, value)?;
                Some(FieldTest { field, test })
            });
            match test {
                Some(test) if is_about_item(&test.field) => clause.item.push(test),
                Some(test) => clause.event.push(test),
                None => whole = false,
            }
        }
        clause.item.sort_by(|a, b| a.field.cmp(&b.field));
        clause.event.sort_by(|a, b| a.field.cmp(&b.field));
        whole.then_some(clause)
    }

    pub(crate) fn field(&mut self, word: &str, at: At) -> Option<Field> {
        if let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) {
            if *field == Field::PagePath {
                self.kept(word, at)?;
            }
            return Some(field.clone());
        }
        if let Some(name) = word.strip_prefix("properties.").filter(|name| !name.is_empty()) {
            self.kept(word, at)?;
            return Some(Field::Property(name.into()));
        }
        let help = match nearest(word, FIELDS.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if matches!(word, "sku" | "product_id") => "`product` is the id or the sku".into(),
            None => {
                let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
                format!("fields are {}, and `properties.NAME` for any other", names.join(", "))
            }
        };
        let message = format!("`{}` is no field of an event", shortened(word));
        self.refuse(Code::UnknownField, at, message, &help);
        None
    }

    /// Sees to it that history keeps the field.
    fn kept(&mut self, word: &str, at: At) -> Option<()> {
        if self.settings.keep.iter().any(|kept| kept == word) {
            return Some(());
        }
        self.named_fields.insert(word.to_owned());
        let mut lines: Vec<_> = self.settings.keep.iter().map(String::as_str).collect();
        lines.push(word);
        let help = format!("add to the settings: `history: {{ keep: [{}] }}`", lines.join(", "));
        let word = shortened(word);
        if self.settings.keep_what_rules_name {
            let message = format!("`{word}` is kept here because a rule names it");
            self.refuse(Code::FieldToKeep, at, message, &help);
            return Some(());
        }
        let message = format!("history doesn't keep `{word}`");
        self.refuse(Code::FieldNotKept, at, message, &help);
        None
    }

    pub(crate) fn field_test(&mut self, field: &Field, tree: &Tree) -> Option<Test> {
        match &tree.kind {
            Kind::List(items) => {
                if items.is_empty() {
                    let message = "no value is in an empty list";
                    self.refuse(Code::NeverTrue, head(tree), message, "list at least one");
                    return None;
                }
                let texts: Option<Vec<Value<'_>>> = items
                    .iter()
                    .map(|item| Some((self.text(item, "a text or a number")?, is_plain(item))))
                    .collect();
                self.one_of(field, &texts?, tree.at, true)
            }
            Kind::Map(pairs) => match pairs.as_slice() {
                [(key, value)] if key.text() == Some("exists") => match value.text() {
                    Some("true") => Some(Test::Exists(true)),
                    Some("false") if *field == Field::Quantity => {
                        let message = "every item has a quantity: 1 where none is given";
                        self.refuse(Code::NeverTrue, value.at, message, "leave it out");
                        None
                    }
                    Some("false") => Some(Test::Exists(false)),
                    _ => {
                        self.wrong_shape(value, "true or false");
                        None
                    }
                },
                _ => {
                    self.wrong_shape(tree, "a value, a list, a comparison or `{ exists: true }`");
                    None
                }
            },
            Kind::Text(..) => {
                let text = self.comparison(tree, "a value")?;
                self.text_test(field, text, tree)
            }
            Kind::Bad => None,
        }
    }

    fn text_test(&mut self, field: &Field, text: &str, tree: &Tree) -> Option<Test> {
        let at = tree.at;
        let operation = match Operation::parse(text) {
            Ok(operation) => operation,
            Err(error) => {
                let help = "for a value that begins with such a word, write a list: [\"...\"]";
                self.refuse(Code::BadValue, at, error.0, help);
                return None;
            }
        };
        let (low, high) = match operation {
            Operation::Bare(value) => {
                return self.one_of(field, &[(value, is_plain(tree))], at, true);
            }
            Operation::Equal(value) => return self.one_of(field, &[(value, true)], at, true),
            Operation::NotEqual(value) => return self.one_of(field, &[(value, true)], at, false),
            Operation::In(values) => {
                let values: Vec<Value<'_>> = values.iter().map(|v| (v.as_str(), true)).collect();
                return self.one_of(field, &values, at, true);
            }
            Operation::NotIn(values) => {
                let values: Vec<Value<'_>> = values.iter().map(|v| (v.as_str(), true)).collect();
                return self.one_of(field, &values, at, false);
            }
            Operation::StartsWith(value) => {
                let help = "`starts_with` needs no star";
                self.star_is_a_letter(value, help, at);
                return self.starts_with(field, value, at);
            }
            Operation::AtLeast(value) => (Some((value, true)), None),
            Operation::MoreThan(value) => (Some((value, false)), None),
            Operation::AtMost(value) => (None, Some((value, true))),
            Operation::LessThan(value) => (None, Some((value, false))),
            Operation::Between(low, high) => (Some((low, true)), Some((high, true))),
        };
        if !matches!(sort(field), Sort::Number | Sort::Property) {
            let message =
                format!("`{}` holds no number, so it can't be more or less", field.word());
            self.refuse(Code::BadValue, at, message, "compare with =, !=, in or not in");
            return None;
        }
        let end = |this: &mut Self, end: Option<(&str, bool)>| match end {
            Some((value, inclusive)) => {
                this.number(field, value, at).map(|value| Some((value, inclusive)))
            }
            None => Some(None),
        };
        let (low, high) = (end(self, low)?, end(self, high)?);
        self.range_can_hold(field, low, high, at)?;
        Some(Test::Number { low, high })
    }

    fn range_can_hold(
        &mut self,
        field: &Field,
        low: Option<(Amount, bool)>,
        high: Option<(Amount, bool)>,
        at: At,
    ) -> Option<()> {
        let floor = match field {
            Field::Price | Field::Quantity => Some((Amount::ZERO, true)),
            _ => None,
        };
        let empty = low.into_iter().chain(floor).any(|(low, low_in)| {
            high.is_some_and(|(high, high_in)| low > high || low == high && !(low_in && high_in))
        });
        if empty {
            self.refuse(Code::NeverTrue, at, "no number lies in that range", "");
            return None;
        }
        Some(())
    }

    fn starts_with(&mut self, field: &Field, value: &str, at: At) -> Option<Test> {
        match sort(field) {
            Sort::Text | Sort::Path | Sort::Property => Some(Test::StartsWith(value.into())),
            Sort::Number => {
                let message = format!("`{}` is a number: it starts with nothing", field.word());
                self.refuse(Code::BadValue, at, message, "compare with >= > < <= = or between");
                None
            }
            Sort::Name(_) | Sort::Category => {
                let message =
                    format!("history keeps only an id of `{}`, not its letters", field.word());
                let help = match field {
                    Field::Category => {
                        "a category matches its path and everything below it: `category: Shoes`"
                    }
                    _ => "list the names: `in [A, B]`",
                };
                self.refuse(Code::StartsWithOnId, at, message, help);
                None
            }
        }
    }

    /// Warns of a star in a value that is compared as it is.
    fn no_pattern(&mut self, field: &Field, value: &str, at: At) {
        let help = match sort(field) {
            Sort::Path => return,
            Sort::Category => "a category matches everything below it: write `Shoes` for `Shoes/*`",
            Sort::Name(_) => "list the names: `in [A, B]`",
            _ => "only `page.path` takes patterns; for the first letters write `starts_with ...`",
        };
        self.star_is_a_letter(value, help, at);
    }

    /// Warns of a star where it stands for itself.
    fn star_is_a_letter(&mut self, value: &str, help: &str, at: At) {
        if value.contains('*') {
            let message = format!("the `*` in `{}` stands for itself", shortened(value));
            self.refuse(Code::StarIsALetter, at, message, help);
        }
    }

    /// One of some values, or none of them.
    fn one_of(
        &mut self,
        field: &Field,
        values: &[Value<'_>],
        at: At,
        wanted: bool,
    ) -> Option<Test> {
        values.iter().for_each(|(text, _)| self.no_pattern(field, text, at));
        let all_plain = values.iter().all(|(_, plain)| *plain);
        let is_number = |text: &str| !text.is_empty() && Amount::parse(text).is_ok();
        let sort = match sort(field) {
            Sort::Property if all_plain && values.iter().all(|(text, _)| is_number(text)) => {
                Sort::Number
            }
            Sort::Property => {
                if let ([("true", true)], true) | ([("false", true)], true) = (values, wanted) {
                    return Some(Test::Bool(values[0].0 == "true"));
                }
                Sort::Text
            }
            sort => sort,
        };
        match sort {
            Sort::Name(kind) => {
                let names = values.iter().map(|(text, _)| Name::new(kind, text)).collect();
                Some(names_test(names, wanted))
            }
            Sort::Category => {
                let mut names = Vec::with_capacity(values.len());
                for (text, _) in values {
                    let Some(path) = self.category(text) else {
                        let message = format!("`{}` names no category", shortened(text));
                        self.refuse(
                            Code::BadValue,
                            at,
                            message,
                            "write a path such as Shoes/Running",
                        );
                        return None;
                    };
                    names.push(path.leaf().clone());
                }
                Some(names_test(names, wanted))
            }
            Sort::Number => {
                let read = values.iter().map(|(text, _)| self.number(field, text, at));
                let mut numbers = read.collect::<Option<Vec<_>>>()?;
                numbers.sort_unstable();
                numbers.dedup();
                Some(if wanted { Test::NumberIn(numbers) } else { Test::NumberNotIn(numbers) })
            }
            Sort::Text | Sort::Path | Sort::Property => {
                if sort == Sort::Path
                    && values.iter().any(|(text, _)| !text.starts_with(['/', '*']))
                {
                    let help = "a path begins with `/`; a glob may begin with `*`";
                    self.refuse(Code::BadValue, at, "no page has such a path", help);
                    return None;
                }
                let mut texts: Vec<Box<str>> =
                    values.iter().map(|(text, _)| (*text).into()).collect();
                texts.sort_unstable();
                texts.dedup();
                Some(if wanted { Test::TextIn(texts) } else { Test::TextNotIn(texts) })
            }
        }
    }

    pub(crate) fn number(&mut self, field: &Field, text: &str, at: At) -> Option<Amount> {
        let (message, help) = match Amount::parse(text) {
            Err(error) => {
                (format!("`{}` is no number: {error}", shortened(text)), "write it as 80 or 79.90")
            }
            Ok(_) if text.contains(['e', 'E']) => {
                (format!("`{}` has an exponent", shortened(text)), "write it out, such as 79.90")
            }
            Ok(_) if text.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 4) => (
                format!("`{}` has more than four decimals", shortened(text)),
                "amounts are kept to four",
            ),
            Ok(number) if *field == Field::Quantity && number.get() % 10_000 != 0 => {
                (format!("`{text}` is no whole number of pieces"), "write a whole number")
            }
            Ok(number) => return Some(number),
        };
        self.refuse(Code::BadValue, at, message, help);
        None
    }
}

fn names_test(mut names: Vec<Name>, wanted: bool) -> Test {
    names.sort_unstable_by(|a, b| a.text().cmp(b.text()));
    names.dedup();
    if wanted { Test::In(names) } else { Test::NotIn(names) }
}

pub(crate) fn sort(field: &Field) -> Sort {
    match field {
        Field::Product => Sort::Name(NameKind::Product),
        Field::Brand => Sort::Name(NameKind::Brand),
        Field::Category => Sort::Category,
        Field::Price | Field::Quantity | Field::Revenue => Sort::Number,
        Field::Coupon | Field::Channel | Field::Country => Sort::Text,
        Field::PagePath => Sort::Path,
        Field::Property(_) => Sort::Property,
    }
}

fn is_about_item(field: &Field) -> bool {
    let item = [Field::Product, Field::Category, Field::Brand, Field::Price, Field::Quantity];
    item.contains(field)
}
