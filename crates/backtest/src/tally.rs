//! What changes come to, an audience each: how many, how long, why, and how it grew.

use foldhash::HashMap;
use std::collections::BTreeMap;
use tzeva_audience::RuleSet;
use tzeva_model::{Change, Direction, NameId, Place, ReasonKind, UnixMillis, VisitorId};

/// All audiences.
pub struct Tally {
    audiences: Vec<Group>,
    places: HashMap<NameId, u32>,
    /// From when to when sizes are looked at.
    span: (UnixMillis, UnixMillis),
}

/// One audience.
#[derive(Debug)]
pub struct Group {
    pub entered: u64,
    pub exited: u64,
    pub peak: u64,
    /// How long each stay was that ended, in milliseconds; sorted when first asked.
    stays: Vec<i64>,
    pub exits: BTreeMap<(Place, ReasonKind), u64>,
    size: u64,
    /// By how much it grew in each step of the span.
    growth: [i64; STEPS],
}

/// Who of some visitors was ever in which audience, and since when they are; `None`: not any more.
pub type Members = HashMap<(u32, VisitorId), Option<UnixMillis>>;

/// Steps in which a size is shown.
pub const STEPS: usize = 24;
/// A curve's bars, lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

// === impl Tally ===

impl Tally {
    pub fn new(rules: &RuleSet) -> Self {
        let places = (0..).zip(&rules.audiences);
        Self {
            places: places.map(|(place, audience)| (audience.name.id(), place)).collect(),
            audiences: rules.audiences.iter().map(|_| Group::default()).collect(),
            span: (UnixMillis::MIN, UnixMillis::MIN),
        }
    }

    /// Takes in a change; those of one visitor come in order of time. Answers the place of its audience.
    pub fn change(&mut self, change: &Change, members: &mut Members) -> Option<u32> {
        let place = *self.places.get(&change.audience)?;
        let group = &mut self.audiences[place as usize];
        let now = match change.direction {
            Direction::Entered => {
                group.entered += 1;
                Some(change.effective_at)
            }
            Direction::Exited => {
                group.exited += 1;
                *group.exits.entry((change.reason.place, change.reason.kind)).or_default() += 1;
                None
            }
        };
        let before = members.insert((place, change.visitor.clone()), now);
        if let (Some(Some(since)), None) = (before, now) {
            group.stays.push((change.effective_at - since).get());
        }
        Some(place)
    }

    /// Takes in what was tallied of other visitors under the same rules.
    pub fn merge(&mut self, other: Self) {
        for (group, more) in self.audiences.iter_mut().zip(other.audiences) {
            group.entered += more.entered;
            group.exited += more.exited;
            group.stays.extend(more.stays);
            more.exits.into_iter().for_each(|(why, n)| *group.exits.entry(why).or_default() += n);
        }
    }

    /// From when to when sizes are to be looked at.
    pub const fn over(&mut self, from: UnixMillis, to: UnixMillis) {
        self.span = (from, to);
    }

    /// Somebody entered or left the audience at `place`; of all visitors, in order of time.
    pub fn moved(&mut self, place: usize, direction: Direction, at: UnixMillis) {
        let (from, to) = self.span;
        let group = &mut self.audiences[place];
        let share = i128::from((at - from).get()) * STEPS as i128;
        let step = share / i128::from((to - from).get().max(1));
        let step = usize::try_from(step).unwrap_or(0).min(STEPS - 1);
        match direction {
            Direction::Entered => {
                group.size += 1;
                group.growth[step] += 1;
            }
            Direction::Exited => {
                group.size = group.size.saturating_sub(1);
                group.growth[step] -= 1;
            }
        }
        group.peak = group.peak.max(group.size);
    }

    /// The audiences, in the order of the rule set.
    pub fn audiences(&mut self) -> &mut [Group] {
        &mut self.audiences
    }
}

// === impl Group ===

impl Default for Group {
    fn default() -> Self {
        Self {
            entered: 0,
            exited: 0,
            peak: 0,
            stays: Vec::new(),
            exits: BTreeMap::new(),
            size: 0,
            growth: [0; STEPS],
        }
    }
}

impl Group {
    /// How many are in now.
    pub const fn now(&self) -> u64 {
        self.size
    }

    /// The share `per_mille` of all finished stays are no longer than this; `None` if none has ended.
    pub fn stay(&mut self, per_mille: usize) -> Option<i64> {
        self.stays.sort_unstable();
        let rank = (self.stays.len() * per_mille).div_ceil(1_000).max(1);
        self.stays.get(rank - 1).copied()
    }

    /// Its size at the end of each step of the span.
    pub fn sizes(&self) -> [i64; STEPS] {
        let mut size = 0;
        self.growth.map(|growth| {
            size += growth;
            size
        })
    }

    /// Its size over time; blank while nobody is in.
    pub fn spark(&self) -> String {
        let top = self.sizes().into_iter().max().unwrap_or(0).max(1);
        let bar = |size: i64| match usize::try_from((size * 8 + top - 1) / top) {
            Ok(level @ 1..) => BARS[(level - 1).min(7)],
            _ => ' ',
        };
        self.sizes().into_iter().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_line_shows_the_size_at_the_end_of_each_step() {
        let mut group = Group::default();
        group.growth[0] = 1;
        group.growth[2] = 7;
        group.growth[23] = -8;
        assert_eq!(group.sizes()[..4], [1, 1, 8, 8]);
        assert_eq!(group.spark(), format!("▁▁{} ", "█".repeat(21)));
        assert_eq!(Group::default().spark(), " ".repeat(24));
    }

    #[test]
    fn stays_are_ranked_from_the_shortest() {
        let mut group = Group { stays: (1..=100).rev().collect(), ..Group::default() };
        assert_eq!(group.stay(500), Some(50));
        assert_eq!(group.stay(950), Some(95));
        assert_eq!(Group::default().stay(500), None);
    }
}
