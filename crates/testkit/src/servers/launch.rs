//! One server process: started, awaited, killed, started again on the same port and folder, stopped.
//!
//! A process that dies by a signal runs no destructor, so each server has a watcher: a shell that waits for the end of
//! its input, which comes when the test process is gone, and then kills the server and removes its folder.

use super::{ServerError, cache_folder};
use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// What to start and how to know that it serves.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// For log files and messages: `kafka`.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; with them the same server starts again.
    pub args: Vec<String>,
    /// Its folder, removed in the end.
    pub folder: PathBuf,
    /// It serves when this port accepts a connection ...
    pub port: u16,
    /// ... and its output holds this text, if any.
    pub says: Option<&'static str>,
}

/// Who ends the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// This process, at the latest by its own end.
    Process,
    /// Somebody else, by process id.
    None,
}

/// A server process.
#[derive(Debug)]
pub struct Running {
    spec: Spec,
    tie: Tie,
    log: PathBuf,
    child: Option<Child>,
    watcher: Option<Child>,
}

// === impl Running ===

impl Running {
    pub(super) fn start(spec: Spec, tie: Tie) -> Result<Self, ServerError> {
        let logs = cache_folder().join("logs");
        fs::create_dir_all(&logs).map_err(|e| ServerError::failed("make the folder of logs", e))?;
        let log = logs.join(format!("{}-{}.log", spec.name, spec.port));
        let mut running = Self { spec, tie, log, child: None, watcher: None };
        running.start_again()?;
        Ok(running)
    }

    /// Starts the server again after [`kill`](Self::kill), on the same port and folder.
    ///
    /// # Errors
    /// If it ends at once or does not serve in time.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        let attempt = format!("start {}", self.spec.name);
        let log = File::create(&self.log).map_err(|e| ServerError::failed(&attempt, e))?;
        let both = log.try_clone().map_err(|e| ServerError::failed(&attempt, e))?;
        let mut command = Command::new(&self.spec.program);
        command.args(&self.spec.args).current_dir(&self.spec.folder);
        command.stdin(Stdio::null()).stdout(log).stderr(both);
        // A group of its own: an interrupt typed at a test must not reach the server before the test has ended it.
        command.process_group(0);
        let child = command.spawn().map_err(|e| ServerError::failed(&attempt, e))?;
        let pid = child.id();
        self.child = Some(child);
        if self.tie == Tie::Process {
            self.watcher = Some(watch(pid, &self.spec.folder)?);
        }
        self.await_serving(&attempt)
    }

    /// Its process id; 0 while it is killed.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.spec.port))
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.spec.folder
    }

    /// Its output.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Ends it by SIGKILL and waits until it is gone; the folder stays.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; either way it is gone after `wait`.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.dismiss_watcher(Farewell::KeepFolder);
    }

    /// Stops it where it stands (SIGSTOP), connections open.
    ///
    /// # Errors
    /// If the signal can't be sent.
    pub fn freeze(&self) -> Result<(), ServerError> {
        signal("-STOP", self.pid())
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// If the signal can't be sent.
    pub fn thaw(&self) -> Result<(), ServerError> {
        signal("-CONT", self.pid())
    }

    /// Leaves it running for others; gives its process id and folder.
    pub(super) fn leave(mut self) -> (u32, PathBuf) {
        let pid = self.pid();
        self.child = None;
        (pid, self.spec.folder.clone())
    }

    fn await_serving(&mut self, attempt: &str) -> Result<(), ServerError> {
        let outcome = poll_until(PATIENCE, || {
            if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                return Some(Err(format!("it ended with {status}")));
            }
            let said = self.spec.says.is_none_or(|text| self.output().contains(text));
            let open = TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).is_ok();
            (said && open).then_some(Ok(()))
        });
        match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(why)) => Err(self.give_up(attempt, &why)),
            None => Err(self.give_up(attempt, &format!("not ready after {PATIENCE:?}"))),
        }
    }

    fn give_up(&mut self, attempt: &str, why: &str) -> ServerError {
        let output = self.output();
        let tail: Vec<&str> = output.lines().rev().take(20).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        self.kill();
        ServerError::failed(attempt, format!("{why}; its output ended with\n{}", tail.join("\n")))
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn dismiss_watcher(&mut self, farewell: Farewell) {
        let Some(mut watcher) = self.watcher.take() else { return };
        if let Some(mut input) = watcher.stdin.take() {
            // A watcher that is gone has nothing left to do.
            let _ = input.write_all(farewell.word());
        }
        let _ = watcher.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            if self.tie == Tie::Process {
                let _ = fs::remove_dir_all(&self.spec.folder);
            }
            return;
        };
        let _ = child.kill();
        let _ = child.wait();
        self.dismiss_watcher(Farewell::RemoveFolder);
    }
}

// === impl Farewell ===

#[derive(Clone, Copy)]
enum Farewell {
    KeepFolder,
    RemoveFolder,
}

impl Farewell {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::KeepFolder => b"keep\n",
            Self::RemoveFolder => b"remove\n",
        }
    }
}

/// A port that was free just now.
pub(super) fn free_port() -> Result<u16, ServerError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| ServerError::failed("find a free port", e))
}

/// A fresh folder for a server.
pub(super) fn fresh_folder(name: &str) -> Result<PathBuf, ServerError> {
    tempfile::Builder::new()
        .prefix(&format!("tzeva-{name}-"))
        .tempdir()
        .map(tempfile::TempDir::keep)
        .map_err(|e| ServerError::failed(format!("make a folder for {name}"), e))
}

/// Asks `probe` until it answers or `patience` is over.
pub(super) fn poll_until<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause between two probes of a poll with a deadline"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

pub(super) fn signal(which: &str, pid: u32) -> Result<(), ServerError> {
    let attempt = || format!("send {which} to process {pid}");
    if pid == 0 {
        return Err(ServerError::failed(attempt(), "it is not running"));
    }
    let status = Command::new("kill")
        .args([which, &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .map_err(|e| ServerError::failed(attempt(), e))?;
    if status.success() { Ok(()) } else { Err(ServerError::failed(attempt(), status)) }
}

fn watch(pid: u32, folder: &Path) -> Result<Child, ServerError> {
    let script = r#"read -r word
case "$word" in
  keep) exit 0 ;;
  remove) ;;
  *) kill -CONT "$1"; kill -KILL "$1" ;;
esac
rm -rf -- "$2""#;
    Command::new("sh")
        .args(["-c", script, "tzeva-watcher", &pid.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|e| ServerError::failed("start the watcher of a server", e))
}
