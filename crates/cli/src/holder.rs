//! The service that holds a data folder, asked by way of its pages: its database is open to nobody else.

use crate::exit::Failure;
use crate::out;
use crate::run::embedded::ADDRESS_FILE;
use anyhow::{Context, anyhow};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tzeva_settings::Settings;

/// How long it may take to answer at all; what it answers takes as long as its store is large.
const CONNECTING: Duration = Duration::from_secs(5);
/// Characters of a text that it answers with.
const SHOWN: usize = 500;

/// A service to be asked.
pub(crate) struct Holder {
    /// Of its pages.
    pub(crate) address: String,
    token: Option<String>,
    client: Client,
    runtime: Runtime,
}

// === impl Holder ===

impl Holder {
    /// The one that holds the folder `data`, which is locked.
    pub(crate) fn of(data: &Path, settings: &Settings) -> Result<Self, Failure> {
        let address = std::fs::read_to_string(data.join(ADDRESS_FILE)).unwrap_or_default();
        if address.trim().is_empty() {
            let data = data.display();
            return Err(Failure::world(anyhow!(
                "data folder {data} is in use by a tzeva that has no pages yet: try again in a moment"
            )));
        }
        // The service is on this machine: it holds a folder of it.
        let client = Client::builder().connect_timeout(CONNECTING).no_proxy().build();
        Ok(Self {
            address: address.trim().to_owned(),
            token: settings.http.token.as_ref().map(|token| token.expose().to_owned()),
            client: client.context("make a client").map_err(Failure::world)?,
            runtime: Builder::new_current_thread().enable_all().build().map_err(Failure::world)?,
        })
    }

    /// A page; if there is none, why not is told.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, Failure> {
        let url = self.url(path)?;
        match self.send(self.client.get(url.clone()))? {
            Ok(told) => Ok(Some(told)),
            Err((StatusCode::NOT_FOUND, text)) => {
                out::note(text);
                Ok(None)
            }
            Err((status, text)) => Err(refused(&url, status, &text)),
        }
    }

    /// What comes of a body that is sent; none: it is busy.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Option<T>, Failure> {
        let url = self.url(path)?;
        match self.send(self.client.post(url.clone()).json(body))? {
            Ok(told) => Ok(Some(told)),
            Err((StatusCode::CONFLICT, _)) => Ok(None),
            Err((status, text)) => Err(refused(&url, status, &text)),
        }
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = Url::parse(&format!("http://{}", self.address)).map_err(Failure::world)?;
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.extend(path);
        }
        Ok(url)
    }

    fn send<T: DeserializeOwned>(
        &self,
        mut request: RequestBuilder,
    ) -> Result<Result<T, (StatusCode, String)>, Failure> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let asked = self.runtime.block_on(async {
            let answer = request.send().await?;
            if answer.status().is_success() {
                return answer.json().await.map(Ok);
            }
            let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
            Ok(Err((status, said(&text))))
        });
        let attempt = || format!("ask the running service at http://{}", self.address);
        asked.with_context(attempt).map_err(Failure::world)
    }
}

/// What an answer says: as JSON, or what answers in front of the pages as text.
fn said(text: &str) -> String {
    let told: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    match (told["error"].as_str(), text.trim()) {
        (Some(told), _) => told.to_owned(),
        (None, "") => "it says no more".to_owned(),
        (None, text) => out::safe(&text.chars().take(SHOWN).collect::<String>()),
    }
}

fn refused(url: &Url, status: StatusCode, text: &str) -> Failure {
    let error = anyhow!("ask the running service at {url}: {status}, {text}");
    match status.as_u16() {
        401 | 403 => {
            Failure::settings(error.context("the service wants the token of its settings"))
        }
        400..=499 => Failure::settings(error),
        _ => Failure::world(error),
    }
}
