//! `cargo xtask servers up|down`: the servers that test processes share.

use anyhow::Result;
use clap::Subcommand;
use tzeva_testkit::servers::{self, Kind, Up};

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Fetches and starts Kafka, Redis and the schema registry, and notes where they are.
    Up,
    /// Stops them and removes their data.
    Down,
}

pub(crate) fn run(verb: &Verb) -> Result<()> {
    match verb {
        Verb::Up => {
            for up in servers::up(&Kind::ALL)? {
                println!("{}={}", up.kind.variable(), up.address);
            }
        }
        Verb::Down => {
            for up in servers::down()? {
                eprintln!("stopped {:?}, process {}", up.kind, up.pid);
            }
        }
    }
    Ok(())
}

/// Servers for one run: those that this run started are stopped at its end, those found running stay.
pub(crate) struct Lease {
    pub servers: Vec<Up>,
    started: bool,
}

// === impl Lease ===

impl Lease {
    pub(crate) fn take(kinds: &[Kind]) -> Result<Self> {
        let before = servers::state()?;
        let servers = servers::up(kinds)?;
        // What stands in the file may have died long ago; only what `up` kept was running.
        let started = !servers.iter().any(|up| before.contains(up));
        Ok(Self { servers, started })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.started
            && let Err(why) = servers::down()
        {
            eprintln!("the servers of this run could not be stopped: {why}");
        }
    }
}
