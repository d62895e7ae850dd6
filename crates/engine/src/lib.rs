//! One partition's decisions: events and instants in, deltas and changes out.
//!
//! The engine knows no clock, store, log or thread. Its caller moves it along (`fire_until` up to an event's record
//! time, then `take`), makes the draft durable, and only then shows it to anybody. The same calls give the same draft,
//! wherever a run is split and whatever was in memory: a decision looks at profiles, rules, settings and instants alone.
//!
//! A decision on one event, in order: is it a duplicate (`history`); what must go, what comes in (`history`), what it
//! paints (`paint`); which audiences it can move, and what these say now (`decide`, `membership`, `live`); why
//! (`reason`, by the direct look of `tzeva_lens`); when something happens by time alone (its verdicts). When the rules
//! change (`sweep`), whoever is met is first brought up to date (`renew`) in what differs (`shift`). Every write goes
//! through `pen`: to the profile and the draft alike.
#![deny(missing_docs)]

mod compile;
mod decide;
mod draft;
mod engine;
mod explain;
mod hash;
mod history;
mod live;
mod membership;
mod money;
mod paint;
mod past;
mod pen;
mod program;
mod reason;
mod renew;
mod roster;
mod settings;
mod shift;
mod size;
mod sweep;
mod wake;

#[cfg(test)]
extern crate self as tzeva_engine;

pub use draft::{Counts, Draft};
pub use engine::Engine;
pub use explain::{Explained, Told, explain, explain_in};
pub use settings::Settings;
pub use sweep::Rules;
