//! Membership: one audience's policy, one step at a time.
//!
//! | state | leaves it by |
//! |---|---|
//! | in since s | X; or, without `exit_when`, ¬E once `stay.at_least` has passed; or `stay.at_most` |
//! | out, disarmed (left by `at_most`) | the first evaluation with ¬E, which only re-arms |
//! | out, pending since p | any evaluation without E ∧ ¬X; or entry, once `enter_after` and `reenter_after` allow |
//! | out | E ∧ ¬X: entry at once, or pending |
//!
//! A visitor that no standing tells of is out and armed: that is what a first start finds. A step does at most one
//! transition; what time alone would do next is the step's bound.

use tzeva_audience::Audience;
use tzeva_lens::{NEVER, Verdict};
use tzeva_model::{Millis, UnixMillis};
use tzeva_profile::State;

/// What one evaluation makes of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The state from now on; `None`: out, with nothing to remember.
    pub(crate) state: Option<State>,
    /// The transition, if there is one.
    pub(crate) moved: Option<Moved>,
    /// Without an event nothing happens before this.
    pub(crate) wake: UnixMillis,
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// In, after E ∧ ¬X has held since `since`; `last_exit` is the exit before, if it still mattered.
    Entered { since: UnixMillis, last_exit: Option<UnixMillis> },
    /// Out by X.
    ByExit,
    /// Out because E ceased; `since` is the entry.
    ByCeasing { since: UnixMillis },
    /// Out because the stay had lasted long enough.
    ByAtMost,
}

/// What a visitor that is out has to remember.
#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    last_exit: Option<UnixMillis>,
    disarmed: bool,
    pending: Option<UnixMillis>,
}

/// One evaluation of `audience` at `now`, given E and X.
pub(crate) fn step(
    audience: &Audience,
    state: Option<State>,
    (enter, exit): (Verdict, Verdict),
    now: UnixMillis,
) -> Step {
    match state {
        Some(State::In { since }) => stay(audience, since, (enter, exit), now),
        Some(State::Out { last_exit, disarmed, pending }) => {
            wait(audience, Waiting { last_exit, disarmed, pending }, (enter, exit), now)
        }
        None => wait(audience, Waiting::default(), (enter, exit), now),
    }
}

fn stay(
    audience: &Audience,
    since: UnixMillis,
    (enter, exit): (Verdict, Verdict),
    now: UnixMillis,
) -> Step {
    let soonest = since + audience.stay.at_least;
    let latest = audience.stay.at_most.map_or(NEVER, |most| since + most);
    let by_ceasing = audience.exit_when.is_none();
    let moved = if exit.holds {
        Moved::ByExit
    } else if by_ceasing && !enter.holds && now >= soonest {
        Moved::ByCeasing { since }
    } else if now >= latest {
        Moved::ByAtMost
    } else {
        let ceases = match (by_ceasing, enter.holds) {
            (true, true) => enter.next.max(soonest),
            (true, false) => soonest,
            (false, _) => NEVER,
        };
        let wake = latest.min(exit.next).min(ceases);
        return Step { state: Some(State::In { since }), moved: None, wake };
    };
    // Only `at_most` leaves the entry condition armed against itself, and only while that condition holds.
    let disarmed = moved == Moved::ByAtMost && enter.holds;
    let waiting = Waiting { last_exit: Some(now), disarmed, pending: None };
    let rest = rest(audience, waiting, (enter, exit), now);
    Step { moved: Some(moved), ..rest }
}

fn wait(
    audience: &Audience,
    waiting: Waiting,
    (enter, exit): (Verdict, Verdict),
    now: UnixMillis,
) -> Step {
    let disarmed = waiting.disarmed && enter.holds;
    let waiting = Waiting { disarmed, ..waiting };
    if disarmed || !enter.holds || exit.holds {
        return rest(audience, Waiting { pending: None, ..waiting }, (enter, exit), now);
    }
    let since = waiting.pending.unwrap_or(now);
    let cooled = waiting.last_exit.map_or(UnixMillis::MIN, |at| at + audience.reenter_after);
    if now < (since + audience.enter_after).max(cooled) {
        return rest(audience, Waiting { pending: Some(since), ..waiting }, (enter, exit), now);
    }
    let moved = Moved::Entered { since, last_exit: waiting.last_exit };
    let entered = stay_bound(audience, (enter, exit), now);
    Step { state: Some(State::In { since: now }), moved: Some(moved), wake: entered }
}

/// What a visitor who has just entered waits for.
fn stay_bound(
    audience: &Audience,
    (enter, exit): (Verdict, Verdict),
    now: UnixMillis,
) -> UnixMillis {
    let latest = audience.stay.at_most.map_or(NEVER, |most| now + most);
    let ceases = match audience.exit_when {
        None => enter.next.max(now + audience.stay.at_least),
        Some(_) => NEVER,
    };
    latest.min(exit.next).min(ceases)
}

/// What a visitor who is out and stays out remembers and waits for.
fn rest(
    audience: &Audience,
    waiting: Waiting,
    (enter, exit): (Verdict, Verdict),
    now: UnixMillis,
) -> Step {
    let cooled = waiting.last_exit.map(|at| at + audience.reenter_after);
    let last_exit = waiting
        .last_exit
        .filter(|_| audience.reenter_after > Millis::ZERO && cooled.is_some_and(|at| now < at));
    let Waiting { disarmed, pending, .. } = waiting;
    let wake = if disarmed {
        enter.next
    } else if let Some(since) = pending {
        let due = (since + audience.enter_after).max(cooled.unwrap_or(UnixMillis::MIN));
        due.min(enter.next).min(exit.next)
    } else {
        Verdict::all([enter, exit.negated()].into_iter()).next
    };
    let says_something = disarmed || pending.is_some() || last_exit.is_some();
    let state = says_something.then_some(State::Out { last_exit, disarmed, pending });
    Step { state, moved: None, wake }
}
