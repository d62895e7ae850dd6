//! The command line: each subcommand has a file of its own with its arguments and a `run`.

use crate::exit::{Exit, Failure};
use crate::{
    audience, backtest, changes, config, dead_letters, demo, explain, log, run, topics, visitor,
};
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
    /// Watch a small simulated shop: changes live, with their reasons.
    Demo(demo::Args),
    /// Run the service.
    Run(run::Args),
    /// Look at rule files.
    Audience(audience::Args),
    /// Run history through audiences: who would have entered and left, when and why.
    Backtest(backtest::Args),
    /// Look at a visitor.
    Visitor(visitor::Args),
    /// Why a visitor is in an audience, or isn't, and what comes next.
    Explain(explain::Args),
    /// Look at published changes.
    Changes(changes::Args),
    /// Look at records that could not be applied.
    DeadLetters(dead_letters::Args),
    /// Look at the log.
    Log(log::Args),
    /// Make or check Kafka's topics.
    Topics(topics::Args),
    /// Check or print the settings.
    Config(config::Args),
}

// === impl Command ===

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Demo(args) => demo::run(args),
            Self::Run(args) => run::run(args),
            Self::Audience(args) => audience::run(args),
            Self::Backtest(args) => backtest::run(&args),
            Self::Visitor(args) => visitor::run(args),
            Self::Explain(args) => explain::run(&args),
            Self::Changes(args) => changes::run(args),
            Self::DeadLetters(args) => dead_letters::run(args),
            Self::Log(args) => log::run(args),
            Self::Topics(args) => topics::run(args),
            Self::Config(args) => config::run(args),
        }
    }
}
