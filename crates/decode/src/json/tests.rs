use super::*;
use crate::{Decoded, Decoder, Raw, Settings};
use proptest::prelude::*;
use tzeva_model::{Event, Partition, Rejection, RejectionCode, Value, VisitorId};

/// The scanned value as serde_json has it; of repeated keys the last.
fn value(node: Node<'_>) -> serde_json::Value {
    match node.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::True => true.into(),
        Kind::False => false.into(),
        // One beyond the range of f64 is left out of the comparison.
        Kind::Number => serde_json::from_str(node.text()).unwrap_or_default(),
        Kind::Plain | Kind::Unescaped => node.text().into(),
        Kind::Array => node.elements().map(value).collect(),
        Kind::Object => {
            node.members().map(|(key, member)| (key.to_owned(), value(member))).collect()
        }
    }
}

fn scanned(text: &str) -> Result<serde_json::Value, RejectionCode> {
    let mut tape = Tape::default();
    scan(text, &mut tape).map_err(|refusal| refusal.code)?;
    Ok(value(tape.root(text)))
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        (-1e9..1e9).prop_map(|float: f64| float.into()),
        "\\PC{0,12}|[\\x00-\\x1f\"\\\\/é🎽]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map("[a-c\"\\\\]{0,3}", inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_scanned_to_the_same_value(value in json_value(), pretty in any::<bool>()) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        // Read back by serde_json, whose floats are not exact to the last bit.
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(scanned(&text), Ok(theirs));
    }

    /// Random damage: both readers agree on what is JSON, and on what it says.
    #[test]
    fn the_scanner_takes_what_serde_json_takes_and_nothing_else(
        value in json_value(),
        place in any::<prop::sample::Index>(),
        with in "[\\[\\]{},:\"\\\\0-9eE.+\\-a-f nut]{0,3}",
        cut in 0_usize..4,
    ) {
        let mut chars: Vec<char> = value.to_string().chars().collect();
        let place = place.index(chars.len());
        let end = (place + cut).min(chars.len());
        chars.splice(place..end, with.chars());
        let text: String = chars.into_iter().collect();
        match (scanned(&text), serde_json::from_str::<serde_json::Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(RejectionCode::Malformed), Err(_)) => {}
            // A number beyond the range of f64 is JSON all the same, and nesting has its own limit.
            (Ok(_), Err(why)) => prop_assert!(why.to_string().contains("out of range"), "{}: {}", text, why),
            (Err(ours), Ok(_)) => prop_assert_eq!(ours, RejectionCode::TooDeep, "{}", text),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let raw = Raw { partition: Partition::new(0), key: None, value: &bytes, headers: &[] };
        let _ = Decoder::new(&Settings::default()).unwrap().decode(&raw);
    }
}

fn decode(settings: &Settings, key: Option<&str>, value: &[u8]) -> Result<Event, Rejection> {
    let raw =
        Raw { partition: Partition::new(0), key: key.map(str::as_bytes), value, headers: &[] };
    match Decoder::new(settings).unwrap().decode(&raw) {
        Decoded::Event(event) => Ok(event),
        Decoded::Rejected(rejection) => Err(rejection),
        Decoded::NeedsSchema(key) => panic!("{key:?}"),
    }
}

/// A track call with these properties.
fn track(event: &str, properties: &str) -> Event {
    let text = format!(
        r#"{{"type":"track","event":"{event}","anonymousId":"v","messageId":"m",
            "timestamp":"2026-11-22T10:00:00+02:00","properties":{properties}}}"#
    );
    let keep = vec!["properties.size".into(), "properties.gift".into()];
    decode(&Settings { keep, ..Settings::default() }, None, text.as_bytes()).unwrap()
}

fn code(text: &str) -> RejectionCode {
    decode(&Settings::default(), None, text.as_bytes()).unwrap_err().code
}

#[test]
fn revenue_is_revenue_else_total_else_the_sum_of_its_products() {
    let revenue = |properties: &str| {
        track("Order Completed", properties).revenue.map(|amount| amount.to_string())
    };
    let products = r#""products":[{"sku":"a","price":"10.10","quantity":2},{"sku":"b","price":5},{"sku":"c"}]"#;
    assert_eq!(revenue(&format!(r#"{{"revenue":1,"total":2,{products}}}"#)).unwrap(), "1");
    assert_eq!(revenue(&format!(r#"{{"revenue":null,"total":"2.5",{products}}}"#)).unwrap(), "2.5");
    assert_eq!(revenue(&format!("{{{products}}}")).unwrap(), "25.2");
    assert_eq!(revenue(r#"{"products":[{"sku":"c"}]}"#), None);
    assert_eq!(track("Product Viewed", r#"{"price":80}"#).revenue, None);
}

#[test]
fn a_number_is_exact_whatever_its_length() {
    let price =
        |text: &str| track("x", &format!(r#"{{"price":{text}}}"#)).items[0].price.unwrap().get();
    assert_eq!(price("922337203685477.5807"), i64::MAX);
    assert_eq!(price("\"922337203685477.5806\""), i64::MAX - 1);
    assert_eq!(price("0.1"), 1_000);
    assert_eq!(price("1E2"), 1_000_000);
}

#[test]
fn an_event_without_products_is_its_own_item() {
    let event =
        track("Product Added", r#"{"sku":"s","category":" Shoes > Running / ","brand":""}"#);
    assert_eq!(event.items.len(), 1);
    let item = &event.items[0];
    assert_eq!(item.product.as_ref().unwrap().text(), "s");
    assert_eq!(item.category.as_ref().unwrap().leaf().text(), "Shoes/Running");
    assert_eq!(item.brand, None);
    assert_eq!(track("Product Added", r#"{"name":"x"}"#).items, []);
}

#[test]
fn only_kept_properties_are_kept_sorted_and_typed() {
    let event = track("x", r#"{"size":"44","gift":true,"other":1,"size":44.50}"#);
    assert_eq!(
        event.properties,
        [
            ("gift".into(), Value::Bool(true)),
            ("size".into(), Value::Number(tzeva_model::Amount::parse("44.5").unwrap()))
        ]
    );
}

#[test]
fn a_cloud_event_is_unwrapped_and_hands_on_its_trace_context() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let text = format!(
        r#"{{"specversion":"1.0","id":"c","source":"/s","type":"t","traceparent":"{trace}",
            "data":{{"type":"page","anonymousId":"v","timestamp":"2026-11-22T10:00:00Z"}}}}"#
    );
    let event = decode(&Settings::default(), None, text.as_bytes()).unwrap();
    assert_eq!(event.name.text(), "page_viewed");
    assert_eq!(event.traceparent.as_deref(), Some(trace));
    assert_eq!(
        code(r#"{"specversion":"1.0","data_base64":"e30="}"#),
        RejectionCode::UnsupportedType
    );
    assert_eq!(code(r#"{"specversion":"1.0"}"#), RejectionCode::MissingField);
}

#[test]
fn without_a_message_id_equal_records_have_equal_ids_and_others_do_not() {
    let id = |path: &str| {
        let text = format!(
            r#"{{"type":"page","anonymousId":"v","timestamp":"2026-11-22T10:00:00Z","properties":{{"path":"{path}"}}}}"#
        );
        decode(&Settings::default(), None, text.as_bytes()).unwrap().id
    };
    assert_eq!(id("/a"), id("/a"));
    assert_ne!(id("/a"), id("/b"));
    assert_eq!(id("/a").as_str().len(), 16);
}

#[test]
fn the_limits_hold_to_the_last_unit() {
    let page = |extra: &str| {
        format!(
            r#"{{"type":"page","anonymousId":"v","timestamp":"2026-11-22T10:00:00Z","properties":{extra}}}"#
        )
    };
    let decoded = |extra: &str| decode(&Settings::default(), None, page(extra).as_bytes());
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let keys = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| format!(r#""k{n}":0"#)).collect();
        format!("{{{}}}", keys.join(","))
    };
    let text = |length: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(length));
    let products = |count: usize| format!(r#"{{"products":[{}{{}}]}}"#, "{},".repeat(count - 1));
    for (fits, over, code) in [
        (
            format!(r#"{{"x":{}}}"#, nested(6)),
            format!(r#"{{"x":{}}}"#, nested(7)),
            RejectionCode::TooDeep,
        ),
        (keys(256), keys(257), RejectionCode::TooLarge),
        (text(8192), text(8193), RejectionCode::TooLarge),
        (products(500), products(501), RejectionCode::TooLarge),
    ] {
        assert!(decoded(&fits).is_ok());
        assert_eq!(decoded(&over).unwrap_err().code, code);
    }
    let padded = |length: usize| {
        let page = page("{}");
        format!("{page}{}", " ".repeat(length - page.len()))
    };
    assert!(decode(&Settings::default(), None, padded(1 << 20).as_bytes()).is_ok());
    assert_eq!(code(&padded((1 << 20) + 1)), RejectionCode::TooLarge);
}

#[test]
fn key_and_partition_are_checked_against_the_visitor() {
    let settings = Settings { partitions: 64, ..Settings::default() };
    let id = (0..).map(|n| format!("v{n}")).find(|id| home(id) == 0).unwrap();
    let stray = (0..).map(|n| format!("v{n}")).find(|id| home(id) != 0).unwrap();
    let text = |id: &str| {
        format!(
            r#"{{"type":"page","anonymousId":"{id}","userId":"u","timestamp":"2026-11-22T10:00:00Z"}}"#
        )
    };
    let decoded = |key: Option<&str>, id: &str| {
        decode(&settings, key, text(id).as_bytes()).map(drop).map_err(|rejection| rejection.code)
    };
    assert_eq!(decoded(Some(&id), &id), Ok(()));
    assert_eq!(decoded(None, &id), Ok(()));
    assert_eq!(decoded(Some("u"), &id), Err(RejectionCode::WrongKey));
    assert_eq!(decoded(Some("u"), &stray), Err(RejectionCode::WrongKey));
    assert_eq!(decoded(Some(&stray), &stray), Err(RejectionCode::Misrouted));
    assert_eq!(decoded(Some("else"), &stray), Err(RejectionCode::Misrouted));
}

fn home(id: &str) -> u16 {
    VisitorId::try_new(id).unwrap().partition(64).get()
}

#[test]
fn the_first_visitor_id_path_that_is_there_counts() {
    let visitor_id = vec!["context.externalId".into(), "userId".into()];
    let settings = Settings { visitor_id, ..Settings::default() };
    let text = |context: &str| {
        format!(
            r#"{{"type":"page","userId":"u","context":{context},"timestamp":"2026-11-22T10:00:00Z"}}"#
        )
    };
    let visitor = |context: &str| {
        decode(&settings, None, text(context).as_bytes()).unwrap().visitor.as_str().to_owned()
    };
    assert_eq!(visitor(r#"{"externalId":"x"}"#), "x");
    assert_eq!(visitor(r#"{"externalId":null}"#), "u");
    let empty = text(r#"{"externalId":""}"#);
    assert_eq!(
        decode(&settings, None, empty.as_bytes()).unwrap_err().code,
        RejectionCode::BadValue
    );
}

#[test]
fn a_refusal_tells_no_values() {
    let text = r#"{"type":"track","event":"x","anonymousId":"secret-person","timestamp":"2026-11-22T10:00:00Z","properties":{"price":"secret-price"}}"#;
    let rejection = decode(&Settings::default(), None, text.as_bytes()).unwrap_err();
    assert!(!rejection.detail.contains("secret"), "{rejection}");
    assert_eq!(rejection.to_string(), "bad_value: `price` must be a number, found something else");
}
