//! What is refused as never true, or never false, really is: held against every small history.

use proptest::prelude::*;
use tzeva_audience::{CheckSettings, Compiled, SourceFile, compile};
use tzeva_model::Millis;

/// How long history is kept, in ms: short, so that all histories can be tried.
const MAX_AGE: u64 = 8;

/// A statement, as text and as a plain meaning over (ages of x, newest first; age of the last y; score).
#[derive(Clone, Debug)]
enum Said {
    Count { sign: &'static str, k: usize, within: Option<u64>, after_y: bool },
    Last { at_least: bool, ago: u64 },
    Interest { at_least: bool, threshold: u32 },
}

/// One history: the ages of events x, the age of the last y if any, and the score of the tag.
struct History {
    x: Vec<u64>,
    y: Option<u64>,
    score: u32,
}

impl Said {
    fn text(&self) -> String {
        match self {
            Self::Count { sign, k, within, after_y } => {
                let within = within.map_or(String::new(), |w| format!(", within: {w}ms"));
                let after = if *after_y { ", after: last y" } else { "" };
                format!("{{ event: {{ name: x, count: '{sign} {k}'{within}{after} }} }}")
            }
            Self::Last { at_least, ago } => {
                let sign = if *at_least { ">=" } else { "<" };
                format!("{{ last: {{ event: x, is: '{sign} {ago}ms ago' }} }}")
            }
            Self::Interest { at_least, threshold } => {
                let sign = if *at_least { ">=" } else { "<" };
                format!("{{ interest: {{ tag: shop, is: '{sign} {threshold}' }} }}")
            }
        }
    }

    fn holds(&self, history: &History) -> bool {
        match self {
            Self::Count { sign, k, within, after_y } => {
                let window = within.unwrap_or(MAX_AGE).min(MAX_AGE);
                let after = history.y.filter(|_| *after_y);
                let counted = |age: &&u64| **age < window && after.is_none_or(|y| **age < y);
                let count = history.x.iter().filter(counted).count();
                match *sign {
                    ">=" => count >= *k,
                    ">" => count > *k,
                    "<=" => count <= *k,
                    "<" => count < *k,
                    _ => count == *k,
                }
            }
            Self::Last { at_least, ago } => {
                history.x.iter().min().is_some_and(|age| (age >= ago) == *at_least)
            }
            Self::Interest { at_least, threshold } => (history.score >= *threshold) == *at_least,
        }
    }
}

fn statement() -> impl Strategy<Value = Said> {
    let sign = prop::sample::select(&[">=", ">", "<=", "<", "="][..]);
    prop_oneof![
        (sign, 0..4usize, prop::option::of(1..=MAX_AGE), any::<bool>())
            .prop_map(|(sign, k, within, after_y)| Said::Count { sign, k, within, after_y }),
        (any::<bool>(), 1..MAX_AGE).prop_map(|(at_least, ago)| Said::Last { at_least, ago }),
        (any::<bool>(), 1..4u32)
            .prop_map(|(at_least, threshold)| Said::Interest { at_least, threshold }),
    ]
}

/// Every set of instants, each with one to four events, crossed with a few y and scores.
fn histories() -> impl Iterator<Item = History> {
    (0u32..4 << MAX_AGE).flat_map(|bits| {
        let at = (0..MAX_AGE).filter(move |age| bits >> age & 1 == 1);
        let times = usize::try_from(bits >> MAX_AGE).unwrap_or_default() + 1;
        let x: Vec<u64> = at.flat_map(|age| std::iter::repeat_n(age, times)).collect();
        [None, Some(0), Some(3), Some(7)].into_iter().flat_map(move |y| {
            let x = x.clone();
            (0..5u32).map(move |score| History { x: x.clone(), y, score })
        })
    })
}

fn compiled(word: &str, said: &[(Said, bool)]) -> Compiled {
    let items = said.iter().map(|(said, upright)| match upright {
        true => said.text(),
        false => format!("{{ not: {} }}", said.text()),
    });
    let list = items.collect::<Vec<_>>().join(", ");
    let text = format!("audience: a\nenter: {{ {word}: [{list}] }}\n");
    let settings = CheckSettings {
        max_age: Millis::new(MAX_AGE.cast_signed()),
        idle: Millis::new(MAX_AGE.cast_signed()),
        require_paint: false,
        ..CheckSettings::default()
    };
    compile(&[SourceFile { path: "a.yaml".into(), text }], &settings)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_conjunction_is_refused_only_if_no_history_meets_it(
        said in prop::collection::vec((statement(), any::<bool>()), 1..4),
    ) {
        let compiled = compiled("all", &said);
        let met = histories().any(|h| said.iter().all(|(said, up)| said.holds(&h) == *up));
        let refused = compiled.problems.iter().any(|p| p.code == "never_true" && p.message.contains("together"));
        prop_assert!(!(refused && met), "{said:?}");
        let never = compiled.problems.iter().any(|p| p.code.starts_with("never"));
        prop_assert!(met || never || said.len() > 1, "a leaf alone is never true: {said:?}");
    }

    #[test]
    fn a_disjunction_is_refused_only_if_every_history_meets_it(
        said in prop::collection::vec((statement(), any::<bool>()), 2..4),
    ) {
        let compiled = compiled("any", &said);
        let missed = histories().any(|h| said.iter().all(|(said, up)| said.holds(&h) != *up));
        let refused = compiled.problems.iter().any(|p| p.code == "never_false" && p.message.contains("complete"));
        prop_assert!(!(refused && missed), "{said:?}");
    }

    #[test]
    fn opposite_bounds_of_one_feature_are_always_found(said in statement()) {
        let pair = [(said.clone(), true), (said.clone(), false)];
        for (word, code) in [("all", "never_true"), ("any", "never_false")] {
            let codes: Vec<_> = compiled(word, &pair).problems.iter().map(|p| p.code).collect();
            // A leaf that can't flip at all is refused alone.
            prop_assert!(codes.contains(&code) || codes.iter().any(|c| c.starts_with("never")), "{codes:?}");
        }
    }
}
