//! Avro: how a record names its writer's schema, and the programs of the schemas learnt so far.

mod column;
mod compile;
mod cursor;
mod fingerprint;
mod program;
#[cfg(test)]
mod tests;

use crate::call::Call;
use crate::reject::{Refusal, refuse};
use crate::settings::{Compiled, Settings};
use crate::{NotFound, SchemaKey};
use compile::{Published, parse};
use program::Program;
use std::collections::BTreeMap;
use tzeva_model::RejectionCode::{Malformed, SchemaIncompatible, SchemaUnknown};

/// Why a writer's schema is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaProblem {
    /// The text is none.
    #[error("not an Avro schema: {0}")]
    NotASchema(String),
    /// No event can be read from it.
    #[error("the schema can't be read as an event: {0}")]
    Incompatible(String),
}

/// A record's framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing<'a> {
    /// No Avro framing.
    None,
    /// The schema's key, and the datum.
    Of(SchemaKey, &'a [u8]),
}

/// What is known of the schemas that records name.
#[derive(Debug)]
pub(crate) struct Schemas {
    published: Published,
    known: BTreeMap<SchemaKey, Known>,
    bare: Option<Program>,
}

#[derive(Debug)]
enum Known {
    Readable(Program),
    Unreadable(SchemaProblem),
    /// Asked for and not found: holds for one record, the next one asks again.
    NotFound,
}

// === impl Framing ===

impl<'a> Framing<'a> {
    /// Tells by the first bytes.
    ///
    /// # Errors
    /// `malformed` for a framing that ends early.
    pub(crate) fn of(value: &'a [u8]) -> Result<Self, Refusal> {
        match value {
            [0, a, b, c, d, datum @ ..] => {
                Ok(Self::Of(SchemaKey::Id(u32::from_be_bytes([*a, *b, *c, *d])), datum))
            }
            [0xc3, 1, rest @ ..] => match rest.split_first_chunk() {
                Some((fingerprint, datum)) => {
                    let fingerprint = u64::from_le_bytes(*fingerprint);
                    Ok(Self::Of(SchemaKey::Fingerprint(fingerprint), datum))
                }
                None => Err(refuse(Malformed, "a single-object header ends early")),
            },
            [0, ..] => Err(refuse(Malformed, "a schema registry header ends early")),
            _ => Ok(Self::None),
        }
    }
}

// === impl Schemas ===

impl Schemas {
    /// The published schemas and those of the settings, by fingerprint; and the bare one.
    pub(crate) fn try_new(settings: &Settings, compiled: &Compiled) -> Result<Self, SchemaProblem> {
        let published = Published::try_new()?;
        let bare = match settings.bare_schema.as_deref().map(Published::named) {
            Some(text) => Some(published.compile(&parse(text)?, compiled)?),
            None => None,
        };
        let mut known = BTreeMap::new();
        let own = ["site-visit", "purchase"].map(Published::named);
        for text in own.into_iter().chain(settings.schemas.iter().map(String::as_str)) {
            let schema = parse(text)?;
            for fingerprint in fingerprint::of(&schema) {
                let program = published.compile(&schema, compiled)?;
                known.insert(SchemaKey::Fingerprint(fingerprint), Known::Readable(program));
            }
        }
        Ok(Self { published, known, bare })
    }

    pub(crate) fn learn(
        &mut self,
        key: SchemaKey,
        schema: Result<&str, NotFound>,
        settings: &Compiled,
    ) {
        let known = match schema {
            Ok(text) => {
                match parse(text).and_then(|schema| self.published.compile(&schema, settings)) {
                    Ok(program) => Known::Readable(program),
                    Err(problem) => Known::Unreadable(problem),
                }
            }
            Err(NotFound) => Known::NotFound,
        };
        self.known.insert(key, known);
    }

    /// Tells whether the registry must be asked for `key` first. Nobody can be asked for a fingerprint.
    pub(crate) fn lacks(&self, key: SchemaKey) -> bool {
        matches!(key, SchemaKey::Id(_)) && !self.known.contains_key(&key)
    }

    pub(crate) const fn is_bare(&self) -> bool {
        self.bare.is_some()
    }

    /// The call of a bare datum.
    pub(crate) fn read_bare<'a>(
        &'a self,
        datum: &'a [u8],
        settings: &Compiled,
    ) -> Result<Call<'a>, Refusal> {
        match &self.bare {
            Some(program) => program.run(datum, settings),
            None => Err(refuse(SchemaUnknown, "the settings name no schema for bare Avro")),
        }
    }

    /// How many bytes the first of `datums` takes, all of which were written with the schema `key`.
    pub(crate) fn length(
        &self,
        key: SchemaKey,
        datums: &[u8],
        settings: &Compiled,
    ) -> Result<usize, Refusal> {
        match self.known.get(&key) {
            Some(Known::Readable(program)) => program.length(datums, settings),
            Some(Known::Unreadable(problem)) => {
                Err(refuse(SchemaIncompatible, format!("{key}: {problem}")))
            }
            Some(Known::NotFound) | None => {
                Err(refuse(SchemaUnknown, format!("no schema is known under {key}")))
            }
        }
    }

    /// The call of a datum written with the schema `key`.
    pub(crate) fn read<'a>(
        &'a mut self,
        (key, datum): (SchemaKey, &'a [u8]),
        settings: &Compiled,
    ) -> Result<Call<'a>, Refusal> {
        if matches!(self.known.get(&key), Some(Known::NotFound)) {
            self.known.remove(&key);
        }
        match self.known.get(&key) {
            Some(Known::Readable(program)) => program.run(datum, settings),
            Some(Known::Unreadable(problem)) => {
                Err(refuse(SchemaIncompatible, format!("{key}: {problem}")))
            }
            Some(Known::NotFound) | None => {
                Err(refuse(SchemaUnknown, format!("no schema is known under {key}")))
            }
        }
    }
}
