//! Every published example goes through the decoder: a valid one gives the event beside it, an invalid one the code
//! beside it. What `schemas/README.md` says of the files is what this test reads.

#![expect(clippy::disallowed_methods, reason = "the examples are files")]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tzeva_decode::{Decoded, Decoder, NotFound, Raw, SchemaKey, Settings};
use tzeva_model::{Event, Partition, Rejection, RejectionCode, Value};

fn topic(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

/// The records of a folder: name without endings, file.
fn records(folder: &Path) -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut records: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|kind| kind == "json" || kind == "hex"))
        .map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), file))
        .map(|(name, file)| (name.split('.').next().unwrap().to_owned(), file))
        .collect();
    records.sort();
    assert!(!records.is_empty(), "{} holds examples", folder.display());
    records
}

fn bytes(file: &Path) -> Vec<u8> {
    let content = fs::read(file).unwrap();
    if file.extension().is_some_and(|kind| kind == "json") {
        return content;
    }
    let digits: Vec<u8> = content.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn decode(name: &str, file: &Path) -> Result<Event, Rejection> {
    let folder = topic(name);
    let is_bare = file.to_str().unwrap().ends_with(".bare.hex");
    let settings = Settings {
        keep: ["page.path", "properties.size"].map(str::to_owned).into(),
        bare_schema: is_bare.then(|| name.to_owned()),
        ..Settings::default()
    };
    let mut decoder = Decoder::new(&settings).unwrap();
    let value = bytes(file);
    let raw = Raw { partition: Partition::new(0), key: None, value: &value, headers: &[] };
    let mut decoded = decoder.decode(&raw);
    if let Decoded::NeedsSchema(SchemaKey::Id(id)) = decoded {
        let own = folder.join(format!("{name}.avsc"));
        let other = folder.join(format!("examples/registry/{id}.avsc"));
        let text = fs::read_to_string(if id == 1 { own } else { other });
        decoder.learn(SchemaKey::Id(id), text.as_deref().map_err(|_| NotFound));
        decoded = decoder.decode(&raw);
    }
    match decoded {
        Decoded::Event(event) => Ok(event),
        Decoded::Rejected(rejection) => Err(rejection),
        Decoded::NeedsSchema(key) => panic!("{key} was told"),
    }
}

/// The event, a field a line.
fn told(event: &Event) -> String {
    let mut lines = String::new();
    let mut line = |field: &str, value: &dyn std::fmt::Display| {
        writeln!(lines, "{field}: {value}").unwrap();
    };
    line("visitor", &event.visitor);
    line("id", &event.id.as_str());
    line("name", &event.name.text());
    line("occurred_at", &event.occurred_at);
    for item in &event.items {
        let name = |name: &Option<tzeva_model::Name>| name.as_ref().map(|n| n.text().to_owned());
        let parts = [
            ("product", name(&item.product)),
            ("brand", name(&item.brand)),
            ("category", item.category.as_ref().map(|path| path.leaf().text().to_owned())),
            ("price", item.price.map(|price| price.to_string())),
            ("quantity", item.quantity.map(|quantity| quantity.to_string())),
        ];
        let parts = parts.into_iter().filter_map(|(part, text)| Some(format!("{part} {}", text?)));
        line("item", &parts.collect::<Vec<_>>().join(", "));
    }
    let optional = [
        ("revenue", event.revenue.map(|amount| amount.to_string())),
        ("currency", event.currency.map(|currency| currency.to_string())),
        ("coupon", event.coupon.as_deref().map(str::to_owned)),
        ("channel", event.channel.as_deref().map(str::to_owned)),
        ("country", event.country.as_deref().map(str::to_owned)),
        ("page.path", event.page_path.as_deref().map(str::to_owned)),
        ("traceparent", event.traceparent.as_deref().map(str::to_owned)),
    ];
    for (field, value) in optional {
        if let Some(value) = value {
            line(field, &value);
        }
    }
    for (prefix, values) in [("properties", &event.properties), ("traits", &event.traits)] {
        for (name, value) in values {
            let value = match value {
                Value::Text(text) => format!("{text:?}"),
                Value::Number(number) => number.to_string(),
                Value::Bool(bool) => bool.to_string(),
            };
            line(&format!("{prefix}.{name}"), &value);
        }
    }
    lines
}

#[test]
fn every_valid_example_gives_the_event_beside_it() {
    for name in ["site-visit", "purchase"] {
        for (example, file) in records(&topic(name).join("examples/valid")) {
            let event = decode(name, &file);
            let event = event.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            let beside = file.with_file_name(format!("{example}.event"));
            let want = fs::read_to_string(&beside).unwrap_or_default();
            assert_eq!(told(&event), want, "{} against {}", file.display(), beside.display());
        }
    }
}

#[test]
fn every_invalid_example_gives_the_code_beside_it() {
    let mut codes = BTreeSet::new();
    for name in ["site-visit", "purchase"] {
        for (example, file) in records(&topic(name).join("examples/invalid")) {
            let code = fs::read_to_string(file.with_file_name(format!("{example}.code"))).unwrap();
            let code = RejectionCode::from_word(code.trim()).unwrap();
            let rejection = decode(name, &file).expect_err(file.to_str().unwrap());
            assert_eq!(rejection.code, code, "{}: {rejection}", file.display());
            codes.insert(code);
        }
    }
    use RejectionCode as Code;
    let by_bytes = [
        Code::Malformed,
        Code::SchemaUnknown,
        Code::SchemaIncompatible,
        Code::MissingField,
        Code::BadValue,
        Code::TooLarge,
        Code::TooDeep,
        Code::UnsupportedType,
    ];
    assert_eq!(codes, BTreeSet::from(by_bytes), "every code that bytes alone can give");
}

#[test]
fn a_change_in_avro_says_what_its_json_says() {
    let text = fs::read_to_string(topic("audience-change/audience-change.avsc")).unwrap();
    let schema = apache_avro::Schema::parse_str(&text).unwrap();
    for (example, file) in records(&topic("audience-change/examples/valid")) {
        if file.extension().is_some_and(|kind| kind == "json") {
            continue;
        }
        let bytes = bytes(&file);
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema);
        let mut datum = &bytes[10..];
        let value = reader.build().unwrap().read_value(&mut datum).unwrap();
        assert!(datum.is_empty(), "{example}: all of it is read");
        let json = fs::read_to_string(file.with_file_name(format!("{example}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(retold(value), json, "{example}");
    }
}

fn retold(value: apache_avro::types::Value) -> serde_json::Value {
    use apache_avro::types::Value as Avro;
    match value {
        Avro::Null => serde_json::Value::Null,
        Avro::Boolean(bool) => bool.into(),
        Avro::Int(number) => number.into(),
        Avro::Long(number) => number.into(),
        Avro::String(text) => text.into(),
        Avro::TimestampMillis(ms) => tzeva_model::UnixMillis::new(ms).to_string().into(),
        Avro::Union(_, inner) => retold(*inner),
        Avro::Array(values) => values.into_iter().map(retold).collect(),
        Avro::Record(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, retold(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => panic!("{other:?} is in no change"),
    }
}
