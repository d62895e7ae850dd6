//! What a backtest found, for people and for programs.

use crate::ink::{Ink, Tint};
use crate::out;
use serde_json::{Value, json};
use std::time::Duration;
use tzeva_audience::{Audience, RuleSet};
use tzeva_backtest::gather::Refused;
use tzeva_backtest::input::Places;
use tzeva_backtest::replay::Replay;
use tzeva_backtest::tally::Group;
use tzeva_model::{Millis, UnixMillis};

/// A finished run.
pub(super) struct Report<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) replay: Replay<'a>,
    pub(super) places: Places,
    /// Lines read, blank ones aside.
    pub(super) lines: u64,
    pub(super) refused: Refused,
    /// The first event, and the last instant that was decided.
    pub(super) span: (UnixMillis, UnixMillis),
    /// How long reading and sorting took, and how long deciding.
    pub(super) took: (Duration, Duration),
    pub(super) spilled: u64,
}

/// Characters of a spark line.
const SPARK: u32 = 24;
/// Reasons shown of an audience.
const REASONS: usize = 3;

// === impl Report ===

impl Report<'_> {
    /// For people: a table, then sums.
    pub(super) fn text(&mut self) {
        let ink = Ink::stdout();
        let (from, to) = self.span;
        let head = [
            "audience",
            "entered",
            "exited",
            "now",
            "peak",
            "stay p50",
            "p95",
            "size over time",
            "exits by",
        ];
        let rules = self.rules;
        let groups = self.replay.tally.audiences();
        let rows: Vec<Vec<String>> = rules
            .audiences
            .iter()
            .zip(groups)
            .map(|(audience, group)| {
                let length = |stay: Option<i64>| stay.map_or_else(|| "-".into(), short);
                let (median, long) = (length(group.stay(500)), length(group.stay(950)));
                vec![
                    audience.name.text().to_owned(),
                    group.entered.to_string(),
                    group.exited.to_string(),
                    group.now().to_string(),
                    group.peak.to_string(),
                    median,
                    long,
                    group.spark(from, to, SPARK),
                    reasons(audience, group),
                ]
            })
            .collect();
        out::table(&head, &rows);
        out::line("");
        out::line(format!("{}  {from} to {to}", ink.tint(Tint::Bold, "span   ")));
        let outcomes = self.replay.outcomes;
        out::line(format!(
            "{}  {} lines: {} events decided, {} duplicates, {} after the end, {} refused",
            ink.tint(Tint::Bold, "input  "),
            self.lines,
            outcomes.painted,
            outcomes.duplicates,
            outcomes.after_the_end,
            self.refused.count(),
        ));
        out::line(format!(
            "{}  {} changes for {} visitors, {} deadlines fired",
            ink.tint(Tint::Bold, "output "),
            self.replay.number,
            self.replay.visitors(),
            self.replay.counts.deadlines_fired,
        ));
        let (read, decide) = self.took;
        out::line(format!(
            "{}  {:.0} events/s: {} to read and sort{}, {} to decide ({:.0} events/s)",
            ink.tint(Tint::Bold, "pace   "),
            self.pace(read + decide),
            seconds(read),
            if self.spilled > 0 {
                format!(" by {} runs on disk", self.spilled)
            } else {
                String::new()
            },
            seconds(decide),
            self.pace(decide),
        ));
    }

    /// Refused lines, to stderr.
    pub(super) fn refusals(&self) {
        if self.refused.count() == 0 {
            return;
        }
        let by_code = self.refused.by_code.iter().map(|(code, count)| format!("{count} {code}"));
        let by_code: Vec<String> = by_code.collect();
        let ink = Ink::stderr();
        let head =
            format!("warning: {} lines were refused: {}", self.refused.count(), by_code.join(", "));
        out::note(ink.tint(Tint::Yellow, head));
        for (number, rejection) in &self.refused.first {
            out::note(format!(
                "  {}: {}",
                self.places.name(*number),
                out::safe(&rejection.to_string())
            ));
        }
    }

    /// For programs.
    pub(super) fn json(&mut self) -> Value {
        let (from, to) = self.span;
        let rules = self.rules;
        let groups = self.replay.tally.audiences();
        let audiences: Vec<Value> = rules
            .audiences
            .iter()
            .zip(groups)
            .map(|(audience, group)| audience_json(audience, group, (from, to)))
            .collect();
        let outcomes = self.replay.outcomes;
        let (read, decide) = self.took;
        let first = self.refused.first.iter().map(|(number, rejection)| {
            json!({
                "at": self.places.name(*number),
                "code": rejection.code.word(),
                "error": rejection.detail,
            })
        });
        let codes = self.refused.by_code.iter().map(|(code, count)| (code.word(), *count));
        json!({
            "rules_version": format!("{:016x}", self.rules.version.get()),
            "from": from.to_string(),
            "until": to.to_string(),
            "lines": self.lines,
            "events": outcomes.painted,
            "duplicates": outcomes.duplicates,
            "after_the_end": outcomes.after_the_end,
            "refused": self.refused.count(),
            "refused_by_code": codes.collect::<std::collections::BTreeMap<_, _>>(),
            "refused_first": first.collect::<Vec<_>>(),
            "visitors": self.replay.visitors(),
            "changes": self.replay.number,
            "deadlines_fired": self.replay.counts.deadlines_fired,
            "seconds_reading": read.as_secs_f64(),
            "seconds_deciding": decide.as_secs_f64(),
            "events_per_second": self.pace(read + decide).round(),
            "audiences": audiences,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a pace, for people")]
    fn pace(&self, took: Duration) -> f64 {
        let events = self.replay.outcomes.painted + self.replay.outcomes.duplicates;
        events as f64 / took.as_secs_f64().max(1e-6)
    }
}

fn audience_json(audience: &Audience, group: &mut Group, span: (UnixMillis, UnixMillis)) -> Value {
    let exits = group.exits.iter().map(|((place, kind), count)| {
        json!({
            "leaf": audience.path(*place),
            "kind": kind.word(),
            "count": count,
            "share": share(*count, group.exited),
        })
    });
    let exits: Vec<Value> = exits.collect();
    let stay = |ms: Option<i64>| ms.map(|ms| Millis::new(ms).to_string());
    json!({
        "audience": audience.name.text(),
        "version": format!("{:08x}", audience.version),
        "entered": group.entered,
        "exited": group.exited,
        "members": group.now(),
        "peak": group.peak,
        "stay_median": stay(group.stay(500)),
        "stay_p95": stay(group.stay(950)),
        "exits": exits,
        "size": group.spark(span.0, span.1, SPARK),
    })
}

/// The commonest reasons to leave, with their shares.
fn reasons(audience: &Audience, group: &Group) -> String {
    let mut by_path: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for ((place, _), count) in &group.exits {
        *by_path.entry(audience.path(*place)).or_default() += count;
    }
    let mut by_path: Vec<(String, u64)> = by_path.into_iter().collect();
    by_path.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let shown = by_path.iter().take(REASONS);
    let shown =
        shown.map(|(path, count)| format!("{path} {:.0} %", 100.0 * share(*count, group.exited)));
    let mut shown: Vec<String> = shown.collect();
    if by_path.len() > REASONS {
        shown.push(format!("{} more", by_path.len() - REASONS));
    }
    shown.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "a share, for people")]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}

/// A duration in its two largest units.
fn short(ms: i64) -> String {
    let round = match ms {
        86_400_000.. => 3_600_000,
        3_600_000.. => 60_000,
        1_000.. => 1_000,
        _ => 1,
    };
    Millis::new(ms / round * round).to_string()
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}
