//! What the tests need beyond Rust: looked for first, installed where that is allowed, else named in one line.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use tzeva_testkit::servers::{Kind, find_java, find_redis, on_path};

/// What a machine offers the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub kafka: bool,
    pub redis: bool,
    pub registry: bool,
    pub python: bool,
}

/// A tool: how to see it, the packages that bring it (the first that exists is taken), what is left out without it.
struct Tool {
    name: &'static str,
    found: fn() -> bool,
    packages: &'static [&'static str],
    leaves_out: &'static str,
}

const TOOLS: [Tool; 7] = [
    Tool {
        name: "Java 21 or newer",
        found: || find_java(21).is_ok(),
        packages: &["openjdk-25-jre-headless", "openjdk-21-jre-headless", "default-jre-headless"],
        leaves_out: "the tests against a real schema registry",
    },
    Tool {
        name: "Java 17 or newer",
        found: || find_java(17).is_ok(),
        packages: &["openjdk-17-jre-headless", "default-jre-headless"],
        leaves_out: "the tests against a real Kafka",
    },
    Tool {
        name: "Maven",
        found: || on_path("mvn").is_some(),
        packages: &["maven"],
        leaves_out: "the tests against a real Kafka and schema registry",
    },
    Tool {
        name: "Redis",
        found: || find_redis().is_ok(),
        packages: &["redis-server"],
        leaves_out: "the tests against a real Redis",
    },
    Tool {
        name: "Python 3",
        found: || on_path("python3").is_some(),
        packages: &["python3"],
        leaves_out: "the second readers of stored forms",
    },
    Tool {
        name: "Python's venv",
        found: || {
            Command::new("python3")
                .args(["-c", "import ensurepip"])
                .output()
                .is_ok_and(|out| out.status.success())
        },
        packages: &["python3-venv"],
        leaves_out: "the lint of docker-compose.yml",
    },
    Tool {
        name: "promtool",
        found: || on_path("promtool").is_some(),
        packages: &["prometheus"],
        leaves_out: "the tests of alerts",
    },
];

// === impl Offer ===

impl Offer {
    pub(crate) fn look() -> Self {
        let maven = on_path("mvn").is_some();
        Self {
            kafka: maven && find_java(17).is_ok(),
            redis: find_redis().is_ok(),
            registry: maven && find_java(21).is_ok(),
            python: on_path("python3").is_some(),
        }
    }

    pub(crate) fn kinds(self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|&kind| self.has(kind)).collect()
    }

    const fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Kafka => self.kafka,
            Kind::Redis => self.redis,
            Kind::Registry => self.registry,
        }
    }
}

/// Looks for every tool and installs what is missing if `may_install` and this is root on Debian or Ubuntu. What is
/// missing after that fails in CI and elsewhere is said in one line.
pub(crate) fn ensure(may_install: bool) -> Result<Offer> {
    let able = may_install && is_root() && on_path("apt-get").is_some();
    let mut refreshed = false;
    for tool in TOOLS.iter().filter(|tool| !(tool.found)()) {
        if able {
            if !refreshed {
                refreshed = apt(&["update", "-q"]);
            }
            eprintln!("{} is missing: installing it", tool.name);
            // A package that doesn't exist in this release is the next one's turn.
            let _ = tool.packages.iter().any(|package| install(package) && (tool.found)());
        }
    }
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !(tool.found)()).collect();
    for tool in &missing {
        eprintln!("{} is missing ({}): left out are {}", tool.name, hint(tool), tool.leaves_out);
    }
    if !missing.is_empty() && in_ci() {
        bail!("in CI nothing may be left out");
    }
    Ok(Offer::look())
}

fn hint(tool: &Tool) -> String {
    format!("apt-get install {}", tool.packages.join(" or "))
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output();
    out.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
        && Path::new("/etc/debian_version").exists()
}

fn install(package: &str) -> bool {
    apt(&["install", "-y", "-q", "--no-install-recommends", package])
}

/// True if apt did it. A package's own service must not start: tests start theirs.
fn apt(args: &[&str]) -> bool {
    Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
