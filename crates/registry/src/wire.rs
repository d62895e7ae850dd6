//! The Confluent API's own types.

use serde::{Deserialize, Serialize};

/// `GET /schemas/ids/{id}`, `GET /subjects/{subject}/versions/{version}`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    pub(crate) schema: String,
    /// Left out for Avro.
    pub(crate) schema_type: Option<String>,
    #[serde(default)]
    pub(crate) references: Vec<Reference>,
    pub(crate) id: Option<u32>,
    pub(crate) version: Option<u32>,
}

/// A type that a schema takes from another subject.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) version: u32,
}

/// `POST /subjects/{subject}/versions`, `POST /compatibility/...`
#[derive(Debug, Serialize)]
pub(crate) struct Offered<'a> {
    pub(crate) schema: &'a str,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Registered {
    pub(crate) id: u32,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Compatibility {
    pub(crate) is_compatible: bool,
}

/// How the registry words a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) message: String,
}
