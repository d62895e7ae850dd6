//! Profiles, markers and due sets in Redis (or Valkey): the only crate that names `redis`.
//!
//! A shard is one hash, `{s0421}:p`: a field per visitor, and under the empty field the shard's marker. So one `HMGET`
//! reads profiles and marker atomically, and one script (`apply.lua`) checks the marker and writes both. A due set is
//! a set, `{s0421}:d:<seconds>`, of the same slot.
//!
//! Redis is a view of the log. Every write goes through the guard of the script, and whatever is not known to have
//! gone well is [`Unknown`](tzeva_commit::port::ApplyResult::Unknown): after a timeout the server may still carry the
//! write out, and only a marker read later tells. No write is ever repeated by this crate or by the client below it,
//! but for a script that the server surely did not run because it did not know it.
//!
//! Nothing expires here, and nothing may be evicted: a server that would evict is refused at the start.

mod apply;
mod check;
mod cursor;
mod error;
mod keys;
mod lane;
mod reply;
mod settings;
mod store;
mod viewer;

pub use check::Server;
pub use error::RedisStoreError;
pub use settings::Settings;
pub use store::{Connected, connect};
pub use viewer::Viewer;
