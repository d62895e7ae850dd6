//! What this binary is.

/// Build information, as `/buildinfo` and the first log line show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version of the package.
    pub version: &'static str,
    /// The heavy edges that were built in.
    pub features: Vec<&'static str>,
}

// === impl BuildInfo ===

impl BuildInfo {
    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "name": "tzeva", "version": self.version, "features": self.features })
    }
}
