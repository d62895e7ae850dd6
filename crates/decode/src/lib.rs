//! Bytes and a record's position to an event, or to the rejection that says why not. The recipe is [`Decoder::decode`].
//!
//! Every record ends as exactly one [`Decoded`]. What is wrong with the data is a `Rejection` with a stable code; what is
//! wrong with the world (a registry that can't be reached) never is: the record waits as [`Decoded::NeedsSchema`].
//! Decoding knows no clock and no client, and the same bytes under the same settings and schemas give the same event,
//! so a replay decides nothing anew.
#![deny(missing_docs)]

mod assemble;
mod call;
mod envelope;
mod instant;
mod json;
mod limits;
mod placement;
mod reject;
mod settings;
mod value;

pub use limits::{MAX_DEPTH, MAX_ITEMS, MAX_KEYS, MAX_RECORD, MAX_STRING};
pub use settings::{Settings, SettingsError};

use reject::{Refusal, refuse};
use settings::Compiled;
use tzeva_model::RejectionCode::{Malformed, TooLarge, UnsupportedType};
use tzeva_model::{Event, Partition, Rejection};

/// A record as its source has it.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// The partition it lies in.
    pub partition: Partition,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: &'a [u8],
    /// Its headers; of two of one name the first counts.
    pub headers: &'a [(String, Vec<u8>)],
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all records are events: a box would cost each"
)]
pub enum Decoded {
    /// An event.
    Event(Event),
    /// It is no event, and never will be.
    Rejected(Rejection),
    /// The writer's schema must be learnt first ; then decode the record again.
    NeedsSchema(SchemaKey),
}

/// How a record names its writer's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaKey {
    /// By its id in the schema registry.
    Id(u32),
    /// By its CRC-64-AVRO fingerprint.
    Fingerprint(u64),
}

/// Reads the records of one topic, see the crate's documentation. Keeps buffers from record to record.
#[derive(Debug)]
pub struct Decoder {
    settings: Compiled,
    tape: json::Tape,
}

// === impl Decoder ===

impl Decoder {
    /// A decoder for a topic with these settings.
    ///
    /// # Errors
    /// See [`SettingsError`]; a retry never helps.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { settings: Compiled::try_new(settings)?, tape: json::Tape::default() })
    }

    /// Decodes one record.
    pub fn decode(&mut self, raw: &Raw<'_>) -> Decoded {
        match self.event(raw) {
            Ok(event) => Decoded::Event(event),
            Err(refusal) => Decoded::Rejected(*refusal),
        }
    }

    fn event(&mut self, raw: &Raw<'_>) -> Result<Event, Refusal> {
        if raw.value.len() > MAX_RECORD {
            return Err(refuse(TooLarge, format!("the record is longer than {MAX_RECORD} bytes")));
        }
        match raw.value {
            [] => Err(refuse(Malformed, "the record is empty")),
            [0, ..] | [0xc3, 1, ..] => Err(refuse(UnsupportedType, "Avro is not read yet")),
            _ => self.json(raw),
        }
    }

    fn json(&mut self, raw: &Raw<'_>) -> Result<Event, Refusal> {
        let text = std::str::from_utf8(raw.value)
            .map_err(|why| refuse(Malformed, format!("neither Avro nor UTF-8 text: {why}")))?;
        json::scan(text, &mut self.tape)?;
        let root = self.tape.root(text);
        if !root.is_object() {
            return Err(refuse(Malformed, "a JSON object was expected"));
        }
        let (data, envelope) = envelope::unwrap(root, raw.headers)?;
        let call = json::call(data, &self.settings)?;
        let mut event = assemble::event(&call, &self.settings, raw.value)?;
        placement::check(&event.visitor, &call, &self.settings, (raw.key, raw.partition))?;
        event.traceparent = envelope::traceparent(raw.headers, envelope);
        Ok(event)
    }
}
