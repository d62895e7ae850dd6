//! The order of audiences: each behind those that it is `in`, ties by name.
//!
//! A rule set is decided in this order, so that a condition `in: other` looks at what `other` has just become. An unknown
//! name and a circle leave no such order: both are refused, a circle once, with its way round.

use crate::check::Checker;
use crate::code::Code;
use crate::problem::At;
use crate::{Audience, Leaf};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_model::NameId;
use tzeva_script::nearest;

/// How many names of a circle are told.
const TOLD: usize = 8;
/// How many names are compared with misspelt ones, so that very many of both cost no minutes.
const COMPARED: usize = 200_000;

/// An audience as read, with the places of the audiences that it asks for.
pub(crate) struct Read {
    pub(crate) audience: Audience,
    pub(crate) asked: BTreeMap<NameId, At>,
}

impl Checker<'_> {
    /// Sorts audiences; `known` are the names of all documents, also of those that could not be read.
    pub(crate) fn in_order(
        &mut self,
        mut read: Vec<Read>,
        known: &BTreeMap<NameId, (At, String)>,
    ) -> Vec<Audience> {
        read.sort_by(|a, b| a.audience.name.text().cmp(b.audience.name.text()));
        let mut compared = 0;
        for one in &read {
            self.check_names(one, known, &mut compared);
        }
        let places: BTreeMap<NameId, usize> =
            read.iter().enumerate().map(|(place, one)| (one.audience.name.id(), place)).collect();
        let needs: Vec<BTreeSet<usize>> = read
            .iter()
            .map(|one| one.asked.keys().filter_map(|id| places.get(id).copied()).collect())
            .collect();
        let order = sorted(&needs);
        if order.len() < read.len() {
            self.refuse_circles(&read, &needs, &order);
        }
        let mut audiences: Vec<_> = read.into_iter().map(|one| Some(one.audience)).collect();
        order.into_iter().filter_map(|place| audiences[place].take()).collect()
    }

    fn check_names(
        &mut self,
        one: &Read,
        known: &BTreeMap<NameId, (At, String)>,
        compared: &mut usize,
    ) {
        let mut texts = BTreeMap::new();
        let mut note = |leaf: &Leaf| {
            if let Leaf::In(leaf) = leaf {
                texts.insert(leaf.audience.id(), leaf.audience.text().to_owned());
            }
        };
        one.audience.enter.each_leaf(&mut |leaf| note(leaf));
        one.audience.exit_when.iter().for_each(|x| x.each_leaf(&mut |leaf| note(leaf)));
        for (id, &at) in one.asked.iter().filter(|(id, _)| !known.contains_key(id)) {
            let text = texts.get(id).map_or("", String::as_str);
            let names = known.values().map(|(_, name)| name.as_str());
            *compared += known.len();
            let near = if *compared <= COMPARED { nearest(text, names) } else { None };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name an audience of this folder".to_owned(),
            };
            let message = format!("there is no audience `{}`", crate::check::shortened(text));
            self.refuse(Code::UnknownAudience, at, message, &help);
        }
    }

    /// Reports every circle among what could not be ordered.
    fn refuse_circles(&mut self, read: &[Read], needs: &[BTreeSet<usize>], order: &[usize]) {
        let mut done = vec![false; read.len()];
        order.iter().for_each(|&place| done[place] = true);
        let ordered = done.clone();
        for start in 0..read.len() {
            // Whoever is left over needs somebody who is left over, so the walk ends in a circle, or in a known one.
            let (mut way, mut here) = (Vec::new(), start);
            while !std::mem::replace(&mut done[here], true) {
                way.push(here);
                match needs[here].iter().find(|&&need| !ordered[need]) {
                    Some(&next) => here = next,
                    None => break,
                }
            }
            let Some(from) = way.iter().position(|&place| place == here) else { continue };
            let circle = &way[from..];
            let name = |place: usize| read[place].audience.name.text();
            let mut names: Vec<_> = circle.iter().take(TOLD).map(|&place| name(place)).collect();
            if circle.len() > TOLD {
                names.push("...");
            }
            names.push(name(here));
            let next = circle.get(1).copied().unwrap_or(here);
            let at = read[here].asked.get(&read[next].audience.name.id());
            let at = at.copied().unwrap_or(At { file: 0, start: 0, end: 0 });
            let message = format!("audiences that are `in` each other: {}", names.join(" -> "));
            self.refuse(Code::CyclicIn, at, message, "say in one of them what it needs itself");
        }
    }
}

/// The places in order, smallest first of those that need nobody who is still out; without those in or behind a circle.
fn sorted(needs: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut open: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (place, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|&need| needed_by[need].push(place));
    }
    let mut ready: BTreeSet<usize> = (0..needs.len()).filter(|&place| open[place] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(place) = ready.pop_first() {
        order.push(place);
        for &behind in &needed_by[place] {
            open[behind] -= 1;
            if open[behind] == 0 {
                ready.insert(behind);
            }
        }
    }
    order
}
