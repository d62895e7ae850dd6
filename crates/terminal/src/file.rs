//! Files that a command writes: there whole, or not at all.
//!
//! What is written goes to a temporary file beside the target, which takes its place at the end. So a command that is
//! refused, fails or is asked to stop leaves what was there before. What is no regular file (a device, a pipe) is
//! written as it is.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{Builder, NamedTempFile};

/// A file that is being written.
#[derive(Debug)]
pub enum Target {
    /// It takes the target's place in the end.
    Beside(NamedTempFile, PathBuf),
    /// It is the target.
    Straight(File),
    /// A stream whose reader may go away, which is no failure.
    Stream(File),
}

/// Temporary files that there are. Who holds the lock keeps them from coming and going.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What a new file may be read and written by; the process's mask takes away from it.
const NEW: u32 = 0o666;

// === impl Target ===

impl Target {
    /// Begins to write `path`; of one that is there nothing is lost yet.
    ///
    /// # Errors
    /// It could not be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let there = match path.metadata() {
            Ok(found) if !found.is_file() || is_stream(path) => {
                return File::create(path).map(Self::Straight);
            }
            Ok(found) => Some(found),
            // A link to nothing makes what it names.
            Err(_) if path.is_symlink() => return File::create(path).map(Self::Straight),
            Err(_) => None,
        };
        let target = match &there {
            Some(_) => path.canonicalize()?,
            None => path.to_owned(),
        };
        if there.is_some() {
            OpenOptions::new().write(true).open(&target)?;
        }
        let mode = there.as_ref().map_or(NEW, |found| found.permissions().mode() & 0o7777);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut pending = pending();
        let file = Builder::new()
            .prefix(".tzeva-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        if there.is_some() {
            // The mask is no matter of a file that is there.
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        pending.push(file.path().to_owned());
        Ok(Self::Beside(file, target))
    }

    /// Stdout. What is said to it from here on goes to stderr.
    ///
    /// # Errors
    /// There is none, or no stderr.
    pub fn stdout() -> io::Result<Self> {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(Self::Stream(File::from(stdout)))
    }

    /// All is written: from here on the target is this.
    ///
    /// # Errors
    /// It can't take the target's place.
    pub fn keep(self) -> io::Result<()> {
        let Self::Beside(file, target) = self else { return Ok(()) };
        let mut pending = pending();
        pending.retain(|path| path != file.path());
        file.persist(target).map(drop).map_err(|failed| failed.error)
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Beside(file, _) => file.as_file_mut(),
            Self::Straight(file) | Self::Stream(file) => file,
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stream = matches!(self, Self::Stream(_));
        match self.file().write(bytes) {
            Err(error) if stream && error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// Removes all temporary files; none is made or kept while what it gives is held.
pub(crate) fn give_up() -> impl Sized {
    let mut pending = pending();
    for path in pending.drain(..) {
        // One that is gone already need not go.
        let _ = std::fs::remove_file(path);
    }
    pending
}

/// Tells whether writing the one would write the other: the same regular file, or one that both would make.
pub fn are_same(one: &Path, other: &Path) -> bool {
    place(one).is_some_and(|one| Some(one) == place(other))
}

/// What a path names: device and inode of a file, or of the folder that it would be made in, with its name.
fn place(path: &Path) -> Option<(u64, u64, Option<OsString>)> {
    if let Ok(found) = path.metadata() {
        return found.is_file().then(|| (found.dev(), found.ino(), None));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).metadata().ok()?;
    Some((folder.dev(), folder.ino(), Some(path.file_name()?.to_owned())))
}

/// A file that the process has open already, by whatever it is called.
fn is_stream(path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    ["/dev/std", "/dev/fd/", "/proc/"].iter().any(|start| path.starts_with(start.as_bytes()))
}

fn pending() -> MutexGuard<'static, Vec<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}
