//! A schema registry (Apicurio, in memory) that speaks the Confluent API under `/apis/ccompat/v7`.

use super::launch::{Running, Spec, Tie, free_port, fresh_folder};
use super::{ServerError, fetch, java};

/// A registry; stopped and removed when dropped.
#[derive(Debug)]
pub struct Registry(Running);

// === impl Registry ===

impl Registry {
    /// Starts a registry.
    ///
    /// # Errors
    /// If Java 21 or Maven is missing, it can't be fetched, or it doesn't come up.
    pub fn start() -> Result<Self, ServerError> {
        Self::launch(Tie::Process).map(Self)
    }

    /// The base of its Confluent API.
    #[must_use]
    pub fn url(&self) -> String {
        confluent_url(&self.0.address().to_string())
    }

    /// The process behind it.
    pub const fn process(&mut self) -> &mut Running {
        &mut self.0
    }

    pub(super) fn launch(tie: Tie) -> Result<Running, ServerError> {
        let program = java::find_java(21)?;
        let jar = fetch::registry_folder()?.join("quarkus-run.jar");
        let folder = fresh_folder("registry")?;
        let port = free_port()?;
        let args = vec![
            "-Xmx384m".to_owned(),
            "-Dquarkus.http.host=127.0.0.1".to_owned(),
            format!("-Dquarkus.http.port={port}"),
            "-jar".to_owned(),
            jar.to_string_lossy().into_owned(),
        ];
        let says = Some("Listening on");
        Running::start(Spec { name: "registry", program, args, folder, port, says }, tie)
    }
}

/// The Confluent API of the registry at `address`.
pub(super) fn confluent_url(address: &str) -> String {
    format!("http://{address}/apis/ccompat/v7")
}
