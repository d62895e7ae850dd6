//! Where a plan comes from: the store, or the service that holds it.

use super::Args;
use crate::exit::Failure;
use crate::holder::Holder;
use crate::out;
use crate::plan::{self, Asked, Plan, Profiles, RedisProfiles};
use crate::plan_page;
use crate::run::embedded;
use anyhow::anyhow;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tzeva_audience::{RuleSet, SourceFile};
use tzeva_embedded::{Folder, FolderError, OpenMode};
use tzeva_rulebook::Publication;
use tzeva_settings::Settings;

/// How often a service is asked that makes another plan.
const TRIES: u32 = 5;
/// How long is waited in between.
const PAUSE: Duration = Duration::from_secs(1);

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
            let holder = Holder::of(data, settings)?;
            Ok((asked(&holder, files)?, Some(holder.address)))
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

/// Asks the service that holds the folder.
fn asked(holder: &Holder, files: &[SourceFile]) -> Result<Plan, Failure> {
    let asked = Asked::of(files);
    let path: Vec<&str> = plan_page::PATH.split('/').skip(1).collect();
    for tries in 1.. {
        if let Some(plan) = holder.post(&path, &asked)? {
            return Ok(plan);
        }
        if tries == TRIES {
            break;
        }
        // An answer that never comes, for as long as that.
        let _ = crossbeam_channel::after(PAUSE).recv();
    }
    Err(Failure::world(anyhow!(
        "the running service at http://{} makes another plan, and did at each of {TRIES} tries: try again later",
        holder.address
    )))
}
