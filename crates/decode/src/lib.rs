//! Bytes and a record's position to an event, or to the rejection that says why not. The recipe is [`Decoder::decode`].
//!
//! Every record ends as exactly one [`Decoded`]. What is wrong with the data is a `Rejection` with a stable code; what is
//! wrong with the world (a registry that can't be reached) never is: the record waits as [`Decoded::NeedsSchema`].
//! Decoding knows no clock and no client, and the same bytes under the same settings and schemas give the same event,
//! so a replay decides nothing anew.
#![deny(missing_docs)]

mod assemble;
mod avro;
mod call;
mod envelope;
mod instant;
mod json;
mod lexicon;
mod limits;
mod placement;
mod reject;
mod settings;
mod value;

pub use instant::parse as instant;
pub use limits::{MAX_DEPTH, MAX_ITEMS, MAX_KEYS, MAX_RECORD, MAX_STRING};
pub use settings::{Settings, SettingsError};

use avro::{Framing, Schemas};
use call::Call;
use lexicon::Lexicon;
use reject::{Refusal, refuse};
use settings::Compiled;
use std::fmt;
use tzeva_model::RejectionCode::{Malformed, TooLarge};
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
    /// The writer's schema must be learnt first ([`Decoder::learn`]); then decode the record again.
    NeedsSchema(SchemaKey),
}

/// How a record names its writer's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaKey {
    /// By its id in the schema registry.
    Id(u32),
    /// By its CRC-64-AVRO fingerprint.
    Fingerprint(u64),
    /// The one that the file has which the record is in.
    File,
}

/// The registry has no schema under the id: an answer, not a failure to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFound;

/// Reads the records of one topic, see the crate's documentation. Keeps buffers from record to record.
#[derive(Debug)]
pub struct Decoder {
    settings: Compiled,
    schemas: Schemas,
    tape: json::Tape,
    lexicon: Lexicon,
}

/// Where a record must wait, or why it is refused.
enum Stop {
    Refused(Refusal),
    Needs(SchemaKey),
}

// === impl SchemaKey ===

impl fmt::Display for SchemaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "schema id {id}"),
            Self::Fingerprint(fingerprint) => write!(f, "schema fingerprint {fingerprint:016x}"),
            Self::File => f.write_str("the file's schema"),
        }
    }
}

// === impl Decoder ===

impl Decoder {
    /// A decoder for a topic with these settings.
    ///
    /// # Errors
    /// See [`SettingsError`]; a retry never helps.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let compiled = Compiled::try_new(settings)?;
        let schemas = Schemas::try_new(settings, &compiled)
            .map_err(|problem| SettingsError::Schema(problem.to_string()))?;
        let (tape, lexicon) = (json::Tape::default(), Lexicon::default());
        Ok(Self { settings: compiled, schemas, tape, lexicon })
    }

    /// Tells the text of the writer's schema `key`, or that there is none.
    ///
    /// A text that can't be read as an event is remembered: its records are `schema_incompatible`. "Not found" holds
    /// for the next record under `key` alone, which becomes `schema_unknown`; the one after it asks again, as ids may
    /// be registered later. Whoever asks the registry remembers for how long not to ask.
    pub fn learn(&mut self, key: SchemaKey, schema: Result<&str, NotFound>) {
        self.schemas.learn(key, schema, &self.settings);
    }

    /// Decodes one record.
    pub fn decode(&mut self, raw: &Raw<'_>) -> Decoded {
        match self.event(raw) {
            Ok(event) => Decoded::Event(event),
            Err(Stop::Refused(refusal)) => Decoded::Rejected(*refusal),
            Err(Stop::Needs(key)) => Decoded::NeedsSchema(key),
        }
    }

    /// Decodes the first of several datums that stand one behind the other, written with the schema `key`, and tells how
    /// many bytes it takes; `None`: where it ends can't be told, and so nothing behind it can be read.
    ///
    /// Such datums have neither key nor partition, so placement is not checked.
    pub fn decode_first(&mut self, key: SchemaKey, datums: &[u8]) -> (Decoded, Option<usize>) {
        let length = match self.schemas.length(key, datums, &self.settings) {
            Ok(length) => length,
            Err(refusal) => return (Decoded::Rejected(*refusal), None),
        };
        let value = &datums[..length];
        if value.len() > MAX_RECORD {
            let detail = format!("the record is longer than {MAX_RECORD} bytes");
            return (Decoded::Rejected(*refuse(TooLarge, detail)), Some(length));
        }
        let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
        let (settings, lexicon) = (&self.settings, &mut self.lexicon);
        let call = self.schemas.read((key, value), settings);
        let decoded = match call.and_then(|call| finish(&call, (settings, lexicon), &raw, None)) {
            Ok(event) => Decoded::Event(event),
            Err(refusal) => Decoded::Rejected(*refusal),
        };
        (decoded, Some(length))
    }

    fn event(&mut self, raw: &Raw<'_>) -> Result<Event, Stop> {
        if raw.value.len() > MAX_RECORD {
            let detail = format!("the record is longer than {MAX_RECORD} bytes");
            return Err(refuse(TooLarge, detail).into());
        }
        if raw.value.is_empty() {
            return Err(refuse(Malformed, "the record is empty").into());
        }
        let (settings, schemas) = (&self.settings, &mut self.schemas);
        let with = (settings, &mut self.lexicon);
        if schemas.is_bare() {
            let call = schemas.read_bare(raw.value, settings)?;
            return Ok(finish(&call, with, raw, None)?);
        }
        match Framing::of(raw.value)? {
            Framing::Of(key, _) if schemas.lacks(key) => Err(Stop::Needs(key)),
            Framing::Of(key, datum) => {
                let call = schemas.read((key, datum), settings)?;
                Ok(finish(&call, with, raw, None)?)
            }
            Framing::None => {
                let (call, envelope) = json::read(raw, settings, &mut self.tape)?;
                Ok(finish(&call, with, raw, envelope)?)
            }
        }
    }
}

// === impl Stop ===

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What is the same for every wire format.
fn finish(
    call: &Call<'_>,
    (settings, lexicon): (&Compiled, &mut Lexicon),
    raw: &Raw<'_>,
    envelope: Option<&str>,
) -> Result<Event, Refusal> {
    let mut event = assemble::event(call, (settings, lexicon), raw.value)?;
    placement::check(&event.visitor, call, settings, (raw.key, raw.partition))?;
    event.traceparent = envelope::traceparent(raw.headers, envelope);
    Ok(event)
}
