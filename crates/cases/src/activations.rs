//! Random activations: what people do to rules that run. Audiences come, go and are edited, paint and half-lives change,
//! a set is published again, or an earlier one.
//!
//! Versions are as in life: a set's is its publication's, an audience's goes with what it means.

use crate::Sure;
use crate::case::{Case, Move};
use crate::random::Random;
use crate::rules::{audience, paint, rules};
use tzeva_audience::{Audience, Leaf, Node, RuleSet, Test, TraitLeaf};
use tzeva_model::{Millis, Name, NameId, NameKind, RulesVersion, UnixMillis};

/// No set has more audiences.
const MOST: usize = 12;

/// Puts activations into a case: at any place, some at an instant of their own.
pub(crate) fn activations(random: &mut Random, case: &mut Case) {
    let count = random.pick(&[0, 0, 1, 1, 1, 2, 2, 3]);
    let mut sets = vec![case.rules.clone()];
    let mut places: Vec<usize> = (0..count).map(|_| random.below(case.moves.len() + 1)).collect();
    places.sort_unstable();
    let mut added = 0;
    for place in places {
        let next = successor(random, &sets, case.settings.max_age.get());
        sets.push(next.clone());
        let mut place = place + added;
        if random.chance(50) {
            let at = moment(random, &case.moves, place);
            case.moves.insert(place, Move::Clock(at));
            (place, added) = (place + 1, added + 1);
        }
        case.moves.insert(place, Move::Activate(Box::new(next)));
        added += 1;
    }
    renumber(case);
}

/// An instant between the moves around `place`.
fn moment(random: &mut Random, moves: &[Move], place: usize) -> UnixMillis {
    let time = |step: &Move| match step {
        Move::Activate(_) => None,
        _ => Some(step.time().get()),
    };
    let before = moves[..place].iter().filter_map(time).max();
    let after = moves[place..].iter().find_map(time);
    let low = before.or(after).sure();
    let high = after.unwrap_or(low + 60).max(low);
    UnixMillis::new(random.within(low, high))
}

/// Gives every set and every audience of a case with activations its version: by order of publication, and by meaning.
pub(crate) fn renumber(case: &mut Case) {
    if !case.moves.iter().any(|step| matches!(step, Move::Activate(_))) {
        return;
    }
    let mut meanings: Vec<Audience> = Vec::new();
    let later = case.moves.iter_mut().filter_map(|step| match step {
        Move::Activate(set) => Some(&mut **set),
        _ => None,
    });
    for (number, set) in (0..).zip(std::iter::once(&mut case.rules).chain(later)) {
        set.version = RulesVersion::new(number);
        for audience in &mut set.audiences {
            audience.version = 0;
            let known = meanings.iter().position(|other| other == audience);
            let meaning = known.unwrap_or(meanings.len());
            if known.is_none() {
                meanings.push(audience.clone());
            }
            audience.version = u32::try_from(meaning).ok().sure();
        }
    }
}

/// What comes after the last of `sets`.
fn successor(random: &mut Random, sets: &[RuleSet], max_age: i64) -> RuleSet {
    let mut set = sets.last().sure().clone();
    match random.below(12) {
        0 => return set,
        1 | 2 => return random.pick(sets),
        3 => return rules(random, (max_age, true), 4),
        _ => {}
    }
    for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
        change(random, &mut set, max_age);
    }
    make_sound(&mut set);
    set
}

fn change(random: &mut Random, set: &mut RuleSet, max_age: i64) {
    let number = set.audiences.len();
    let place = random.below(number.max(1));
    match random.below(12) {
        0 | 1 if number > 0 => drop(set.audiences.remove(place)),
        2..4 if number < MOST => {
            // Perhaps one that was there before, or the name of one.
            let fresh = audience(random, max_age, i64::try_from(number).ok().sure());
            let free = |name: &Name| !set.audiences.iter().any(|a| a.name == *name);
            let names = (0..20).map(|n| Name::new(NameKind::Audience, &format!("a{n}")));
            let name = names.filter(free).nth(random.below(2)).sure();
            let place = random.below(number + 1);
            set.audiences.insert(place, Audience { name, ..fresh });
        }
        4 => set.paint = paint(random),
        5 => {
            let lives = paint(random).half_life;
            match random.below(3) {
                0 => set.paint.half_life.shop = lives.shop,
                1 => set.paint.half_life.category = lives.category,
                _ => set.paint.half_life = lives,
            }
        }
        _ if number > 0 => {
            let other = audience(random, max_age, i64::try_from(place).ok().sure());
            edit(random, &mut set.audiences[place], (other, max_age));
        }
        _ => {}
    }
}

/// Takes over a part of what `other` says, or all of it.
fn edit(random: &mut Random, edited: &mut Audience, (other, max_age): (Audience, i64)) {
    match random.below(7) {
        0..3 => {
            edited.enter_after = other.enter_after;
            // Often longer: what has cooled already does not cool again.
            edited.reenter_after = match random.chance(40) {
                true => Millis::new(max_age.min(100)),
                false => other.reenter_after,
            };
            edited.stay = other.stay;
        }
        3 | 4 => edited.enter = other.enter,
        5 => edited.exit_when = other.exit_when,
        _ => *edited = Audience { name: edited.name.clone(), ..other },
    }
    if edited.exit_when.is_some() {
        edited.stay.at_least = Millis::ZERO;
    }
}

/// Whoever asks for an audience that doesn't come before it asks for something else.
fn make_sound(set: &mut RuleSet) {
    let mut earlier: Vec<NameId> = Vec::new();
    for audience in &mut set.audiences {
        mend(&mut audience.enter, &earlier);
        audience.exit_when.iter_mut().for_each(|node| mend(node, &earlier));
        earlier.push(audience.name.id());
    }
}

fn mend(node: &mut Node, earlier: &[NameId]) {
    match node {
        Node::All(parts) | Node::Any(parts) => {
            parts.iter_mut().for_each(|part| mend(part, earlier));
        }
        Node::Not(part) => mend(part, earlier),
        Node::Leaf(Leaf::In(leaf)) if !earlier.contains(&leaf.audience.id()) => {
            let test = Test::Exists(true);
            *node = Node::Leaf(Leaf::Trait(TraitLeaf { name: "tier".into(), test }));
        }
        Node::Leaf(_) => {}
    }
}
