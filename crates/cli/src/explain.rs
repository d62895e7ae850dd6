//! `tzeva explain`: why a visitor is, or isn't, in an audience, and what comes next.

use crate::exit::{Exit, Failure};
use crate::out::{self, Output, safe};
use crate::place::{Place, PlaceArgs};
use crate::wiring;
use anyhow::{Context, anyhow};
use tzeva_model::VisitorId;
use tzeva_profile::stored;
use tzeva_view::{EvidenceView, ExplainedView, Explaining, NodeView};

/// Arguments of `tzeva explain`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The audience.
    audience: String,
    /// The visitor id.
    visitor: String,
    #[command(flatten)]
    place: PlaceArgs,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let id = VisitorId::try_new(&args.visitor).map_err(Failure::settings)?;
    let told = match Place::open_or_ask(&args.place)? {
        Ok(place) => explained(&place, &id, &args.audience)?,
        Err(holder) => holder.get(&["v1", "visitors", id.as_str(), "explain", &args.audience])?,
    };
    let Some(told) = told else { return Ok(Exit::No) };
    match args.output {
        Output::Json => drop(out::line(serde_json::to_string(&told).unwrap_or_default())),
        Output::Text => show(&told),
    }
    Ok(Exit::Fine)
}

/// By the store itself; none if the visitor isn't known, which is told.
fn explained(
    place: &Place,
    id: &VisitorId,
    audience: &str,
) -> Result<Option<ExplainedView>, Failure> {
    let settings = &place.settings;
    let rules = place.rules()?;
    let Some(bytes) = place.profile(id)? else {
        out::note(format_args!("visitor {} is not known here", safe(id.as_str())));
        return Ok(None);
    };
    let profile = stored::decode(&bytes).context("read the stored profile");
    let profile = profile.map_err(Failure::world)?;
    let names = place.names()?;
    let explaining = Explaining {
        rules: &rules,
        settings: &wiring::engine_settings(settings),
        name: &|id| names.get(&id).map(ToString::to_string),
        now: wiring::wall(),
    };
    let Some(told) = explaining.view(id, profile, audience) else {
        let known: Vec<_> = rules.audiences.iter().map(|audience| audience.name.text()).collect();
        let (asked, known) = (safe(audience), known.join(", "));
        return Err(Failure::settings(anyhow!("there is no audience {asked}: there are {known}")));
    };
    Ok(Some(told))
}

fn show(told: &ExplainedView) {
    out::line(format_args!("{} is {}", safe(&told.visitor), safe(&told.says)));
    let mut rows = Vec::new();
    row("enter", &told.enter, 0, &mut rows);
    if let Some(exit_when) = &told.exit_when {
        row("exit_when", exit_when, 0, &mut rows);
    }
    out::line("");
    out::table(&["RULE", "NOW", "SINCE", "UNTIL", "EVIDENCE"], &rows);
}

fn row(key: &str, node: &NodeView, depth: usize, rows: &mut Vec<Vec<String>>) {
    let indent = "  ".repeat(depth);
    let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
    let instant = |at: &Option<String>| at.clone().unwrap_or_else(|| "-".into());
    let truth = match (node.holds, node.exact) {
        (true, true) => "true",
        (false, true) => "false",
        (true, false) => "true (folded history)",
        (false, false) => "false (folded history)",
    };
    let evidence: Vec<String> = node.evidence.iter().map(shown).collect();
    rows.push(vec![
        safe(&format!("{indent}{key}{}", node.says)),
        truth.into(),
        since(node),
        instant(&node.flips),
        safe(&evidence.join(", ")),
    ]);
    for part in &node.parts {
        row("", part, depth + 1, rows);
    }
}

/// Since when, as far as the profile knows.
fn since(node: &NodeView) -> String {
    match (&node.since, &node.so_from) {
        (Some(since), _) => since.clone(),
        (None, Some(from)) => format!("{from} or earlier"),
        (None, None) => "not known".into(),
    }
}

fn shown(evidence: &EvidenceView) -> String {
    let EvidenceView { event, at, product } = evidence;
    let product = product.as_ref().map(|product| format!(" {product}")).unwrap_or_default();
    format!("{event}{product} {at}")
}
