//! What changes come to, an audience each: how many, how long, why, and how it grew.

use std::collections::{BTreeMap, HashMap};
use tzeva_audience::RuleSet;
use tzeva_model::{Change, Direction, NameId, Place, ReasonKind, UnixMillis, VisitorId};

/// All audiences.
pub struct Tally {
    audiences: Vec<Group>,
    places: HashMap<NameId, usize>,
}

/// One audience.
#[derive(Debug, Default)]
pub struct Group {
    pub entered: u64,
    pub exited: u64,
    pub peak: u64,
    /// Who is in, since when.
    members: HashMap<VisitorId, UnixMillis>,
    /// How long each stay was that ended, in milliseconds; sorted when first asked.
    stays: Vec<i64>,
    pub exits: BTreeMap<(Place, ReasonKind), u64>,
    curve: Curve,
}

/// How a number went over time, in at most so many steps: when time runs past the last one, steps double in width.
#[derive(Debug, Default)]
struct Curve {
    start: i64,
    width: i64,
    steps: Vec<i64>,
}

/// The most steps a curve has.
const STEPS: usize = 256;
/// A curve's bars, lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

// === impl Tally ===

impl Tally {
    pub fn new(rules: &RuleSet) -> Self {
        let places = rules.audiences.iter().enumerate();
        Self {
            places: places.map(|(place, audience)| (audience.name.id(), place)).collect(),
            audiences: rules.audiences.iter().map(|_| Group::default()).collect(),
        }
    }

    /// Takes in a change; they come in order of time.
    pub fn change(&mut self, change: &Change) {
        if let Some(place) = self.places.get(&change.audience) {
            self.audiences[*place].change(change);
        }
    }

    /// The audiences, in the order of the rule set.
    pub fn audiences(&mut self) -> &mut [Group] {
        &mut self.audiences
    }
}

// === impl Group ===

impl Group {
    /// Who is in now.
    pub fn now(&self) -> usize {
        self.members.len()
    }

    /// The share `per_mille` of all finished stays are no longer than this; `None` if none has ended.
    pub fn stay(&mut self, per_mille: usize) -> Option<i64> {
        self.stays.sort_unstable();
        let rank = (self.stays.len() * per_mille).div_ceil(1_000).max(1);
        self.stays.get(rank - 1).copied()
    }

    /// Its size from `from` to `to`, in `width` characters; blank while nobody is in.
    pub fn spark(&self, from: UnixMillis, to: UnixMillis, width: u32) -> String {
        let top = self.peak.max(1).cast_signed();
        let span = (to - from).get().max(1);
        let bar = |place: u32| {
            let at = from.get() + span / i64::from(width) * i64::from(place + 1);
            let size = self.curve.at(at);
            let level = (size * 8 + top - 1) / top;
            match usize::try_from(level) {
                Ok(level @ 1..) => BARS[(level - 1).min(7)],
                _ => ' ',
            }
        };
        (0..width).map(bar).collect()
    }

    fn change(&mut self, change: &Change) {
        let at = change.effective_at;
        match change.direction {
            Direction::Entered => {
                self.entered += 1;
                self.members.insert(change.visitor.clone(), at);
                self.curve.add(at.get(), 1);
            }
            Direction::Exited => {
                self.exited += 1;
                if let Some(since) = self.members.remove(&change.visitor) {
                    self.stays.push((at - since).get());
                }
                *self.exits.entry((change.reason.place, change.reason.kind)).or_default() += 1;
                self.curve.add(at.get(), -1);
            }
        }
        self.peak = self.peak.max(self.members.len() as u64);
    }
}

// === impl Curve ===

impl Curve {
    fn add(&mut self, at: i64, step: i64) {
        if self.width == 0 {
            (self.start, self.width) = (at, 1_000);
        }
        loop {
            let place = usize::try_from((at - self.start) / self.width).unwrap_or(0);
            if place < STEPS {
                if self.steps.len() <= place {
                    self.steps.resize(place + 1, 0);
                }
                self.steps[place] += step;
                return;
            }
            self.width *= 2;
            self.steps = self.steps.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }

    /// The number at an instant, as far as steps tell.
    fn at(&self, at: i64) -> i64 {
        if self.width == 0 || at < self.start {
            return 0;
        }
        let place = usize::try_from((at - self.start) / self.width).unwrap_or(0);
        self.steps.iter().take(place + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_its_height_while_its_steps_widen() {
        let mut curve = Curve::default();
        for minute in 0..10_000 {
            curve.add(minute * 60_000, if minute % 3 == 2 { -1 } else { 1 });
        }
        assert!(curve.steps.len() <= STEPS);
        let end = 9_999 * 60_000;
        assert_eq!(curve.at(end), 3_334);
        assert!((curve.at(end / 2) - 1_667).abs() < 30, "half the way up at half time");
        assert_eq!(curve.at(-1), 0);
    }

    #[test]
    fn stays_are_ranked_from_the_shortest() {
        let mut group = Group { stays: (1..=100).rev().collect(), ..Group::default() };
        assert_eq!(group.stay(500), Some(50));
        assert_eq!(group.stay(950), Some(95));
        assert_eq!(Group::default().stay(500), None);
    }
}
