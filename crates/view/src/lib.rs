//! Visitors and their standing in audiences, as people and programs read them: names instead of ids, scores as of now,
//! the newest first. The command line and the pages show the same values; who makes them says what time it is.
#![deny(missing_docs)]

mod explained;
mod visitor;

pub use explained::{EvidenceView, ExplainedView, Explaining, NextView, NodeView};
pub use visitor::{
    ItemView, MembershipView, StrokeView, TagView, Viewing, VisitorView, WaitingView,
};
