//! A case that failed, as a small timeline: events, what came as expected, what did not; then the rule tree.

use crate::{Branch, Expected, Outcome};
use tzeva_model::Millis;

/// A line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// It tells what is wrong.
    pub wrong: bool,
    /// Text without colour.
    pub text: String,
}

/// Something on the timeline.
struct Mark {
    offset: Millis,
    wrong: bool,
    text: String,
}

/// The lines of an outcome, without its name.
#[must_use]
pub fn lines(outcome: &Outcome<'_>) -> Vec<Line> {
    let marks = marks(outcome);
    let offset = |mark: &Mark| mark.offset.to_string();
    let width = marks.iter().map(|mark| offset(mark).len()).max().unwrap_or(0);
    let mut lines: Vec<Line> = marks
        .iter()
        .map(|mark| {
            let sign = if mark.wrong { '!' } else { ' ' };
            let text = format!("{sign} {:<width$}  {}", offset(mark), mark.text);
            Line { wrong: mark.wrong, text }
        })
        .collect();
    let mut add = |wrong, text| lines.push(Line { wrong, text });
    for refused in &outcome.refused {
        add(true, format!("! refused: {refused}"));
    }
    if let Some(difference) = &outcome.difference {
        add(
            false,
            format!(
                "  at {} the visitor is {}, and the rule says",
                difference.offset, difference.stance
            ),
        );
        for branch in &difference.tree {
            let (truth, indent) =
                (if branch.holds { "yes" } else { "no " }, "  ".repeat(branch.depth));
            add(false, format!("    {truth}  {indent}{}{}", branch.words, span(branch)));
        }
    }
    lines
}

/// What happened and what should have, in order of time.
fn marks(outcome: &Outcome<'_>) -> Vec<Mark> {
    let told = outcome.case.events.iter();
    let mut marks: Vec<Mark> = told
        .map(|told| Mark { offset: told.offset, wrong: false, text: told.text.clone() })
        .collect();
    let mut missing: Vec<Expected> = outcome.case.expect.clone();
    for got in &outcome.got {
        let word = got.change.direction.word();
        let expected = missing.iter().position(|expected| *expected == got.change);
        let text = match expected {
            Some(place) => {
                missing.remove(place);
                format!("{word}, as expected")
            }
            None => format!("{word}, not expected: {} ({})", got.reason, got.place),
        };
        marks.push(Mark { offset: got.change.offset, wrong: expected.is_none(), text });
    }
    marks.extend(missing.iter().map(|expected| Mark {
        offset: expected.offset,
        wrong: true,
        text: format!("{} was expected, and did not come", expected.direction.word()),
    }));
    // Stable: of one instant events come first, then what came, then what did not.
    marks.sort_by_key(|mark| mark.offset);
    marks
}

/// Since when and until when a condition stands as it does, of those without parts.
fn span(branch: &Branch) -> String {
    match (branch.is_leaf, branch.since, branch.flips) {
        (true, Some(since), Some(flips)) => format!("  [{since} to {flips}]"),
        (true, Some(since), None) => format!("  [from {since}]"),
        (true, None, Some(flips)) => format!("  [to {flips}]"),
        _ => String::new(),
    }
}
