//! The whole flow of one commit: read this file first.
//!
//! The owner cuts ranges from the source topics, and merges what they hold by record time (`merge.rs`). Here the
//! records become events, events and passing time become decisions, and what was decided becomes one commit record. The
//! owner appends it to the log; when it counts there, it is true, and only then it is published and applied.

use crate::batch::{Batch, Decided, Step};
use crate::names::Catalogue;
use tzeva_decode::{Decoded, Decoder};
use tzeva_engine::Engine;
use tzeva_model::{Outcome, Partition, UnixMillis};

/// Bytes to events, or why not. `Err`: a schema has to be fetched first, and then this is done again from where it stopped.
pub fn decode(
    batch: &mut Batch,
    decoders: &mut [Decoder],
    here: Partition,
) -> Result<(), tzeva_decode::SchemaKey> {
    while let Some((topic, raw)) = batch.undecoded(here) {
        match decoders[topic].decode(&raw) {
            Decoded::Event(event) => batch.decoded(Ok(event)),
            Decoded::Rejected(rejection) => batch.decoded(Err(rejection)),
            Decoded::NeedsSchema(key) => return Err(key),
        }
    }
    Ok(())
}

/// Events and time to decisions. Every visitor of the batch, and every one with a deadline in it, is loaded.
pub fn decide(
    batch: &mut Batch,
    until: UnixMillis,
    engine: &mut Engine,
    names: &mut Catalogue,
) -> Decided {
    let mut decided = Decided::default();
    while let Some(Step { time, event }) = batch.step() {
        engine.fire_until(time, &mut decided.draft); // deadlines that came first
        let event = event.and_then(|event| names.check(&event).map(|()| event));
        let outcome = match &event {
            Ok(event) => engine.take(time, event, &mut decided.draft), // paint, evaluate: entered, exited, and why
            Err(rejection) => rejection.clone().into(),
        };
        // What a refused event named is named by nothing that was kept.
        if let (Ok(event), Outcome::Painted | Outcome::Duplicate) = (&event, &outcome) {
            names.meet(event, engine.engine_time(), &mut decided.names);
        }
        decided.record(batch, outcome); // exactly one outcome each
    }
    engine.fire_until(until, &mut decided.draft); // then time alone
    decided
}

#[cfg(test)]
mod tests;
