//! A set-up that can't work, and what a newer version wrote, is refused at the start, with what to do and an exit code
//! that tells a wrong setting from a world that may mend.
#![cfg(test)]

mod shop;

use serde_json::{Value, json};
use shop::data::{sample, sample_shop};
use shop::painter::{End, Painter, drained, run};
use shop::{Shop, judge};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use tzeva_commit::{Anchor, AnchorCause, LogRecord, encode};
use tzeva_kafka::admin::{Fed, Feeder, Plan};
use tzeva_model::{
    ChangeNumber, Incarnation, Millis, Partition, RulesVersion, Seq, SourceOffset, UnixMillis,
};
use tzeva_profile::stored;
use tzeva_testkit::servers::{self, Redis};

const SETTINGS: i32 = 64;
const TRY_AGAIN: i32 = 75;

#[test]
fn unequal_partition_counts_are_refused() {
    let shop = named(2);
    shop.make_source(&shop.kafka.topics.sources[1].name, 4, "LogAppendTime");
    refused(&shop, SETTINGS, &["purchases: it has 4 partitions", "the first source topic has 2"]);
}

#[test]
fn a_count_that_is_no_power_of_two_is_refused() {
    let shop = named(2);
    shop.make_source(&shop.kafka.topics.sources[0].name, 6, "LogAppendTime");
    refused(&shop, SETTINGS, &["6 partitions are not a power of two"]);
}

#[test]
fn a_log_that_the_broker_does_not_stamp_is_refused() {
    let shop = named(2);
    let keep = ("retention.ms", "-1");
    let config = [("message.timestamp.type", "CreateTime"), keep];
    shop.admin.make(&shop.kafka.topics.log, 2, &config).unwrap();
    refused(&shop, SETTINGS, &[".log: message.timestamp.type is CreateTime", "kafka-configs"]);
}

#[test]
fn a_compacted_log_is_refused() {
    let shop = named(2);
    let config = [("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "compact")];
    shop.admin.make(&shop.kafka.topics.log, 2, &config).unwrap();
    refused(&shop, SETTINGS, &[".log: cleanup.policy is compact, not delete", "kafka-configs"]);
}

#[test]
fn topics_that_are_not_there_are_refused_with_the_command_that_makes_them() {
    let shop = Shop::named(sample_shop(2, false), &shared_redis());
    refused_with(&shop, |_| {}, SETTINGS, &[".log: it isn't there", "tzeva topics create"]);
}

#[test]
fn servers_that_do_not_answer_end_it_with_try_again() {
    let shop = Shop::open(sample_shop(2, false));
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let kafka = |settings: &mut Value| settings["kafka"]["brokers"] = json!(nobody);
    refused_with(&shop, kafka, TRY_AGAIN, &["ask for the topic"]);
    let redis =
        |settings: &mut Value| settings["redis"]["url"] = json!(format!("redis://{nobody}"));
    refused_with(&shop, redis, TRY_AGAIN, &["connect Redis at", &nobody]);
}

#[test]
fn a_redis_that_throws_profiles_away_is_refused() {
    let redis = Redis::start(&["--maxmemory-policy", "allkeys-lru"]).unwrap();
    let shop = Shop::open_on(sample_shop(2, false), &redis.url());
    let hint = "config set maxmemory-policy noeviction";
    refused_with(&shop, |_| {}, SETTINGS, &["maxmemory-policy allkeys-lru", hint]);
}

#[test]
fn a_log_record_of_a_newer_version_is_refused() {
    let shop = Shop::open(sample_shop(1, false));
    let mut newer = encode(&anchor(&shop, 1));
    let end = newer.len() - 4;
    newer[0] = 9;
    newer[1] = 9;
    let sum = crc32c::crc32c(&newer[..end]);
    newer[end..].copy_from_slice(&sum.to_le_bytes());
    append(&shop, 0, &newer);
    let says = ["written in format 9 for readers of 9", "partition 0"];
    refused_with(&shop, |_| {}, SETTINGS, &says);
}

#[test]
fn a_log_of_another_partition_count_is_refused() {
    let shop = Shop::open(sample_shop(2, false));
    for partition in 0..2 {
        append(&shop, partition, &encode(&anchor(&shop, 4)));
    }
    refused_with(&shop, |_| {}, SETTINGS, &["4 partitions", "partition 1"]);
}

#[test]
fn a_profile_of_a_newer_version_is_refused() {
    let shop = Shop::open(sample_shop(1, true));
    let records = sample(&shop, Millis::DAY.times(700));
    shop.feed(&records[..200]);
    let mut painter = Painter::start(&shop);
    drained(&shop, &mut painter, false);
    painter.stop();
    let profiles = judge::store(&shop);
    let (visitor, profile) = profiles.first_key_value().unwrap();
    let mut bytes = stored::encode(profile);
    bytes[0] = 9;
    bytes[1] = 9;
    let key = format!("{}{{s{:04}}}:p", shop.redis.prefix, visitor.shard().get());
    let answer = redis(&shop, &[b"HSET", key.as_bytes(), visitor.as_str().as_bytes(), &bytes]);
    assert_eq!(answer, ":0", "the profile was there and is another now");
    let says = ["format 9", "start the version that wrote it, or clear the store"];
    refused_with(&shop, |_| {}, SETTINGS, &says);
}

/// A shop whose odd topic the test makes itself; the others are made as they should be when it is refused.
fn named(partitions: u16) -> Shop {
    Shop::named(sample_shop(partitions, false), &shared_redis())
}

fn shared_redis() -> String {
    format!("redis://{}", servers::redis().unwrap())
}

/// Makes the topics that are missing, starts, and looks at the end.
fn refused(shop: &Shop, code: i32, says: &[&str]) {
    let plan = Plan { partitions: shop.wanted.partitions, replication: 1 };
    shop.admin.create(&plan).unwrap();
    refused_with(shop, |_| {}, code, says);
}

fn refused_with(shop: &Shop, change: impl FnOnce(&mut Value), code: i32, says: &[&str]) {
    let settings = shop.settings_file("refused.yaml", change);
    let end: End = run(&["run", "--from", "earliest"], &settings);
    assert_eq!(end.code, Some(code), "{}", end.says);
    for text in says {
        assert!(end.says.contains(text), "nothing of {text:?} in:\n{}", end.says);
    }
}

fn anchor(shop: &Shop, partitions: u16) -> LogRecord {
    let sources = shop.kafka.topics.sources.iter();
    LogRecord::Anchor(Anchor {
        incarnation: Incarnation::new(7),
        partitions,
        seq: Seq::new(0),
        n: ChangeNumber::new(0),
        until: UnixMillis::new(0),
        inputs: sources.map(|s| (s.name.as_str().into(), SourceOffset::new(0))).collect(),
        rules_version: RulesVersion::new(1),
        swept: RulesVersion::new(0),
        cause: AnchorCause::First,
        lost: Vec::new(),
    })
}

fn append(shop: &Shop, partition: u16, value: &[u8]) {
    let feeder = Feeder::new(&shop.kafka).unwrap();
    let topic = shop.kafka.topics.log.as_str();
    let partition = Partition::new(partition);
    let fed = Fed { topic, partition, time: None, key: None, value, headers: &[] };
    feeder.write(&fed).unwrap();
    feeder.flush().unwrap();
}

/// One command to the shop's Redis, and the first line of its answer.
fn redis(shop: &Shop, words: &[&[u8]]) -> String {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend(format!("${}\r\n", word.len()).into_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    let mut stream = TcpStream::connect(shop.redis.url.trim_start_matches("redis://")).unwrap();
    stream.write_all(&command).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}
