//! From the words of a line to an event: as a producer would send it, through the decoder that reads producers.
//!
//! So names fold, revenue is summed and bad values are refused exactly as live. A key of an item that stands for the
//! second time begins the next item: `product=a price=10 product=b price=20` is an order of two.

use crate::BEGINNING;
use crate::notation::{Text, Word};
use serde_json::{Map, Value, json};
use std::ops::Range;
use tzeva_decode::{Decoded, Decoder, Raw, Settings, SettingsError};
use tzeva_model::{Event, Millis, Partition};
use tzeva_script::{Code, nearest};

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) place: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// A call under construction.
#[derive(Default)]
struct Call<'t> {
    items: Vec<Map<String, Value>>,
    properties: Map<String, Value>,
    traits: Map<String, Value>,
    page: Map<String, Value>,
    context: Map<String, Value>,
    id: Option<&'t str>,
    currency: Option<&'t str>,
}

/// Keys of one product, with what producers call them.
const ITEM: [(&str, &str); 5] = [
    ("product", "product_id"),
    ("category", "category"),
    ("brand", "brand"),
    ("price", "price"),
    ("quantity", "quantity"),
];
/// Keys of the event itself.
const EVENT: [&str; 6] = ["revenue", "coupon", "channel", "country", "page.path", "id"];

/// A decoder for events of tests: as the settings say what history keeps and how categories are split.
///
/// # Errors
/// Settings that no source of events could have either; a retry never helps.
pub fn decoder(
    category_separator: Option<String>,
    keep: Vec<String>,
) -> Result<Decoder, SettingsError> {
    let visitor_id = vec!["anonymousId".to_owned()];
    Decoder::new(&Settings { visitor_id, category_separator, keep, ..Settings::default() })
}

/// Makes the event number `number` of a case; `named` are the words behind the offset, the event's name first.
///
/// # Errors
/// All that is wrong with the line.
pub(crate) fn event(
    decoder: &mut Decoder,
    (number, offset): (usize, Millis),
    words: &[Word<'_>],
) -> Result<Event, Vec<Fault>> {
    let Some((name, words)) = words.split_first() else { return Err(Vec::new()) };
    let mut faults = Vec::new();
    if name.value.is_some() || tzeva_model::Name::event(name.key).text().is_empty() {
        faults.push(Fault {
            code: Code::BadEventName,
            place: name.place.clone(),
            message: format!("`{}` names no event", name.key),
            help: "an event is `OFFSET NAME key=value ...`, such as `10m product_added product=shoe-1`".into(),
        });
    }
    let call = Call::of(words, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let value = call.json(name.key, number, offset).to_string();
    let raw =
        Raw { partition: Partition::new(0), key: None, value: value.as_bytes(), headers: &[] };
    let detail = match decoder.decode(&raw) {
        Decoded::Event(event) => return Ok(event),
        Decoded::Rejected(rejection) => rejection.to_string(),
        Decoded::NeedsSchema(key) => key.to_string(),
    };
    Err(vec![Fault {
        code: Code::RefusedEvent,
        place: name.place.start..words.last().map_or(name.place.end, |last| last.place.end),
        message: format!("an event that would be refused: {detail}"),
        help: "docs/events.md says what a field may hold".into(),
    }])
}

// === impl Call ===

impl<'t> Call<'t> {
    fn of(words: &'t [Word<'t>], faults: &mut Vec<Fault>) -> Self {
        let mut call = Self::default();
        let mut amount = false;
        for word in words {
            let fault = match &word.value {
                Some(value) => call.field(word.key, value),
                None if amount && is_currency(word.key) => call.currency(word.key),
                None => Some((Code::BadEvent, bare(word.key))),
            };
            amount = matches!(word.key, "price" | "revenue") && word.value.is_some();
            if let Some((code, (message, help))) = fault {
                faults.push(Fault { code, place: word.place.clone(), message, help });
            }
        }
        call
    }

    fn field(&mut self, key: &str, value: &'t Text) -> Option<(Code, (String, String))> {
        let text = Value::String(value.text.clone());
        if let Some((_, sent)) = ITEM.iter().find(|(known, _)| *known == key) {
            if self.items.last().is_none_or(|item| item.contains_key(*sent)) {
                self.items.push(Map::new());
            }
            self.items.last_mut()?.insert((*sent).into(), text);
            return None;
        }
        let twice = match key {
            "id" => self.id.replace(&value.text).is_some(),
            "channel" => self.context.insert(key.into(), text).is_some(),
            "page.path" => self.page.insert("path".into(), text).is_some(),
            "revenue" | "coupon" | "country" => self.properties.insert(key.into(), text).is_some(),
            _ => match key.split_once('.') {
                Some(("properties", name)) if !name.is_empty() => {
                    self.properties.insert(name.into(), typed(value)).is_some()
                }
                Some(("traits", name)) if !name.is_empty() => {
                    self.traits.insert(name.into(), typed(value)).is_some()
                }
                _ => return Some((Code::UnknownField, unknown(key))),
            },
        };
        twice.then(|| (Code::BadEvent, (format!("`{key}` stands here twice"), String::new())))
    }

    fn currency(&mut self, code: &'t str) -> Option<(Code, (String, String))> {
        let other = self.currency.replace(code).filter(|other| *other != code)?;
        let message = format!("amounts in {other} and in {code}");
        Some((Code::BadEvent, (message, "an event has one currency".into())))
    }

    fn json(mut self, name: &str, number: usize, offset: Millis) -> Value {
        if let Some(currency) = self.currency {
            self.properties.insert("currency".into(), currency.into());
        }
        match self.items.len() {
            0 => {}
            1 => self.properties.extend(self.items.remove(0)),
            _ => {
                self.properties.insert("products".into(), json!(self.items));
            }
        }
        if !self.page.is_empty() {
            self.context.insert("page".into(), Value::Object(self.page));
        }
        let identify = tzeva_model::Name::event(name).text() == "identify";
        json!({
            "type": if identify { "identify" } else { "track" },
            "event": name,
            "anonymousId": "visitor",
            "messageId": self.id.map_or_else(|| format!("event {number}"), str::to_owned),
            "timestamp": (BEGINNING + offset).to_string(),
            "properties": self.properties,
            "traits": self.traits,
            "context": self.context,
        })
    }
}

/// A number and `true` or `false` without quotes are such, everything else is text.
fn typed(value: &Text) -> Value {
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    match value.text.as_str() {
        _ if value.quoted => Value::String(value.text.clone()),
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text if text.chars().all(plain) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        text => Value::String(text.to_owned()),
    }
}

fn is_currency(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What to say of a word without `=`.
fn bare(word: &str) -> (String, String) {
    let help = if is_currency(word) {
        "a currency stands right behind a price or a revenue: `price=80 EUR`"
    } else {
        "write `key=value`; a value with blanks in double quotes: brand=\"Red Wing\""
    };
    (format!("`{word}` is no `key=value`"), help.into())
}

/// What to say of a key that events don't have.
fn unknown(key: &str) -> (String, String) {
    let known = ITEM.iter().map(|(known, _)| *known).chain(EVENT);
    let help = match nearest(key, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<_> = known.chain(["properties.NAME", "traits.NAME"]).collect();
            format!("known here: {}", known.join(", "))
        }
    };
    (format!("`{key}` is no field of events"), help)
}
