//! `tzeva visitor show`: a visitor from the store itself.

use crate::exit::{Exit, Failure};
use crate::out::{self, Output, safe};
use crate::place::{Place, PlaceArgs};
use crate::wiring;
use anyhow::Context;
use clap::Subcommand;
use tzeva_audience::{HalfLives, Paint};
use tzeva_model::{NameId, VisitorId};
use tzeva_profile::stored;
use tzeva_view::{ItemView, StrokeView, Viewing, VisitorView};

/// What `tzeva visitor` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Show tags with their scores now, memberships, the next deadline, recent events.
    Show(Show),
}

#[derive(clap::Args)]
pub(crate) struct Show {
    /// The visitor id.
    id: String,
    #[command(flatten)]
    place: PlaceArgs,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let Action::Show(args) = action;
    let id = VisitorId::try_new(&args.id).map_err(Failure::settings)?;
    let view = match Place::open_or_ask(&args.place)? {
        Ok(place) => viewed(&place, &id)?,
        Err(holder) => holder.get(&["v1", "visitors", id.as_str()])?,
    };
    let Some(view) = view else { return Ok(Exit::No) };
    match args.output {
        Output::Json => {
            out::line(serde_json::to_string(&view).unwrap_or_default());
        }
        Output::Text => show(&view),
    }
    Ok(Exit::Fine)
}

/// By the store itself; none if the visitor isn't known, which is told.
fn viewed(place: &Place, id: &VisitorId) -> Result<Option<VisitorView>, Failure> {
    let Some(bytes) = place.profile(id)? else {
        out::note(format_args!("visitor {} is not known here", safe(id.as_str())));
        return Ok(None);
    };
    let profile = stored::decode(&bytes).context("read the stored profile");
    let profile = profile.map_err(Failure::world)?;
    let names = place.names()?;
    let viewing = Viewing {
        names: &|id: NameId| names.get(&id).map_or_else(|| id.to_string(), ToString::to_string),
        half_lives: half_lives(place),
        now: wiring::wall(),
    };
    Ok(Some(viewing.visitor(id, &profile)))
}

/// The half-lives of the rules in force; if they can't be read, those of the default paint.
fn half_lives(place: &Place) -> HalfLives {
    match place.rules() {
        Ok(rules) => rules.paint.half_life,
        Err(failure) => {
            let error = failure.error;
            out::note(format_args!("warning: scores are faded by default half-lives: {error}"));
            Paint::default().half_life
        }
    }
}

fn show(view: &VisitorView) {
    out::line(format_args!("visitor        {}", safe(&view.visitor)));
    out::line(format_args!("last seen      {}", view.seen));
    out::line(format_args!("next deadline  {}", view.next_deadline.as_deref().unwrap_or("none")));
    if let Some(since) = &view.exact_since {
        out::line(format_args!("exact since    {since}"));
    }
    let audiences = view.memberships.iter().map(|m| vec![safe(&m.audience), m.since.clone()]);
    section(&["AUDIENCE", "SINCE"], audiences.collect());
    let score = |score: f64| format!("{score:.3}");
    let tags = view.tags.iter().map(|tag| {
        vec![tag.level.clone(), safe(&tag.name), score(tag.score), tag.painted_at.clone()]
    });
    section(&["TAG", "NAME", "SCORE NOW", "PAINTED"], tags.collect());
    let strokes = view.strokes.iter();
    let strokes = strokes.map(|s| vec![s.at.clone(), safe(&s.event), safe(&items(s))]);
    section(&["AT", "EVENT", "ITEMS"], strokes.collect());
}

fn section(head: &[&str], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        out::line("");
        out::table(head, &rows);
    }
}

fn items(stroke: &StrokeView) -> String {
    let item = |item: &ItemView| {
        let parts = [item.product.as_deref(), item.brand.as_deref(), item.category.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    stroke.items.iter().map(item).collect::<Vec<_>>().join(", ")
}
