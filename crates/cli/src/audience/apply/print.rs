//! A plan and what came of it, for people and for programs.

use super::End;
use super::guards::Refusal;
use crate::out;
use crate::plan::{Plan, hex};
use serde_json::{Value, json};
use tzeva_plan::Members;
use tzeva_rulebook::Publication;
use tzeva_settings::Settings;

// === impl End ===

impl End {
    const fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::DryRun => "dry_run",
            Self::Declined => "declined",
        }
    }
}

/// For people: what differs, and who would enter and leave.
pub(super) fn plan(plan: &Plan) {
    let differences = &plan.differences;
    match &plan.parent {
        Some(parent) => out::line(format!("in place of {parent}:")),
        None => out::line("the first publication; nothing is known of what ran before:"),
    };
    let rows = differences.added.iter().map(|name| (name, "added".to_owned()));
    let rows = rows.chain(
        differences
            .edited
            .iter()
            .map(|(name, parts)| (name, format!("edited: {}", parts.join(", ")))),
    );
    let rows = rows.chain(differences.removed.iter().map(|name| (name, "removed".to_owned())));
    let mut rows: Vec<Vec<String>> = rows.map(|(name, what)| row(plan, name, what)).collect();
    // Paint and `in` move audiences that nobody touched.
    let touched: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    for (name, members) in &plan.forecast.audiences {
        if members.gained + members.lost > 0 && !touched.contains(name) {
            rows.push(row(plan, name, "unchanged itself".to_owned()));
        }
    }
    if !rows.is_empty() {
        out::table(&["audience", "members", "gained", "lost", ""], &rows);
    }
    differences.paint.iter().for_each(|line| {
        out::line(format!("paint: {line}"));
    });
    let forecast = &plan.forecast;
    out::line(format!(
        "{} audiences unchanged; by {} stored visitors",
        differences.unchanged, forecast.visitors
    ));
    if forecast.unreadable > 0 {
        out::note(format!("warning: {} profiles could not be read", forecast.unreadable));
    }
}

fn row(plan: &Plan, name: &str, what: String) -> Vec<String> {
    let Members { now, gained, lost } =
        plan.forecast.audiences.get(name).copied().unwrap_or_default();
    vec![name.to_owned(), now.to_string(), format!("+{gained}"), format!("-{lost}"), what]
}

/// For people: what came of it.
pub(super) fn end((end, publication): (End, &Publication), settings: &Settings) {
    match end {
        End::Published => {
            let (version, ordinal) = (hex(publication.version), publication.ordinal);
            out::line(format!("published {version}, number {ordinal}"));
            let listen = settings.http.listen;
            out::note(format!(
                "running services take it over by themselves; how far they are: http://{listen}/v1/audiences"
            ));
        }
        End::Unchanged => {
            out::line("nothing to publish: these rules say what those that count say");
        }
        End::Refused => out::note("nothing was published"),
        End::DryRun => out::note("nothing was published: --dry-run"),
        End::Declined => out::note("nothing was published: it was not confirmed"),
    }
}

/// For programs: one object.
pub(super) fn json(plan: &Plan, refusals: &[Refusal], (end, publication): (End, &Publication)) {
    let refused = refusals.iter().map(|refusal| {
        json!({
            "code": refusal.code(),
            "audience": refusal.audience(),
            "text": refusal.to_string(),
            "flag": refusal.flag(),
        })
    });
    let published = (end == End::Published).then(|| {
        json!({
            "version": hex(publication.version),
            "ordinal": publication.ordinal,
            "at": publication.at.to_string(),
            "by": publication.by,
        })
    });
    out::line(json!({
        "outcome": end.word(),
        "published": published,
        "refused": refused.collect::<Vec<Value>>(),
        "plan": plan,
    }));
}
