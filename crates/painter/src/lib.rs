//! The painter: owns partitions, and takes each from a hint of the group to published, stored decisions.
//!
//! Read [`flow`] first: the way of one commit, a line a step. Around it, [`Owner`] is a state machine without I/O that
//! says what it asks of the world, and [`driver`] carries that out by the ports of `tzeva-commit`. Decisions are the
//! engine's; what counts is the log's; the painter only brings them together.
#![warn(missing_docs)]

mod batch;
mod clock;
pub mod driver;
mod effect;
pub mod flow;
mod gate;
mod merge;
mod metrics;
mod names;
mod observe;
mod overlay;
mod owner;
mod ports;
pub mod render;
mod rules;
mod settings;

pub use batch::{Batch, Decided, Step};
pub use clock::{BrokerClock, ClockLimits, Moment, Trust};
pub use effect::{Cause, Effect, Happening, Input, Refusal};
pub use gate::SweepGate;
pub use merge::{Cut, CutRecord, Inputs, TimeKind};
pub use metrics::{PainterMetrics, PartitionView, Watcher};
pub use names::{Catalogue, NameTable, SharedNames, each_name, table as name_table};
pub use observe::Observations;
pub use owner::{Owner, Standings, SweepStandings};
pub use ports::{Inbox, Lanes, Ports, Schemas};
pub use rules::{Known as KnownRules, SharedRules};
pub use settings::{FirstStart, Pace, Settings, Topic};
