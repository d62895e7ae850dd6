//! Cases through the engine: each is a visitor of its own, all in one run on one virtual clock.
//!
//! Visitors don't meet, so a thousand cases cost one compilation of the rules. A case that fails is run once more by
//! itself, up to the instant at which it first differs, to look at the audience as it stands there.

use crate::BEGINNING;
use crate::read::{Case, Expected, Trial};
use crate::tree::{Branch, Stance, branches};
use std::sync::Arc;
use tzeva_audience::RuleSet;
use tzeva_engine::{Draft, Engine, Settings, explain};
use tzeva_model::{Change, Event, Millis, NameId, NameKind, ReasonKind, UnixMillis, VisitorId};

/// What became of a case.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// Its audience's name.
    pub audience: &'a str,
    /// The case.
    pub case: &'a Case,
    /// The audience's changes up to `until`, inclusive.
    pub got: Vec<Happened>,
    /// What time alone brings after `until`: the first change.
    pub goes_on: Option<Happened>,
    /// Events that the engine refused, each with why.
    pub refused: Vec<String>,
    /// All came as expected, and nothing else.
    pub passed: bool,
    /// Where it first differs from what is expected; `None` if it passed, or if nobody is there yet.
    pub difference: Option<Difference>,
}

/// A change that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When, and which way.
    pub change: Expected,
    /// Why, in one sentence.
    pub reason: String,
    /// The place in the audience's file that decided, as a path.
    pub place: String,
}

/// The first instant at which a case differs, and how the audience stands there, with all of that instant decided.
#[derive(Debug)]
pub struct Difference {
    /// When, from the beginning.
    pub offset: Millis,
    /// The conditions, with their truth.
    pub tree: Vec<Branch>,
    /// What the audience remembers of the visitor.
    pub stance: Stance,
}

/// What happens in a case, while the run goes on.
struct Running<'a> {
    audience: &'a str,
    id: NameId,
    case: &'a Case,
    changes: Vec<Change>,
    refused: Vec<String>,
}

/// Runs all cases. `settings` are those of the engine; nothing is clamped or late, as in a backtest.
///
/// An audience that `rules` don't have makes its cases expect what never comes; `read` refuses it.
#[must_use]
pub fn run<'a>(rules: &Arc<RuleSet>, settings: &Settings, trials: &'a [Trial]) -> Vec<Outcome<'a>> {
    let settings = Settings { backtest: true, ..settings.clone() };
    let mut running: Vec<Running<'a>> = trials.iter().flat_map(cases).collect();
    let mut events: Vec<(UnixMillis, usize, &Event)> = Vec::new();
    for (number, one) in running.iter().enumerate() {
        let told = one.case.events.iter();
        events.extend(told.map(|told| (told.instant(), number, &told.event)));
    }
    // Stable: what a case tells of one instant stays in its order.
    events.sort_by_key(|(at, ..)| *at);
    let mut engine = Engine::new(Arc::clone(rules), settings.clone(), BEGINNING);
    for (at, number, event) in events {
        let refused = take(&mut engine, at, (number, event), &mut running);
        running[number].refused.extend(refused);
    }
    let mut draft = Draft::default();
    engine.fire_until(UnixMillis::MAX, &mut draft);
    hand_out(draft, &mut running);
    running.into_iter().map(|one| one.outcome(rules, (&settings, &engine))).collect()
}

fn cases<'a>(trial: &'a Trial) -> impl Iterator<Item = Running<'a>> {
    let id = NameId::of(NameKind::Audience, &trial.audience);
    trial.cases.iter().map(move |case| Running {
        audience: &trial.audience,
        id,
        case,
        changes: Vec::new(),
        refused: Vec::new(),
    })
}

/// Decides an event of a case, and hands out what came of it and of time up to there; answers why it was refused.
fn take(
    engine: &mut Engine,
    at: UnixMillis,
    (number, event): (usize, &Event),
    running: &mut [Running<'_>],
) -> Option<String> {
    let mut draft = Draft::default();
    engine.fire_until(at, &mut draft);
    let event = Event { visitor: visitor(number), ..event.clone() };
    if !engine.holds(&event.visitor) {
        engine.load(event.visitor.clone(), None);
    }
    let outcome = engine.take(at, &event, &mut draft);
    hand_out(draft, running);
    match outcome {
        tzeva_model::Outcome::Rejected(rejection) => {
            Some(format!("{} {}: {rejection}", at - BEGINNING, event.name.text()))
        }
        _ => None,
    }
}

/// Gives each case the changes of its audience.
fn hand_out(draft: Draft, running: &mut [Running<'_>]) {
    for change in draft.changes {
        let number: Option<usize> = change.visitor.as_str().parse().ok();
        if let Some(one) = number.and_then(|number| running.get_mut(number))
            && one.id == change.audience
        {
            one.changes.push(change);
        }
    }
}

/// The visitor of a case: its number.
fn visitor(number: usize) -> VisitorId {
    #[expect(clippy::expect_used, reason = "digits are an id")]
    VisitorId::try_new(&number.to_string()).expect("digits are an id")
}

// === impl Running ===

impl<'a> Running<'a> {
    fn outcome(self, rules: &Arc<RuleSet>, given: (&Settings, &Engine)) -> Outcome<'a> {
        let until = BEGINNING + self.case.until;
        let end = self.changes.partition_point(|change| change.effective_at <= until);
        let (got, later) = self.changes.split_at(end);
        let goes_on = later.iter().find(|change| change.reason.kind != ReasonKind::Forgotten);
        let got: Vec<Happened> = got.iter().map(|change| happened(rules, change)).collect();
        let offset = differs(&self.case.expect, &got);
        Outcome {
            audience: self.audience,
            case: self.case,
            goes_on: goes_on.map(|change| happened(rules, change)),
            difference: offset.and_then(|offset| self.difference(rules, given, offset)),
            got,
            passed: offset.is_none() && self.refused.is_empty(),
            refused: self.refused,
        }
    }

    /// Runs the case up to and including `offset`, and looks.
    fn difference(
        &self,
        rules: &Arc<RuleSet>,
        (settings, engine): (&Settings, &Engine),
        offset: Millis,
    ) -> Option<Difference> {
        let place = rules.audiences.iter().position(|audience| audience.name.id() == self.id)?;
        let now = BEGINNING + offset;
        let mut engine = engine.afresh(BEGINNING);
        for told in self.case.events.iter().take_while(|told| told.offset <= offset) {
            take(&mut engine, told.instant(), (0, &told.event), &mut []);
        }
        let visitor = visitor(0);
        let profile = engine.profile(&visitor)?.clone();
        let explained = explain(rules, settings, (&visitor, profile), place, now)?;
        let tree = branches(&rules.audiences[place], &explained);
        Some(Difference { offset, tree, stance: Stance::of(explained.state) })
    }
}

/// Where the first difference lies.
fn differs(expect: &[Expected], got: &[Happened]) -> Option<Millis> {
    let longest = expect.len().max(got.len());
    (0..longest).find_map(|place| {
        let (want, have) = (expect.get(place), got.get(place).map(|got| &got.change));
        if want == have {
            return None;
        }
        [want, have].into_iter().flatten().map(|change| change.offset).min()
    })
}

fn happened(rules: &RuleSet, change: &Change) -> Happened {
    let audience = rules.audiences.iter().find(|audience| audience.name.id() == change.audience);
    Happened {
        change: Expected { offset: change.effective_at - BEGINNING, direction: change.direction },
        reason: tzeva_phrase::sentence(rules, change, &|_| None),
        place: audience.map_or_else(String::new, |audience| audience.path(change.reason.place)),
    }
}
