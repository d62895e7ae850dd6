//! What a backtest found, for people and for programs.

use crate::finished::Finished;
use crate::tally::Group;
use crate::told;
use serde_json::{Value, json};
use std::time::Duration;
use tzeva_audience::Audience;
use tzeva_model::Millis;
use tzeva_terminal::ink::{Ink, Tint};
use tzeva_terminal::out;

/// A finished run, to be told.
pub struct Report(pub Finished);

/// Reasons shown of an audience.
const REASONS: usize = 3;

// === impl Report ===

impl Report {
    /// For people: a table, then sums.
    pub fn text(&mut self) {
        let sets = self.0.rules.len();
        (0..sets).for_each(|set| self.table(set));
        if sets > 1 {
            out::line(Ink::stdout().tint(Tint::Bold, "if the second rules replaced the first:"));
            told::text(&self.0.replayed.differences);
            out::line("");
        }
        self.sums();
    }

    /// What the audiences of a set of rules did.
    fn table(&mut self, set: usize) {
        let head = [
            "audience",
            "entered",
            "exited",
            "now",
            "peak",
            "stay p50",
            "p90",
            "p95",
            "size over time",
            "exits by",
        ];
        let groups = self.0.replayed.tallies[set].audiences();
        let rows = self.0.rules[set].audiences.iter().zip(groups).map(|(audience, group)| {
            let length = |stay: Option<i64>| stay.map_or_else(|| "-".into(), short);
            vec![
                audience.name.text().to_owned(),
                group.entered.to_string(),
                group.exited.to_string(),
                group.now().to_string(),
                group.peak.to_string(),
                length(group.stay(500)),
                length(group.stay(900)),
                length(group.stay(950)),
                group.spark(),
                reasons(audience, group),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        out::table(&head, &rows);
        out::line("");
    }

    fn sums(&self) {
        let (ink, run) = (Ink::stdout(), &self.0);
        let (outcomes, (from, to)) = (run.replayed.outcomes, run.span);
        let head = |text| ink.tint(Tint::Bold, text);
        out::line(format!("{}  {from} to {to}", head("span   ")));
        out::line(format!(
            "{}  {} records: {} events decided, {} duplicates, {} after the end, {} refused",
            head("input  "),
            self.records(),
            outcomes.painted,
            outcomes.duplicates,
            outcomes.after_the_end,
            run.found.refused.count(),
        ));
        out::line(format!(
            "{}  {} changes for {} visitors, {} deadlines fired",
            head("output "),
            run.changes[0],
            run.replayed.visitors,
            run.replayed.counts.deadlines_fired,
        ));
        let (read, decide) = run.took;
        let spilled = match run.spilled >> 20 {
            0 => String::new(),
            mib => format!(", {mib} MiB of it by way of the disk"),
        };
        out::line(format!(
            "{}  {:.0} events/s: {} to read and sort, {} to decide{spilled}",
            head("pace   "),
            self.pace(),
            seconds(read),
            seconds(decide),
        ));
    }

    /// What people should know of the input, to stderr.
    pub fn warnings(&self) {
        self.0.warnings();
    }

    /// Records read, blank lines aside.
    fn records(&self) -> u64 {
        let decided = &self.0.replayed.outcomes;
        decided.painted + decided.duplicates + decided.after_the_end + self.0.found.refused.count()
    }

    /// For programs.
    pub fn json(&mut self) -> Value {
        let sets = self.0.rules.len();
        let mut tables: Vec<Value> = (0..sets).map(|set| self.audiences(set)).collect();
        let (records, pace, run) = (self.records(), self.pace(), &self.0);
        let (outcomes, (from, to), (read, decide)) = (run.replayed.outcomes, run.span, run.took);
        let first = run.found.refused.first.iter().map(|(number, rejection)| {
            json!({
                "at": run.places.name(*number),
                "code": rejection.code.word(),
                "error": rejection.detail,
            })
        });
        let unseen = run.unseen.iter().map(|unseen| {
            json!({ "event": unseen.event, "audiences": unseen.audiences, "did_you_mean": unseen.near })
        });
        let codes = run.found.refused.by_code.iter().map(|(code, count)| (code.word(), *count));
        let mut whole = json!({
            "rules_version": format!("{:016x}", run.rules[0].version.get()),
            "from": from.to_string(),
            "until": to.to_string(),
            "records": records,
            "events": outcomes.painted,
            "duplicates": outcomes.duplicates,
            "after_the_end": outcomes.after_the_end,
            "refused": run.found.refused.count(),
            "refused_by_code": codes.collect::<std::collections::BTreeMap<_, _>>(),
            "refused_first": first.collect::<Vec<_>>(),
            "unseen_events": unseen.collect::<Vec<_>>(),
            "visitors": run.replayed.visitors,
            "changes": run.changes[0],
            "deadlines_fired": run.replayed.counts.deadlines_fired,
            "spilled_bytes": run.spilled,
            "seconds_reading": read.as_secs_f64(),
            "seconds_deciding": decide.as_secs_f64(),
            "events_per_second": pace.round(),
            "audiences": tables.remove(0),
        });
        if let Some(audiences) = tables.pop() {
            whole["against"] = json!({
                "rules_version": format!("{:016x}", run.rules[1].version.get()),
                "changes": run.changes[1],
                "audiences": audiences,
                "differences": told::list(&run.replayed.differences),
            });
        }
        whole
    }

    fn audiences(&mut self, set: usize) -> Value {
        let groups = self.0.replayed.tallies[set].audiences();
        let both = self.0.rules[set].audiences.iter().zip(groups);
        both.map(|(audience, group)| audience_json(audience, group)).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "a pace, for people")]
    fn pace(&self) -> f64 {
        let (outcomes, (read, decide)) = (self.0.replayed.outcomes, self.0.took);
        let events = outcomes.painted + outcomes.duplicates;
        events as f64 / (read + decide).as_secs_f64().max(1e-6)
    }
}

fn audience_json(audience: &Audience, group: &mut Group) -> Value {
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
        "stay_p90": stay(group.stay(900)),
        "stay_p95": stay(group.stay(950)),
        "exits": exits,
        "size_over_time": group.sizes(),
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
