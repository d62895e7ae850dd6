//! What can be wrong with a record of publications; reported, and never a reason to stop reading.

use crate::TooMuch;
use tzeva_model::RulesVersion;

/// Why a record, or the publication that it completes, is passed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The key is not `<version>/<part>`.
    #[error("the key {key:?} is not a version and a part")]
    Key {
        /// The key, shortened.
        key: String,
    },
    /// Neither key nor value is that of a publication: what a disk leaves of a file.
    #[error("{key} is damaged: {what}")]
    Nothing {
        /// The key, shortened; the name of a file.
        key: String,
        /// What is there instead.
        what: &'static str,
    },
    /// A key was deleted; publications are kept for good.
    #[error("{key} was deleted")]
    Deleted {
        /// The key.
        key: String,
    },
    /// The value can't be read.
    #[error("{key} can't be read: {why}")]
    Unreadable {
        /// The key.
        key: String,
        /// What the reader of JSON says.
        why: String,
    },
    /// A form that this program doesn't know; a newer one may.
    #[error("{key} is written in form {form}, and only form 1 is known here")]
    Form {
        /// The key.
        key: String,
        /// The form's number.
        form: u32,
    },
    /// The value was changed after it was written, or lies under another's key.
    #[error("{key} is damaged: its checksum is not that of its content")]
    Damaged {
        /// The key.
        key: String,
    },
    /// The parts don't fit together.
    #[error("publication {version:016x} is damaged: {why}", version = .version.get())]
    Parts {
        /// The publication's version, as its key says.
        version: RulesVersion,
        /// What doesn't fit.
        why: &'static str,
    },
    /// The publication's version is not what its content gives.
    #[error("publication {version:016x} is not what its version says", version = .version.get())]
    Version {
        /// The publication's version, as its key says.
        version: RulesVersion,
    },
    /// It holds more than a publication may.
    #[error("publication {version:016x} is refused: {why}", version = .version.get())]
    TooMuch {
        /// The publication's version, as its key says.
        version: RulesVersion,
        /// Of what there is too much.
        why: TooMuch,
    },
}
