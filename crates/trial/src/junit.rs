//! Results as JUnit XML, which build servers read.

use crate::Outcome;
use crate::timeline::lines;
use std::fmt::Write;
use std::time::Duration;
use tzeva_script::{Problem, Severity};

/// The whole file: a suite an audience. `took` is how long all of them took.
#[must_use]
pub fn xml(outcomes: &[Outcome<'_>], took: Duration) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let (tests, seconds) = (outcomes.len(), took.as_secs_f64());
    // Writing to a text can't fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"tzeva audience test\" tests=\"{tests}\" failures=\"{failures}\" time=\"{seconds:.3}\">"
    );
    for suite in outcomes.chunk_by(|a, b| a.audience == b.audience) {
        let (name, tests) = (escaped(suite[0].audience), suite.len());
        let failures = suite.iter().filter(|outcome| !outcome.passed).count();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">"
        );
        suite.iter().for_each(|outcome| case(&mut text, outcome));
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// The file of a run that came to no test, since rules or tests are refused: each refusal is an error. Without it a
/// build server would go on showing the results of the run before.
#[must_use]
pub fn xml_of_refusals(problems: &[Problem]) -> String {
    let refused = || problems.iter().filter(|problem| problem.severity == Severity::Error);
    let count = refused().count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"tzeva audience test\" tests=\"{count}\" errors=\"{count}\">\n  \
         <testsuite name=\"rules and tests\" tests=\"{count}\" errors=\"{count}\">\n"
    );
    for problem in refused() {
        let (code, message) = (problem.code, escaped(&problem.message));
        let place = match problem.line {
            0 => "all files".to_owned(),
            line => escaped(&format!("{}:{line}:{}", problem.file, problem.column)),
        };
        let whole = escaped(&problem.to_string());
        let _ = writeln!(
            text,
            "    <testcase classname=\"{code}\" name=\"{place}\">\n      \
             <error message=\"{message}\">\n{whole}      </error>\n    </testcase>"
        );
    }
    text + "  </testsuite>\n</testsuites>\n"
}

fn case(text: &mut String, outcome: &Outcome<'_>) {
    let (audience, name) = (escaped(outcome.audience), escaped(&outcome.case.name));
    let _ = write!(text, "    <testcase classname=\"{audience}\" name=\"{name}\"");
    if outcome.passed {
        *text += "/>\n";
        return;
    }
    let lines = lines(outcome);
    let first = lines.iter().find(|line| line.wrong).map_or("", |line| &line.text);
    let message = escaped(first.trim_start_matches('!').trim_start());
    let _ = writeln!(text, ">\n      <failure message=\"{message}\">");
    let _ = writeln!(text, "{}", escaped(&outcome.case.place));
    for line in lines {
        let _ = writeln!(text, "{}", escaped(&line.text));
    }
    *text += "      </failure>\n    </testcase>\n";
}

/// Text that XML takes: five signs escaped, what no XML may hold left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            '\t' | '\n' | '\r' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => escaped.push(c),
        }
    }
    escaped
}
