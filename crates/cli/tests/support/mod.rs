//! The binary itself, in a folder of its own.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder with settings, rules and data.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    /// Settings with pages on a free port, and the audiences that ship.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let audiences = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audiences/retail");
        let audiences = audiences.canonicalize().unwrap();
        let text = format!("audiences: {}\nhttp: {{listen: '127.0.0.1:0'}}\n", audiences.display());
        std::fs::write(folder.path().join("tzeva.yaml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the folder, nothing of our own settings around it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tzeva"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TZEVA_")) {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs to the end, which must be a good one; gives what went to stdout.
    pub(crate) fn fine(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?} ended with {}:\n{stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Takes `events.ndjson` in, to the end.
    pub(crate) fn drain(&self) {
        self.fine(&[RUN, &["--until-drained"]].concat());
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Sends a signal, such as `-TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Reads the log up to a line with `word`, and gives that line.
pub(crate) fn wait_for(log: &mut impl BufRead, word: &str) -> String {
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        if line.contains(word) {
            return line;
        }
        line.clear();
    }
    panic!("the log ended without `{word}`");
}

/// Reads the log up to the address of the pages.
pub(crate) fn pages(log: &mut impl BufRead) -> String {
    let line = wait_for(log, "the pages are served");
    line.split("address=").nth(1).unwrap().trim().to_owned()
}

/// A page.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: tzeva\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks until the answer is yes.
pub(crate) fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ask() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// A service that follows `events.ndjson`.
pub(crate) const RUN: &[&str] =
    &["run", "--config", "tzeva.yaml", "--embedded", "--data", "data", "--events", "events.ndjson"];

/// An event of `visitor` on a shoe, at an instant such as `2026-11-21T10:00:00Z`.
pub(crate) fn event(id: &str, name: &str, visitor: &str, at: &str) -> String {
    let shoe = r#"{"product_id":"shoe-1","brand":"Acme","category":"Shoes/Running","price":80}"#;
    let properties = match name {
        "Order Completed" => {
            format!(r#"{{"order_id":"{id}","revenue":80,"currency":"EUR","products":[{shoe}]}}"#)
        }
        _ => shoe.to_owned(),
    };
    format!(
        r#"{{"messageId":"{id}","type":"track","event":"{name}","anonymousId":"{visitor}","timestamp":"{at}","properties":{properties}}}"#
    )
}
