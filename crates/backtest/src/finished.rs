//! A finished run, and what people should know of its input.

use crate::gather::Found;
use crate::input::Places;
use crate::replay::Replayed;
use crate::unseen::Unseen;
use std::sync::Arc;
use std::time::Duration;
use tzeva_audience::RuleSet;
use tzeva_model::UnixMillis;
use tzeva_terminal::ink::{Ink, Tint};
use tzeva_terminal::out;

/// A finished run.
pub struct Finished {
    /// As the folders were given.
    pub rules: Vec<Arc<RuleSet>>,
    /// What was read.
    pub found: Found,
    /// Where records lie.
    pub places: Places,
    /// Events that the rules ask for and that never came.
    pub unseen: Vec<Unseen>,
    /// What was decided.
    pub replayed: Replayed,
    /// Changes a set of rules.
    pub changes: Vec<u64>,
    /// The first event, and the last instant that was decided.
    pub span: (UnixMillis, UnixMillis),
    /// How long reading took, and how long deciding.
    pub took: (Duration, Duration),
    /// Bytes that went to the disk.
    pub spilled: u64,
}

// === impl Finished ===

impl Finished {
    /// What people should know of the input, to stderr.
    pub fn warnings(&self) {
        let left_out = self.replayed.counts.without_rate;
        if left_out > 0 {
            let text = format!(
                "warning: the amounts of {left_out} events count for nothing, since nobody said what their currency is \
                 worth: name `currency` and `rates` in the settings"
            );
            out::note(Ink::stderr().tint(Tint::Yellow, text));
        }
        self.refusals();
        self.unseen();
    }

    /// A misspelt name gets a line of its own, the others share one: a short history misses many.
    fn unseen(&self) {
        let (misspelt, others): (Vec<_>, Vec<_>) =
            self.unseen.iter().partition(|unseen| unseen.near.is_some());
        let ink = Ink::stderr();
        for Unseen { event, audiences, near } in misspelt {
            let (near, audiences) = (near.as_deref().unwrap_or_default(), audiences.join(", "));
            let text = format!(
                "warning[unseen_event]: no `{event}` came: did you mean `{near}`? Asked for by {audiences}"
            );
            out::note(ink.tint(Tint::Yellow, text));
        }
        if !others.is_empty() {
            let events: Vec<_> =
                others.iter().map(|unseen| format!("`{}`", unseen.event)).collect();
            let text = format!("warning[unseen_event]: none of these came: {}", events.join(", "));
            out::note(ink.tint(Tint::Yellow, text));
        }
    }

    fn refusals(&self) {
        if self.found.refused.count() == 0 {
            return;
        }
        let by_code =
            self.found.refused.by_code.iter().map(|(code, count)| format!("{count} {code}"));
        let by_code: Vec<String> = by_code.collect();
        let ink = Ink::stderr();
        let head = format!(
            "warning: {} records were refused: {}",
            self.found.refused.count(),
            by_code.join(", ")
        );
        out::note(ink.tint(Tint::Yellow, head));
        for (number, rejection) in &self.found.refused.first {
            out::note(format!(
                "  {}: {}",
                self.places.name(*number),
                out::safe(&self.places.why(*number, rejection))
            ));
        }
    }
}
