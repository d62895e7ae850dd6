//! A case: settings, rules, what happened, and how far to go.

use tzeva_audience::RuleSet;
use tzeva_model::UnixMillis;
use tzeva_oracle::{Input, Settings, Step};

/// Everything that both evaluators are given. Texts write instants as milliseconds since [`BASE`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) settings: Settings,
    pub(crate) rules: RuleSet,
    pub(crate) moves: Vec<Move>,
    pub(crate) until: UnixMillis,
}

/// What moves engine time on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Move {
    Record(Box<Input>),
    Clock(UnixMillis),
}

/// 60 ms before a midnight, so that cells of two days are met.
pub(crate) const BASE: i64 = 20_000 * 86_400_000 - 60;

// === impl Case ===

impl Case {
    /// What the oracle says.
    pub(crate) fn expected(&self) -> Vec<tzeva_model::Change> {
        let steps: Vec<Step<'_>> = self.moves.iter().map(Move::step).collect();
        tzeva_oracle::run_steps(&self.rules, &self.settings, &steps, self.until)
    }
}

// === impl Move ===

impl Move {
    /// What engine time is moved to, if it isn't further already.
    pub(crate) fn time(&self) -> UnixMillis {
        match self {
            Self::Record(input) => input.record_time,
            Self::Clock(until) => *until,
        }
    }

    fn step(&self) -> Step<'_> {
        match self {
            Self::Record(input) => Step::Record(input),
            Self::Clock(until) => Step::Clock(*until),
        }
    }
}
