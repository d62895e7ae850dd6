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
    #[command(subcommand)]
    Audience(audience::Action),
    /// Run history through audiences: who would have entered and left, when and why.
    Backtest(backtest::Args),
    /// Look at a visitor.
    #[command(subcommand)]
    Visitor(visitor::Action),
    /// Why a visitor is in an audience, or isn't, and what comes next.
    Explain(explain::Args),
    /// Look at published changes.
    #[command(subcommand)]
    Changes(changes::Action),
    /// Look at records that could not be applied.
    #[command(subcommand)]
    DeadLetters(dead_letters::Action),
    /// Look at the log.
    #[command(subcommand)]
    Log(log::Action),
    /// Make or check Kafka's topics.
    #[command(subcommand)]
    Topics(topics::Action),
    /// Check or print the settings.
    #[command(subcommand)]
    Config(config::Action),
}

// === impl Command ===

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Demo(args) => demo::run(args),
            Self::Run(args) => run::run(args),
            Self::Audience(action) => audience::run(action),
            Self::Backtest(args) => backtest::run(&args),
            Self::Visitor(action) => visitor::run(action),
            Self::Explain(args) => explain::run(&args),
            Self::Changes(action) => changes::run(action),
            Self::DeadLetters(action) => dead_letters::run(action),
            Self::Log(action) => log::run(action),
            Self::Topics(action) => topics::run(action),
            Self::Config(action) => config::run(action),
        }
    }
}
