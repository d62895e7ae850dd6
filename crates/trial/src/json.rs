//! What came of the tests, for programs.

use crate::{Difference, Expected, Happened, Outcome};
use serde_json::{Value, json};
use std::time::Duration;
use tzeva_model::Millis;

/// Every case with what was expected and what came. `took` is how long all of them took.
#[must_use]
pub fn json(outcomes: &[Outcome<'_>], took: Duration) -> Value {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    json!({
        "ok": failed == 0,
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
        "failed": failed,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn case(outcome: &Outcome<'_>) -> Value {
    json!({
        "audience": outcome.audience,
        "name": outcome.case.name,
        "place": outcome.case.place,
        "passed": outcome.passed,
        "expected": outcome.case.expect.iter().map(expected).collect::<Vec<_>>(),
        "got": outcome.got.iter().map(happened).collect::<Vec<_>>(),
        "goes_on": outcome.goes_on.as_ref().map(happened),
        "refused": outcome.refused,
        "difference": outcome.difference.as_ref().map(difference),
    })
}

fn expected(expected: &Expected) -> Value {
    json!({ "after": expected.offset.to_string(), "change": expected.direction.word() })
}

fn happened(happened: &Happened) -> Value {
    let mut value = expected(&happened.change);
    value["text"] = happened.reason.as_str().into();
    value["leaf"] = happened.place.as_str().into();
    value
}

/// The rule's tree as lines with their depth, in the order of the file.
fn difference(difference: &Difference) -> Value {
    let text = |offset: Option<Millis>| offset.map(|offset| offset.to_string());
    let branches = difference.tree.iter().map(|branch| {
        json!({
            "depth": branch.depth,
            "words": branch.words,
            "holds": branch.holds,
            "since": text(branch.since),
            "flips": text(branch.flips),
        })
    });
    json!({
        "after": difference.offset.to_string(),
        "stance": difference.stance.to_string(),
        "tree": branches.collect::<Vec<_>>(),
    })
}
