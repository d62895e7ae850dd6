//! Questions and answers over HTTP: one deadline an attempt, a few attempts, a growing pause between them.

use crate::error::{Kind, RegistryError};
use crate::settings::{Auth, Settings};
use crate::wire::Refusal;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(2);
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    base: Url,
    auth: Auth,
    attempts: u32,
    pause: Duration,
}

// === impl Http ===

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, RegistryError> {
        let attempted = "reach the address of the settings";
        let unusable = |why: String| RegistryError::new(attempted, Kind::Settings(why));
        let slash = if settings.url.ends_with('/') { "" } else { "/" };
        let base = Url::parse(&format!("{}{slash}", settings.url))
            .map_err(|why| unusable(format!("no URL: {why}")))?;
        match base.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => {
                return Err(unusable("https needs a build with the feature tls".into()));
            }
            other => return Err(unusable(format!("{other} is neither http nor https"))),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(unusable("credentials belong into their own settings".into()));
        }
        let client = Client::builder()
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|why| RegistryError::new(attempted, Kind::Connection(why)))?;
        let (auth, pause) = (settings.auth.clone(), settings.pause);
        Ok(Self { client, base, auth, attempts: settings.attempts.max(1), pause })
    }

    /// What lies at `path`; `None` if nothing does.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<T>, RegistryError> {
        match self.ask(Method::GET, path, &()).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            answer => answer.map(Some),
        }
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, RegistryError> {
        self.ask(Method::POST, path, body).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, RegistryError> {
        let attempted = format!("{method} {path}");
        let mut pause = self.pause;
        for attempt in 1.. {
            let kind = match self.once(method.clone(), path, body).await {
                Ok(answer) => return Ok(answer),
                Err(kind) => kind,
            };
            let error = RegistryError::new(&attempted, kind);
            if !error.is_transient() || attempt >= self.attempts {
                return Err(error);
            }
            tracing::debug!(attempt, error = %error, "the schema registry gave no answer");
            tokio::time::sleep(pause.min(MAX_PAUSE)).await;
            pause = pause.saturating_mul(2);
        }
        Err(RegistryError::new(attempted, Kind::Answer("never asked".into())))
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Kind> {
        let url = self.base.join(path).map_err(|why| Kind::Settings(why.to_string()))?;
        let mut request = self.client.request(method.clone(), url).header("accept", CONTENT_TYPE);
        if method == Method::POST {
            request = request.json(body).header("content-type", CONTENT_TYPE);
        }
        let mut response = self.known(request).send().await.map_err(Kind::Connection)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Kind::Connection)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_ANSWER {
                return Err(Kind::Answer(format!("longer than {MAX_ANSWER} bytes")));
            }
        }
        if status != StatusCode::OK {
            let refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
            let message = refusal.message.chars().take(500).collect();
            return Err(Kind::Status { status: status.as_u16(), message });
        }
        serde_json::from_slice(&bytes).map_err(|why| Kind::Answer(why.to_string()))
    }

    fn known(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.auth {
            Auth::Anonymous => request,
            Auth::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
            Auth::Bearer(token) => request.bearer_auth(token.reveal()),
        }
    }
}

/// `text` as one part of a path.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // A part of nothing but points would walk up the path, so a point is written out as well.
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
