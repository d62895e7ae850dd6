//! The conditions of an audience with their truth, as lines of a tree, and what the audience remembers of a visitor.

use crate::BEGINNING;
use std::fmt;
use tzeva_audience::{Audience, Node};
use tzeva_engine::{Explained, Told};
use tzeva_model::Millis;
use tzeva_phrase::leaf_words;
use tzeva_profile::State;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// How far in, from 0.
    pub depth: usize,
    /// It is a leaf: it has no parts.
    pub is_leaf: bool,
    /// The truth.
    pub holds: bool,
    /// What it is: `enter: all of`, or a leaf in words.
    pub words: String,
    /// Since when it has been so, after the beginning; `None`: for longer than history can tell.
    pub since: Option<Millis>,
    /// When it flips if no event comes, after the beginning; `None`: never.
    pub flips: Option<Millis>,
}

/// How the audience stands to the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// In, since this long after the beginning.
    In(Millis),
    /// Out, with what it remembers: the last exit, whether that was by `stay.at_most` and `enter` has held since, and
    /// since when entry is waited for.
    Out {
        /// After the beginning.
        last_exit: Option<Millis>,
        /// By `stay.at_most`, and `enter` has not ceased since.
        disarmed: bool,
        /// After the beginning.
        pending: Option<Millis>,
    },
}

// === impl Stance ===

impl Stance {
    /// That of a profile's standing; nothing is remembered of nobody.
    pub(crate) fn of(state: Option<State>) -> Self {
        match state {
            Some(State::In { since }) => Self::In(since - BEGINNING),
            Some(State::Out { last_exit, disarmed, pending }) => Self::Out {
                last_exit: last_exit.map(|at| at - BEGINNING),
                disarmed,
                pending: pending.map(|at| at - BEGINNING),
            },
            None => Self::Out { last_exit: None, disarmed: false, pending: None },
        }
    }
}

impl fmt::Display for Stance {
    /// Writes `in since 1h`, or `out; the last exit was at 2h; ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (last_exit, disarmed, pending) = match self {
            Self::In(since) => return write!(f, "in since {since}"),
            Self::Out { last_exit, disarmed, pending } => (last_exit, *disarmed, pending),
        };
        f.write_str("out")?;
        if let Some(exit) = last_exit {
            write!(f, "; the last exit was at {exit}")?;
        }
        if disarmed {
            f.write_str(", by stay.at_most: enter must cease to hold once before the next entry")?;
        }
        if let Some(since) = pending {
            write!(f, "; enter has held since {since}")?;
        }
        Ok(())
    }
}

/// The tree of an audience.
pub(crate) fn branches(audience: &Audience, explained: &Explained) -> Vec<Branch> {
    let mut lines = Vec::new();
    branch((&audience.enter, &explained.enter), ("enter: ", 0), &mut lines);
    if let Some(both) = audience.exit_when.as_ref().zip(explained.exit_when.as_ref()) {
        branch(both, ("exit_when: ", 0), &mut lines);
    }
    lines
}

/// Adds a condition and what is in it.
fn branch((node, told): (&Node, &Told), (label, depth): (&str, usize), lines: &mut Vec<Branch>) {
    let (own, parts): (String, &[Node]) = match node {
        Node::All(nodes) => ("all of".into(), nodes),
        Node::Any(nodes) => ("any of".into(), nodes),
        Node::Not(node) => ("not".into(), std::slice::from_ref(&**node)),
        Node::Leaf(leaf) => (leaf_words(leaf), &[]),
    };
    lines.push(Branch {
        depth,
        is_leaf: parts.is_empty(),
        holds: told.holds,
        words: format!("{label}{own}"),
        since: told.since.map(|at| at - BEGINNING),
        flips: told.flips.map(|at| at - BEGINNING),
    });
    for both in parts.iter().zip(&told.parts) {
        branch(both, ("", depth + 1), lines);
    }
}
