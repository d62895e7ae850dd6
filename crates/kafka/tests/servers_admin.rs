//! Topics made, checked and asked against a real Kafka.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use support::{admin, fresh, named, producer, write};
use tzeva_kafka::Settings;
use tzeva_kafka::admin::{Made, Plan, StartFrom};
use tzeva_model::{Partition, UnixMillis};

const PLAN: Plan = Plan { partitions: 4, replication: 1 };

fn make(settings: &Settings, topic: &str, partitions: i32, config: &[(&str, &str)]) {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &settings.bootstrap).create().unwrap();
    let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let topic = config.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(client.create_topics([&topic], &AdminOptions::new())).unwrap();
    assert!(made[0].is_ok(), "{made:?}");
}

fn faults(settings: &Settings) -> Vec<String> {
    let checked = admin(settings).check(true).unwrap();
    checked.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn created_topics_pass_the_check_and_are_left_alone_by_a_second_create() {
    let settings = named();
    assert!(faults(&settings).iter().all(|fault| fault.contains("it isn't there")));
    let made = admin(&settings).create(&PLAN).unwrap();
    assert!(made.iter().all(|made| matches!(made, Made::New(_))), "{made:?}");
    assert_eq!(faults(&settings), Vec::<String>::new());
    assert_eq!(admin(&settings).check(true).unwrap().partitions, Some(4));
    let again = admin(&settings).create(&PLAN).unwrap();
    assert!(again.iter().all(|made| matches!(made, Made::Existed(_))), "{again:?}");
    // One replica passes only where that was asked for.
    assert_eq!(admin(&settings).check(false).unwrap().faults.len(), 7);
}

#[test]
fn a_log_that_is_compacted_or_not_stamped_by_the_broker_is_refused() {
    let settings = named();
    let config = [("cleanup.policy", "compact"), ("message.timestamp.type", "CreateTime")];
    make(&settings, &settings.topics.log, 4, &config);
    admin(&settings).create(&PLAN).unwrap();
    let faults = faults(&settings).join("\n");
    assert!(faults.contains("cleanup.policy is compact, not delete"), "{faults}");
    assert!(faults.contains("--add-config message.timestamp.type=LogAppendTime"), "{faults}");
    assert!(faults.contains("no snapshots yet"), "{faults}");
}

#[test]
fn unequal_and_odd_partition_counts_are_refused() {
    let settings = named();
    make(
        &settings,
        &settings.topics.sources[0].name,
        6,
        &[("message.timestamp.type", "LogAppendTime")],
    );
    admin(&settings).create(&PLAN).unwrap();
    let checked = admin(&settings).check(true).unwrap();
    assert_eq!(checked.partitions, None);
    let faults = faults(&settings);
    assert!(faults[0].contains("6 partitions are not a power of two"), "{faults:#?}");
    assert!(faults.iter().filter(|f| f.contains("the first source topic has 6")).count() == 4);
}

#[test]
fn a_create_time_source_must_be_declared() {
    let mut settings = named();
    make(
        &settings,
        &settings.topics.sources[1].name,
        4,
        &[("message.timestamp.type", "CreateTime")],
    );
    admin(&settings).create(&PLAN).unwrap();
    assert!(faults(&settings).iter().any(|fault| fault.contains("create_time: true")));
    settings.topics.sources[1].create_time = true;
    assert!(!faults(&settings).iter().any(|fault| fault.contains("timestamp")));
}

#[test]
fn a_start_is_found_by_beginning_end_and_time() {
    let settings = fresh(2);
    let foreign = producer(&settings, &[]);
    let visits = settings.topics.sources[0].name.clone();
    write(&foreign, &visits, 1, &["a", "b"]);
    let admin = admin(&settings);
    let start = |from| -> Vec<Vec<i64>> {
        let found = admin.start_offsets(2, from).unwrap();
        found.iter().map(|topics| topics.iter().map(|o| o.get()).collect()).collect()
    };
    assert_eq!(start(StartFrom::Earliest), [[0, 0], [0, 0]]);
    assert_eq!(start(StartFrom::Latest), [[0, 0], [2, 0]]);
    let records = admin.records(&visits, Partition::new(1), None).unwrap();
    let times: Vec<UnixMillis> = records.map(|record| record.unwrap().time).collect();
    let first_of_last = i64::from(times[0] != times[1]);
    assert_eq!(start(StartFrom::Time(times[1]))[1], [first_of_last, 0]);
    assert_eq!(start(StartFrom::Time(UnixMillis::MAX))[1], [2, 0]);
}
