//! What can go wrong with a folder, and who can mend it.

use crate::layout::FORM;
use std::path::PathBuf;
use tzeva_commit::MarkerError;
use tzeva_commit::port::PortError;
use tzeva_model::Shard;

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it open.
    #[error("data folder {path} is in use by another process: stop it first, or ask it over HTTP")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// It isn't there.
    #[error("data folder {path} does not exist or holds no tzeva data")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "data folder {path} has form {form}, this version reads form {FORM}: use a newer tzeva"
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its form.
        form: u16,
    },
    /// The settings name another partition count.
    #[error(
        "data folder {path} has {stored} partitions, the settings say {wanted}: \
         set partitions to {stored}, or use another folder (the count never changes)"
    )]
    Partitions {
        /// The folder.
        path: PathBuf,
        /// What it was made with.
        stored: u16,
        /// What the settings say.
        wanted: u16,
    },
    /// The settings can't be used with any folder.
    #[error("{0}")]
    Settings(String),
    /// The database or the disk failed.
    #[error("{attempt}")]
    Database {
        /// What was attempted, on what.
        attempt: String,
        /// What came of it.
        #[source]
        source: fjall::Error,
    },
    /// What lies there isn't what was written.
    #[error("{0} can't be read: the data folder is damaged")]
    Damaged(String),
    /// A marker that this version can't read.
    #[error("read the marker of shard {shard}")]
    Marker {
        /// The shard.
        shard: Shard,
        /// Why.
        #[source]
        source: MarkerError,
    },
    /// No thread could be started.
    #[error("start a thread for the data folder")]
    Thread(#[source] std::io::Error),
}

// === impl FolderError ===

impl FolderError {
    /// True if the settings, the call or this program's version must change; false if the disk, the folder or another
    /// process is in the way.
    #[must_use]
    pub const fn is_settings(&self) -> bool {
        matches!(
            self,
            Self::Settings(_)
                | Self::Partitions { .. }
                | Self::Missing { .. }
                | Self::Newer { .. }
                | Self::Marker { .. }
        )
    }

    pub(crate) fn database(attempt: impl Into<String>) -> impl FnOnce(fjall::Error) -> Self {
        let attempt = attempt.into();
        |source| Self::Database { attempt, source }
    }

    /// As a port tells it: a failed disk or a damaged folder doesn't mend itself.
    pub(crate) fn into_port(self) -> PortError {
        let attempt = match &self {
            Self::Database { attempt, source } => format!("{attempt}: {source}"),
            Self::Marker { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        };
        PortError { attempt, transient: false }
    }
}
