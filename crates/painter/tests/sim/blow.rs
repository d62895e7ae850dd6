//! Killing a painter, or emptying its store, exactly where a test says: at an input that comes, or at an effect that is
//! asked for.

use tzeva_commit::port::{AppendResult, LogReply};
use tzeva_commit::{Commit, LogRecord, decode};
use tzeva_painter::{Effect, Input};

/// A place at which something breaks, when a painter is there for the `nth` time.
#[derive(Clone, Copy)]
pub(crate) struct Blow {
    pub(crate) what: What,
    pub(crate) at: At,
    pub(crate) nth: u32,
}

/// What breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The painter.
    Painter,
    /// The store: it loses everything, just before what is there goes on.
    Store,
    /// The effect: it never happens, and is never answered.
    Effect,
}

/// What a place is known by.
#[derive(Clone, Copy)]
pub(crate) enum At {
    /// An input is there, and is never handled.
    Came(fn(Scene, &Input) -> bool),
    /// An input is handled, and nothing that this asks for is done.
    Handled(fn(Scene, &Input) -> bool),
    /// An effect is asked for, and it and all behind it is not done.
    Asked(fn(Scene, &Effect) -> bool),
    /// An effect is asked of the world, and nothing behind it. Whether the world still does it is the world's draw.
    Sent(fn(Scene, &Effect) -> bool),
    /// Some shards of an apply are asked of the world, the others never.
    Half,
}

/// How the owner stands.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) state: &'static str,
    pub(crate) stopping: bool,
}

/// Whether a painter dies here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Struck {
    Not,
    Before,
    After,
}

// === impl Blow ===

impl Blow {
    pub(crate) fn by_input(&mut self, scene: Scene, input: &Input) -> Struck {
        match self.at {
            At::Came(is) if is(scene, input) => self.count(Struck::Before),
            At::Handled(is) if is(scene, input) => self.count(Struck::After),
            _ => Struck::Not,
        }
    }

    pub(crate) fn by_effect(&mut self, scene: Scene, effect: &mut Effect) -> Struck {
        match (self.at, effect) {
            (At::Asked(is), effect) if is(scene, effect) => self.count(Struck::Before),
            (At::Sent(is), effect) if is(scene, effect) => self.count(Struck::After),
            (At::Half, Effect::ApplyStore(_, steps)) if steps.len() > 1 => {
                let struck = self.count(Struck::After);
                if struck == Struck::After {
                    steps.truncate(steps.len() / 2);
                }
                struck
            }
            _ => Struck::Not,
        }
    }

    fn count(&mut self, struck: Struck) -> Struck {
        self.nth -= 1;
        if self.nth == 0 { struck } else { Struck::Not }
    }
}

/// The record of an append.
fn appended(effect: &Effect) -> Option<LogRecord> {
    match effect {
        Effect::Append(_, bytes) => Some(decode(bytes).unwrap()),
        _ => None,
    }
}

/// The commit of an append.
pub(crate) fn commit(effect: &Effect) -> Option<Commit> {
    match appended(effect)? {
        LogRecord::Commit(commit) => Some(*commit),
        LogRecord::Anchor(_) | LogRecord::Claim(_) => None,
    }
}

/// True for the append of a claim.
pub(crate) fn is_claim(effect: &Effect) -> bool {
    matches!(appended(effect), Some(LogRecord::Claim(_)))
}

/// True for the answer to an append that has its place.
pub(crate) const fn is_ack(input: &Input) -> bool {
    matches!(input, Input::Log(LogReply::Appended(_, _, AppendResult::At(..))))
}
