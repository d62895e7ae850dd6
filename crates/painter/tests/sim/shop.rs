//! A small shop: rules with every kind of deadline, and a few visitors who come, buy, and go quiet.

use std::sync::Arc;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_engine::Rules;
use tzeva_model::{Millis, Partition, RulesVersion, TopicIndex, UnixMillis, VisitorId};
use tzeva_testkit::sim::{NewRecord, World};

/// The number of partitions; few of them are used, so that a partition has few shards.
pub(crate) const COUNT: u16 = 256;
/// Those that are used.
pub(crate) const PARTITIONS: [Partition; 2] = [Partition::new(3), Partition::new(77)];
/// When it begins: 2026-01-01.
pub(crate) const BEGIN: UnixMillis = UnixMillis::new(1_767_225_600_000);

const RULES: &str = "
paint:
  half_life: { shop: 1h, brand: 1h, category: 20m, product: 10m }
  events:
    product_viewed:  { shop: 1, brand: 1, category: 1, product: 1 }
    product_added:   { shop: 2, category: 3, product: 5 }
    order_completed: { shop: 5, product: clear }
---
audience: abandoned-cart
enter:
  all:
    - event: { name: product_added, within: 3h }
    - last: { event: product_added, is: '>= 5m ago' }
    - not: { event: { name: order_completed, after: last product_added } }
exit_when:
  event: { name: order_completed, after: last product_added }
stay: { at_most: 40m }
reenter_after: 10m
---
audience: passionates
enter: { interest: { tag: category/Shoes, is: '>= 4' } }
stay: { at_least: 3m }
---
audience: lookers
enter: { event: { name: product_viewed, count: '>= 3', within: 10m } }
enter_after: 1m
---
audience: quiet
enter: { last: { event: product_viewed, is: '>= 30m ago' } }
";

/// Other rules for the same shop: one audience is gone, one edited, one new that asks for another, one has a bound, and
/// categories fade faster.
fn edited() -> String {
    let changed = RULES
        .replace("category: 20m", "category: 12m")
        .replace("count: '>= 3', within: 10m", "count: '>= 2', within: 15m")
        .replace(
            "enter: { last: { event: product_viewed, is: '>= 30m ago' } }",
            "enter: { in: lookers }",
        );
    let gone = changed.find("audience: passionates").unwrap();
    let next = changed.find("audience: lookers").unwrap();
    let (before, after) = (&changed[..gone], &changed[next..]);
    format!(
        "{before}{after}---\naudience: hopeful\nenter: {{ in: abandoned-cart }}\nenter_after: 2m\nstay: {{ at_most: 9m }}\n"
    )
}

/// The rules that everything begins with.
pub(crate) fn rules() -> Rules {
    published(0)
}

/// The `number`-th rules that are published: two kinds in turn, each publication with a version of its own.
pub(crate) fn published(number: usize) -> Rules {
    let text = if number.is_multiple_of(2) { RULES.to_owned() } else { edited() };
    let file = SourceFile { path: "shop.yaml".into(), text };
    let compiled = compile(&[file], &CheckSettings::default());
    assert!(compiled.rules.is_some(), "{:?}", compiled.problems);
    let mut rules = compiled.rules.unwrap();
    rules.version = RulesVersion::new(rules.version.get().wrapping_add(number as u64 / 2));
    Rules::compile(Arc::new(rules), Millis::DAY.times(400))
}

/// Visitors of a partition.
pub(crate) fn visitors(partition: Partition) -> Vec<VisitorId> {
    let all = (0..).map(|n| VisitorId::try_new(&format!("v{n}")).unwrap());
    all.filter(|visitor| visitor.partition(COUNT) == partition).take(6).collect()
}

/// Produces a view by the first visitor of a partition; of one product by each `number`.
pub(crate) fn view(world: &World, partition: Partition, number: u64) {
    view_at(world, partition, number, world.now());
}

/// The same, stamped `at` by the broker.
pub(crate) fn view_at(world: &World, partition: Partition, number: u64, at: UnixMillis) {
    let visitor = &visitors(partition)[0];
    let key = visitor.as_str().as_bytes().to_vec();
    let record = NewRecord {
        time: Some(at),
        key: Some(key),
        value: viewed(visitor, number, at).into_bytes(),
        headers: vec![],
    };
    world.produce(TopicIndex::new(0), partition, record);
}

/// A view of one product by each `number`, as JSON.
pub(crate) fn viewed(visitor: &VisitorId, number: u64, at: UnixMillis) -> String {
    format!(
        "{{\"messageId\":\"v-{number}\",\"type\":\"track\",\"event\":\"Product Viewed\",\"anonymousId\":\"{visitor}\",\
         \"timestamp\":\"{at}\",\"properties\":{{\"product_id\":\"p{number}\",\"category\":\"Shoes\"}}}}"
    )
}

/// Produces one record, most of them good.
pub(crate) fn produce(world: &World, number: u64) {
    let partition = PARTITIONS[usize::try_from(world.below(2)).unwrap()];
    let everybody = visitors(partition);
    let visitor = &everybody[usize::try_from(world.below(everybody.len() as u64)).unwrap()];
    let (topic, event) = match world.below(10) {
        0 => (1, "Order Completed"),
        1..=3 => (0, "Product Added"),
        _ => (0, "Product Viewed"),
    };
    // A repeat now and then, as a producer that retries sends it.
    let before = world.source(TopicIndex::new(topic), partition).pop();
    if let Some(before) = before.filter(|_| world.below(15) == 0) {
        let record = NewRecord { key: before.key, value: before.value, ..NewRecord::default() };
        world.produce(TopicIndex::new(topic), partition, record);
        return;
    }
    let late = if world.below(20) == 0 { world.below(600_000) } else { world.below(50) };
    let at = UnixMillis::new(world.now().get() - i64::try_from(late).unwrap());
    let value = match world.below(40) {
        0 => "{\"type\":\"track\"".to_owned(),
        1 => format!("{{\"type\":\"track\",\"event\":\"{event}\",\"anonymousId\":\"{visitor}\"}}"),
        _ => format!(
            "{{\"messageId\":\"e-{number}\",\"type\":\"track\",\"event\":\"{event}\",\"anonymousId\":\"{visitor}\",\
             \"timestamp\":\"{at}\",\"properties\":{{\"product_id\":\"p{}\",\"brand\":\"Acme\",\
             \"category\":\"Shoes\",\"price\":80,\"quantity\":1,\"currency\":\"EUR\"}}}}",
            world.below(4)
        ),
    };
    let key = Some(visitor.as_str().as_bytes().to_vec());
    let record = NewRecord { time: None, key, value: value.into_bytes(), headers: vec![] };
    world.produce(TopicIndex::new(topic), partition, record);
}
