//! The real binary as a process: started, killed, stopped, refused.

use super::judge::Follower;
use super::random::Random;
use super::{PATIENCE, Shop, rest, wait_for};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running painter; killed when dropped.
pub(crate) struct Painter {
    child: Child,
    log: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct End {
    pub code: Option<i32>,
    pub says: String,
}

// === impl Painter ===

impl Painter {
    /// Starts `tzeva run` with the shop's own settings.
    pub(crate) fn start(shop: &Shop) -> Self {
        Self::start_as(shop, "only", 0)
    }

    /// The same as a named member of the group, which a restart stays; `life` counts restarts.
    pub(crate) fn start_as(shop: &Shop, instance: &str, life: usize) -> Self {
        Self::start_in(shop, &shop.kafka.group, instance, life)
    }

    /// The same in a group of its own, which knows nothing of the shop's.
    pub(crate) fn start_in(shop: &Shop, group: &str, instance: &str, life: usize) -> Self {
        Self::start_with(shop, (instance, life), |settings| {
            settings["kafka"]["group"] = group.into();
        })
    }

    /// The same with settings changed by `change`.
    pub(crate) fn start_with(
        shop: &Shop,
        (instance, life): (&str, usize),
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let settings = shop.settings_file(&format!("{instance}-{life}.yaml"), |settings| {
            settings["kafka"]["instance"] = instance.into();
            change(settings);
        });
        let log = shop.folder.path().join(format!("{instance}-{life}.log"));
        let file = File::create(&log).unwrap();
        let child = tzeva(&["run", "--from", "earliest", "--config"])
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.still_runs();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an orchestrator does; it must end well.
    pub(crate) fn stop(mut self) {
        self.still_runs();
        signal("-TERM", self.child.id());
        let status = wait_for("the painter stops", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}\n{}", self.says());
    }

    /// Stops it where it stands (SIGSTOP), connections open.
    pub(crate) fn freeze(&mut self) {
        self.still_runs();
        signal("-STOP", self.child.id());
    }

    /// Lets it go on (SIGCONT), not knowing.
    pub(crate) fn thaw(&self) {
        signal("-CONT", self.child.id());
    }

    /// Whether it has said `text`.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        std::fs::read_to_string(&self.log).unwrap_or_default().contains(text)
    }

    /// How it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Panics if it has ended by itself.
    pub(crate) fn still_runs(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the painter ended by itself: {status}\n{}", self.says());
        }
    }

    /// The end of what it said.
    pub(crate) fn says(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- {}\n{}", self.log.display(), self.says());
        }
    }
}

/// Waits until every source record is decided and every partition has a new commit, so an owner; with `quiet`, also
/// until nothing has happened for a while.
pub(crate) fn drained(shop: &Shop, painter: &mut Painter, quiet: bool) {
    let began = Instant::now();
    let mut followers: Vec<Follower> = shop.partitions().map(|_| Follower::new()).collect();
    let fed = fed(shop);
    for (follower, partition) in followers.iter_mut().zip(shop.partitions()) {
        follower.read(shop, partition);
    }
    let before: Vec<usize> = followers.iter().map(|follower| follower.log.commits.len()).collect();
    wait_for("every record is decided", || {
        painter.still_runs();
        for (follower, partition) in followers.iter_mut().zip(shop.partitions()) {
            follower.read(shop, partition);
        }
        let decided: i64 = followers.iter().map(Follower::decided).sum();
        let owned =
            followers.iter().zip(&before).all(|(now, before)| now.log.commits.len() > *before);
        let still = !quiet || followers.iter().all(Follower::is_quiet);
        (decided == fed && owned && still).then_some(())
    });
    println!("drained {fed} records in {:?} of at most {PATIENCE:?}", began.elapsed());
}

/// Some time: up to a second, or, as often, until the logs have grown and a little longer.
pub(crate) fn live_a_while(shop: &Shop, random: &mut Random) {
    let ends = || -> i64 {
        let log = &shop.kafka.topics.log;
        shop.partitions().map(|p| shop.admin.bounds(log, p.get()).unwrap().1).sum()
    };
    let pause = Duration::from_millis(random.below(1_000) as u64);
    if random.below(4) > 0 {
        let began = Instant::now();
        let (before, more) = (ends(), 1 + i64::try_from(random.below(8)).unwrap());
        while ends() < before + more && began.elapsed() < Duration::from_secs(4) {
            rest(Duration::from_millis(20));
        }
        rest(pause / 10);
    } else {
        rest(pause);
    }
}

/// How many records the sources hold.
pub(crate) fn fed(shop: &Shop) -> i64 {
    let ends = |topic: &tzeva_kafka::SourceTopic| -> i64 {
        shop.partitions().map(|p| shop.admin.bounds(&topic.name, p.get()).unwrap().1).sum()
    };
    shop.kafka.topics.sources.iter().map(ends).sum()
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str], settings: &Path) -> End {
    let mut child = tzeva(arguments)
        .arg("--config")
        .arg(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(_) => break true,
            None if Instant::now() > deadline => break false,
            None => rest(Duration::from_millis(50)),
        }
    };
    if !ended {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let says = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(ended, "{arguments:?} goes on and on:\n{says}");
    End { code: output.status.code(), says }
}

/// The binary under test, with nothing of this process's own settings.
fn tzeva(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tzeva"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TZEVA_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn signal(which: &str, pid: u32) {
    let status = Command::new("kill").args([which, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}
