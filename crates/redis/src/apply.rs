//! The call of the guarded apply's script, and what its answer means.

use crate::keys;
use crate::reply::{bulk, items};
use redis::{Cmd, Script, Value, cmd};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tzeva_commit::Marker;
use tzeva_commit::port::{Apply, ApplyResult, PortError};
use tzeva_model::{UnixMillis, VisitorId};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));
const SOURCE: &str = include_str!("apply.lua");

/// Makes the script known to the server.
pub(crate) fn load() -> Cmd {
    let mut load = cmd("SCRIPT");
    load.arg("LOAD").arg(SOURCE);
    load
}

/// The call for one step.
pub(crate) fn call(prefix: &str, step: &Apply) -> Cmd {
    let mut due: BTreeMap<UnixMillis, Vec<&VisitorId>> = BTreeMap::new();
    for (bucket, visitor) in &step.due {
        due.entry(*bucket).or_default().push(visitor);
    }
    let mut call = cmd("EVALSHA");
    call.arg(SCRIPT.get_hash()).arg(1 + due.len());
    call.arg(keys::profiles(prefix, step.shard));
    for bucket in due.keys() {
        call.arg(keys::due(prefix, step.shard, *bucket));
    }
    let removed = || step.writes.iter().filter(|write| write.profile.is_none());
    call.arg(&step.prev.get().to_be_bytes()[..]).arg(removed().count());
    for visitors in due.values() {
        call.arg(visitors.len());
        for visitor in visitors {
            call.arg(visitor.as_str());
        }
    }
    for write in removed() {
        call.arg(write.visitor.as_str());
    }
    for write in &step.writes {
        if let Some(profile) = &write.profile {
            call.arg(write.visitor.as_str()).arg(profile.as_slice());
        }
    }
    call.arg(keys::MARKER).arg(&step.marker.encode()[..]);
    call
}

/// What the script's answer means; `unknown` makes an error of a text.
pub(crate) fn result(answer: Value, unknown: impl Fn(String) -> PortError) -> ApplyResult {
    let mut words = items(answer).into_iter().flatten();
    let verdict = words.next().and_then(bulk);
    let there = match words.next().and_then(bulk).map(|stored| Marker::decode(&stored)) {
        None => None,
        Some(Ok(marker)) => Some(marker),
        Some(Err(error)) => {
            let PortError { attempt, .. } = unknown(error.to_string());
            return ApplyResult::Unknown(PortError { attempt, transient: false });
        }
    };
    match (verdict.as_deref(), there) {
        (Some(b"W"), None) => ApplyResult::Applied,
        (Some(b"A"), Some(marker)) => ApplyResult::Already(marker),
        (Some(b"B"), there) => ApplyResult::Behind(there),
        _ => ApplyResult::Unknown(unknown("unexpected answer".into())),
    }
}
