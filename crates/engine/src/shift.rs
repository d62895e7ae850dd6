//! What differs between two rule sets, as far as it can move a visitor.
//!
//! Most activations change one audience of many, and concern few visitors. So the audiences that can be evaluated at an
//! activation (those that are new or edited, and all that are `in` one of them, directly or not) are compiled into a
//! program of their own. Under it a first look at a profile costs little, and tells of most that nothing can move.
//!
//! Audiences are told apart by name, and edits by version: what people alone read is no part of it.

use crate::hash::Map;
use crate::live::{Live, Look};
use crate::program::Program;
use crate::sweep::Rules;
use std::collections::BTreeSet;
use std::sync::Arc;
use tzeva_audience::{Audience, HalfLives, Leaf, RuleSet};
use tzeva_model::{Level, Millis, NameId, UnixMillis};
use tzeva_profile::{Profile, Standing};

/// From one rule set to the next.
#[derive(Debug)]
pub(crate) struct Shift {
    /// The set before.
    former: Rules,
    /// The audiences that can be evaluated, in rule order, as a program under the new set's version and paint.
    part: Rules,
    /// Of those, by number: it is looked at whoever moved.
    asked: Vec<bool>,
    /// A half-life differs: every audience is looked at, and tags are re-based.
    refades: bool,
    /// What becomes of standings in audiences of the former set; of one that isn't here: nothing.
    fates: Map<NameId, Fate>,
}

/// What becomes of a standing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// The audience is gone; its place in the former set.
    Gone(u32),
    /// It reads otherwise: its place in the former set, and whether a running wait goes on.
    Edited(u32, bool),
}

/// What a first look found worth a second one.
#[derive(Debug)]
pub(crate) struct Concern {
    /// The profile's series under the part.
    pub(crate) live: Live,
    /// Audiences of the part to evaluate, ascending.
    pub(crate) audiences: Vec<u32>,
}

// === impl Shift ===

impl Shift {
    /// What differs between `former` and `rules`.
    pub(crate) fn between(former: Rules, rules: &Rules) -> Self {
        let (old, new) = (former.set(), rules.set());
        let refades = old.paint.half_life != new.paint.half_life;
        let by_name: Map<NameId, (u32, &Audience)> =
            (0..).zip(&old.audiences).map(|(n, a)| (a.name.id(), (n, a))).collect();
        let mut fates: Map<NameId, Fate> =
            by_name.iter().map(|(&id, &(number, _))| (id, Fate::Gone(number))).collect();
        // Who is asked, and who can be moved by them.
        let (mut asked, mut reached) = (BTreeSet::new(), BTreeSet::new());
        for audience in &new.audiences {
            let id = audience.name.id();
            fates.remove(&id);
            let known = by_name.get(&id).copied();
            let same = known.is_some_and(|(_, before)| before.version == audience.version);
            if let Some((number, before)) = known.filter(|_| !same) {
                let waits =
                    before.enter == audience.enter && before.exit_when == audience.exit_when;
                fates.insert(id, Fate::Edited(number, waits));
            }
            if refades || !same {
                asked.insert(id);
            }
            if asked.contains(&id) || is_in(audience, &reached) {
                reached.insert(id);
            }
        }
        let part = part(rules, &reached);
        let asked = part.set().audiences.iter().map(|a| asked.contains(&a.name.id())).collect();
        Self { former, part, asked, refades, fates }
    }

    /// The audiences that can be evaluated, as a program.
    pub(crate) fn part(&self) -> &Program {
        self.part.program()
    }

    /// The rules before.
    pub(crate) fn former(&self) -> &RuleSet {
        self.former.set()
    }

    /// Tells whether every audience is looked at.
    pub(crate) fn is_whole(&self) -> bool {
        self.refades
    }

    /// What becomes of a standing in `audience`, if anything does.
    pub(crate) fn fate(&self, audience: NameId) -> Option<Fate> {
        self.fates.get(&audience).copied()
    }

    /// The half-life that tags of `level` faded by before, if it is another now.
    pub(crate) fn refaded(&self, level: Level) -> Option<Millis> {
        let half_life = |lives: &HalfLives| tzeva_lens::half_life(lives, level);
        let before = half_life(&self.former().paint.half_life);
        (before != half_life(&self.part.set().paint.half_life)).then_some(before)
    }

    /// A first look at a profile as of `at`; `None`: nothing about it can be otherwise under the new rules.
    pub(crate) fn first_look(&self, profile: &Profile, at: UnixMillis) -> Option<Concern> {
        let stands = |s: &Standing| self.fates.contains_key(&s.audience);
        let stands = self.refades || profile.standings.iter().any(stands);
        let program = self.part();
        if program.plans.is_empty() && !stands {
            return None;
        }
        let live = Live::of(program, profile);
        let mut audiences = Look { program, profile, live: &live, now: at }.candidates();
        audiences.retain(|&number| self.asked[number as usize]);
        (stands || !audiences.is_empty()).then_some(Concern { live, audiences })
    }
}

/// Tells whether an audience is `in` one of `others`.
fn is_in(audience: &Audience, others: &BTreeSet<NameId>) -> bool {
    let mut found = false;
    let mut note = |leaf: &Leaf| {
        found |= matches!(leaf, Leaf::In(leaf) if others.contains(&leaf.audience.id()));
    };
    audience.enter.each_leaf(&mut note);
    audience.exit_when.iter().for_each(|node| node.each_leaf(&mut note));
    found
}

/// The audiences of these names compiled alone; if they are most of all, the rules as they are.
fn part(rules: &Rules, names: &BTreeSet<NameId>) -> Rules {
    let set = rules.set();
    if names.len() * 2 > set.audiences.len() {
        return rules.clone();
    }
    let audiences = set.audiences.iter().filter(|a| names.contains(&a.name.id()));
    let audiences = audiences.cloned().collect();
    let part = RuleSet { version: set.version, audiences, paint: set.paint.clone() };
    Rules::compile(Arc::new(part), rules.program().lens.max_age)
}
