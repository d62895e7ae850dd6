//! Greedy shrinking: as long as something can be left out and the case still fails, leave it out.

use crate::activations::renumber;
use crate::case::{Case, Move};
use tzeva_audience::{Audience, Leaf, Node, RuleSet, Where};
use tzeva_model::{Currencies, Millis};

/// The smallest case that `fails` can be brought to from `case`.
pub fn shrink(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    loop {
        match smaller(&case).into_iter().find(|smaller| fails(smaller)) {
            Some(smaller) => case = smaller,
            None => return case,
        }
    }
}

/// Every case that lacks one thing.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for index in 0..case.moves.len() {
        all.push(with(case, |case| drop(case.moves.remove(index))));
    }
    for number in 0..sets(case).len() {
        all.extend(smaller_set(case, number));
    }
    for index in 0..case.moves.len() {
        all.extend(smaller_move(case, index));
    }
    let easier = with(case, |case| case.settings.max_strokes = 50);
    all.push(easier);
    all.push(with(case, |case| case.settings.max_cells = 500));
    all.push(with(case, |case| case.settings.currencies = Currencies::default()));
    all.push(with(case, |case| case.settings.max_items = 50));
    all.push(with(case, |case| case.settings.max_total_items = 50));
    all.push(with(case, |case| case.settings.late_after = Millis::new(1_000)));
    all.push(with(case, |case| case.settings.idle = Millis::new(2_000)));
    all.push(with(case, |case| {
        case.settings.max_age = Millis::new(1_000);
        case.settings.idle = Millis::new(2_000);
    }));
    all.retain(|smaller| smaller != case);
    all
}

fn with(case: &Case, change: impl FnOnce(&mut Case)) -> Case {
    let mut smaller = case.clone();
    change(&mut smaller);
    renumber(&mut smaller);
    smaller
}

/// All rule sets of a case, in order.
fn sets(case: &Case) -> Vec<&RuleSet> {
    let later = case.moves.iter().filter_map(|step| match step {
        Move::Activate(set) => Some(&**set),
        _ => None,
    });
    std::iter::once(&case.rules).chain(later).collect()
}

fn each_set(case: &mut Case, edit: &dyn Fn(usize, &mut RuleSet)) {
    edit(0, &mut case.rules);
    let later = case.moves.iter_mut().filter_map(|step| match step {
        Move::Activate(set) => Some(&mut **set),
        _ => None,
    });
    (1..).zip(later).for_each(|(number, set)| edit(number, set));
}

fn smaller_set(case: &Case, number: usize) -> Vec<Case> {
    let set = sets(case)[number];
    let mut all = Vec::new();
    if number > 0 {
        // As the set before, or its paint alone.
        let before = sets(case)[number - 1].clone();
        let edit = |place, set: &mut RuleSet| {
            if place == number {
                set.audiences.clone_from(&before.audiences);
            }
        };
        all.push(with(case, |case| each_set(case, &edit)));
        let edit = |place, set: &mut RuleSet| {
            if place == number {
                set.paint.clone_from(&before.paint);
            }
        };
        all.push(with(case, |case| each_set(case, &edit)));
    }
    for audience in &set.audiences {
        let drop = |set: &mut RuleSet| set.audiences.retain(|other| other.name != audience.name);
        all.push(with(case, |case| each_set(case, &|_, set| drop(set))));
        let edit = |place, set: &mut RuleSet| {
            if place == number {
                drop(set);
            }
        };
        all.push(with(case, |case| each_set(case, &edit)));
        all.extend(smaller_audience(case, audience));
    }
    for paint in &set.paint.events {
        let edit = |_, set: &mut RuleSet| set.paint.events.retain(|other| other != paint);
        all.push(with(case, |case| each_set(case, &edit)));
    }
    all
}

/// Every case in which an audience lacks one thing, wherever it stands as it is.
fn smaller_audience(case: &Case, audience: &Audience) -> Vec<Case> {
    let mut all = Vec::new();
    let mut less = |edit: &dyn Fn(&mut Audience)| {
        let edit = |_, set: &mut RuleSet| {
            set.audiences.iter_mut().filter(|other| *other == audience).for_each(edit);
        };
        all.push(with(case, |case| each_set(case, &edit)));
    };
    for node in smaller_nodes(&audience.enter) {
        less(&|audience| audience.enter = node.clone());
    }
    if let Some(exit_when) = &audience.exit_when {
        less(&|audience| audience.exit_when = None);
        for node in smaller_nodes(exit_when) {
            less(&|audience| audience.exit_when = Some(node.clone()));
        }
    }
    less(&|audience| audience.enter_after = Millis::ZERO);
    less(&|audience| audience.reenter_after = Millis::ZERO);
    less(&|audience| audience.stay.at_most = None);
    less(&|audience| audience.stay.at_least = Millis::ZERO);
    all
}

fn smaller_nodes(node: &Node) -> Vec<Node> {
    match node {
        Node::All(parts) | Node::Any(parts) => {
            let rebuild = |parts| match node {
                Node::All(_) => Node::All(parts),
                _ => Node::Any(parts),
            };
            let mut all = parts.clone();
            for index in 0..parts.len() {
                if parts.len() > 1 {
                    let mut fewer = parts.clone();
                    fewer.remove(index);
                    all.push(rebuild(fewer));
                }
                all.extend(smaller_nodes(&parts[index]).into_iter().map(|part| {
                    let mut parts = parts.clone();
                    parts[index] = part;
                    rebuild(parts)
                }));
            }
            all
        }
        Node::Not(part) => {
            let inner = smaller_nodes(part).into_iter().map(|part| Node::Not(Box::new(part)));
            std::iter::once((**part).clone()).chain(inner).collect()
        }
        Node::Leaf(leaf) => smaller_leaves(leaf).into_iter().map(Node::Leaf).collect(),
    }
}

fn smaller_leaves(leaf: &Leaf) -> Vec<Leaf> {
    let mut all = vec![leaf.clone(), leaf.clone(), leaf.clone()];
    for (place, leaf) in all.iter_mut().enumerate() {
        match (leaf, place) {
            (Leaf::Event(leaf), 0) => leaf.filter = Where::default(),
            (Leaf::Event(leaf), 1) => leaf.after = None,
            (Leaf::Event(leaf), _) => leaf.within = None,
            (Leaf::Last(leaf), 0) => leaf.filter = Where::default(),
            (Leaf::Sum(leaf), 0) => leaf.filter = Where::default(),
            (Leaf::Sum(leaf), 1) => leaf.within = None,
            (Leaf::Sequence(leaf), 0) => {
                leaf.steps.iter_mut().for_each(|step| step.filter = Where::default());
            }
            (Leaf::Sequence(leaf), 1) => leaf.span = None,
            (Leaf::Sequence(leaf), _) => leaf.within = None,
            _ => {}
        }
    }
    all.retain(|smaller| smaller != leaf);
    all
}

fn smaller_move(case: &Case, index: usize) -> Vec<Case> {
    let Move::Record(input) = &case.moves[index] else { return Vec::new() };
    let mut all = Vec::new();
    for item in 0..input.event.items.len() {
        all.push(edited(case, index, |event| drop(event.items.remove(item))));
    }
    all.push(edited(case, index, |event| event.traits.clear()));
    all.push(edited(case, index, |event| event.properties.clear()));
    all.push(edited(case, index, |event| event.revenue = None));
    all.push(edited(case, index, |event| event.currency = None));
    all.push(edited(case, index, |event| event.traceparent = None));
    all.push(edited(case, index, |event| {
        event.coupon = None;
        event.country = None;
        event.page_path = None;
        event.channel = None;
    }));
    for item in 0..input.event.items.len() {
        all.push(edited(case, index, |event| event.items[item].product = None));
        all.push(edited(case, index, |event| event.items[item].brand = None));
        all.push(edited(case, index, |event| event.items[item].category = None));
        all.push(edited(case, index, |event| event.items[item].price = None));
        all.push(edited(case, index, |event| event.items[item].quantity = None));
    }
    all
}

fn edited(case: &Case, index: usize, edit: impl FnOnce(&mut tzeva_model::Event)) -> Case {
    with(case, |case| {
        if let Move::Record(input) = &mut case.moves[index] {
            edit(&mut input.event);
        }
    })
}
