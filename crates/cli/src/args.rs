//! The command line: each subcommand has a file of its own with its arguments and a `run`.

use crate::exit::{Exit, Failure};
use crate::{config, run};
use clap::{Parser, Subcommand};

/// Exact-time retargeting: site visits and purchases to audience changes.
#[derive(Parser)]
#[command(name = "tzeva", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the service.
    Run(run::Args),
    /// Check or print the settings.
    Config(config::Args),
}

// === impl Command ===

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(args),
            Self::Config(args) => config::run(args),
        }
    }
}
