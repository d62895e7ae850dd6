//! `tzeva audience problem CODE`: the section of the reference on a refusal or warning, without a network.

use crate::exit::Exit;
use crate::out;
use clap::builder::PossibleValuesParser;
use tzeva_audience::{Code, Problem};

/// How many codes are named after problems.
const NAMED: usize = 4;

/// Arguments of `tzeva audience problem`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Codes, as in `error[unknown_key]`; left out: all of them, a line each.
    #[arg(value_name = "CODE", value_parser = PossibleValuesParser::new(Code::ALL.iter().map(|code| code.word())), hide_possible_values = true)]
    codes: Vec<String>,
}

pub(super) fn run(args: &Args) -> Exit {
    if args.codes.is_empty() {
        let rows: Vec<Vec<String>> =
            Code::ALL.iter().map(|code| vec![code.word().into(), code.meaning().into()]).collect();
        out::table(&["code", "means"], &rows);
    }
    for code in Code::ALL.iter().filter(|code| args.codes.iter().any(|word| word == code.word())) {
        out::line(code.section());
    }
    Exit::Fine
}

/// Where to read more of what has been told.
pub(super) fn hint(problems: &[Problem]) -> Option<String> {
    let mut codes: Vec<&str> = Vec::new();
    for problem in problems {
        if !codes.contains(&problem.code) {
            codes.push(problem.code);
        }
    }
    codes.truncate(NAMED);
    (!codes.is_empty()).then(|| format!("more on this: tzeva audience problem {}", codes.join(" ")))
}
