//! Where it is seen: lines on stdout as changes come, for people or for programs.

use crate::order::Order;
use crate::shop::Act;
use crate::story::{Seen, Story};
use crate::time::ShopTime;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tzeva_audience::RuleSet;
use tzeva_model::UnixMillis;
use tzeva_terminal::out::{self, Output};

/// The stage.
pub struct Stage {
    story: Story,
    time: ShopTime,
    order: Order,
    /// The painter has come so far that changes are to be expected.
    painting: bool,
    json: bool,
    watched: bool,
}

/// How late a line is shown at least, by our clock, and at most.
const BEHIND: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(2_500));

// === impl Stage ===

impl Stage {
    pub fn new(story: Story, time: ShopTime, output: Output) -> Self {
        let order = Order::new(time.in_shop(BEHIND.0), time.in_shop(BEHIND.1));
        let json = output == Output::Json;
        Self { story, time, order, painting: false, json, watched: true }
    }

    /// Changes are to be expected: from now on lines are shown.
    pub const fn begin(&mut self) {
        self.painting = true;
    }

    /// False once nobody reads any more.
    pub const fn is_watched(&self) -> bool {
        self.watched
    }

    /// Says what is about to be seen.
    pub fn open(&mut self, rules: &RuleSet, speed: u32) {
        let opening = self.story.opening(rules, speed);
        self.aside(&opening);
    }

    /// Shows what one of the scripted does.
    pub fn act(&mut self, act: &Act, at: UnixMillis) {
        if !self.json
            && let Some(line) = self.story.act(act, at)
        {
            self.order.take(line, at, self.time.now());
        }
    }

    /// Shows changes as they come, for `beat`.
    pub fn wait(&mut self, changes: &Receiver<Vec<u8>>, beat: Duration) {
        let begun = Instant::now();
        while let Some(left) = beat.checked_sub(begun.elapsed()) {
            match changes.recv_timeout(left) {
                Ok(change) => self.change(&change),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.painting {
            self.order.due(self.time.now()).iter().for_each(|line| self.say(line));
        }
    }

    /// Shows what is left.
    pub fn rest(&mut self, changes: &Receiver<Vec<u8>>) {
        changes.try_iter().for_each(|change| self.change(&change));
        self.order.rest().iter().for_each(|line| self.say(line));
    }

    /// Says what it all came to.
    pub fn close(&mut self, events: u64, took: Duration) {
        let summary = self.story.summary(events, took);
        self.aside(&summary);
    }

    fn change(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let Ok(seen) = serde_json::from_str::<Seen>(&text) else { return };
        let line = self.story.change(&seen);
        match (self.json, seen.at()) {
            (false, Some(at)) => self.order.take(line, at, self.time.now()),
            (false, None) => self.say(&line),
            // A program sorts for itself.
            (true, _) => self.say(&text),
        }
    }

    /// What is no change: beside the changes, if those are for a program.
    fn aside(&mut self, lines: &[String]) {
        match self.json {
            true => lines.iter().for_each(out::note),
            false => lines.iter().for_each(|line| self.say(line)),
        }
    }

    fn say(&mut self, line: &str) {
        self.watched &= out::line(line);
    }
}
