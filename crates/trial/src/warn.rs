//! What to say of cases that passed or failed all the same: where they end too early, and what nobody tests.

use crate::read::Trial;
use crate::run::Outcome;
use tzeva_audience::RuleSet;
use tzeva_script::{Code, Problem, Report, SourceFile};

/// How many audiences without a test are named.
const NAMED: usize = 10;

/// A warning for each case that time goes on changing after its end, sorted by place.
#[must_use]
pub fn endings(files: &[SourceFile], outcomes: &[Outcome<'_>]) -> Vec<Problem> {
    let mut report = Report::new(SourceFile::sorted(files));
    for outcome in outcomes {
        let Some(later) = &outcome.goes_on else { continue };
        let (word, offset) = (later.change.direction.word(), later.change.offset);
        let message = format!(
            "this case ends at {}, but time alone goes on: {word} at {offset}, as {}",
            outcome.case.until, later.reason
        );
        let help =
            format!("expect `{offset} {word}`, or a later `until` that shows it doesn't matter");
        report.refuse(Code::GoesOn, outcome.case.at, message, &help);
    }
    report.close();
    report.finish()
}

/// A warning if some audiences have no test.
#[must_use]
pub fn untested(rules: &RuleSet, trials: &[Trial]) -> Vec<Problem> {
    let tested =
        |name: &str| trials.iter().any(|trial| trial.audience == name && !trial.cases.is_empty());
    let names = rules.audiences.iter().map(|audience| audience.name.text());
    let names: Vec<_> = names.filter(|name| !tested(name)).collect();
    let more = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let message = match (names.len(), more) {
        (0, _) => return Vec::new(),
        (1, _) => format!("`{shown}` has no test"),
        (count, 0) => format!("{count} audiences have no test: {shown}"),
        (count, more) => format!("{count} audiences have no test: {shown} and {more} more"),
    };
    let mut report = Report::new(Vec::new());
    let help = "write what a visitor does and what should come of it: docs/language, \"Tests\"";
    report.whole(Code::Untested, message, Some(help.to_owned()));
    report.finish()
}
