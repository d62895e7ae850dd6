//! What the workspace holds, as cargo tells it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A package and its test targets.
#[derive(Debug)]
pub(crate) struct Package {
    pub name: String,
    pub folder: PathBuf,
    pub has_library: bool,
    /// Names of integration test targets.
    pub tests: Vec<String>,
}

/// The crates that know no clock, file, socket, thread, environment or randomness.
pub(crate) const PURE: [&str; 12] = [
    "tzeva-model",
    "tzeva-decode",
    "tzeva-profile",
    "tzeva-script",
    "tzeva-audience",
    "tzeva-phrase",
    "tzeva-lens",
    "tzeva-engine",
    "tzeva-trial",
    "tzeva-rulebook",
    "tzeva-plan",
    "tzeva-commit",
];

// === impl Package ===

impl Package {
    pub(crate) fn is_pure(&self) -> bool {
        PURE.contains(&self.name.as_str())
    }

    fn from_metadata(package: &Value) -> Option<Self> {
        let targets = package["targets"].as_array()?;
        let of_kind = |kind: &'static str| {
            targets.iter().filter(move |target| {
                target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
            })
        };
        let manifest = PathBuf::from(package["manifest_path"].as_str()?);
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            folder: manifest.parent()?.to_owned(),
            has_library: of_kind("lib").next().is_some(),
            tests: of_kind("test").filter_map(|t| Some(t["name"].as_str()?.to_owned())).collect(),
        })
    }
}

/// All packages of the workspace, by name.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let out = Command::new(cargo())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("run cargo metadata")?;
    if !out.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    let metadata: Value = serde_json::from_slice(&out.stdout).context("read cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut packages: Vec<Package> = packages.iter().filter_map(Package::from_metadata).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The cargo that runs this tool.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
