//! Rules and reasons in words that people read.
//!
//! A change becomes one sentence, a leaf one line, a rule set a summary of what it costs and shares. Nothing here
//! decides anything: `tzeva-audience` says what rules mean, the engine what is true.
#![deny(missing_docs)]

mod sentence;
mod summary;
mod words;

pub use sentence::{idle_sentence, sentence};
pub use summary::{AudienceSummary, Cost, LeafSummary, RuleSetSummary, summary};
pub use words::{amount, leaf_words};
