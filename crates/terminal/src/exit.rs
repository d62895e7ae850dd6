//! How a command ends: exit codes that scripts rely on, and errors that say which one.

use std::process::ExitCode;

/// An exit code with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine,
    /// The answer is no: tests failed, a check found problems.
    No,
    /// Settings are wrong: somebody has to edit them.
    Settings,
    /// A bug.
    Bug,
    /// The world failed: try again.
    TryAgain,
}

/// What went wrong, for people, and how the process ends.
#[derive(Debug)]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// What was attempted, on what, and what to do.
    pub error: anyhow::Error,
}

// === impl Exit ===

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::No => 1,
            Exit::Settings => 64,
            Exit::Bug => 70,
            Exit::TryAgain => 75,
        })
    }
}

// === impl Failure ===

impl Failure {
    /// Settings, files or arguments are wrong.
    pub fn settings(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Settings, error: error.into() }
    }

    /// A server, a disk or a network failed.
    pub fn world(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::TryAgain, error: error.into() }
    }
}
