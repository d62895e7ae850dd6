//! `cargo xtask sim` and `cargo xtask faults`: the owner under simulated faults, and everything that breaks on purpose.

use crate::workspace::cargo;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::Command;

#[derive(Args)]
pub(crate) struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// Only this seed: what a failure names.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
}

/// Tests that break things: package, target.
const FAULTS: [(&str, &str); 3] =
    [("tzeva-embedded", "crash"), ("tzeva-commit", "model"), ("tzeva-painter", "sim")];

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = Command::new(cargo());
    command.args(["test", "-p", "tzeva-painter", "--test", "sim", "--", "--nocapture"]);
    match options.seed {
        Some(seed) => command.env("TZEVA_SEED", seed.to_string()),
        None => command.env("TZEVA_SEEDS", options.seeds.to_string()),
    };
    finish(&mut command, "run the simulation")
}

/// Runs every test that needs no server and breaks something: processes killed, disks full, acks lost, stores gone back.
pub(crate) fn faults() -> Result<()> {
    for (package, target) in FAULTS {
        eprintln!("{package} {target}");
        let mut command = Command::new(cargo());
        command.args(["test", "-p", package, "--test", target]);
        finish(&mut command, "run the faults")?;
    }
    eprintln!("faults that need real servers run in `cargo xtask test --ring servers`");
    Ok(())
}

fn finish(command: &mut Command, attempt: &str) -> Result<()> {
    let status = command.status().with_context(|| attempt.to_owned())?;
    if !status.success() {
        bail!("{attempt}: failed");
    }
    Ok(())
}
