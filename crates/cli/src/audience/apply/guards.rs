//! What looks like a mistake is refused, with the flag that says it is meant.

use crate::exit::Failure;
use crate::plan::Plan;
use anyhow::anyhow;
use std::fmt;

/// What the flags allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed<'a> {
    /// Audiences that may go.
    pub(super) removals: &'a [String],
    /// So many members may leave an audience at once.
    pub(super) exits: Option<u64>,
}

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An audience is missing.
    Removal { audience: String, members: u64 },
    /// More than a tenth of an audience's members would leave.
    Exits { audience: String, members: u64, lost: u64 },
}

// === impl Refusal ===

impl Refusal {
    /// For programs.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Removal { .. } => "removal",
            Self::Exits { .. } => "exits",
        }
    }

    pub(super) fn audience(&self) -> &str {
        let (Self::Removal { audience, .. } | Self::Exits { audience, .. }) = self;
        audience
    }

    /// What allows it.
    pub(super) fn flag(&self) -> String {
        match self {
            Self::Removal { audience, .. } => format!("--remove {audience}"),
            Self::Exits { lost, .. } => format!("--allow-exits {lost}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removal { audience, members } => {
                write!(f, "{audience} would be removed, with {members} members")?;
            }
            Self::Exits { audience, members, lost } => {
                write!(f, "{lost} of {members} members would leave {audience}")?;
            }
        }
        write!(f, "; if that is meant: {}", self.flag())
    }
}

/// All that a plan is refused for; empty: nothing.
///
/// # Errors
/// If an audience is allowed to be removed that is not: a slip of the pen.
pub(super) fn refusals(plan: &Plan, allowed: &Allowed<'_>) -> Result<Vec<Refusal>, Failure> {
    let removed = &plan.differences.removed;
    if let Some(name) = allowed.removals.iter().find(|name| !removed.contains(name)) {
        return Err(Failure::settings(anyhow!(
            "--remove {name}: no audience of that name would be removed"
        )));
    }
    let members = |name: &str| plan.forecast.audiences.get(name).copied().unwrap_or_default();
    let unsaid = removed.iter().filter(|name| !allowed.removals.contains(name));
    let mut refusals: Vec<Refusal> = unsaid
        .map(|name| Refusal::Removal { audience: name.clone(), members: members(name).now })
        .collect();
    for (name, members) in &plan.forecast.audiences {
        let many = members.lost.saturating_mul(10) > members.now;
        if many && !removed.contains(name) && allowed.exits.is_none_or(|exits| members.lost > exits)
        {
            let (members, lost) = (members.now, members.lost);
            refusals.push(Refusal::Exits { audience: name.clone(), members, lost });
        }
    }
    Ok(refusals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tzeva_plan::{Differences, Forecast, Members};

    fn plan() -> Plan {
        let members = |now, lost| Members { now, gained: 0, lost };
        let audiences = [
            ("a-tenth", members(100, 10)),
            ("gone", members(5, 5)),
            ("many", members(1_000, 101)),
            ("nobody", members(0, 0)),
        ];
        let audiences = audiences.map(|(name, members)| (name.to_owned(), members)).into();
        let removed = vec!["gone".to_owned()];
        Plan {
            differences: Differences { removed, ..Differences::default() },
            forecast: Forecast { audiences, ..Forecast::default() },
            ..Plan::default()
        }
    }

    fn refused(removals: &[&str], exits: Option<u64>) -> Vec<String> {
        let removals: Vec<String> = removals.iter().map(|name| (*name).to_owned()).collect();
        let refusals = refusals(&plan(), &Allowed { removals: &removals, exits }).unwrap();
        refusals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn more_than_a_tenth_and_every_removal_want_a_flag() {
        let gone = "gone would be removed, with 5 members; if that is meant: --remove gone";
        let many = "101 of 1000 members would leave many; if that is meant: --allow-exits 101";
        assert_eq!(refused(&[], None), [gone, many]);
        assert_eq!(refused(&["gone"], Some(100)), [many]);
        assert_eq!(refused(&["gone"], Some(101)), Vec::<String>::new());
    }

    #[test]
    fn to_allow_what_does_not_happen_is_a_slip() {
        let removals = ["many".to_owned()];
        assert!(refusals(&plan(), &Allowed { removals: &removals, exits: None }).is_err());
    }
}
