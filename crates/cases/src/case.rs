//! A case: settings, rules, what happened, and how far to go.

use tzeva_audience::RuleSet;
use tzeva_model::{Event, UnixMillis};
use tzeva_oracle::{Input, Settings, Step};

/// Everything that both evaluators are given. Texts write instants as milliseconds since [`BASE`].
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What bears on meaning.
    pub settings: Settings,
    /// The audiences and the paint that it begins with.
    pub rules: RuleSet,
    /// What happened, in the order of decisions.
    pub moves: Vec<Move>,
    /// Deadlines up to and including this instant happen.
    pub until: UnixMillis,
}

/// What moves engine time on.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// A record.
    Record(Box<Input>),
    /// The clock.
    Clock(UnixMillis),
    /// Other rules, from the engine time on that is reached.
    Activate(Box<RuleSet>),
}

/// 60 ms before a midnight, so that cells of two days are met.
pub const BASE: i64 = 20_000 * 86_400_000 - 60;

// === impl Case ===

impl Case {
    /// The records alone, each with its record time.
    #[must_use]
    pub fn records(&self) -> Vec<(UnixMillis, Event)> {
        let record = |step: &Move| match step {
            Move::Record(input) => Some((input.record_time, input.event.clone())),
            Move::Clock(_) | Move::Activate(_) => None,
        };
        self.moves.iter().filter_map(record).collect()
    }

    /// What the oracle says.
    #[must_use]
    pub fn expected(&self) -> Vec<tzeva_model::Change> {
        let steps: Vec<Step<'_>> = self.moves.iter().map(Move::step).collect();
        tzeva_oracle::run_steps(&self.rules, &self.settings, &steps, self.until)
    }
}

// === impl Move ===

impl Move {
    /// What engine time is moved to, if it isn't further already.
    #[must_use]
    pub fn time(&self) -> UnixMillis {
        match self {
            Self::Record(input) => input.record_time,
            Self::Clock(until) => *until,
            Self::Activate(_) => UnixMillis::MIN,
        }
    }

    fn step(&self) -> Step<'_> {
        match self {
            Self::Record(input) => Step::Record(input),
            Self::Clock(until) => Step::Clock(*until),
            Self::Activate(rules) => Step::Activate(rules),
        }
    }
}

/// The settings of a case as `tzeva_engine::Settings`. A macro, since the engine's own unit tests hold another type of
/// that name than everybody else.
#[macro_export]
macro_rules! engine_settings {
    ($case:expr) => {{
        let settings = &$case.settings;
        tzeva_engine::Settings {
            max_strokes: settings.max_strokes,
            max_cells: settings.max_cells,
            max_age: settings.max_age,
            max_items: settings.max_items,
            max_total_items: settings.max_total_items,
            idle: settings.idle,
            late_after: settings.late_after,
            backtest: settings.backtest,
            currencies: settings.currencies.clone(),
            ..tzeva_engine::Settings::default()
        }
    }};
}
