//! Explaining: how a visitor stands in an audience at an instant, what of the rule is true since when, and what time
//! alone does next.
//!
//! The next move is found by an engine of its own that lets time pass until the audience's membership changes, so it is
//! the engine's by construction. Truths are read off the history directly. How long one has been so is told as far as
//! the profile knows, which [`crate::past`] decides.

use crate::draft::Draft;
use crate::engine::Engine;
use crate::past::Past;
use crate::reason::bears_out;
use crate::settings::Settings;
use std::sync::Arc;
use tzeva_audience::{Audience, Leaf, Node, RuleSet};
use tzeva_lens::view::{View, standing};
use tzeva_lens::{Lens, NEVER, Verdict};
use tzeva_model::{Change, Evidence, Millis, UnixMillis, VisitorId};
use tzeva_profile::{Profile, State};

/// How a visitor stands in one audience at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// In, or out with something to remember; `None`: out, with nothing to remember.
    pub state: Option<State>,
    /// The entry condition.
    pub enter: Told,
    /// The exit condition, if there is one.
    pub exit_when: Option<Told>,
    /// The change that comes next if no event does; `None`: none before the profile is forgotten without one.
    pub next: Option<Change>,
    /// How long without an event the profile is kept.
    pub forgotten_at: UnixMillis,
}

/// A node of a condition and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its truth.
    pub holds: bool,
    /// Since when it has been so, if the profile knows that.
    pub since: Option<UnixMillis>,
    /// Else: it has been so from here on, and perhaps for longer.
    pub so_from: Option<UnixMillis>,
    /// When it flips if no event comes; `None`: not before the profile is forgotten.
    pub flips: Option<UnixMillis>,
    /// Of a leaf at most three strokes that bear it out, newest first.
    pub evidence: Vec<Evidence>,
    /// False if it rests on cells, which tell less than strokes.
    pub exact: bool,
    /// Its parts, in the order of the node's.
    pub parts: Vec<Told>,
}

/// What is looked at, and how.
struct Glance<'a> {
    lens: Lens,
    paint: &'a tzeva_audience::Paint,
    view: View<'a>,
    now: UnixMillis,
    /// Nothing flips from here on: the profile is forgotten.
    end: UnixMillis,
    past: Past<'a>,
}

/// Flips are looked for no further than this many evaluations ahead; a profile holds fewer strokes and cells.
const FLIPS: usize = 20_000;

/// How `visitor` stands at `now` in the audience at `place` of `rules`, if nothing has come since `profile` was stored.
/// Deadlines up to `now` count as fired. `now` is engine time: of a service that keeps up, the wall clock. `None` if
/// there is no such audience.
///
/// No sweep is under way: the profile is up to date under `rules`. While one is, use [`explain_in`].
#[must_use]
pub fn explain(
    rules: &Arc<RuleSet>,
    settings: &Settings,
    (visitor, profile): (&VisitorId, Profile),
    place: usize,
    now: UnixMillis,
) -> Option<Explained> {
    let engine = Engine::new(Arc::clone(rules), settings.clone(), profile.seen);
    explain_in(engine, (visitor, profile), place, now)
}

/// As [`explain`], by the rules and settings of an engine that holds nobody and whose time is not beyond `now`. If it is
/// told of a sweep (`Engine::resume_sweep`), a profile that is behind is explained as it will be once it is met: the
/// activation and what time has done since count as done, whether they are told yet or not.
#[must_use]
pub fn explain_in(
    mut engine: Engine,
    (visitor, profile): (&VisitorId, Profile),
    place: usize,
    now: UnixMillis,
) -> Option<Explained> {
    let rules = Arc::clone(engine.rules().set());
    let audience = rules.audiences.get(place)?;
    let activated = engine.sweep.as_ref().map_or(UnixMillis::MIN, |sweep| sweep.at);
    let now = now.max(profile.seen).max(activated);
    let end = profile.seen + engine.settings.idle;
    let max_age = engine.settings.max_age;
    engine.load(visitor.clone(), Some(profile));
    let mut draft = Draft::of_changes();
    engine.fire_until(now + Millis::new(1), &mut draft);
    engine.sweep(std::slice::from_ref(visitor), &mut draft);
    engine.end_sweep();
    let gone = Profile::default();
    let profile = engine.profile(visitor).unwrap_or(&gone).clone();
    let state = standing(&profile, audience.name.id());
    let lens = Lens { max_age, half_life: rules.paint.half_life };
    let (paint, view) = (&rules.paint, View::now(&profile));
    let past = Past::of(&profile, paint, max_age);
    let glance = Glance { lens, paint, view, now, end, past };
    Some(Explained {
        state,
        enter: glance.tell(&audience.enter),
        exit_when: audience.exit_when.as_ref().map(|node| glance.tell(node)),
        next: next_change(&mut engine, audience),
        forgotten_at: end,
    })
}

/// Lets time pass until the membership changes.
fn next_change(engine: &mut Engine, audience: &Audience) -> Option<Change> {
    let id = audience.name.id();
    for _ in 0..FLIPS {
        let at = engine.next_deadline()?;
        let mut draft = Draft::default();
        engine.fire_until(at.max(engine.engine_time()) + Millis::new(1), &mut draft);
        if let Some(change) = draft.changes.into_iter().find(|change| change.audience == id) {
            return Some(change);
        }
    }
    None
}

// === impl Glance ===

impl Glance<'_> {
    fn tell(&self, node: &Node) -> Told {
        let verdict = self.verdict(node, self.now);
        let (evidence, exact) = match node {
            Node::Leaf(leaf) => (
                bears_out(self.lens, leaf, (self.view, self.paint), self.now),
                self.lens.is_exact(leaf, self.view, self.now),
            ),
            _ => (Vec::new(), true),
        };
        let parts: Vec<Told> = match node {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(|n| self.tell(n)).collect(),
            Node::Not(node) => vec![self.tell(node)],
            Node::Leaf(_) => Vec::new(),
        };
        let (since, so_from) = self.since(node, verdict.holds);
        Told {
            holds: verdict.holds,
            since,
            so_from,
            flips: self.flips(node, verdict),
            evidence,
            exact: exact && parts.iter().all(|part| part.exact),
            parts,
        }
    }

    fn verdict(&self, node: &Node, at: UnixMillis) -> Verdict {
        match node {
            Node::All(nodes) => Verdict::all(nodes.iter().map(|node| self.verdict(node, at))),
            Node::Any(nodes) => Verdict::any(nodes.iter().map(|node| self.verdict(node, at))),
            Node::Not(node) => self.verdict(node, at).negated(),
            Node::Leaf(leaf) => self.lens.leaf(leaf, self.view, at),
        }
    }

    /// The first later instant with another truth, if no event comes.
    fn flips(&self, node: &Node, now: Verdict) -> Option<UnixMillis> {
        let mut at = now.next;
        for _ in 0..FLIPS {
            if at == NEVER || at >= self.end {
                return None;
            }
            let then = self.verdict(node, at);
            if then.holds != now.holds {
                return Some(at);
            }
            at = then.next;
        }
        None
    }

    /// When the truth last became what it is, else from when on it is known to have been so: walks forward over what
    /// the profile keeps.
    fn since(&self, node: &Node, holds: bool) -> (Option<UnixMillis>, Option<UnixMillis>) {
        if let Node::Leaf(Leaf::In(leaf)) = node {
            return (self.past.moved(leaf), None);
        }
        let points = self.past.points(node, self.now);
        let mut rest = points.iter().copied().peekable();
        let (mut since, mut known_from, mut last) = (None, None, None);
        let mut next = rest.peek().copied();
        while let Some(at) = next.filter(|&at| at <= self.now) {
            let then = self.verdict(node, at);
            if !self.past.tells(node, self.view, at, &|leaf| self.lens.leaf(leaf, self.view, at)) {
                (since, known_from) = (None, None);
            } else if known_from.is_none() {
                known_from = Some(at);
            } else if last.is_some_and(|last| last != then.holds) {
                since = Some(at);
            }
            last = Some(then.holds);
            while rest.next_if(|&point| point <= at).is_some() {}
            next = rest.peek().copied().into_iter().chain([then.next]).min();
        }
        match since {
            _ if last != Some(holds) => (None, None),
            // Before anything that is kept nobody looks: what is said of then is true, and strange.
            None => (None, known_from.max(self.past.first().filter(|_| known_from.is_some()))),
            since => (since, None),
        }
    }
}
