//! Conditions that can never be true, or never be false.
//!
//! A conjunction is laid out as facts about features: the number of events of one kind, the age of the last one, the
//! score of a tag. Each fact is a set of ranges; the facts about one feature must have a value in common. A disjunction
//! is never false exactly if the conjunction of its negated parts is never true. What lies inside the other kind of
//! node is left out, so nothing sound is ever refused; not every contradiction is found.

use crate::canonical::{event_key, last_key, leaf_key, sum_key};
use crate::check::Checker;
use crate::code::Code;
use crate::document::Places;
use crate::problem::At;
use crate::{Leaf, Node, Test};
use std::collections::BTreeMap;
use tzeva_model::Millis;
use xxhash_rust::xxh3::xxh3_64;

/// Of longer lists of texts nothing is worked out, so that no list costs the square of its length.
const LISTED: usize = 256;

/// Ranges of a feature's value, both ends in.
type Ranges = Vec<(u64, u64)>;

/// A leaf as a conjunct: which it is in document order, and whether it stands upright or negated.
struct Conjunct<'a> {
    place: usize,
    leaf: &'a Leaf,
    upright: bool,
}

impl Checker<'_> {
    /// Reports contradictions in `enter`, in `exit_when`, and between them.
    pub(crate) fn check_logic(
        &mut self,
        enter: Option<&Node>,
        exit_when: Option<&Node>,
        places: &Places,
    ) {
        let mut place = 0;
        let before = self.report.count();
        for node in [enter, exit_when].into_iter().flatten() {
            self.check_node(node, &mut place, places);
        }
        if let (Some(enter), Some(exit_when), true) =
            (enter, exit_when, before == self.report.count())
        {
            let (mut conjuncts, mut place) = (Vec::new(), 0);
            flatten(enter, true, &mut place, &mut conjuncts);
            flatten(exit_when, false, &mut place, &mut conjuncts);
            if let Some((first, second)) = contradiction(&conjuncts, self.settings.max_age) {
                let other = self.place_of(places, first);
                let at = place_at(places, second);
                let message =
                    "whoever could enter is out by `exit_when` already, so nobody ever enters";
                let help = format!("it is true whenever the condition at {other} is");
                self.refuse(Code::NeverEntered, at, message, &help);
            }
        }
    }

    fn check_node(&mut self, node: &Node, place: &mut usize, places: &Places) {
        let start = *place;
        for (upright, code) in [(true, Code::NeverTrue), (false, Code::NeverFalse)] {
            let (mut conjuncts, mut next) = (Vec::new(), start);
            flatten(node, upright, &mut next, &mut conjuncts);
            if let Some((first, second)) = contradiction(&conjuncts, self.settings.max_age) {
                let other = self.place_of(places, first);
                let (message, help) = match code {
                    Code::NeverTrue => (
                        "these conditions contradict each other: together they are never true",
                        format!("the other one is at {other}"),
                    ),
                    _ => (
                        "these conditions complete each other: one of them is always true",
                        format!("the other one is at {other}; leave both out"),
                    ),
                };
                self.refuse(code, place_at(places, second), message, &help);
                node.each_leaf(&mut |_| *place += 1);
                return;
            }
        }
        match node {
            Node::All(nodes) | Node::Any(nodes) => {
                nodes.iter().for_each(|node| self.check_node(node, place, places));
            }
            Node::Not(node) => self.check_node(node, place, places),
            Node::Leaf(_) => *place += 1,
        }
    }

    fn place_of(&mut self, places: &Places, place: usize) -> String {
        let at = place_at(places, place);
        self.report.place(at)
    }
}

fn place_at(places: &Places, place: usize) -> At {
    places.leaves.get(place).copied().unwrap_or(At { file: 0, start: 0, end: 0 })
}

/// The leaves that must all hold for `node` to be `upright`.
fn flatten<'a>(node: &'a Node, upright: bool, place: &mut usize, out: &mut Vec<Conjunct<'a>>) {
    match (node, upright) {
        (Node::All(nodes), true) | (Node::Any(nodes), false) => {
            nodes.iter().for_each(|node| flatten(node, upright, place, out));
        }
        (Node::Not(node), _) => flatten(node, !upright, place, out),
        (Node::Leaf(leaf), _) => {
            out.push(Conjunct { place: *place, leaf, upright });
            *place += 1;
        }
        // One part suffices: nothing is known of any single leaf, unless there is only one.
        (Node::All(nodes) | Node::Any(nodes), _) => match nodes.as_slice() {
            [only] => flatten(only, upright, place, out),
            _ => node.each_leaf(&mut |_| *place += 1),
        },
    }
}

/// Two conjuncts that leave a feature no value: the last one that narrowed it, and the one that emptied it.
fn contradiction(conjuncts: &[Conjunct<'_>], max_age: Millis) -> Option<(usize, usize)> {
    let mut features: BTreeMap<String, (Ranges, usize)> = BTreeMap::new();
    for conjunct in conjuncts {
        for (feature, fact) in facts(conjunct, max_age) {
            match features.get_mut(&feature) {
                None => {
                    features.insert(feature, (fact, conjunct.place));
                }
                Some((ranges, last)) => {
                    let both = common(ranges, &fact);
                    if both.is_empty() {
                        return Some((*last, conjunct.place));
                    }
                    if both != *ranges {
                        *last = conjunct.place;
                    }
                    *ranges = both;
                }
            }
        }
    }
    None
}

/// What a conjunct says about features.
fn facts(conjunct: &Conjunct<'_>, max_age: Millis) -> Vec<(String, Ranges)> {
    let upright = conjunct.upright;
    let turned = |range: (u64, u64), top: u64| if upright { vec![range] } else { rest(range, top) };
    // The age of the last event in ms; `none` if there is none.
    let none = max_age.get().unsigned_abs();
    match conjunct.leaf {
        Leaf::Interest(interest) => {
            let line = interest.threshold.to_bits();
            let range = if interest.at_least { (line, u64::MAX) } else { (0, line - 1) };
            vec![(format!("interest {}", interest.text), turned(range, u64::MAX))]
        }
        Leaf::Sum(sum) => {
            let (low, high) = sum.is.range();
            // Amounts in the order of all numbers: those below nothing first.
            let place = |amount: i128| {
                let within = amount.clamp(i64::MIN.into(), i64::MAX.into());
                u64::try_from(within - i128::from(i64::MIN)).unwrap_or(u64::MAX)
            };
            vec![(sum_key(sum), turned((place(low), place(high)), u64::MAX))]
        }
        Leaf::Rank(rank) => {
            // 0 stands for a tag that isn't there, which has no rank.
            let (low, high) = rank.rank.range();
            vec![(format!("rank {}", rank.text), turned((low.max(1), high), u64::from(u32::MAX)))]
        }
        Leaf::Share(share) => {
            let line = share.share.to_bits();
            let range = if share.at_least { (line, u64::MAX) } else { (0, line - 1) };
            vec![(format!("share {}", share.text), turned(range, u64::MAX))]
        }
        Leaf::Trait(of) => {
            let mut facts = vec![(leaf_key(conjunct.leaf), turned((1, 1), 1))];
            facts.extend(values(&of.test, upright).map(|v| (format!("trait {}", of.name), v)));
            facts
        }
        Leaf::Sequence(_) | Leaf::In(_) => {
            vec![(leaf_key(conjunct.leaf), turned((1, 1), 1))]
        }
        Leaf::Last(last) => {
            let ago = last.ago.get().unsigned_abs();
            let range = if last.at_least { (ago, none - 1) } else { (0, ago.min(none) - 1) };
            vec![(last_key(&last.event, &last.filter), turned(range, none))]
        }
        Leaf::Event(event) => {
            let counts = turned(event.count.range(), u64::from(u32::MAX));
            let some = counts.iter().all(|(low, _)| *low > 0);
            let nothing = counts.iter().all(|(_, high)| *high == 0);
            let within = event.within.map_or(none, |within| within.get().unsigned_abs().min(none));
            let mut facts = vec![(event_key(event), counts)];
            if event.after.is_none() && (some || nothing) {
                let range = (0, within - 1);
                let ages = if some { vec![range] } else { rest(range, none) };
                facts.push((last_key(&event.name, &event.filter), ages));
            }
            facts
        }
    }
}

/// The texts, each by its hash, that a value may be if this test holds (or doesn't); 0 stands for a value that is no text
/// and for none at all. Of other tests nothing is said.
fn values(test: &Test, upright: bool) -> Option<Ranges> {
    let (texts, listed) = match test {
        Test::TextIn(texts) => (texts, true),
        Test::TextNotIn(texts) => (texts, false),
        _ => return None,
    };
    if texts.len() > LISTED {
        return None;
    }
    let mut hashes: Vec<u64> = texts.iter().map(|text| xxh3_64(text.as_bytes()).max(1)).collect();
    hashes.sort_unstable();
    if listed == upright {
        let none = (!upright).then_some((0, 0));
        return Some(none.into_iter().chain(hashes.into_iter().map(|h| (h, h))).collect());
    }
    let all: Ranges = vec![(0, u64::MAX)];
    Some(hashes.into_iter().fold(all, |left, h| common(&left, &rest((h, h), u64::MAX))))
}

/// Everything in `0..=top` outside a range.
fn rest((low, high): (u64, u64), top: u64) -> Ranges {
    let below = low.checked_sub(1).map(|end| (0, end.min(top)));
    let above = (high < top).then(|| (high + 1, top));
    below.into_iter().chain(above).collect()
}

fn common(a: &Ranges, b: &Ranges) -> Ranges {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
    pairs.filter(|(low, high)| low <= high).collect()
}
