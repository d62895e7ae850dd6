//! Places: the path of what decided, as people find it in the audience file.

use crate::{Audience, Leaf, Node};
use tzeva_model::Place;

/// A leaf of an audience, found by its place.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The leaf.
    pub leaf: &'a Leaf,
    /// It stands in `exit_when`, not in `enter`.
    pub in_exit: bool,
    /// An odd number of `not`s stands above it.
    pub negated: bool,
}

// === impl Leaf ===

impl Leaf {
    /// Its key in the audience file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Sum(_) => "sum",
            Self::Last(_) => "last",
            Self::Interest(_) | Self::Rank(_) | Self::Share(_) => "interest",
            Self::Sequence(_) => "sequence",
            Self::Trait(_) => "trait",
            Self::In(_) => "in",
        }
    }
}

// === impl Audience ===

impl Audience {
    /// The path of a place in the audience file: `enter.all[1].last`, `exit_when.event`, `stay.at_most`. A leaf that
    /// isn't there (of another version of the audience) shows as `leaf[7]`.
    #[must_use]
    pub fn path(&self, place: Place) -> String {
        match place {
            Place::Leaf(index) => {
                let mut left = usize::from(index);
                let exit_when = self.exit_when.as_ref();
                path_in(&self.enter, "enter".to_owned(), &mut left)
                    .or_else(|| path_in(exit_when?, "exit_when".to_owned(), &mut left))
                    .unwrap_or_else(|| format!("leaf[{index}]"))
            }
            Place::Enter => "enter".into(),
            Place::ExitWhen => "exit_when".into(),
            Place::EnterAfter => "enter_after".into(),
            Place::ReenterAfter => "reenter_after".into(),
            Place::AtLeast => "stay.at_least".into(),
            Place::AtMost => "stay.at_most".into(),
            Place::Idle => "profile.idle".into(),
            Place::Audience => "audience".into(),
        }
    }

    /// Every leaf with its path, in document order.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, &Leaf)> {
        let mut leaves = Vec::new();
        leaves_in(&self.enter, "enter", &mut leaves);
        if let Some(exit_when) = &self.exit_when {
            leaves_in(exit_when, "exit_when", &mut leaves);
        }
        leaves
    }

    /// The leaf of that index, as a place counts them.
    #[must_use]
    pub fn found(&self, index: u16) -> Option<Found<'_>> {
        let mut left = usize::from(index);
        let found = find(&self.enter, false, &mut left);
        let found = found.map(|(leaf, negated)| Found { leaf, in_exit: false, negated });
        found.or_else(|| {
            let (leaf, negated) = find(self.exit_when.as_ref()?, false, &mut left)?;
            Some(Found { leaf, in_exit: true, negated })
        })
    }
}

/// The path of the leaf that lies `left` leaves further on; counts down what it passes.
fn path_in(node: &Node, path: String, left: &mut usize) -> Option<String> {
    let several = |nodes: &[Node], word: &str, left: &mut usize| {
        let mut numbered = nodes.iter().enumerate();
        numbered.find_map(|(index, node)| path_in(node, format!("{path}.{word}[{index}]"), left))
    };
    match node {
        Node::All(nodes) => several(nodes, "all", left),
        Node::Any(nodes) => several(nodes, "any", left),
        Node::Not(node) => path_in(node, format!("{path}.not"), left),
        Node::Leaf(leaf) if *left == 0 => Some(format!("{path}.{}", leaf.word())),
        Node::Leaf(_) => {
            *left -= 1;
            None
        }
    }
}

fn leaves_in<'a>(node: &'a Node, path: &str, leaves: &mut Vec<(String, &'a Leaf)>) {
    let (word, nodes) = match node {
        Node::All(nodes) => ("all", nodes),
        Node::Any(nodes) => ("any", nodes),
        Node::Not(node) => return leaves_in(node, &format!("{path}.not"), leaves),
        Node::Leaf(leaf) => return leaves.push((format!("{path}.{}", leaf.word()), leaf)),
    };
    for (index, node) in nodes.iter().enumerate() {
        leaves_in(node, &format!("{path}.{word}[{index}]"), leaves);
    }
}

/// The leaf that lies `left` leaves further on, and whether it is negated.
fn find<'a>(node: &'a Node, negated: bool, left: &mut usize) -> Option<(&'a Leaf, bool)> {
    match node {
        Node::All(nodes) | Node::Any(nodes) => {
            nodes.iter().find_map(|node| find(node, negated, left))
        }
        Node::Not(node) => find(node, !negated, left),
        Node::Leaf(leaf) if *left == 0 => Some((leaf, negated)),
        Node::Leaf(_) => {
            *left -= 1;
            None
        }
    }
}
