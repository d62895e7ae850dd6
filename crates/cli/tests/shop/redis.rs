//! What a test tells a Redis of its own, beside what a painter does with it.

use super::wait_for;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Sends one command, its words between blanks, and gives the answer: the line, or what a bulk reply holds.
pub(crate) fn tell(address: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(!line.starts_with('-'), "{command}: {line}");
    let Some(length) = line.strip_prefix('$') else { return line.trim_end().to_owned() };
    let mut bulk = vec![0; length.trim_end().parse().unwrap()];
    reader.read_exact(&mut bulk).unwrap();
    String::from_utf8(bulk).unwrap()
}

/// Empties the whole server.
pub(crate) fn flush(address: &str) {
    assert_eq!(tell(address, "FLUSHALL"), "+OK");
}

/// Waits until a replica holds what its primary held when it was asked.
pub(crate) fn follows(replica: &str) {
    wait_for("the replica follows", || {
        tell(replica, "INFO replication").contains("master_link_status:up").then_some(())
    });
}
