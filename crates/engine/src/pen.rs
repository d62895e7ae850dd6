//! The pen: applies an op to the profile and writes it into the draft, in one stroke, so that the two can't differ.

use crate::draft::Draft;
use crate::live::{Live, Look};
use crate::program::Program;
use tzeva_model::UnixMillis;
use tzeva_profile::{Op, Profile};

/// A visitor in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    /// The profile as decided so far.
    pub(crate) profile: Profile,
    /// Its series; built when they are first wanted.
    pub(crate) live: Option<Live>,
    /// The engine's generation of rules that the series are of.
    pub(crate) generation: u32,
    /// How many bytes the stored profile may grow by for certain before it has to be measured again.
    pub(crate) room: usize,
    /// `room` was measured after the last event, so measuring again would tell nothing new.
    pub(crate) measured: bool,
}

/// Writes to one visitor and its delta, at one instant.
#[derive(Debug)]
pub(crate) struct Pen<'a> {
    /// The rules.
    pub(crate) program: &'a Program,
    /// The profile, as decided so far.
    pub(crate) profile: &'a mut Profile,
    /// Its series.
    pub(crate) live: &'a mut Live,
    /// Where changes and counts go too.
    pub(crate) draft: &'a mut Draft,
    /// Engine time.
    pub(crate) now: UnixMillis,
    /// Where in the draft its delta lies.
    pub(crate) delta: usize,
    /// Something was written.
    pub(crate) wrote: bool,
}

// === impl Pen ===

impl Pen<'_> {
    /// Applies and records `op`. Inlined, so that of the large `op` only what its variant holds is ever moved.
    #[inline]
    pub(crate) fn write(&mut self, op: Op) {
        self.wrote = true;
        if !self.draft.keeps_deltas() {
            return self.profile.accept(op);
        }
        self.profile.apply(&op);
        self.draft.push(self.delta, op);
    }

    /// Records under which rules the standings hold now.
    pub(crate) fn stamp(&mut self) {
        let version = self.program.rules.version;
        if self.profile.stamp != version {
            self.write(Op::Stamp(version));
        }
    }

    /// The visitor as it is now.
    pub(crate) fn look(&self) -> Look<'_> {
        Look { program: self.program, profile: self.profile, live: self.live, now: self.now }
    }
}
