//! What bounds a profile and when a visitor is forgotten.

use tzeva_model::{Currencies, Millis};

/// Settings that bear on decisions: two engines decide alike only if these are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Strokes that a profile keeps one by one; older ones fold into cells. At least 1.
    pub max_strokes: usize,
    /// Cells that a profile keeps; beyond it the oldest days of the most numerous event names go. At least 1.
    pub max_cells: usize,
    /// How long a stroke or a cell counts.
    pub max_age: Millis,
    /// Items that a stroke keeps one by one; those behind them are merged by category.
    pub max_items: usize,
    /// Items of strokes with several that a profile keeps; beyond it the oldest strokes' are merged.
    pub max_total_items: usize,
    /// How long after its last applied record a profile ends; at least the longest duration of any rule.
    pub idle: Millis,
    /// From which distance behind its record time an event's changes say `late`.
    pub late_after: Millis,
    /// The largest stored profile, in bytes; an event that would lead beyond is refused.
    pub max_profile_bytes: usize,
    /// In which currency amounts count.
    pub currencies: Currencies,
    /// Nothing is clamped, counted late or published as late.
    pub backtest: bool,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        let max_age = Millis::DAY.times(400);
        Self {
            max_strokes: 256,
            max_cells: 2_000,
            max_age,
            max_items: 500,
            max_total_items: 2_000,
            idle: max_age,
            late_after: Millis::DAY,
            max_profile_bytes: 256 * 1024,
            currencies: Currencies::default(),
            backtest: false,
        }
    }
}
