//! Avro with schemas in a real registry, through real Kafka, the real binary and real Redis.
#![cfg(test)]

mod shop;

use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Schema, types::Value as Avro};
use serde_json::{Value, json};
use shop::data::generated_shop;
use shop::painter::{Painter, drained};
use shop::{Record, Shop, judge};
use std::collections::BTreeMap;
use tzeva_bench::{Call, Line, Plan, Topic, Traffic};
use tzeva_model::{Amount, RejectionCode};
use tzeva_registry::{Registry, Settings};
use tzeva_testkit::servers;

/// A schema that writers use, and its id in the registry.
struct Writer {
    id: u32,
    text: String,
    schema: Schema,
}

#[test]
fn site_visits_and_purchases_in_avro_come_out_as_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Shop::open(generated_shop(4, true, folder.path()));
    let address = servers::registry().unwrap();
    shop.registry = Some(address.clone());
    let writers = register(&shop, &address);
    let records = records(&shop, &writers);
    shop.schemas = writers.iter().map(|writer| (writer.id, writer.text.clone())).collect();
    shop.feed(&records);

    let mut painter = Painter::start(&shop);
    drained(&shop, &mut painter, true);
    painter.stop();
    let verdicts = judge::all(&shop);
    assert_eq!(verdicts.events, records.len() - 2);
    assert_eq!(verdicts.rejected, BTreeMap::from([(RejectionCode::SchemaUnknown, 2)]));
    assert!(verdicts.changes.len() > 100, "{}", verdicts.changes.len());
    println!("{} changes", verdicts.changes.len());
}

/// Visits, a later version of visits with a field more, purchases: in this order.
fn register(shop: &Shop, address: &str) -> Vec<Writer> {
    let file = |name: &str| {
        let folder = shop::sample_folder().join("../../schemas");
        std::fs::read_to_string(folder.join(name)).unwrap()
    };
    let visits = file("site-visit/site-visit.avsc");
    let mut later: Value = serde_json::from_str(&visits).unwrap();
    let field = json!({"name": "experiment", "type": ["null", "string"], "default": null});
    later["fields"].as_array_mut().unwrap().insert(3, field);
    let texts = [
        ("visits", visits),
        ("visits", later.to_string()),
        ("purchases", file("purchase/purchase.avsc")),
    ];
    let registry = Registry::new(&Settings::new(address)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let register = |(subject, text): (&str, String)| {
        let subject = format!("{}{subject}-value", shop.redis.prefix.replace(':', "-"));
        let id = runtime.block_on(registry.register(&subject, &text)).unwrap();
        Writer { id, schema: Schema::parse_str(&text).unwrap(), text }
    };
    texts.into_iter().map(register).collect()
}

fn records(shop: &Shop, writers: &[Writer]) -> Vec<Record> {
    let traffic = Traffic::new(Plan::sized(11, 300, 4_000));
    let mut records = Vec::new();
    for (number, sent) in traffic.enumerate() {
        let (topic, writer, datum) = match sent.topic {
            // Two versions of the shop's site are out at the same time.
            Topic::Visits => (0, &writers[number % 2], visit(&sent.call)),
            Topic::Purchases => (1, &writers[2], purchase(&sent.call)),
        };
        let value = framed(writer.id, &encode(writer, datum));
        records.push(shop.record(topic, &sent.call.visitor, sent.record_time, value));
    }
    // The same datum under an id that no registry knows.
    for at in [100, 2_000] {
        let mut unknown = records[at].clone();
        unknown.value[1..5].copy_from_slice(&1_999_999_999u32.to_be_bytes());
        records.insert(at, unknown);
    }
    records
}

fn visit(call: &Call) -> Value {
    let mut fields = common(call);
    fields["type"] = json!("track");
    fields["experiment"] = json!("b");
    if let Some(line) = call.lines.first() {
        merge(&mut fields, product(*line));
    }
    fields
}

fn purchase(call: &Call) -> Value {
    let mut fields = common(call);
    let order = call.order.as_ref().unwrap();
    let products: Vec<Value> = call.lines.iter().map(|line| product(*line)).collect();
    let own = json!({"order_id": order.id, "revenue": units(order.revenue), "products": products});
    merge(&mut fields, own);
    fields
}

fn common(call: &Call) -> Value {
    json!({
        "message_id": call.id, "event": call.event, "timestamp": call.at.get(),
        "anonymous_id": call.visitor, "currency": "EUR", "channel": call.channel, "country": call.country,
        "properties": {},
    })
}

fn product(line: Line) -> Value {
    let Line { product, quantity } = line;
    json!({
        "product_id": product.to_string(), "brand": product.brand(), "category": product.category(),
        "price": units(product.price()), "quantity": quantity,
    })
}

fn merge(fields: &mut Value, more: Value) {
    let (Value::Object(fields), Value::Object(more)) = (fields, more) else {
        panic!("fields are objects")
    };
    fields.extend(more);
}

fn units(amount: Amount) -> f64 {
    amount.to_string().parse().unwrap()
}

fn encode(writer: &Writer, fields: Value) -> Vec<u8> {
    let value = Avro::try_from(fields).unwrap().resolve(&writer.schema).unwrap();
    let datum = GenericDatumWriter::builder(&writer.schema).build().unwrap();
    datum.write_value_to_vec(value).unwrap()
}

/// Confluent's framing: a zero byte, the schema's id, the datum.
fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], datum].concat()
}
