//! The developer's tool: `cargo xtask <verb>`. `.ci/run` and a fresh machine use the same verbs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a tool is for")]

mod bench;
mod docs;
mod install;
mod servers;
mod sim;
mod sizes;
mod test;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and measures this repository")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs the tests: all rings, or one.
    Test(test::Options),
    /// Starts or stops the servers that tests share.
    #[command(subcommand)]
    Servers(servers::Verb),
    /// Runs the owner under simulated faults, a seed a run.
    Sim(sim::Options),
    /// Runs every test that breaks something and needs no server.
    Faults,
    /// Writes the pages that are made from code, and checks that documents and code agree.
    Docs(docs::Options),
    /// Runs a benchmark in a release build.
    Bench(bench::Options),
    /// Prints how long files, functions and comments are; fails where one is too long.
    Sizes,
}

fn main() -> Result<()> {
    match Arguments::parse().verb {
        Verb::Test(options) => test::run(&options),
        Verb::Servers(verb) => servers::run(&verb),
        Verb::Sim(options) => sim::run(&options),
        Verb::Faults => sim::faults(),
        Verb::Docs(options) => docs::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Sizes => sizes::run(),
    }
}
