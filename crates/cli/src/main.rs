//! `tzeva`: one binary with all that people and scripts call. Here is only the way from arguments to an exit code.

mod args;
mod config;
mod exit;
mod kafka;
mod names;
mod out;
mod rules;
mod run;
mod service;
mod settings;
mod wiring;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match cli.command.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out::failure(&failure.error);
            failure.exit.into()
        }
    }
}
