//! The engine and the oracle agree, change by change and reason by reason, on random rules over random histories; and
//! the engine agrees with itself however a run is split.
//!
//! `TZEVA_CASES=N` runs N cases (default 10,000), `TZEVA_SEED=N` begins at another seed. A case that fails is shrunk and
//! printed; put it into `regressions/`, where every case is run for ever.
#![cfg(test)]

mod constructs;
mod coverage;
mod subject;

use std::panic::{AssertUnwindSafe, catch_unwind};
use tzeva_cases::{Case, Move, case, read, shrink, write, write_change};
use tzeva_model::{Change, Origin, ReasonKind};

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    changes: usize,
    /// Those that an activation made.
    by_rules: usize,
    /// Those that a sweep made of what time had done since an activation.
    overdue: usize,
}

// === impl Compared ===

impl Compared {
    fn add(&mut self, more: &Self) {
        self.changes += more.changes;
        self.by_rules += more.by_rules;
        self.overdue += more.overdue;
    }
}

/// What is wrong with a case, if anything is.
fn verdict(case: &Case) -> Result<Compared, String> {
    let expected = case.expected();
    let run = |go: &dyn Fn() -> subject::Outcome| {
        catch_unwind(AssertUnwindSafe(go)).map_err(|_| "the engine panicked".to_owned())
    };
    let whole = run(&|| subject::whole(case))?;
    // Across visitors the order of a sweep is free.
    let rules_change = case.moves.iter().any(|step| matches!(step, Move::Activate(_)));
    let agree = |one: &[Change], other: &[Change]| match rules_change {
        true => subject::by_visitor(one) == subject::by_visitor(other),
        false => one == other,
    };
    if !agree(&whole.changes, &expected) {
        return Err(difference("the oracle", &expected, "the engine", &whole.changes));
    }
    let of_rules =
        |changes: &[Change]| changes.iter().filter(|c| c.origin == Origin::Rules).count();
    let kinds = [ReasonKind::Rules, ReasonKind::AudienceRemoved];
    let by_rules = expected.iter().filter(|change| kinds.contains(&change.reason.kind)).count();
    if of_rules(&whole.changes) != by_rules {
        return Err("whoever is met at once meets nothing late".to_owned());
    }
    let mut compared = Compared { changes: expected.len(), by_rules, overdue: 0 };
    for seed in 0..2 {
        let split = run(&|| subject::split(case, seed))?;
        if !agree(&split.changes, &whole.changes) {
            return Err(difference("whole", &whole.changes, "split", &split.changes));
        }
        compared.overdue += of_rules(&split.changes) - by_rules;
        if split.profiles != whole.profiles {
            let (whole, split) = (&whole.profiles, &split.profiles);
            return Err(format!("whole leaves\n{whole:#?}\nsplit leaves\n{split:#?}"));
        }
    }
    Ok(compared)
}

fn difference(one: &str, ones: &[Change], other: &str, others: &[Change]) -> String {
    let lines = |changes: &[Change]| {
        changes.iter().map(|c| format!("  {}\n", write_change(c))).collect::<String>()
    };
    format!("{one} says\n{}{other} says\n{}", lines(ones), lines(others))
}

/// A number from the environment, so that a night can run more and a failure can be run again.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_case_reads_back_as_it_was_written() {
    for seed in 0..500 {
        let case = case(seed);
        assert_eq!(read(&write(&case)), case, "seed {seed}");
    }
}

#[test]
fn engine_and_oracle_agree_on_random_cases() {
    let (first, cases) = (number("TZEVA_SEED", 1), number("TZEVA_CASES", 10_000));
    let mut compared = Compared::default();
    for seed in first..first + cases {
        let case = case(seed);
        match verdict(&case) {
            Ok(more) => compared.add(&more),
            Err(_) => {
                let small = shrink(case, &|case| verdict(case).is_err());
                let why = verdict(&small).unwrap_err();
                panic!("seed {seed}, shrunk:\n{}\n{why}", write(&small));
            }
        }
    }
    println!("seeds {first} to {}: {compared:?}", first + cases - 1);
    let cases = usize::try_from(cases).unwrap();
    let Compared { changes, by_rules, overdue } = compared;
    assert!(changes > cases && by_rules > cases / 10 && overdue > cases / 50, "they say little");
}

#[test]
fn what_once_failed_agrees() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agreement/regressions");
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case = read(&std::fs::read_to_string(&path).unwrap());
        if let Err(why) = verdict(&case) {
            panic!("{}:\n{}\n{why}", path.display(), write(&case));
        }
        cases += 1;
    }
    assert!(cases > 0, "there are regressions");
}
