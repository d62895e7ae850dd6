//! Compiles a rule set: shares equal features and clauses, finds gates, builds the indexes.

use crate::hash::Map;
use crate::program::{
    Asks, Clause, EventIndex, Feature, Gate, Group, Plan, Program, SumGroup, Summand, TagFeature,
    Tree,
};
use smallvec::SmallVec;
use std::fmt::Write as _;
use std::sync::Arc;
use tzeva_audience::{
    Compare, CountTest, EventLeaf, Field, FieldTest, InterestLeaf, LastLeaf, Leaf, Node, RankLeaf,
    RuleSet, SequenceLeaf, ShareLeaf, SumLeaf, Test, Where,
};
use tzeva_lens::sum::in_cells;
use tzeva_lens::{Lens, cell_tag, window};
use tzeva_model::{Millis, NameId, TagKey};

/// A program in the making. Equal things are found by what they print as: two values that print alike are alike.
struct Compiler {
    program: Program,
    features: Map<String, u32>,
    clauses: Map<String, u32>,
}

/// What is gated: a list of gates of which one must be open; `None`: nothing is.
type Gates = Option<SmallVec<[Gate; 2]>>;

// === impl Program ===

impl Program {
    /// Compiles `rules` for histories in which nothing counts longer than `max_age`.
    pub(crate) fn compile(rules: Arc<RuleSet>, max_age: Millis) -> Self {
        let lens = Lens { max_age, half_life: rules.paint.half_life };
        let program = Self {
            rules: Arc::clone(&rules),
            lens,
            features: Vec::new(),
            summands: Vec::new(),
            tags: Vec::new(),
            clauses: Vec::new(),
            plans: Vec::with_capacity(rules.audiences.len()),
            always: Vec::new(),
            events: Map::default(),
            by_tag: Map::default(),
            by_cell: Map::default(),
            by_trait: Map::default(),
            by_member: Map::default(),
            ranked: Vec::new(),
            by_audience: Map::default(),
        };
        let mut compiler = Compiler { program, features: Map::default(), clauses: Map::default() };
        for (number, audience) in (0..).zip(&rules.audiences) {
            compiler.program.by_audience.insert(audience.name.id(), number);
            compiler.audience(number, &audience.enter, audience.exit_when.as_ref());
        }
        compiler.finish()
    }
}

// === impl Compiler ===

impl Compiler {
    fn audience(&mut self, number: u32, enter: &Node, exit: Option<&Node>) {
        let enter = self.tree(enter, number);
        let exit = exit.map(|node| self.tree(node, number));
        let gate = self.gates(&enter, true);
        match &gate {
            None => self.program.always.push(number),
            Some(gates) => {
                for gate in gates {
                    match *gate {
                        Gate::Feature { feature, least } => {
                            let feature = &mut self.program.features[feature as usize];
                            feature.opens.push((least, number));
                        }
                        Gate::Tag { tag, least } => {
                            self.program.tags[tag as usize].opens.push((least, number));
                        }
                        Gate::Clause { clause } => {
                            self.program.clauses[clause as usize].opens.push(number);
                        }
                    }
                }
            }
        }
        let enter = match (enter, &gate) {
            (Tree::All(mut trees), Some(gate)) => {
                // The gate's own part goes first: when it is false for good, the rest need not be looked at.
                trees.sort_by_key(|tree| self.gates(tree, true).as_ref() != Some(gate));
                Tree::All(trees)
            }
            (enter, _) => enter,
        };
        self.program.plans.push(Plan { enter, exit, gate });
    }

    fn tree(&mut self, node: &Node, audience: u32) -> Tree {
        let mut trees = |nodes: &[Node]| nodes.iter().map(|n| self.tree(n, audience)).collect();
        match node {
            Node::All(nodes) => Tree::All(trees(nodes)),
            Node::Any(nodes) => Tree::Any(trees(nodes)),
            Node::Not(node) => Tree::Not(Box::new(self.tree(node, audience))),
            Node::Leaf(leaf) => {
                let clause = self.clause(leaf);
                let listeners = &mut self.program.clauses[clause as usize].listeners;
                if listeners.last() != Some(&audience) {
                    listeners.push(audience);
                }
                Tree::Clause(clause)
            }
        }
    }

    /// What must be there for `tree` to be `wanted`: of a conjunction the fewest gates of one part, of a disjunction
    /// those of all parts.
    fn gates(&self, tree: &Tree, wanted: bool) -> Gates {
        match (tree, wanted) {
            (Tree::Not(tree), _) => self.gates(tree, !wanted),
            (Tree::All(trees), true) | (Tree::Any(trees), false) => trees
                .iter()
                .filter_map(|tree| self.gates(tree, wanted))
                .min_by_key(|gates| (gates.len(), self.breadth(gates))),
            (Tree::Any(trees), true) | (Tree::All(trees), false) => {
                let parts: Option<Vec<_>> =
                    trees.iter().map(|tree| self.gates(tree, wanted)).collect();
                let mut union: SmallVec<[Gate; 2]> = SmallVec::new();
                for gate in parts?.into_iter().flatten() {
                    if !union.contains(&gate) {
                        union.push(gate);
                    }
                }
                Some(union)
            }
            (Tree::Clause(clause), _) => self.clause_gates(*clause, wanted),
        }
    }

    /// How many visitors a gate lets through, roughly: a filter on a product is narrower than one on a category, and
    /// any filter than none.
    fn breadth(&self, gates: &[Gate]) -> u32 {
        let widths = gates.iter().map(|gate| match *gate {
            Gate::Tag { .. } => 2,
            Gate::Clause { .. } => 3,
            Gate::Feature { feature, .. } => {
                match self.program.features[feature as usize].filter.item.first() {
                    None => 8,
                    Some(FieldTest { field: Field::Product, .. }) => 0,
                    Some(FieldTest { field: Field::Brand, .. }) => 1,
                    Some(FieldTest { field: Field::Category, test: Test::In(names) }) => {
                        let depth = names.iter().map(|n| n.text().split('/').count()).min();
                        if depth.is_some_and(|depth| depth > 1) { 2 } else { 4 }
                    }
                    Some(_) => 6,
                }
            }
        });
        widths.max().unwrap_or(0)
    }

    fn clause_gates(&self, clause: u32, wanted: bool) -> Gates {
        let number = clause;
        let clause = &self.program.clauses[clause as usize];
        let needed = match (clause.asks, &clause.leaf) {
            // A count of nothing must compare otherwise than wanted.
            (Asks::Count { feature, test, .. }, _) => {
                let least = breaks(test).first().copied();
                let least = least.filter(|_| test.holds(0) != wanted);
                least.map(|least| Gate::Feature { feature, least })
            }
            (Asks::Sum { summand, .. }, Leaf::Sum(sum)) => {
                let feature = self.program.summands[summand as usize].feature;
                (sum.is.holds(0) != wanted).then_some(Gate::Feature { feature, least: 1 })
            }
            (Asks::Sum { .. }, _) => None,
            (Asks::Last { feature }, _) => wanted.then_some(Gate::Feature { feature, least: 1 }),
            (Asks::Interest { tag }, Leaf::Interest(interest)) => (interest.at_least == wanted)
                .then_some(Gate::Tag { tag, least: interest.threshold }),
            (Asks::Interest { tag }, Leaf::Share(share)) => {
                (share.at_least == wanted).then_some(Gate::Tag { tag, least: 0.0 })
            }
            (Asks::Interest { tag }, _) => wanted.then_some(Gate::Tag { tag, least: 0.0 }),
            (Asks::Sequence, _) if wanted => {
                let gates = clause.steps.iter().map(|&feature| Gate::Feature { feature, least: 1 });
                gates.min_by_key(|gate| self.breadth(std::slice::from_ref(gate)))
            }
            (Asks::Sequence, _) => None,
            // What isn't known passes this test alone.
            (Asks::Known, Leaf::Trait(leaf)) if leaf.test == Test::Exists(false) => None,
            (Asks::Known, _) => wanted.then_some(Gate::Clause { clause: number }),
        };
        needed.map(|gate| SmallVec::from_slice(&[gate]))
    }

    fn clause(&mut self, leaf: &Leaf) -> u32 {
        let mut key = String::new();
        // A `String` takes whatever is written to it.
        let _ = write!(key, "{leaf:?}");
        if let Some(&clause) = self.clauses.get(&key) {
            return clause;
        }
        let number = count(self.program.clauses.len());
        let mut steps = Vec::new();
        let asks = match leaf {
            Leaf::Event(event) => self.event(event, number),
            Leaf::Sum(sum) => self.sum(sum, number),
            Leaf::Last(last) => self.last(last, number),
            Leaf::Interest(interest) => self.interest(interest, number),
            Leaf::Rank(RankLeaf { tag, .. }) | Leaf::Share(ShareLeaf { tag, .. }) => {
                self.ranked(*tag, number)
            }
            Leaf::Sequence(sequence) => {
                steps = self.sequence(sequence, number);
                Asks::Sequence
            }
            Leaf::Trait(leaf) => {
                self.program.by_trait.entry(leaf.name.clone()).or_default().push(number);
                Asks::Known
            }
            Leaf::In(leaf) => {
                self.program.by_member.insert(leaf.audience.id(), number);
                Asks::Known
            }
        };
        let (listeners, opens) = (Vec::new(), Vec::new());
        let clause = Clause { leaf: leaf.clone(), asks, steps, listeners, opens };
        self.program.clauses.push(clause);
        self.clauses.insert(key, number);
        number
    }

    fn event(&mut self, leaf: &EventLeaf, clause: u32) -> Asks {
        let window = window(leaf.within, self.program.lens.max_age);
        let after = leaf.after.as_ref().map(|name| self.feature(name.id(), &Where::default()));
        let feature = self.feature(leaf.name.id(), &leaf.filter);
        let groups = &mut self.program.features[feature as usize].groups;
        let place = groups
            .iter()
            .position(|group| (group.window, group.after) == (window, after))
            .unwrap_or_else(|| {
                groups.push(Group { window, after, breaks: Vec::new() });
                groups.len() - 1
            });
        groups[place].breaks.extend(breaks(leaf.count).into_iter().map(|at| (at, clause)));
        if let Some(name) = &leaf.after {
            let resets = &mut self.program.events.entry(name.id()).or_default().resets;
            let entry = (feature, count(place));
            if !resets.contains(&entry) {
                resets.push(entry);
            }
        }
        Asks::Count { feature, window, after, test: leaf.count }
    }

    fn sum(&mut self, leaf: &SumLeaf, clause: u32) -> Asks {
        let window = window(leaf.within, self.program.lens.max_age);
        let feature = self.feature(leaf.event.id(), &leaf.filter);
        let summand = self.summand(feature, leaf);
        let groups = &mut self.program.summands[summand as usize].groups;
        let place = groups.iter().position(|group| group.window == window).unwrap_or_else(|| {
            groups.push(SumGroup { window, breaks: Vec::new() });
            groups.len() - 1
        });
        let (low, high) = leaf.is.range();
        let breaks = [Some(low).filter(|&low| low > i128::MIN), high.checked_add(1)];
        groups[place].breaks.extend(breaks.into_iter().flatten().map(|at| (at, clause)));
        Asks::Sum { summand, window }
    }

    fn summand(&mut self, feature: u32, leaf: &SumLeaf) -> u32 {
        let summands = &self.program.features[feature as usize].summands;
        let same = |&&number: &&u32| self.program.summands[number as usize].of == leaf.of;
        if let Some(&number) = summands.iter().find(same) {
            return number;
        }
        let number = count(self.program.summands.len());
        let in_cells = in_cells(&leaf.of, &leaf.filter);
        let (of, groups) = (leaf.of.clone(), Vec::new());
        self.program.summands.push(Summand { feature, of, in_cells, groups });
        self.program.features[feature as usize].summands.push(number);
        number
    }

    fn last(&mut self, leaf: &LastLeaf, clause: u32) -> Asks {
        let feature = self.feature(leaf.event.id(), &leaf.filter);
        self.program.features[feature as usize].lasts.push(clause);
        Asks::Last { feature }
    }

    fn interest(&mut self, leaf: &InterestLeaf, clause: u32) -> Asks {
        let tag = self.tag(leaf.tag);
        self.program.tags[tag as usize].clauses.push((leaf.threshold, clause));
        Asks::Interest { tag }
    }

    fn ranked(&mut self, key: TagKey, clause: u32) -> Asks {
        let tag = self.tag(key);
        self.program.tags[tag as usize].ranked.push(clause);
        if let Err(place) = self.program.ranked.binary_search(&key.level) {
            self.program.ranked.insert(place, key.level);
        }
        Asks::Interest { tag }
    }

    fn tag(&mut self, key: TagKey) -> u32 {
        let next = count(self.program.tags.len());
        let tag = *self.program.by_tag.entry(key).or_insert(next);
        if tag == next {
            let (clauses, ranked, opens) = (Vec::new(), Vec::new(), Vec::new());
            self.program.tags.push(TagFeature { key, clauses, ranked, opens });
        }
        tag
    }

    fn sequence(&mut self, leaf: &SequenceLeaf, clause: u32) -> Vec<u32> {
        let last = leaf.steps.len() - 1;
        let mut features = Vec::with_capacity(leaf.steps.len());
        for (place, step) in leaf.steps.iter().enumerate() {
            let feature = self.feature(step.name.id(), &step.filter);
            self.program.features[feature as usize].sequences.push((clause, place == last));
            features.push(feature);
        }
        features
    }

    fn feature(&mut self, event: NameId, filter: &Where) -> u32 {
        let mut key = event.to_string();
        // A `String` takes whatever is written to it.
        let _ = write!(key, "{filter:?}");
        if let Some(&feature) = self.features.get(&key) {
            return feature;
        }
        let number = count(self.program.features.len());
        let indexed = filter.item.iter().find_map(|test| match (&test.field, &test.test) {
            (Field::Product | Field::Brand | Field::Category, Test::In(names)) => Some(names),
            _ => None,
        });
        let index: &mut EventIndex = self.program.events.entry(event).or_default();
        match indexed {
            None => index.any.push(number),
            Some(names) => {
                for name in names {
                    let numbers = index.by_id.entry(name.id()).or_default();
                    if numbers.last() != Some(&number) {
                        numbers.push(number);
                    }
                }
            }
        }
        let cell_tag: Option<TagKey> = cell_tag(filter);
        if let Some(tag) = cell_tag {
            self.program.by_cell.entry((event, tag)).or_default().push(number);
        }
        let tests = filter.item.len() + filter.event.len();
        self.program.features.push(Feature {
            event,
            filter: filter.clone(),
            settled: tests == usize::from(indexed.is_some()),
            cell_tag,
            groups: Vec::new(),
            lasts: Vec::new(),
            summands: Vec::new(),
            sequences: Vec::new(),
            opens: Vec::new(),
        });
        self.features.insert(key, number);
        number
    }

    fn finish(mut self) -> Program {
        for feature in &mut self.program.features {
            feature.groups.iter_mut().for_each(|group| group.breaks.sort_unstable());
            feature.opens.sort_unstable();
        }
        for summand in &mut self.program.summands {
            summand.groups.iter_mut().for_each(|group| group.breaks.sort_unstable());
        }
        for tag in &mut self.program.tags {
            tag.clauses.sort_by(|a, b| a.0.total_cmp(&b.0));
            tag.opens.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        self.program
    }
}

/// The counts at which a comparison flips, coming from the count below.
fn breaks(test: CountTest) -> SmallVec<[u32; 2]> {
    let (first, second) = match test {
        CountTest::Is(Compare::AtLeast | Compare::LessThan, k) => (Some(k), None),
        CountTest::Is(Compare::MoreThan | Compare::AtMost, k) => (k.checked_add(1), None),
        CountTest::Is(Compare::Equal, k) => (Some(k), k.checked_add(1)),
        CountTest::Between(low, high) => (Some(low), high.checked_add(1)),
    };
    first.into_iter().chain(second).filter(|&at| at > 0).collect()
}

fn count(len: usize) -> u32 {
    // Rule files with four thousand million conditions do not fit in memory.
    u32::try_from(len).unwrap_or(u32::MAX)
}
