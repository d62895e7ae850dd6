//! The schema registry's client: the Confluent API, which Apicurio, Redpanda and others speak too.
//!
//! An id stands for one schema for ever, so what was found is kept for the life of the process. "Not found" is believed
//! for a while only: a record may overtake its schema between two registries. Trouble is told as trouble
//! ([`RegistryError::is_transient`]) and never as "not found", since that would turn good records into dead letters.
//!
//! [`Registry`] is asynchronous; [`Blocking`] is the same for a plain thread.
#![deny(missing_docs)]

mod error;
mod http;
mod inline;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use error::RegistryError;
pub use settings::{Auth, Secret, Settings};

use error::Kind;
use http::Http;
use inline::{Definitions, inline};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wire::{Compatibility, Found, Offered, Reference, Registered};

/// What the registry says of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The Avro schema as JSON text, references resolved.
    Schema(Arc<str>),
    /// There is a schema, but not an Avro one; the word says what it is: `PROTOBUF`, `JSON`.
    NotAvro(Arc<str>),
    /// There is none.
    NotFound,
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The schema's id.
    pub id: u32,
    /// The version's number within its subject.
    pub version: u32,
    /// The schema's text, references not resolved.
    pub schema: String,
}

/// The client, cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Registry {
    http: Http,
    forget_missing_after: Duration,
    found: Mutex<HashMap<u32, Answer>>,
    missing: Mutex<HashMap<u32, Instant>>,
}

/// The client for a thread without a runtime.
#[derive(Debug)]
pub struct Blocking {
    registry: Arc<Registry>,
    runtime: tokio::runtime::Runtime,
}

/// The most types that one schema may take from other subjects.
const MAX_REFERENCES: usize = 64;

/// The most ids remembered as missing: hostile records may name any.
const MAX_MISSING: usize = 10_000;

// === impl Registry ===

impl Registry {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// If the address can't be used; a retry never helps.
    pub fn new(settings: &Settings) -> Result<Self, RegistryError> {
        Ok(Self {
            http: Http::new(settings)?,
            forget_missing_after: settings.forget_missing_after,
            found: Mutex::default(),
            missing: Mutex::default(),
        })
    }

    /// The schema with this id, from memory if it was asked for before.
    ///
    /// # Errors
    /// If the registry gave no answer; see [`RegistryError::is_transient`].
    pub async fn schema(&self, id: u32) -> Result<Answer, RegistryError> {
        if let Some(answer) = self.remembered(id) {
            return Ok(answer);
        }
        let Some(found) = self.http.get::<Found>(&format!("schemas/ids/{id}")).await? else {
            let mut missing = lock(&self.missing);
            if missing.len() >= MAX_MISSING {
                missing.clear();
            }
            missing.insert(id, Instant::now());
            return Ok(Answer::NotFound);
        };
        let answer = self.resolved(found).await?;
        lock(&self.found).insert(id, answer.clone());
        Ok(answer)
    }

    /// The subjects there are.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub async fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.http.get("subjects").await?.unwrap_or_default())
    }

    /// The latest version of a subject; `None` if there is none.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub async fn latest(&self, subject: &str) -> Result<Option<Version>, RegistryError> {
        let path = format!("subjects/{}/versions/latest", http::encoded(subject));
        let found: Option<Found> = self.http.get(&path).await?;
        Ok(found.map(|found| Version {
            id: found.id.unwrap_or_default(),
            version: found.version.unwrap_or_default(),
            schema: found.schema,
        }))
    }

    /// Registers `schema` under `subject` and tells its id; a schema that is there already keeps its own.
    ///
    /// # Errors
    /// As [`Self::schema`]; a schema that the registry refuses is no transient one.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        let path = format!("subjects/{}/versions", http::encoded(subject));
        let registered: Registered = self.http.post(&path, &Offered { schema }).await?;
        Ok(registered.id)
    }

    /// Tells whether `schema` is compatible with the latest version of `subject`, by the registry's own rule.
    ///
    /// # Errors
    /// As [`Self::schema`].
    pub async fn is_compatible(&self, subject: &str, schema: &str) -> Result<bool, RegistryError> {
        let subject = http::encoded(subject);
        let path = format!("compatibility/subjects/{subject}/versions/latest");
        let answer: Compatibility = self.http.post(&path, &Offered { schema }).await?;
        Ok(answer.is_compatible)
    }

    fn remembered(&self, id: u32) -> Option<Answer> {
        if let Some(found) = lock(&self.found).get(&id) {
            return Some(found.clone());
        }
        let mut missing = lock(&self.missing);
        match missing.get(&id) {
            Some(since) if since.elapsed() < self.forget_missing_after => Some(Answer::NotFound),
            Some(_) => {
                missing.remove(&id);
                None
            }
            None => None,
        }
    }

    async fn resolved(&self, found: Found) -> Result<Answer, RegistryError> {
        match found.schema_type.as_deref() {
            None | Some("AVRO") => {}
            Some(other) => return Ok(Answer::NotAvro(other.into())),
        }
        if found.references.is_empty() {
            return Ok(Answer::Schema(found.schema.into()));
        }
        let definitions = self.definitions(found.references).await?;
        let schema = json("resolve a schema's references", &found.schema)?;
        Ok(Answer::Schema(inline(schema, definitions).to_string().into()))
    }

    /// All types that `wanted` name, and those that these name in turn.
    async fn definitions(&self, mut wanted: Vec<Reference>) -> Result<Definitions, RegistryError> {
        let mut definitions = Definitions::new();
        while let Some(Reference { name, subject, version }) = wanted.pop() {
            if definitions.contains_key(&name) {
                continue;
            }
            let attempted = format!("resolve the reference to {subject} version {version}");
            let trouble = |why: &str| RegistryError::new(&attempted, Kind::Answer(why.into()));
            if definitions.len() == MAX_REFERENCES {
                return Err(trouble("more than 64 references"));
            }
            let path = format!("subjects/{}/versions/{version}", http::encoded(&subject));
            let found: Option<Found> = self.http.get(&path).await?;
            let found = found.ok_or_else(|| trouble("the registry does not have it"))?;
            definitions.insert(name, json(&attempted, &found.schema)?);
            wanted.extend(found.references);
        }
        Ok(definitions)
    }
}

// === impl Blocking ===

impl Blocking {
    /// The same client for threads without a runtime; must not be made or asked within one.
    ///
    /// # Errors
    /// If the system gives no runtime.
    pub fn new(registry: Arc<Registry>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { registry, runtime })
    }

    /// See [`Registry::schema`].
    ///
    /// # Errors
    /// As there.
    pub fn schema(&self, id: u32) -> Result<Answer, RegistryError> {
        match self.registry.remembered(id) {
            Some(answer) => Ok(answer),
            None => self.runtime.block_on(self.registry.schema(id)),
        }
    }
}

fn json(attempted: &str, text: &str) -> Result<Value, RegistryError> {
    serde_json::from_str(text)
        .map_err(|why| RegistryError::new(attempted, Kind::Answer(why.to_string())))
}

/// A map stays whole even if a thread died while it held it: each change is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
