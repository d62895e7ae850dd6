//! `kill -9`, fifty times, at any moment: while the folder is opened, the file is taken in, records are decided, changes
//! are published, profiles are written. At the end nothing is lost, nothing is doubled, and the slow evaluator agrees.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod check;
mod support;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use support::{Place, RUN, event};

const KILLS: u32 = 50;
/// Lines written while one process lives.
const LINES: u64 = 24;

/// A generator of numbers that a seed repeats.
struct Random(u64);

/// Writes lines as a shop would, and knows what it wrote.
struct Writer {
    file: File,
    random: Random,
    written: Vec<String>,
    malformed: Vec<String>,
    /// Milliseconds.
    time: i64,
    /// The rest of a line that was cut by a pause.
    rest: Option<String>,
}

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

impl Writer {
    fn new(place: &Place, seed: u64) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(place.path("events.ndjson"));
        let time = jiff::Timestamp::now().as_millisecond() - 30 * 86_400_000;
        let (written, malformed) = (Vec::new(), Vec::new());
        Self { file: file.unwrap(), random: Random(seed), written, malformed, time, rest: None }
    }

    /// Writes a line; now and then only its first half, the second one before the next line.
    fn write(&mut self) {
        self.complete();
        let number = self.written.len();
        let line = self.line(number);
        self.written.push(line.clone());
        let line = line + "\n";
        if self.random.below(10) == 0 {
            let (first, rest) = line.split_at(line.len() / 2);
            self.file.write_all(first.as_bytes()).unwrap();
            self.rest = Some(rest.to_owned());
        } else {
            self.file.write_all(line.as_bytes()).unwrap();
        }
    }

    fn complete(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.file.write_all(rest.as_bytes()).unwrap();
        }
    }

    fn line(&mut self, number: usize) -> String {
        self.time += i64::try_from(self.random.below(40 * 60_000)).unwrap();
        let at = jiff::Timestamp::from_millisecond(self.time).unwrap().to_string();
        let visitor = format!("v-{}", self.random.below(40));
        if self.random.below(100) == 0 || number == 7 {
            let line = match self.random.below(3) {
                0 => format!("this is no event {number}"),
                1 => format!(
                    r#"{{"messageId":"m-{number}","type":"track","event":"Product Viewed"}}"#
                ),
                _ => event(&format!("m-{number}"), "Product Viewed", &visitor, "yesterday"),
            };
            self.malformed.push(line.clone());
            return line;
        }
        let names = ["Product Viewed", "Product Viewed", "Product Added", "Order Completed"];
        let name = names[usize::try_from(self.random.below(4)).unwrap()];
        // Now and then an event comes twice.
        let id = if self.random.below(50) == 0 { number / 2 } else { number };
        event(&format!("e-{id}"), name, &visitor, &at)
    }
}

#[test]
fn nothing_is_lost_and_nothing_doubled_by_fifty_kills() {
    let seed = std::env::var("TZEVA_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond().unsigned_abs());
    println!("TZEVA_SEED={seed}");
    let place = Place::new();
    let mut writer = Writer::new(&place, seed);
    writer.write();
    let (mut owned, mut kills) = (0, 0);
    while kills < KILLS {
        let mut child = place.start(RUN);
        let log = lines(&mut child);
        for _ in 0..LINES / 2 {
            writer.write();
        }
        // Every third dies at any moment of its start, the others somewhere behind it.
        let whole_start = kills % 3 != 0;
        if whole_start {
            owned += u32::from(seen(&log, "owning", Duration::from_secs(60)));
        }
        for _ in 0..LINES / 2 {
            writer.write();
            let pause = writer.random.below(if whole_start { 40 } else { 80 });
            seen(&log, "no line says this", Duration::from_millis(pause));
        }
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself: {:?}", rest(&log));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(owned > KILLS / 3, "only {owned} of the killed owned anything");
    writer.complete();
    drop(writer.file);
    place.drain();
    check::all(&place, &writer.written, &writer.malformed);
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Waits until a line holds `word`; false if none did in time.
fn seen(log: &Receiver<String>, word: &str, within: Duration) -> bool {
    let until = Instant::now() + within;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        match log.recv_timeout(left) {
            Ok(line) if line.contains(word) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

fn rest(log: &Receiver<String>) -> Vec<String> {
    log.try_iter().collect()
}
