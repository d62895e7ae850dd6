//! The harness itself: what it starts serves, survives a restart with its data, and is gone afterwards.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use tzeva_testkit::servers;

fn ask(address: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn redis_answers_and_keeps_its_data_over_kill_and_start() {
    let mut redis = servers::Redis::start(&["--appendfsync", "always"]).unwrap();
    let address = redis.address();
    assert_eq!(ask(&address, "SET k v"), "+OK");
    redis.process().kill();
    assert!(TcpStream::connect(&address).is_err(), "a killed server still listens");
    redis.process().start_again().unwrap();
    assert_eq!(ask(&address, "STRLEN k"), ":1");
}

#[test]
fn a_dropped_server_is_gone_with_its_folder() {
    let mut redis = servers::Redis::start(&[]).unwrap();
    let folder = redis.process().folder().to_owned();
    let address = redis.address();
    assert!(folder.is_dir());
    drop(redis);
    assert!(TcpStream::connect(&address).is_err(), "a dropped server still listens");
    assert!(!folder.exists(), "its folder is still there");
}

#[test]
fn a_shared_kafka_accepts_connections() {
    let address = servers::kafka().unwrap();
    TcpStream::connect(&address).unwrap();
    assert_eq!(servers::kafka().unwrap(), address, "one server a process");
}

#[test]
fn a_shared_registry_speaks_the_confluent_api() {
    let url = servers::registry().unwrap();
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    let request =
        format!("GET /{path}/subjects HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    assert_eq!(ask(address, &request), "HTTP/1.1 200 OK");
}
