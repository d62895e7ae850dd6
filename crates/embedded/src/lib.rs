//! The ports on `fjall`, durable, in one folder: source logs, log, profiles, changes, dead letters, names.
//!
//! One process opens a [`Folder`] and makes ports of it; each port has a thread of its own that carries out its
//! requests in order. What is told to be written is: appends, ingested records and file positions are fsynced before
//! anybody hears of them. Profiles and changes are views of the log and go as far as the kernel: they survive the death
//! of the process, and after a power cut the log, which lies in the same journal, is never older than they are.
//!
//! Publications of rules are files beside the database, so that they can be written while a service holds it.
//!
//! There are no locks between processes beyond the folder's own, no retention (logs stay for ever until snapshots can
//! replace their beginning), and no rule, event or profile format is known here: values are bytes.
//!
//! The keys of each keyspace stand in `layout.rs` and, for readers outside, in `docs/embedded-layout.md`.

mod changes;
mod error;
mod folder;
mod ingest;
mod inspect;
mod layout;
mod log;
mod rules;
mod source;
mod store;
mod worker;

pub use error::FolderError;
pub use folder::{Clock, Folder, OpenMode, Settings, local_clock};
pub use ingest::{Ingest, NewRecord};
pub use inspect::{StoredDeadLetter, StoredMessage};
pub use rules::{RulesError, RulesFolder, RulesFollower};
