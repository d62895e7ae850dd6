//! `cargo xtask bench NAME`: a benchmark of `crates/bench`, built for release and run with the arguments given.

use crate::workspace::cargo;
use anyhow::{Result, ensure};
use clap::Args;
use std::process::Command;

#[derive(Args)]
pub(crate) struct Options {
    /// Which: `drain`, `backtest`, `sweep`.
    name: String,
    /// For the benchmark itself, such as `--audiences 10,1000 --results bench/results`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { name, arguments } = options;
    let status = Command::new(cargo())
        .args(["run", "--release", "-p", "tzeva-bench", "--example", name, "--"])
        .args(arguments)
        .status()?;
    ensure!(status.success(), "the benchmark {name} failed");
    Ok(())
}
