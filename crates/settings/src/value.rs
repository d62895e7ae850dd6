//! Values of settings: durations with units, and secrets that don't show.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use tzeva_model::Millis;

/// A duration, written with units: `250ms`, `30s`, `1h30m`, `400d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Millis);

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

// === impl Span ===

impl Span {
    /// So many milliseconds.
    pub const fn millis(ms: i64) -> Self {
        Self(Millis::new(ms))
    }

    /// So many hours.
    pub const fn hours(hours: i64) -> Self {
        Self(Millis::HOUR.times(hours))
    }

    /// As the rest of tzeva counts.
    pub const fn get(self) -> Millis {
        self.0
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        tzeva_audience::parse_duration(&text).map(Self).map_err(de::Error::custom)
    }
}

// === impl Secret ===

impl Secret {
    /// The secret `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the client that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}
