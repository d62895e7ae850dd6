//! A plan and what came of it, for people and for programs.

use super::{End, Told};
use crate::exit::Failure;
use crate::out;
use crate::plan::{Plan, hex};
use serde_json::{Value, json};
use tzeva_phrase::amount;
use tzeva_plan::{Members, Refusal};
use tzeva_rulebook::Publication;

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
        "{} unchanged; by {}",
        amount(differences.unchanged, "audience", "audiences"),
        amount(forecast.visitors, "stored visitor", "stored visitors")
    ));
    if forecast.unreadable > 0 {
        let profiles = amount(forecast.unreadable, "profile", "profiles");
        out::note(format!("warning: {profiles} could not be read"));
    }
}

fn row(plan: &Plan, name: &str, what: String) -> Vec<String> {
    let Members { now, gained, lost } =
        plan.forecast.audiences.get(name).copied().unwrap_or_default();
    vec![name.to_owned(), now.to_string(), format!("+{gained}"), format!("-{lost}"), what]
}

/// For people: what came of it.
pub(super) fn end(told: &Told) {
    match told.end {
        End::Published => {
            if let Some(Publication { version, ordinal, .. }) = &told.published {
                out::line(format!("published {}, number {ordinal}", hex(*version)));
            }
            out::note(match &told.watch {
                Some(address) => format!(
                    "running services take it over by themselves; how far they are: http://{address}/v1/audiences"
                ),
                None => "no service runs on this folder: the next start takes it over".to_owned(),
            });
        }
        End::Unchanged => {
            out::line("nothing to publish: these rules say what those that count say");
        }
        End::Refused => out::note("nothing was published"),
        End::DryRun => out::note("nothing was published: --dry-run"),
        End::Declined => out::note("nothing was published: it was not confirmed"),
    }
}

/// For programs: one object, however it ended.
pub(super) fn json(ended: &Result<Told, Failure>) {
    let problems = ended.as_ref().map_or(&[][..], |told| &told.problems);
    let refusal = |refusal: &Refusal| {
        json!({
            "code": refusal.code(),
            "audience": refusal.audience(),
            "text": refusal.to_string(),
            "flag": refusal.flag(),
            "problems": if let Refusal::Rules { .. } = refusal { problems } else { &[] },
        })
    };
    let published = |publication: &Publication| {
        json!({
            "version": hex(publication.version),
            "ordinal": publication.ordinal,
            "at": publication.at.to_string(),
            "by": publication.by,
        })
    };
    out::line(match ended {
        Ok(told) => json!({
            "outcome": told.end.word(),
            "published": told.published.as_ref().map(published),
            "refused": told.refused.iter().map(refusal).collect::<Vec<Value>>(),
            "plan": told.plan,
        }),
        Err(failure) => json!({
            "outcome": "failed",
            "published": null,
            "refused": [],
            "plan": null,
            "error": format!("{:#}", failure.error),
        }),
    });
}
