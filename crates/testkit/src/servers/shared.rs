//! Servers that several test processes share: `up` starts them and writes where they are, `down` stops them.

use super::launch::{Running, Tie, poll_until, signal};
use super::registry::confluent_url;
use super::{Kafka, Redis, Registry, ServerError, cache_folder};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Kafka.
    Kafka,
    /// Redis.
    Redis,
    /// The schema registry.
    Registry,
}

/// A server that `up` left running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Up {
    /// What it is.
    pub kind: Kind,
    /// `host:port`.
    pub address: String,
    /// Its process.
    pub pid: u32,
    /// Its folder.
    pub folder: PathBuf,
}

// === impl Kind ===

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Kafka, Self::Redis, Self::Registry];

    /// The environment variable that holds its address.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Kafka => "TZEVA_TEST_KAFKA",
            Self::Redis => "TZEVA_TEST_REDIS",
            Self::Registry => "TZEVA_TEST_REGISTRY",
        }
    }

    fn launch(self, tie: Tie) -> Result<Running, ServerError> {
        match self {
            Self::Kafka => Kafka::launch(&[], tie),
            Self::Redis => Redis::launch(&[], tie),
            Self::Registry => Registry::launch(tie),
        }
    }

    /// The address of a shared server of this kind, started if need be.
    fn address(self, own: &OnceLock<Result<Running, String>>) -> Result<String, ServerError> {
        if let Some(address) = std::env::var(self.variable()).ok().filter(|a| !a.is_empty()) {
            return Ok(address);
        }
        if let Some(up) = state()?.into_iter().find(|up| up.kind == self && serves(&up.address)) {
            return Ok(up.address);
        }
        match own.get_or_init(|| self.launch(Tie::Process).map_err(|e| e.to_string())) {
            Ok(running) => Ok(running.address().to_string()),
            Err(why) => Err(ServerError::failed(format!("have a shared {self:?}"), why)),
        }
    }
}

// === impl Up ===

impl Up {
    /// Stops it and removes its folder. A process id that now belongs to somebody else is left alone.
    fn stop(&self) -> Result<(), ServerError> {
        if self.is_alive() {
            signal("-TERM", self.pid)?;
            if poll_until(Duration::from_secs(10), || (!self.is_alive()).then_some(())).is_none() {
                signal("-KILL", self.pid)?;
            }
        }
        match fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(ServerError::failed(format!("remove {}", self.folder.display()), e))
            }
            _ => Ok(()),
        }
    }

    /// True if its process id still stands for it: its working folder is the server's own.
    fn is_alive(&self) -> bool {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).is_ok_and(|cwd| cwd == self.folder)
    }
}

/// The address of a shared Kafka, `host:port`. Keep to topics with a prefix of your own.
///
/// # Errors
/// If none is running and none can be started.
pub fn kafka() -> Result<String, ServerError> {
    static OWN: OnceLock<Result<Running, String>> = OnceLock::new();
    Kind::Kafka.address(&OWN)
}

/// The address of a shared Redis, `host:port`. Keep to keys with a prefix of your own.
///
/// # Errors
/// If none is running and none can be started.
pub fn redis() -> Result<String, ServerError> {
    static OWN: OnceLock<Result<Running, String>> = OnceLock::new();
    Kind::Redis.address(&OWN)
}

/// The base URL of the Confluent API of a shared schema registry. Keep to subjects with a prefix of your own.
///
/// # Errors
/// If none is running and none can be started.
pub fn registry() -> Result<String, ServerError> {
    static OWN: OnceLock<Result<Running, String>> = OnceLock::new();
    Kind::Registry.address(&OWN).map(|address| confluent_url(&address))
}

/// Starts those of `kinds` that aren't running and notes them in the file of running servers.
///
/// # Errors
/// At the first that can't be started; those started before it stay noted.
pub fn up(kinds: &[Kind]) -> Result<Vec<Up>, ServerError> {
    let mut all: Vec<Up> = state()?.into_iter().filter(|up| serves(&up.address)).collect();
    for &kind in kinds {
        if all.iter().any(|up| up.kind == kind) {
            continue;
        }
        let running = kind.launch(Tie::None)?;
        let address = running.address().to_string();
        let (pid, folder) = running.leave();
        all.push(Up { kind, address, pid, folder });
        write_state(&all)?;
    }
    Ok(all)
}

/// Stops every server that [`up`] left running.
///
/// # Errors
/// If one can't be stopped.
pub fn down() -> Result<Vec<Up>, ServerError> {
    let all = state()?;
    for up in &all {
        up.stop()?;
    }
    if !all.is_empty() {
        write_state(&[])?;
    }
    Ok(all)
}

/// What the file of running servers says, running or not.
///
/// # Errors
/// If the file is there but can't be read.
pub fn state() -> Result<Vec<Up>, ServerError> {
    match fs::read_to_string(state_file()) {
        Ok(text) => Ok(Kind::ALL.into_iter().filter_map(|kind| parse(&text, kind)).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(ServerError::failed("read the file of running servers", e)),
    }
}

fn state_file() -> PathBuf {
    cache_folder().join("running.env")
}

fn write_state(all: &[Up]) -> Result<(), ServerError> {
    let text: String = all.iter().map(render).collect();
    fs::write(state_file(), text)
        .map_err(|e| ServerError::failed("write the file of running servers", e))
}

/// Three lines that a shell can source.
fn render(up: &Up) -> String {
    let name = up.kind.variable();
    let folder = up.folder.display();
    format!("{name}={}\n{name}_PID={}\n{name}_FOLDER={folder}\n", up.address, up.pid)
}

fn parse(text: &str, kind: Kind) -> Option<Up> {
    let value = |suffix: &str| {
        let name = format!("{}{suffix}=", kind.variable());
        text.lines().find_map(|line| line.strip_prefix(&name).map(str::to_owned))
    };
    let pid = value("_PID")?.parse().ok()?;
    Some(Up { kind, address: value("")?, pid, folder: PathBuf::from(value("_FOLDER")?) })
}

fn serves(address: &str) -> bool {
    address
        .parse::<SocketAddr>()
        .is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back() {
        let up = |kind, port: u16| Up {
            kind,
            address: format!("127.0.0.1:{port}"),
            pid: 7,
            folder: PathBuf::from("/tmp/x"),
        };
        let all = [up(Kind::Kafka, 1), up(Kind::Registry, 2)];
        let text: String = all.iter().map(render).collect();
        let back: Vec<Up> = Kind::ALL.into_iter().filter_map(|k| parse(&text, k)).collect();
        assert_eq!(back, all);
    }
}
