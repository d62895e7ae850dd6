//! `tzeva config`: what the settings come to, and whether a service would start with them.

use crate::exit::{Exit, Failure};
use crate::out;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use tzeva_settings::{self, Loaded, Mode};

/// What `tzeva config` does.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Look for everything that a start would refuse.
    Check(Which),
    /// Print the effective settings: file, environment and defaults; secrets are not shown.
    Print(Which),
}

#[derive(clap::Args)]
pub(crate) struct Which {
    #[command(flatten)]
    settings: SettingsArgs,
    /// As `tzeva run --embedded` would read them.
    #[arg(long)]
    embedded: bool,
}

/// Where the settings are.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SettingsArgs {
    /// The settings file; left out: defaults and the environment.
    #[arg(long, value_name = "FILE", env = "TZEVA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

// === impl SettingsArgs ===

impl SettingsArgs {
    /// Reads and checks the settings; warnings go to stderr.
    pub(crate) fn load(&self, mode: Mode) -> Result<Loaded, Failure> {
        let (loaded, problems) = examined(self.config.as_deref(), mode)?;
        let (warnings, errors): (Vec<String>, Vec<String>) =
            problems.into_iter().partition(|problem| problem.starts_with("warning: "));
        warnings.iter().for_each(out::note);
        if errors.is_empty() { Ok(loaded) } else { Err(refused(&errors)) }
    }
}

pub(crate) fn run(action: Action) -> Result<Exit, Failure> {
    let (Action::Check(which) | Action::Print(which)) = &action;
    let mode = if which.embedded { Mode::Embedded } else { Mode::Server };
    let loaded = which.settings.load(mode)?;
    match action {
        Action::Check(_) => out::line("the settings are fine"),
        Action::Print(_) => out::line(printed(&loaded).trim_end()),
    };
    Ok(Exit::Fine)
}

/// The effective settings as YAML, secrets redacted.
pub(crate) fn printed(loaded: &Loaded) -> String {
    serde_saphyr::to_string(&loaded.settings).unwrap_or_default()
}

fn examined(file: Option<&Path>, mode: Mode) -> Result<(Loaded, Vec<String>), Failure> {
    let loaded =
        tzeva_settings::load(file, std::env::vars()).map_err(|problems| refused(&problems))?;
    let problems = tzeva_settings::check(&loaded.settings, mode);
    Ok((loaded, problems))
}

fn refused(problems: &[String]) -> Failure {
    let list: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    Failure::settings(anyhow::anyhow!("the settings are refused:\n{}", list.join("\n")))
}
