//! The generator makes everything that the language and a history can hold, and often enough that it decides something:
//! a construct that no case contains, or that never moves anybody in or out, is proven by nothing.
//!
//! `cargo test -p tzeva-oracle --test agreement -- coverage --nocapture` prints the table.

use crate::constructs::{Names, language, leaves, policies};
use std::collections::{BTreeMap, BTreeSet};
use tzeva_audience::{CheckSettings, Dose, RuleSet, SourceFile, compile};
use tzeva_cases::{Case, Move, case};
use tzeva_model::{
    Amount, Change, Currencies, EventId, Millis, Place, ReasonKind, UnixMillis, VisitorId,
};
use tzeva_oracle::Input;

const CASES: u64 = 20_000;
/// So many cases must contain a construct, and in so many it must decide a change.
const FLOOR: (u32, u32) = (100, 3);
/// What is shown by leaving it out takes many runs a case, so fewer cases.
const LEFT_OUT: u64 = 2_000;
const LEFT_OUT_FLOOR: (u32, u32) = (100, 5);

/// By construct: in how many cases it is, in how many it decided.
#[derive(Default)]
struct Table(BTreeMap<String, (u32, u32)>);

// === impl Table ===

impl Table {
    fn count(&mut self, contained: Names, decided: &Names) {
        for name in contained {
            let row = self.0.entry(name.clone()).or_default();
            row.0 += 1;
            row.1 += u32::from(decided.contains(&name));
        }
    }

    fn must_have(&self, names: &Names, floor: (u32, u32)) {
        for (name, (contained, decided)) in &self.0 {
            println!("{contained:>7} {decided:>7}  {name}");
        }
        let rare = |name: &&String| {
            let (contained, decided) = self.0.get(*name).copied().unwrap_or_default();
            contained < floor.0 || decided < floor.1
        };
        let rare: Vec<_> = names.iter().filter(rare).collect();
        assert!(rare.is_empty(), "met too seldom: {rare:?}");
    }
}

/// What a rule set is made of.
fn of_rules(rules: &RuleSet) -> Names {
    let audiences = rules.audiences.iter();
    audiences.flat_map(|one| leaves(one).into_iter().flatten().chain(policies(one))).collect()
}

/// What of the rules a change was decided by.
fn decided_by(case: &Case, change: &Change) -> Names {
    let activated = case.moves.iter().filter_map(|one| match one {
        Move::Activate(rules) => Some(&**rules),
        Move::Record(_) | Move::Clock(_) => None,
    });
    let mut audiences = activated.chain([&case.rules]).flat_map(|rules| &rules.audiences);
    let version = (change.audience, change.audience_version);
    let audience = audiences.find(|one| (one.name.id(), one.version) == version);
    let audience = audience.expect("a change is about an audience of the case");
    let policy = match change.reason.place {
        Place::Leaf(number) => return leaves(audience).remove(usize::from(number)),
        Place::ExitWhen => "exit_when",
        Place::EnterAfter => "enter_after",
        Place::ReenterAfter => "reenter_after",
        Place::AtLeast => "stay.at_least",
        Place::AtMost => "stay.at_most",
        Place::Enter | Place::Idle | Place::Audience => return Names::new(),
    };
    Names::from([policy.to_owned()])
}

#[test]
fn coverage_of_the_language() {
    let mut table = Table::default();
    for seed in 1..=CASES {
        let case = case(seed);
        let changes = case.expected();
        let decided = changes.iter().flat_map(|change| decided_by(&case, change)).collect();
        table.count(of_rules(&case.rules), &decided);
    }
    let names = language();
    table.must_have(&names, FLOOR);
    // Every clause has a file there, as CONTRIBUTING.md asks: so a new one is missed here until it is generated.
    for rules in written() {
        let strange: Vec<_> = of_rules(&rules).into_iter().filter(|n| !names.contains(n)).collect();
        assert!(strange.is_empty(), "the generator makes nothing like it: {strange:?}");
    }
}

/// The rule sets that ship and those that the compiler's tests accept.
fn written() -> Vec<RuleSet> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |folder: &str| -> Vec<SourceFile> {
        let entries = std::fs::read_dir(format!("{root}/{folder}")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let yaml = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        let file = |path: std::path::PathBuf| SourceFile {
            path: path.display().to_string(),
            text: std::fs::read_to_string(path).unwrap(),
        };
        yaml.map(file).collect()
    };
    let keep = ["page.path", "properties.color", "properties.size", "properties.new"];
    let settings = CheckSettings {
        require_paint: false,
        keep: keep.map(str::to_owned).to_vec(),
        ..CheckSettings::default()
    };
    let accepted = read("crates/audience/tests/accepted").into_iter().map(|file| vec![file]);
    let sets = accepted.chain([read("audiences/retail")]);
    let rules: Vec<_> = sets.filter_map(|files| compile(&files, &settings).rules).collect();
    assert!(rules.len() > 5, "most of them are read");
    rules
}

/// What a record is beside a plain one, from the record before it on.
fn kinds(case: &Case) -> Vec<(&Input, Names)> {
    let mut engine_time = UnixMillis::MIN;
    let mut told: BTreeMap<&VisitorId, Vec<(UnixMillis, &EventId)>> = BTreeMap::new();
    let mut last: Option<(UnixMillis, &VisitorId)> = None;
    let mut kinds = Vec::new();
    for step in &case.moves {
        let Move::Record(input) = step else {
            engine_time = engine_time.max(step.time());
            continue;
        };
        let (event, recorded) = (&input.event, input.record_time);
        let at = if case.settings.backtest {
            event.occurred_at
        } else {
            event.occurred_at.min(recorded)
        };
        let now = engine_time.max(recorded);
        let past = told.entry(&event.visitor).or_default();
        let is = [
            ("future", event.occurred_at > recorded),
            (
                "late",
                !case.settings.backtest && recorded - event.occurred_at > case.settings.late_after,
            ),
            ("out of order", past.iter().any(|(other, _)| *other > at)),
            ("tied in history", past.iter().any(|(other, _)| *other == at)),
            ("tied in engine time", last == Some((now, &event.visitor))),
            (
                "tied with another visitor",
                last.is_some_and(|(t, v)| t == now && *v != event.visitor),
            ),
            ("behind engine time", recorded < engine_time),
            ("backtest", case.settings.backtest),
            (
                "an id again at another instant",
                past.iter().any(|(t, id)| *id == &event.id && *t != at),
            ),
        ];
        let names = is.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect();
        past.push((at, &event.id));
        (engine_time, last) = (now, Some((now, &event.visitor)));
        kinds.push((&**input, names));
    }
    kinds
}

/// What a change shows beside what decided it.
fn shown(case: &Case, kinds: &[(&Input, Names)], change: &Change) -> Names {
    let mut names = Names::new();
    if let Some(cause) = &change.reason.cause {
        let is_cause = |input: &Input| {
            (&input.event.visitor, &input.event.id, input.event.occurred_at)
                == (&change.visitor, &cause.id, cause.time)
        };
        let causes = kinds.iter().filter(|(input, _)| is_cause(input));
        names.extend(causes.flat_map(|(_, names)| names.clone()));
    }
    let places = [
        ("by enter as a whole", change.reason.place == Place::Enter),
        ("by exit_when as a whole", change.reason.place == Place::ExitWhen),
        ("by an event", change.reason.kind == ReasonKind::Event),
        ("by time alone", change.reason.kind == ReasonKind::Deadline),
        ("forgotten", change.reason.kind == ReasonKind::Forgotten),
        ("not exact", !change.reason.exact),
        ("three of evidence", change.reason.evidence.len() == 3),
        ("long history", case.moves.len() > 40),
    ];
    names.extend(places.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()));
    names
}

#[test]
fn coverage_of_histories() {
    let mut table = Table::default();
    for seed in 1..=CASES {
        let case = case(seed);
        let kinds = kinds(&case);
        let decided: Names =
            case.expected().iter().flat_map(|change| shown(&case, &kinds, change)).collect();
        let contained: Names = kinds.iter().flat_map(|(_, names)| names.clone()).collect();
        table.count(&contained | &decided, &decided);
    }
    table.must_have(&HISTORY.iter().map(|&name| name.to_owned()).collect(), FLOOR);
    // It takes two events of one instant, one of which undoes what the other did.
    assert!(table.0.contains_key("by exit_when as a whole"));
}

const HISTORY: [&str; 16] = [
    "future",
    "late",
    "out of order",
    "tied in history",
    "tied in engine time",
    "tied with another visitor",
    "behind engine time",
    "backtest",
    "an id again at another instant",
    "by enter as a whole",
    "by an event",
    "by time alone",
    "forgotten",
    "not exact",
    "three of evidence",
    "long history",
];

/// A way to leave something out of a case.
type LeaveOut = fn(&mut Case);

/// Whatever is told by what is missing without it.
const PARTS: [(&str, LeaveOut); 17] = [
    ("max_strokes", |case| case.settings.max_strokes = 10_000),
    ("max_cells", |case| case.settings.max_cells = 10_000),
    ("max_items", |case| case.settings.max_items = 10_000),
    ("max_total_items", |case| case.settings.max_total_items = 10_000),
    ("max_age", |case| case.settings.max_age = Millis::new(10_000)),
    ("idle", |case| case.settings.idle = Millis::new(20_000)),
    ("late_after", |case| case.settings.late_after = Millis::new(10_000)),
    ("a home currency", |case| case.settings.currencies = Currencies::default()),
    ("a rate", |case| case.settings.currencies.rates.clear()),
    ("a currency", |case| records(case, |input, _| input.event.currency = None)),
    ("forget_below", |case| case.rules.paint.forget_below = 0.0),
    ("falloff", |case| case.rules.paint.falloff.category = 1.0),
    ("clear", |case| doses(case, |dose| dose.is_none_or(|dose| dose != Dose::Clear))),
    ("paint", |case| doses(case, |dose| dose.is_none_or(|dose| dose == Dose::Clear))),
    ("negative amounts", |case| {
        records(case, |input, _| {
            input.event.revenue = input.event.revenue.map(|r| r.max(Amount::ZERO));
        });
    }),
    ("duplicates", |case| {
        records(case, |input, n| input.event.id = EventId::new(&format!("n{n}")));
    }),
    ("clock", |case| case.moves.retain(|step| matches!(step, Move::Record(_)))),
];

fn records(case: &mut Case, edit: impl Fn(&mut Input, usize)) {
    for (number, step) in case.moves.iter_mut().enumerate() {
        if let Move::Record(input) = step {
            edit(input, number);
        }
    }
}

fn doses(case: &mut Case, keep: impl Fn(Option<Dose>) -> bool) {
    for event in &mut case.rules.paint.events {
        for dose in [&mut event.shop, &mut event.brand, &mut event.category, &mut event.product] {
            *dose = dose.filter(|dose| keep(Some(*dose)));
        }
    }
}

#[test]
fn coverage_of_limits_and_paint() {
    let mut table = Table::default();
    // Of a change only what and when: an id that was replaced would show in every cause.
    let told = |case: &Case| -> Vec<_> {
        let changes = case.expected();
        changes
            .into_iter()
            .map(|c| (c.effective_at, c.visitor, c.audience, c.direction, c.origin))
            .collect()
    };
    for seed in 1..=LEFT_OUT {
        let whole = case(seed);
        let changes = told(&whole);
        let (mut contained, mut decided) = (Names::new(), BTreeSet::new());
        for (name, leave_out) in PARTS {
            let mut without = whole.clone();
            leave_out(&mut without);
            if without != whole {
                contained.insert(name.to_owned());
                if told(&without) != changes {
                    decided.insert(name.to_owned());
                }
            }
        }
        table.count(contained, &decided);
    }
    table.must_have(&PARTS.iter().map(|(name, _)| (*name).to_owned()).collect(), LEFT_OUT_FLOOR);
}
