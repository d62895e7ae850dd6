//! `tzeva`: one binary with all that people and scripts call. Here is only the way from arguments to an exit code.

mod args;
mod audience;
mod backtest;
mod changes;
mod config;
mod dead_letters;
mod demo;
mod explain;
mod holder;
mod kafka;
mod log;
mod place;
mod plan;
mod plan_page;
mod publications;
mod rules;
mod run;
mod service;
mod topics;
mod visitor;
mod wiring;

use clap::Parser;
use std::process::ExitCode;
use tzeva_terminal::{exit, ink, out, signals};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    // A panic has told of itself; scripts are told that it was a bug.
    match std::panic::catch_unwind(|| cli.command.run()) {
        Ok(Ok(exit)) => match out::lost() {
            None => exit.into(),
            Some(error) => {
                out::note(format!("error: the results are incomplete: write to stdout: {error}"));
                exit::Exit::TryAgain.into()
            }
        },
        Ok(Err(failure)) => {
            out::failure(failure.error.as_ref());
            failure.exit.into()
        }
        Err(_) => exit::Exit::Bug.into(),
    }
}
