//! Policies: what truth makes of membership, one evaluation at a time. Everything here counts in engine time.

use tzeva_audience::Audience;
use tzeva_model::UnixMillis;

/// Where a visitor stands in one audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    In {
        since: UnixMillis,
    },
    Out {
        last_exit: Option<UnixMillis>,
        /// Left because the stay had lasted long enough: the entry condition must cease before the next entry.
        disarmed: bool,
        /// The start of the unbroken stretch in which the entry condition has held and the exit condition has not.
        holds_since: Option<UnixMillis>,
    },
}

/// The two conditions at an instant.
#[derive(Clone, Copy)]
pub(crate) struct Conditions {
    pub(crate) enter: bool,
    pub(crate) exit: bool,
    pub(crate) now: UnixMillis,
}

/// A transition and what the policy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    /// In; the entry condition holds since then, and the last exit before it.
    Entered { holds_since: UnixMillis, last_exit: Option<UnixMillis> },
    /// Out because the exit condition holds.
    ExitCondition,
    /// Out because the entry condition holds no more, of a stay that began then.
    EntryCeased { since: UnixMillis },
    /// Out because the stay has lasted as long as it may.
    StayOver,
}

// === impl State ===

impl State {
    pub(crate) const NEW: Self = Self::Out { last_exit: None, disarmed: false, holds_since: None };

    /// One evaluation of `audience`: at most one transition.
    pub(crate) fn evaluate(&mut self, audience: &Audience, is: Conditions) -> Option<Transition> {
        match *self {
            Self::In { since } => {
                let transition = leaves(audience, is, since)?;
                let disarmed = transition == Transition::StayOver && is.enter;
                *self = Self::Out { last_exit: Some(is.now), disarmed, holds_since: None };
                Some(transition)
            }
            Self::Out { last_exit, disarmed, holds_since } => {
                let disarmed = disarmed && is.enter;
                if disarmed || !is.enter || is.exit {
                    *self = Self::Out { last_exit, disarmed, holds_since: None };
                    return None;
                }
                let holds_since = holds_since.unwrap_or(is.now);
                let cooled = last_exit.is_none_or(|exit| is.now >= exit + audience.reenter_after);
                if is.now < holds_since + audience.enter_after || !cooled {
                    *self = Self::Out { last_exit, disarmed, holds_since: Some(holds_since) };
                    return None;
                }
                *self = Self::In { since: is.now };
                Some(Transition::Entered { holds_since, last_exit })
            }
        }
    }

    /// The instants at which the policy alone may act.
    pub(crate) fn deadlines(&self, audience: &Audience) -> Vec<UnixMillis> {
        match *self {
            Self::In { since } => {
                let at_most = audience.stay.at_most.map(|at_most| since + at_most);
                at_most.into_iter().chain([since + audience.stay.at_least]).collect()
            }
            Self::Out { last_exit, holds_since, .. } => {
                let cooled = last_exit.map(|exit| exit + audience.reenter_after);
                let held = holds_since.map(|start| start + audience.enter_after);
                cooled.into_iter().chain(held).collect()
            }
        }
    }
}

fn leaves(audience: &Audience, is: Conditions, since: UnixMillis) -> Option<Transition> {
    if is.exit {
        return Some(Transition::ExitCondition);
    }
    let may_cease = audience.exit_when.is_none() && is.now >= since + audience.stay.at_least;
    if may_cease && !is.enter {
        return Some(Transition::EntryCeased { since });
    }
    let at_most = audience.stay.at_most?;
    (is.now >= since + at_most).then_some(Transition::StayOver)
}
