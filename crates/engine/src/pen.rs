//! The pen: applies an op to the profile and writes it into the draft, in one stroke, so that the two can't differ.

use crate::draft::Draft;
use tzeva_profile::{Op, Profile};

/// Writes to one profile and to its delta.
#[derive(Debug)]
pub(crate) struct Pen<'a> {
    /// The profile, as decided so far.
    pub(crate) profile: &'a mut Profile,
    /// Where changes and counts go too.
    pub(crate) draft: &'a mut Draft,
    delta: usize,
}

// === impl Pen ===

impl<'a> Pen<'a> {
    /// A pen for the profile whose delta lies at `delta`.
    pub(crate) fn new(profile: &'a mut Profile, draft: &'a mut Draft, delta: usize) -> Self {
        Self { profile, draft, delta }
    }

    /// Applies and records `op`.
    pub(crate) fn write(&mut self, op: Op) {
        self.profile.apply(&op);
        self.draft.push(self.delta, op);
    }
}
