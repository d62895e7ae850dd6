//! Where a plan comes from: the store, or the service that holds it.

use super::Args;
use crate::exit::Failure;
use crate::out;
use crate::plan::{self, Asked, Plan, Profiles, RedisProfiles};
use crate::plan_page;
use crate::run::embedded;
use anyhow::{Context, anyhow};
use reqwest::StatusCode;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;
use tzeva_audience::{RuleSet, SourceFile};
use tzeva_embedded::{Folder, FolderError, OpenMode};
use tzeva_rulebook::Publication;
use tzeva_settings::Settings;

/// How long a service that runs may take to answer at all; the plan itself takes as long as its store is large.
const CONNECTING: Duration = Duration::from_secs(5);
/// How often a service is asked that makes another plan.
const TRIES: u32 = 5;
/// How long is waited in between.
const PAUSE: Duration = Duration::from_secs(1);
/// Characters of a text that a service answers with.
const SHOWN: usize = 500;

/// Makes the plan, or has it made; and where to see how far services are, if any may run.
pub(super) fn plan(
    args: &Args,
    settings: &Settings,
    (head, new): (Option<&Publication>, &RuleSet),
    files: &[SourceFile],
) -> Result<(Plan, Option<String>), Failure> {
    let Some(data) = &args.data else {
        let profiles = RedisProfiles::new(settings.clone());
        let plan = walked(settings, (head, new), &profiles)?;
        return Ok((plan, Some(settings.http.listen.to_string())));
    };
    // What is read is profiles alone, so neither topics nor partitions matter here.
    let wanted = tzeva_embedded::Settings {
        mode: OpenMode::MustExist,
        ..tzeva_embedded::Settings::default()
    };
    match Folder::open(data, wanted) {
        Ok(folder) => Ok((walked(settings, (head, new), &folder)?, None)),
        Err(FolderError::Locked { .. }) => {
            let address = address(data)?;
            let plan = asked(&address, settings, files)?;
            Ok((plan, Some(address)))
        }
        Err(error) => Err(embedded::failure(error)),
    }
}

fn walked(
    settings: &Settings,
    replaced: (Option<&Publication>, &RuleSet),
    profiles: &dyn Profiles,
) -> Result<Plan, Failure> {
    let mut err = std::io::stderr();
    let shows = err.is_terminal();
    let plan = plan::make(settings, replaced, profiles, |shards, visitors| {
        if shows && shards % 16 == 0 {
            let percent = u32::from(shards) * 100 / u32::from(tzeva_model::SHARDS);
            // If stderr is gone there is nobody left to tell.
            let _ = write!(err, "\rreading the store: {percent} %, {visitors} visitors ");
        }
    });
    if shows {
        out::note("");
    }
    plan
}

/// The pages of the service that holds the folder.
fn address(data: &Path) -> Result<String, Failure> {
    let address = std::fs::read_to_string(data.join(embedded::ADDRESS_FILE)).unwrap_or_default();
    if address.trim().is_empty() {
        let data = data.display();
        return Err(Failure::world(anyhow!(
            "data folder {data} is in use by a tzeva that has no pages yet: try again in a moment"
        )));
    }
    Ok(address.trim().to_owned())
}

/// Asks the service that holds the folder.
fn asked(address: &str, settings: &Settings, files: &[SourceFile]) -> Result<Plan, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::world)?;
    runtime.block_on(post(address, settings, &Asked::of(files)))
}

async fn post(address: &str, settings: &Settings, asked: &Asked) -> Result<Plan, Failure> {
    let at = format!("http://{address}{}", plan_page::PATH);
    let attempt = || format!("ask the running service for a plan at {at}");
    // The service is on this machine: it holds a folder of it.
    let client = reqwest::Client::builder().connect_timeout(CONNECTING).no_proxy().build();
    let client = client.context("make a client").map_err(Failure::world)?;
    let mut tries = 0;
    let answer = loop {
        let mut request = client.post(&at).json(asked);
        if let Some(token) = &settings.http.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request.send().await.with_context(attempt).map_err(Failure::world)?;
        tries += 1;
        if answer.status() != StatusCode::CONFLICT {
            break answer;
        }
        if tries == TRIES {
            return Err(Failure::world(anyhow!(
                "{}: another plan is being made there, and was at each of {TRIES} tries: try again later",
                attempt()
            )));
        }
        tokio::time::sleep(PAUSE).await;
    };
    let status = answer.status();
    if status.is_success() {
        return answer.json().await.with_context(attempt).map_err(Failure::world);
    }
    let text = answer.text().await.unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    // Whatever answers in front of the plan says it as text.
    let told = match (told["error"].as_str(), text.trim()) {
        (Some(told), _) => told.to_owned(),
        (None, "") => "it says no more".to_owned(),
        (None, text) => out::safe(&text.chars().take(SHOWN).collect::<String>()),
    };
    let error = anyhow!("{}: {status}, {told}", attempt());
    Err(match status.as_u16() {
        401 | 403 => {
            Failure::settings(error.context("the service wants the token of its settings"))
        }
        400..=499 => Failure::settings(error),
        _ => Failure::world(error),
    })
}
