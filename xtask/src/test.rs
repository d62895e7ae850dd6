//! `cargo xtask test`: the three rings. A test target's name says its ring: `servers_*` needs real servers; any other
//! target of a pure crate is ring `pure`, of another crate ring `sim`.

use crate::install::{self, Offer};
use crate::servers::Lease;
use crate::workspace::{Package, cargo, packages};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::process::{Command, Stdio};
use std::time::Instant;

#[derive(Args)]
pub(crate) struct Options {
    /// One ring only.
    #[arg(long)]
    ring: Option<Ring>,
    /// Don't install missing tools, say what is left out instead.
    #[arg(long)]
    no_install: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ring {
    /// Values in, values out.
    Pure,
    /// Whole parts over simulated ports, and the units of crates that aren't pure.
    Sim,
    /// Real Kafka, Redis and schema registry.
    Servers,
}

/// What one call of cargo tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Selection {
    packages: Vec<String>,
    /// Libraries and binaries as well.
    units: bool,
    targets: Vec<String>,
    /// Packages whose documentation has examples to run.
    documented: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let offer = install::ensure(!options.no_install)?;
    let packages = packages()?;
    for ring in Ring::value_variants() {
        if options.ring.is_none_or(|only| only == *ring) {
            let began = Instant::now();
            run_ring(*ring, &packages, offer)?;
            eprintln!("ring {ring:?} passed in {} s", began.elapsed().as_secs());
        }
    }
    Ok(())
}

fn run_ring(ring: Ring, packages: &[Package], offer: Offer) -> Result<()> {
    let selection = select(ring, packages, offer);
    if ring == Ring::Servers {
        if selection.targets.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let lease = Lease::take(&offer.kinds())?;
        eprintln!("servers are up after {} s", began.elapsed().as_secs());
        return run_selection(&selection, &lease);
    }
    run_selection(&selection, &Lease::take(&[])?)
}

fn run_selection(selection: &Selection, lease: &Lease) -> Result<()> {
    let mut command = Command::new(cargo());
    if has_nextest() {
        command.args(["nextest", "run", "--no-tests", "pass", "--no-fail-fast"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
    }
    for package in &selection.packages {
        command.args(["-p", package]);
    }
    if selection.units {
        command.args(["--lib", "--bins"]);
    }
    for target in &selection.targets {
        command.args(["--test", target]);
    }
    // A developer's run is short; what lands has met many more seeds.
    if std::env::var_os("CI").is_some() && std::env::var_os("TZEVA_SEEDS").is_none() {
        command.env("TZEVA_SEEDS", "500");
    }
    for up in &lease.servers {
        command.env(up.kind.variable(), &up.address);
    }
    finish(&mut command, "run the tests")?;
    if selection.documented.is_empty() {
        return Ok(());
    }
    let mut examples = Command::new(cargo());
    examples.args(["test", "--doc", "-q"]);
    for package in &selection.documented {
        examples.args(["-p", package]);
    }
    finish(&mut examples, "run the examples in the documentation")
}

fn finish(command: &mut Command, attempt: &str) -> Result<()> {
    let status = command.status().with_context(|| attempt.to_owned())?;
    if !status.success() {
        bail!("{attempt}: failed");
    }
    Ok(())
}

fn has_nextest() -> bool {
    Command::new(cargo())
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn select(ring: Ring, packages: &[Package], offer: Offer) -> Selection {
    let mut selection = Selection { units: ring != Ring::Servers, ..Selection::default() };
    for package in packages {
        let targets: Vec<&String> =
            package.tests.iter().filter(|name| belongs(ring, package, name, offer)).collect();
        let units = match ring {
            Ring::Pure => package.is_pure(),
            Ring::Sim => !package.is_pure(),
            Ring::Servers => false,
        };
        if units || !targets.is_empty() {
            selection.packages.push(package.name.clone());
        }
        if units && package.has_library {
            selection.documented.push(package.name.clone());
        }
        selection.targets.extend(targets.into_iter().cloned());
    }
    selection.targets.sort_unstable();
    selection.targets.dedup();
    selection
}

/// True if the test target `name` of `package` runs in `ring` with what the machine offers.
fn belongs(ring: Ring, package: &Package, name: &str, offer: Offer) -> bool {
    if name.contains("python") && !offer.python {
        return false;
    }
    match ring {
        Ring::Servers => name.starts_with("servers_") && offer_suffices(&package.name, offer),
        Ring::Pure => package.is_pure() && !name.starts_with("servers_"),
        Ring::Sim => !package.is_pure() && !name.starts_with("servers_"),
    }
}

/// An edge crate needs its own server only, any other package all of them.
fn offer_suffices(package: &str, offer: Offer) -> bool {
    match package {
        "tzeva-kafka" => offer.kafka,
        "tzeva-redis" | "tzeva-profile" => offer.redis,
        "tzeva-registry" => offer.registry,
        _ => offer.kafka && offer.redis && offer.registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ALL: Offer = Offer { kafka: true, redis: true, registry: true, python: true };

    fn package(name: &str, tests: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: PathBuf::new(),
            has_library: true,
            tests: tests.iter().map(|&test| test.to_owned()).collect(),
        }
    }

    fn targets(ring: Ring, offer: Offer) -> Vec<String> {
        let packages = [
            package("tzeva-profile", &["bytes", "reads_in_python"]),
            package("tzeva-kafka", &["servers_log"]),
            package("tzeva-redis", &["servers_apply", "script"]),
            package("tzeva-cli", &["servers_run"]),
        ];
        select(ring, &packages, offer).targets
    }

    #[test]
    fn every_target_belongs_to_exactly_one_ring() {
        assert_eq!(targets(Ring::Pure, ALL), ["bytes", "reads_in_python"]);
        assert_eq!(targets(Ring::Sim, ALL), ["script"]);
        assert_eq!(targets(Ring::Servers, ALL), ["servers_apply", "servers_log", "servers_run"]);
    }

    #[test]
    fn without_a_tool_only_its_tests_are_left_out() {
        let offer = Offer { kafka: false, registry: false, python: false, ..ALL };
        assert_eq!(targets(Ring::Pure, offer), ["bytes"]);
        assert_eq!(targets(Ring::Servers, offer), ["servers_apply"]);
    }
}
