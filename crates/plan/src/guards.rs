//! Why rules are not published: what looks like a mistake is refused, with the flag that says it is meant.

use crate::Plan;
use std::fmt;
use tzeva_phrase::amount;

/// What the flags allow.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// Audiences that may go.
    pub removals: &'a [String],
    /// So many members may leave an audience at once.
    pub exits: Option<u64>,
    /// Profiles that can't be read don't matter.
    pub unreadable: bool,
}

/// Why nothing is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The rules have errors.
    Rules {
        /// Where they lie.
        folder: String,
    },
    /// Tests beside the audiences fail.
    Tests {
        /// How many.
        failed: usize,
    },
    /// The service reads something else in the files, so it would not run what is published.
    Settings,
    /// Another publication counts than the one that was named.
    Parent {
        /// The one that was named.
        meant: String,
        /// The one that counts, in words.
        counts: String,
    },
    /// Somebody else published since the plan was begun.
    Stale {
        /// The one that counts, in words.
        counts: String,
    },
    /// An audience may go that doesn't: a slip of the pen.
    Remove {
        /// Its name.
        audience: String,
    },
    /// An audience is missing.
    Removal {
        /// Its name.
        audience: String,
        /// How many are in it.
        members: u64,
    },
    /// More than a tenth of an audience's members would leave.
    Exits {
        /// Its name.
        audience: String,
        /// How many are in it.
        members: u64,
        /// How many would leave.
        lost: u64,
    },
    /// Of these visitors nothing is known, so nobody can tell who of them would leave.
    Unreadable {
        /// How many.
        profiles: u64,
    },
}

// === impl Refusal ===

impl Refusal {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rules { .. } => "rules",
            Self::Tests { .. } => "tests",
            Self::Settings => "settings",
            Self::Parent { .. } => "parent",
            Self::Stale { .. } => "stale",
            Self::Remove { .. } => "remove",
            Self::Removal { .. } => "removal",
            Self::Exits { .. } => "exits",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// The audience that it is about, if it is one.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        match self {
            Self::Remove { audience }
            | Self::Removal { audience, .. }
            | Self::Exits { audience, .. } => Some(audience),
            _ => None,
        }
    }

    /// What allows it.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        match self {
            Self::Tests { .. } => Some("--skip-tests".to_owned()),
            Self::Removal { audience, .. } => Some(format!("--remove {audience}")),
            Self::Exits { lost, .. } => Some(format!("--allow-exits {lost}")),
            Self::Unreadable { .. } => Some("--allow-unreadable".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CURE: &str = "see `tzeva audience history`, fetch what counts with `tzeva audience show`, \
                            bring both together and apply again";
        match self {
            Self::Rules { folder, .. } => write!(f, "the rules in {folder} are refused")?,
            Self::Tests { failed } => write!(f, "{}", amount(*failed, "test fails", "tests fail"))?,
            Self::Settings => f.write_str(
                "the service that was asked for the plan reads other rules in these files: its settings, or its program, are \
                 others; apply with the same",
            )?,
            Self::Parent { meant, counts } => write!(f, "--parent {meant}, but {counts}: {CURE}")?,
            Self::Stale { counts } => {
                write!(
                    f,
                    "other rules were published meanwhile: {counts}. Nothing of these was taken over: {CURE}"
                )?;
            }
            Self::Remove { audience } => {
                write!(f, "--remove {audience}: no audience of that name would be removed")?;
            }
            Self::Removal { audience, members } => {
                let members = amount(*members, "member", "members");
                write!(f, "{audience} would be removed, with {members}")?;
            }
            Self::Exits { audience, members, lost } => {
                let members = amount(*members, "member", "members");
                write!(f, "{lost} of {members} would leave {audience}")?;
            }
            Self::Unreadable { profiles } => {
                let profiles = amount(*profiles, "profile", "profiles");
                write!(f, "{profiles} can't be read, so who of them would leave isn't known")?;
            }
        }
        self.flag().map_or(Ok(()), |flag| write!(f, "; if that is meant: {flag}"))
    }
}

/// All that a plan is refused for; empty: nothing. A slip of the pen comes first.
#[must_use]
pub fn refusals(plan: &Plan, allowed: &Allowed<'_>) -> Vec<Refusal> {
    let removed = &plan.differences.removed;
    let slips = allowed.removals.iter().filter(|name| !removed.contains(name));
    let mut refusals: Vec<Refusal> =
        slips.map(|name| Refusal::Remove { audience: name.clone() }).collect();
    let members = |name: &str| plan.forecast.audiences.get(name).copied().unwrap_or_default();
    let unsaid = removed.iter().filter(|name| !allowed.removals.contains(name));
    refusals.extend(
        unsaid.map(|name| Refusal::Removal { audience: name.clone(), members: members(name).now }),
    );
    for (name, members) in &plan.forecast.audiences {
        let many = members.lost.saturating_mul(10) > members.now;
        if many && !removed.contains(name) && allowed.exits.is_none_or(|exits| members.lost > exits)
        {
            let (members, lost) = (members.now, members.lost);
            refusals.push(Refusal::Exits { audience: name.clone(), members, lost });
        }
    }
    let profiles = plan.forecast.unreadable;
    if profiles > 0 && !allowed.unreadable {
        refusals.push(Refusal::Unreadable { profiles });
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Differences, Forecast, Members};

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
        let refusals =
            refusals(&plan(), &Allowed { removals: &removals, exits, unreadable: false });
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
        let refusals =
            refusals(&plan(), &Allowed { removals: &removals, exits: None, unreadable: false });
        assert_eq!(refusals[0], Refusal::Remove { audience: "many".to_owned() });
    }

    #[test]
    fn profiles_that_nobody_can_read_may_hide_exits() {
        let forecast = Forecast { visitors: 9, unreadable: 1, ..Forecast::default() };
        let plan = Plan { forecast, ..Plan::default() };
        let allowed = Allowed { removals: &[], exits: Some(9), unreadable: false };
        let [refused] = &refusals(&plan, &allowed)[..] else { panic!("one refusal") };
        let told = "1 profile can't be read, so who of them would leave isn't known; \
                    if that is meant: --allow-unreadable";
        assert_eq!(refused.to_string(), told);
        assert_eq!(refusals(&plan, &Allowed { unreadable: true, ..allowed }), []);
    }
}
