//! Tests beside audiences: documents whose first key is `tests`.
//!
//! A case tells what one visitor does, as offsets from a beginning, and what the audience makes of it. [`read`] finds
//! all that is wrong with the documents, [`run`] puts every case through the engine that also decides live, on a virtual
//! clock: time moves only as events and deadlines move it. Events are made as a producer would send them and go through
//! the decoder, so that a test means what production means. What came of them
//! becomes lines for people ([`lines`]), JSON ([`json`]) and JUnit XML ([`xml`]).
//!
//! Replay: the same files and settings give the same outcomes.
#![deny(missing_docs)]

mod event;
mod json;
mod junit;
mod notation;
mod read;
mod run;
mod timeline;
mod tree;
mod warn;

pub use event::decoder;
pub use json::json;
pub use junit::{xml, xml_of_refusals};
pub use read::{Case, Expected, Told, Trial, Trials, read};
pub use run::{Difference, Happened, Outcome, run};
pub use timeline::{Line, lines};
pub use tree::{Branch, Stance};
pub use warn::{endings, untested};

use tzeva_model::{Millis, UnixMillis};

/// When every case begins: Monday 2026-01-05, midnight UTC.
pub const BEGINNING: UnixMillis = UnixMillis::new(1_767_571_200_000);

/// How far after its beginning a case may reach.
pub const FARTHEST: Millis = Millis::new(3_650 * 86_400_000);
