//! The flat program against apache-avro: random writers' schemas and values, read by apache-avro's `Value` path, resolved
//! against the published schema, retold as the JSON form, and decoded from there, must give the same event.

use crate::{Decoded, Decoder, NotFound, Raw, SchemaKey, Settings};
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tzeva_model::{Event, Partition, Rejection, RejectionCode, UnixMillis};

const KEY: SchemaKey = SchemaKey::Id(7);

/// A stream of choices, from which schema and value are drawn together.
#[derive(Debug)]
struct Choices {
    drawn: Vec<u32>,
    at: usize,
}

impl Choices {
    fn up_to(&mut self, count: usize) -> usize {
        let drawn = self.drawn.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        drawn as usize % count
    }

    fn word(&mut self) -> String {
        ["Acme", "Shoes/Running", "naïve ☕", "x", "נעל"][self.up_to(5)].to_owned()
    }

    fn eighths(&mut self) -> f64 {
        f64::from(u32::try_from(self.up_to(80_000)).unwrap()) / 8.0
    }
}

/// A field of one of the published schemas, as a random writer has it, with a value.
fn column(name: &str, required: bool, choices: &mut Choices) -> (Json, Value) {
    let (schema, value) = match name {
        "type" => kind(choices),
        "timestamp" => instant(choices),
        "event" => (json!("string"), Value::String("Order Completed".into())),
        "currency" => (json!("string"), Value::String("EUR".into())),
        "quantity" => whole(choices),
        "price" | "revenue" | "total" => number(choices),
        "properties" | "traits" => map(choices),
        "products" => return products(choices),
        _ => (json!("string"), Value::String(choices.word())),
    };
    let is_never_null = required || ["event", "properties", "traits"].contains(&name);
    match choices.up_to(if is_never_null { 3 } else { 4 }) {
        0 => (schema, value),
        1 => (json!(["null", schema]), Value::Union(1, Box::new(value))),
        2 => (json!([schema, "null"]), Value::Union(0, Box::new(value))),
        _ => (json!([schema, "null"]), Value::Union(1, Box::new(Value::Null))),
    }
}

fn kind(choices: &mut Choices) -> (Json, Value) {
    let kinds = ["track", "page", "identify"];
    let place = choices.up_to(3);
    let name = kinds[place].to_owned();
    match choices.up_to(2) {
        0 => (json!("string"), Value::String(name)),
        _ => (
            json!({"type": "enum", "name": "Kind", "symbols": kinds}),
            Value::Enum(u32::try_from(place).unwrap(), name),
        ),
    }
}

fn instant(choices: &mut Choices) -> (Json, Value) {
    let ms = i64::try_from(choices.up_to(usize::MAX)).unwrap() * 1_000 - 1_000_000_000_001;
    let of = |logical: &str| json!({"type": "long", "logicalType": logical});
    match choices.up_to(3) {
        0 => (of("timestamp-millis"), Value::TimestampMillis(ms)),
        1 => (of("timestamp-micros"), Value::TimestampMicros(ms * 1_000 + 999)),
        _ => (json!("long"), Value::Long(ms)),
    }
}

fn whole(choices: &mut Choices) -> (Json, Value) {
    let n = i32::try_from(choices.up_to(1_000)).unwrap();
    match choices.up_to(2) {
        0 => (json!("int"), Value::Int(n)),
        _ => (json!("long"), Value::Long(n.into())),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "eighths below 10,000 fit both")]
fn number(choices: &mut Choices) -> (Json, Value) {
    let eighths = choices.eighths();
    match choices.up_to(5) {
        0 => (json!("float"), Value::Float(eighths as f32)),
        1 => (json!("double"), Value::Double(eighths)),
        2 => {
            let unscaled = ((eighths * 1_000.0) as i64).to_be_bytes();
            let schema =
                json!({"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 3});
            (schema, Value::Decimal(unscaled.to_vec().into()))
        }
        _ => whole(choices),
    }
}

fn map(choices: &mut Choices) -> (Json, Value) {
    let (schema, values): (Json, Vec<Value>) = match choices.up_to(3) {
        0 => (json!("string"), vec![Value::String(choices.word()); 3]),
        1 => (json!("double"), vec![Value::Double(choices.eighths()); 2]),
        _ => (
            json!(["null", "boolean", "string"]),
            vec![
                Value::Union(1, Box::new(Value::Boolean(true))),
                Value::Union(0, Box::new(Value::Null)),
                Value::Union(2, Box::new(Value::String(choices.word()))),
            ],
        ),
    };
    let entries = values.into_iter().enumerate().map(|(n, value)| (format!("p{n}"), value));
    (json!({"type": "map", "values": schema}), Value::Map(entries.collect()))
}

fn products(choices: &mut Choices) -> (Json, Value) {
    let names = ["product_id", "sku", "brand", "category", "price", "quantity"];
    let (fields, value) = record(&names, &[], choices);
    let element = json!({"type": "record", "name": "Product", "fields": fields});
    let count = choices.up_to(4);
    (json!({"type": "array", "items": element}), Value::Array(vec![value; count]))
}

/// Something that no event needs, nested up to five levels.
fn junk(depth: usize, choices: &mut Choices) -> (Json, Value) {
    let name = format!("junk{}", choices.at);
    match choices.up_to(if depth == 0 { 5 } else { 10 }) {
        0 => (json!("string"), Value::String(choices.word())),
        1 => (json!("bytes"), Value::Bytes(vec![0x80, 0, 1])),
        2 => (json!({"type": "fixed", "name": name, "size": 3}), Value::Fixed(3, vec![1, 2, 3])),
        3 => (
            json!({"type": "enum", "name": name, "symbols": ["A", "B"]}),
            Value::Enum(1, "B".into()),
        ),
        4 => (json!({"type": "int", "logicalType": "date"}), Value::Date(20_000)),
        5 => {
            let (schema, value) = junk(depth - 1, choices);
            let count = choices.up_to(4);
            (json!({"type": "array", "items": schema}), Value::Array(vec![value; count]))
        }
        6 => {
            let (schema, value) = junk(depth - 1, choices);
            let value = Value::Map([("k".to_owned(), value)].into());
            (json!({"type": "map", "values": schema}), value)
        }
        7 => (json!(["null", "boolean"]), Value::Union(1, Box::new(Value::Boolean(true)))),
        8 => {
            let next = json!({"name": "next", "type": ["null", name]});
            let empty = Value::Union(0, Box::new(Value::Null));
            let inner = Value::Record(vec![("next".into(), empty)]);
            let value = Value::Record(vec![("next".into(), Value::Union(1, Box::new(inner)))]);
            (json!({"type": "record", "name": name, "fields": [next]}), value)
        }
        _ => {
            let (schema, value) = junk(depth - 1, choices);
            let fields = json!([{"name": "inner", "type": schema}]);
            let record = json!({"type": "record", "name": name, "fields": fields});
            (record, Value::Record(vec![("inner".into(), value)]))
        }
    }
}

/// The published fields `names`, some left out, shuffled, renamed to an alias, among fields of the writer's own.
fn record(names: &[&str], required: &[&str], choices: &mut Choices) -> (Json, Value) {
    let (mut schemas, mut values) = (Vec::new(), Vec::new());
    for name in names {
        let is_required = required.contains(name);
        if !is_required && choices.up_to(4) == 3 {
            continue;
        }
        let (schema, value) = column(name, is_required, choices);
        let alias = match *name {
            "message_id" => "messageId",
            "anonymous_id" => "anonymousId",
            "order_id" => "orderId",
            "product_id" => "productId",
            name => name,
        };
        let written = if choices.up_to(3) == 0 { alias } else { name };
        let place = choices.up_to(schemas.len() + 1);
        schemas.insert(place, json!({"name": written, "type": schema}));
        values.insert(place, (written.to_owned(), value));
        if choices.up_to(4) == 0 {
            let extra = format!("extra{}", choices.at);
            let (schema, value) = junk(3, choices);
            let place = choices.up_to(schemas.len() + 1);
            schemas.insert(place, json!({"name": extra, "type": schema}));
            values.insert(place, (extra, value));
        }
    }
    (schemas.into(), Value::Record(values))
}

fn visit(choices: &mut Choices) -> (Json, Value) {
    let names = [
        "message_id",
        "type",
        "event",
        "timestamp",
        "anonymous_id",
        "product_id",
        "sku",
        "brand",
        "category",
        "price",
        "quantity",
        "currency",
        "coupon",
        "channel",
        "country",
        "page_path",
        "properties",
        "traits",
    ];
    let required = ["message_id", "type", "event", "timestamp", "anonymous_id"];
    let (fields, value) = record(&names, &required, choices);
    (json!({"type": "record", "name": "SiteVisit", "namespace": "shop", "fields": fields}), value)
}

fn purchase(choices: &mut Choices) -> (Json, Value) {
    let names = [
        "message_id",
        "event",
        "timestamp",
        "anonymous_id",
        "order_id",
        "revenue",
        "total",
        "currency",
        "coupon",
        "channel",
        "country",
        "products",
        "properties",
    ];
    let (fields, value) = record(&names, &["message_id", "timestamp", "anonymous_id"], choices);
    (json!({"type": "record", "name": "Purchase", "namespace": "tzeva", "fields": fields}), value)
}

/// What Avro's resolution leaves to the reader: aliases, and logical types as what they stand for.
fn plain(value: Value) -> Value {
    match value {
        Value::Enum(_, symbol) => Value::String(symbol),
        Value::TimestampMicros(us) => Value::TimestampMillis(us.div_euclid(1_000)),
        Value::Decimal(decimal) => {
            let bytes: Vec<u8> = decimal.try_into().unwrap();
            let unscaled = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            Value::Double(f64::from(u32::try_from(unscaled).unwrap()) / 1_000.0)
        }
        Value::Union(_, inner) => plain(*inner),
        Value::Array(values) => Value::Array(values.into_iter().map(plain).collect()),
        Value::Record(fields) => {
            let name = |name: String| tzeva_model::snake_case(&name);
            Value::Record(fields.into_iter().map(|(n, v)| (name(n), plain(v))).collect())
        }
        other => other,
    }
}

fn retold(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(bool) => bool.into(),
        Value::Int(n) => n.into(),
        Value::Long(n) => n.into(),
        Value::Double(n) => n.into(),
        Value::String(text) => text.into(),
        Value::TimestampMillis(ms) => UnixMillis::new(ms).to_string().into(),
        Value::Union(_, inner) => retold(*inner),
        Value::Array(values) => values.into_iter().map(retold).collect(),
        Value::Map(entries) => {
            entries.into_iter().map(|(k, v)| (k, retold(v))).collect::<Map<_, _>>().into()
        }
        Value::Record(fields) => {
            fields.into_iter().map(|(k, v)| (k, retold(v))).collect::<Map<_, _>>().into()
        }
        other => panic!("no field of ours holds {other:?}"),
    }
}

/// The published record as a Segment call.
fn segment(record: Json) -> Json {
    let Json::Object(mut fields) = record else { panic!("no record") };
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let kind = match take("type") {
        Json::Null => "track".into(),
        kind => kind,
    };
    let mut call = json!({
        "type": kind, "event": take("event"), "messageId": take("message_id"),
        "anonymousId": take("anonymous_id"), "timestamp": take("timestamp"),
        "traits": take("traits"),
        "context": {"channel": take("channel"), "page": {"path": take("page_path")}},
        "properties": take("properties"),
    });
    let Json::Object(properties) = &mut call["properties"] else { return call };
    properties.extend(fields);
    call
}

fn settings() -> Settings {
    let keep = ["page.path", "properties.p0", "properties.p2"].map(str::to_owned);
    Settings { keep: keep.into(), ..Settings::default() }
}

fn decode(decoder: &mut Decoder, value: &[u8]) -> Result<Event, Rejection> {
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    match decoder.decode(&raw) {
        Decoded::Event(event) => Ok(event),
        Decoded::Rejected(rejection) => Err(rejection),
        Decoded::NeedsSchema(key) => panic!("{key:?}"),
    }
}

fn framed(datum: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, 7], datum].concat()
}

/// A decoder that knows `schema` as number 7, and a datum of it.
fn written(schema: &Json, value: Value) -> (Decoder, Schema, Vec<u8>) {
    apache_avro::util::max_allocation_bytes(2 << 20);
    let text = schema.to_string();
    let parsed = Schema::parse_str(&text).unwrap();
    let writer = GenericDatumWriter::builder(&parsed).build().unwrap();
    let datum = writer.write_value_to_vec(value).unwrap();
    let mut decoder = Decoder::new(&settings()).unwrap();
    decoder.learn(KEY, Ok(&text));
    (decoder, parsed, datum)
}

fn drawn() -> impl Strategy<Value = Choices> {
    prop::collection::vec(any::<u32>(), 200).prop_map(|drawn| Choices { drawn, at: 0 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_flat_program_reads_what_apache_avro_resolves(mut choices in drawn(), is_visit in any::<bool>()) {
        let (schema, value) = if is_visit { visit(&mut choices) } else { purchase(&mut choices) };
        let (mut decoder, writer, datum) = written(&schema, value);
        let ours = decode(&mut decoder, &framed(&datum));

        let reader = super::Published::named(if is_visit { "site-visit" } else { "purchase" });
        let reader = Schema::parse_str(reader).unwrap();
        let value = GenericDatumReader::builder(&writer).build().unwrap();
        let value = value.read_value(&mut datum.as_slice()).unwrap();
        let resolved = plain(value).resolve(&reader).unwrap();
        let text = segment(retold(resolved)).to_string();
        let theirs = decode(&mut decoder, text.as_bytes());
        prop_assert!(ours.is_ok(), "{:?}", ours);
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn damaged_records_are_refused_or_read_and_never_panic(
        mut choices in drawn(),
        place in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let (schema, value) = visit(&mut choices);
        let (mut decoder, _, mut datum) = written(&schema, value);
        let place = place.index(datum.len());
        datum.splice(place..(place + 2).min(datum.len()), with);
        let _ = decode(&mut decoder, &framed(&datum));
        let _ = decode(&mut decoder, &framed(&datum[..place]));
    }

    #[test]
    fn datums_in_a_row_are_parted_where_each_ends(
        mut choices in drawn(),
        more in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let (schema, value) = visit(&mut choices);
        let (mut decoder, _, datum) = written(&schema, value);
        let alone = decode(&mut decoder, &framed(&datum)).map(|event| event.occurred_at);
        let (first, length) = decoder.decode_first(KEY, &[&datum[..], &more].concat());
        let Decoded::Event(first) = first else { panic!("{first:?}") };
        prop_assert_eq!((Ok(first.occurred_at), length), (alone, Some(datum.len())));
    }
}

fn small() -> (Decoder, Vec<u8>) {
    let schema = json!({"type": "record", "name": "SiteVisit", "fields": [
        {"name": "type", "type": "string"}, {"name": "timestamp", "type": "long"},
        {"name": "anonymous_id", "type": "string"},
        {"name": "nulls", "type": {"type": "array", "items": "null"}}]});
    let value = Value::Record(vec![
        ("type".into(), Value::String("page".into())),
        ("timestamp".into(), Value::Long(0)),
        ("anonymous_id".into(), Value::String("v".into())),
        ("nulls".into(), Value::Array(vec![Value::Null; 3])),
    ]);
    let (decoder, _, datum) = written(&schema, value);
    (decoder, datum)
}

#[test]
fn what_follows_the_record_makes_it_malformed() {
    let (mut decoder, mut datum) = small();
    assert!(decode(&mut decoder, &framed(&datum)).is_ok());
    datum.push(0);
    assert_eq!(decode(&mut decoder, &framed(&datum)).unwrap_err().code, RejectionCode::Malformed);
}

#[test]
fn a_list_of_a_billion_nulls_is_too_large_and_costs_nothing() {
    let (mut decoder, mut datum) = small();
    datum.truncate(datum.len() - 2);
    let mut billion = datum.clone();
    billion.extend([0x80, 0xa8, 0xd6, 0xb9, 0x07, 0]);
    assert_eq!(decode(&mut decoder, &framed(&billion)).unwrap_err().code, RejectionCode::TooLarge);
    // A block that tells its length: -3 nulls in no bytes.
    datum.extend([5, 0, 0]);
    assert!(decode(&mut decoder, &framed(&datum)).is_ok());
}

#[test]
fn an_unknown_schema_is_asked_for_once_a_record() {
    let mut decoder = Decoder::new(&Settings::default()).unwrap();
    let value = framed(&[]);
    let raw = Raw { partition: Partition::new(0), key: None, value: &value, headers: &[] };
    for _ in 0..2 {
        assert_eq!(decoder.decode(&raw), Decoded::NeedsSchema(KEY));
        decoder.learn(KEY, Err(NotFound));
        let Decoded::Rejected(rejection) = decoder.decode(&raw) else { panic!("not refused") };
        assert_eq!(rejection.code, RejectionCode::SchemaUnknown);
    }
}

#[test]
fn schemas_that_hold_no_event_are_incompatible() {
    let with =
        |fields: &str| format!(r#"{{"type":"record","name":"SiteVisit","fields":[{fields}]}}"#);
    let kind = r#"{"name":"type","type":"string"}"#;
    for schema in [
        "no schema".to_owned(),
        r#""string""#.to_owned(),
        r#"{"type":"record","name":"Invoice","fields":[]}"#.to_owned(),
        with(kind),
        with(&format!(r#"{kind},{{"name":"timestamp","type":"string"}}"#)),
        with(&format!(
            r#"{kind},{{"name":"timestamp","type":{{"type":"int","logicalType":"date"}}}}"#
        )),
        with(&format!(
            r#"{kind},{{"name":"timestamp","type":"long"}},{{"name":"price","type":"string"}}"#
        )),
    ] {
        let mut decoder = Decoder::new(&Settings::default()).unwrap();
        decoder.learn(KEY, Ok(&schema));
        let rejection = decode(&mut decoder, &framed(&[0])).unwrap_err();
        assert_eq!(rejection.code, RejectionCode::SchemaIncompatible, "{schema}");
    }
}

#[test]
fn single_object_and_bare_records_are_read_by_their_settings() {
    let (_, datum) = small();
    let schema = r#"{"type":"record","name":"SiteVisit","fields":[{"name":"type","type":"string"},
        {"name":"timestamp","type":"long"},{"name":"anonymous_id","type":"string"},
        {"name":"nulls","type":{"type":"array","items":"null"}}]}"#;
    let fingerprint = super::fingerprint::of(&Schema::parse_str(schema).unwrap())[0];
    let single = [&[0xc3, 1][..], &fingerprint.to_le_bytes(), &datum].concat();

    let mut unknowing = Decoder::new(&Settings::default()).unwrap();
    assert_eq!(decode(&mut unknowing, &single).unwrap_err().code, RejectionCode::SchemaUnknown);
    let schemas = vec![schema.to_owned()];
    let mut knowing = Decoder::new(&Settings { schemas, ..Settings::default() }).unwrap();
    let event = decode(&mut knowing, &single).unwrap();

    let bare_schema = Some(schema.to_owned());
    let mut bare = Decoder::new(&Settings { bare_schema, ..Settings::default() }).unwrap();
    let twin = decode(&mut bare, &datum).unwrap();
    assert_eq!((event.visitor, event.occurred_at), (twin.visitor, twin.occurred_at));
}

#[test]
fn a_visitor_id_path_may_name_a_column_of_the_writer_or_a_property() {
    let visitor_id = ["loyaltyCard", "properties.card"].map(str::to_owned);
    let settings = Settings { visitor_id: visitor_id.into(), ..Settings::default() };
    let schema = r#"{"type":"record","name":"SiteVisit","fields":[{"name":"type","type":"string"},
        {"name":"timestamp","type":"long"},{"name":"loyalty_card","type":["null","string"]},
        {"name":"properties","type":{"type":"map","values":"string"}}]}"#;
    let mut decoder = Decoder::new(&settings).unwrap();
    decoder.learn(KEY, Ok(schema));
    let column = framed(b"\x08page\0\x02\x02c\0");
    let property = framed(b"\x08page\0\0\x02\x08card\x02p\0");
    assert_eq!(decode(&mut decoder, &column).unwrap().visitor.as_str(), "c");
    assert_eq!(decode(&mut decoder, &property).unwrap().visitor.as_str(), "p");
}
