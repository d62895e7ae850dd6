//! What a run met.

/// What happened in a run, so that a test can tell whether its faults were met.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) claims: u64,
    pub(crate) fenced: u64,
    pub(crate) unknown: u64,
    pub(crate) store_moved: u64,
    pub(crate) painted: u64,
    pub(crate) rejected: u64,
    pub(crate) panics: u64,
    pub(crate) duplicates: u64,
    pub(crate) deadlines: u64,
    pub(crate) late: u64,
    pub(crate) folded: u64,
    pub(crate) forgotten: u64,
    pub(crate) activations: u64,
    pub(crate) swept: u64,
    /// Records that the next one goes on with.
    pub(crate) cut: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, seen: &tzeva_painter::Observations) {
        self.join(&Self {
            claims: seen.claims,
            fenced: seen.fenced,
            unknown: seen.unknown_outcomes,
            store_moved: seen.store_moved,
            painted: seen.painted,
            rejected: seen.rejected.values().sum(),
            panics: seen.panics,
            duplicates: seen.duplicates,
            deadlines: seen.engine.deadlines_fired,
            late: seen.engine.late,
            folded: seen.engine.folded,
            forgotten: seen.engine.forgotten,
            activations: seen.activations,
            swept: seen.swept,
            cut: 0,
        });
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.claims += other.claims;
        self.fenced += other.fenced;
        self.unknown += other.unknown;
        self.store_moved += other.store_moved;
        self.painted += other.painted;
        self.rejected += other.rejected;
        self.panics += other.panics;
        self.duplicates += other.duplicates;
        self.deadlines += other.deadlines;
        self.late += other.late;
        self.folded += other.folded;
        self.forgotten += other.forgotten;
        self.activations += other.activations;
        self.swept += other.swept;
        self.cut += other.cut;
    }

    /// Every kind of trouble was met, but for panics: a run has no bugs.
    pub(crate) fn all_met(&self) -> bool {
        [
            self.claims,
            self.fenced,
            self.unknown,
            self.store_moved,
            self.rejected,
            self.duplicates,
            self.deadlines,
            self.late,
            self.folded,
            self.forgotten,
            self.cut,
        ]
        .iter()
        .all(|&count| count > 0)
    }
}
