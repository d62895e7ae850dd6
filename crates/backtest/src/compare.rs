//! How two sets of rules differ on the same history: who is in an audience at the end under one and not under the other,
//! and who ever was. Audiences are matched by name; one that only one set has is empty in the other.

use crate::tally::Members;
use foldhash::HashMap;
use std::collections::BTreeMap;
use tzeva_audience::RuleSet;
use tzeva_model::VisitorId;

/// All differences, by the audience's name; audiences without any are left out.
#[derive(Debug, Default)]
pub struct Differences(BTreeMap<Box<str>, Difference>);

/// How one audience differs.
#[derive(Debug, Default)]
pub struct Difference {
    /// In at the end under the second rules only: who would enter if they replaced the first.
    pub enter: Group,
    /// In at the end under the first rules only: who would leave.
    pub leave: Group,
    /// Ever in under the second rules only.
    pub ever_enter: Group,
    /// Ever in under the first rules only.
    pub ever_leave: Group,
}

/// Some visitors.
#[derive(Debug, Default)]
pub struct Group {
    pub count: u64,
    /// The first few by their ids.
    pub some: Vec<VisitorId>,
}

/// Which audiences of two sets of rules have one name.
pub struct Twins([Vec<(Box<str>, Option<u32>)>; 2]);

/// Visitors that are named.
const NAMED: usize = 5;

// === impl Differences ===

impl Differences {
    /// Takes in some visitors: all that happened to them under the first and under the second rules.
    pub fn add(&mut self, twins: &Twins, [first, second]: [&Members; 2]) {
        let [of_first, of_second] = &twins.0;
        self.missing(of_first, [first, second], |d| (&mut d.leave, &mut d.ever_leave));
        self.missing(of_second, [second, first], |d| (&mut d.enter, &mut d.ever_enter));
    }

    /// Takes in those of other visitors.
    pub fn merge(&mut self, other: Self) {
        for (name, more) in other.0 {
            let own = self.0.entry(name).or_default();
            own.enter.merge(more.enter);
            own.leave.merge(more.leave);
            own.ever_enter.merge(more.ever_enter);
            own.ever_leave.merge(more.ever_leave);
        }
    }

    /// By the audience's name.
    pub fn each(&self) -> impl Iterator<Item = (&str, &Difference)> {
        self.0.iter().map(|(name, difference)| (&**name, difference))
    }

    /// Notes who is in `own` and not in `other`.
    fn missing(
        &mut self,
        twins: &[(Box<str>, Option<u32>)],
        [own, other]: [&Members; 2],
        groups: impl Fn(&mut Difference) -> (&mut Group, &mut Group),
    ) {
        for ((place, visitor), since) in own {
            let (name, twin) = &twins[*place as usize];
            let twin = twin.and_then(|place| other.get(&(place, visitor.clone())));
            let (now, ever) = (since.is_some(), twin.is_none());
            let now = now && twin.is_none_or(Option::is_none);
            if !now && !ever {
                continue;
            }
            let difference = match self.0.get_mut(name) {
                Some(known) => known,
                None => self.0.entry(name.clone()).or_default(),
            };
            let (at_the_end, at_all) = groups(difference);
            if now {
                at_the_end.add(visitor);
            }
            if ever {
                at_all.add(visitor);
            }
        }
    }
}

// === impl Twins ===

impl Twins {
    pub fn new(first: &RuleSet, second: &RuleSet) -> Self {
        Self([twins(first, second), twins(second, first)])
    }
}

// === impl Group ===

impl Group {
    fn add(&mut self, visitor: &VisitorId) {
        self.count += 1;
        let place = self.some.partition_point(|other| other < visitor);
        if place < NAMED {
            self.some.insert(place, visitor.clone());
            self.some.truncate(NAMED);
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.some.extend(other.some);
        self.some.sort();
        self.some.truncate(NAMED);
    }
}

/// The audiences of `own`, and where those of their names are in `other`.
fn twins(own: &RuleSet, other: &RuleSet) -> Vec<(Box<str>, Option<u32>)> {
    let places = (0_u32..).zip(&other.audiences);
    let places: HashMap<&str, u32> = places.map(|(place, a)| (a.name.text(), place)).collect();
    let names = own.audiences.iter().map(|audience| audience.name.text());
    names.map(|name| (name.into(), places.get(name).copied())).collect()
}
