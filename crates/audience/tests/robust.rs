//! Nothing that a file holds makes the compiler panic or lose itself: random bytes, random YAML, mutated rule files,
//! and large files made to be slow.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that ship")]

use proptest::prelude::*;
use std::path::Path;
use tzeva_audience::{CheckSettings, Compiled, Severity, SourceFile, compile};

const MEBIBYTE: usize = 1024 * 1024;

fn compiled(text: &str) -> Compiled {
    let file = SourceFile { path: "x.yaml".into(), text: text.to_owned() };
    compile(&[file], &CheckSettings::default())
}

/// Compiles, and checks what holds of everything that comes out.
fn survives(text: &str) {
    let compiled = compiled(text);
    let refused = compiled.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(compiled.rules.is_none(), refused);
    assert!(compiled.problems.len() <= 2_002);
    let lines = text.matches('\n').count() + 1;
    for problem in &compiled.problems {
        let shown = problem.to_string();
        assert!(shown.len() < 4_000, "{shown}");
        assert!(problem.line <= lines, "{shown}");
    }
    for audience in compiled.rules.iter().flat_map(|rules| &rules.audiences) {
        assert!(!audience.leaves().is_empty());
    }
}

/// Everything that ships or is tested, as seeds.
fn seeds() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/accepted", "tests/refused", "../../audiences/retail"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(here.join(folder)).unwrap());
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let yaml = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let texts = yaml.map(|path| std::fs::read_to_string(path).unwrap());
    texts.filter(|text| text.len() < 2_000).collect()
}

/// Words of the language and of YAML.
const WORDS: [&str; 40] = [
    "audience: ",
    "enter: ",
    "event: ",
    "name: ",
    "all: ",
    "any: ",
    "not: ",
    "last: ",
    "is: ",
    "interest: ",
    "tag: ",
    "shop",
    "within: ",
    "3d",
    "count: ",
    "\">= 3\"",
    ">= 3",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "{ ",
    " }",
    "[",
    "]",
    ", ",
    "---\n",
    "...\n",
    "'",
    "\"",
    "&a ",
    "*a",
    "!x ",
    "|\n",
    "? ",
    "#",
    "paint: ",
    "\t",
    "שלום",
    "where: ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(text in "\\PC{0,300}") {
        survives(&text);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_words_never_panic(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..60)) {
        survives(&words.concat());
    }

    #[test]
    fn mutated_rule_files_never_panic(
        pick in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..6usize, prop::sample::select(&WORDS[..])), 1..4),
    ) {
        let seeds = seeds();
        let mut text: Vec<char> = pick.get(&seeds).chars().collect();
        for (at, removed, inserted) in cuts {
            let from = at.index(text.len() + 1);
            let to = (from + removed).min(text.len());
            text.splice(from..to, inserted.chars());
        }
        survives(&text.into_iter().collect::<String>());
    }
}

/// Files at the bound that make a careless reader slow or hungry. Each ends within seconds; a quadratic reader would
/// need hours, so the test needs no clock.
#[test]
fn large_hostile_files_end() {
    let repeat = |part: &str| part.repeat((2 * MEBIBYTE) / part.len());
    for text in [
        repeat("- "),
        repeat("? "),
        repeat("["),
        repeat("{a: "),
        repeat("[],"),
        repeat("a: 1\n"),
        repeat("---\n"),
        repeat("--- a\n"),
        repeat("# c\n"),
        repeat("%D x\n"),
        repeat("&a "),
        repeat("!t "),
        repeat("\t"),
        repeat(" "),
        repeat("\n"),
        format!("audience: \"{}", repeat("a\n ")),
        format!("audience: {}", repeat("a\n ")),
        format!("audience: |\n{}", repeat(" a\n")),
        format!("{{{}}}", repeat("k: 1, ")),
        format!("audience: a\nenter: {{ all: [{}] }}", repeat("{event: {name: x}}, ")),
        format!(
            "audience: a\nenter: {{ event: {{ name: x, where: {{ product: [{}] }} }} }}",
            repeat("p, ")
        ),
        format!("audience: a\nlabels: {{{}}}", repeat("k: 1, ")),
        format!("audience: {}", repeat("🛒")),
        format!("audience: a\nenter: {{ event: {{ name: {} }} }}", repeat("aB")),
        format!("audience: a\nenter: {{ event: {{ name: x, count: \"{}\" }} }}", repeat("9")),
        format!("audience: a\nenter: {{ event: {{ name: x, within: {} }} }}", repeat("1h")),
        format!(
            "audience: a\nenter: {{ interest: {{ tag: category/{}, is: \">= 1\" }} }}",
            repeat("a/")
        ),
    ] {
        survives(&text);
    }
}

/// As many audiences as there may be, in one chain, one circle, or all `in` nobody. A reader that looked for each name in
/// a list would need minutes.
#[test]
fn fifty_thousand_audiences_that_are_in_each_other_end() {
    const MOST: usize = 50_000;
    let set = |of: &dyn Fn(usize) -> String| -> Compiled {
        let one = |n: usize| format!("---\naudience: a{n:05}\nenter: {}\n", of(n));
        let text = (0..MOST).map(one).collect();
        let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
        compile(&[SourceFile { path: "x.yaml".into(), text }], &settings)
    };
    let event = "{ event: { name: x } }";
    let chain = set(&|n| match n + 1 {
        MOST => event.to_owned(),
        next => format!("{{ in: a{next:05} }}"),
    });
    let order = chain.rules.unwrap().audiences;
    assert_eq!((order.len(), order[0].name.text()), (MOST, "a49999"));
    let circle = set(&|n| format!("{{ in: a{:05} }}", (n + 1) % MOST));
    assert_eq!(circle.problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["cyclic_in"]);
    let nobody = set(&|n| format!("{{ in: a{n:05}x }}"));
    assert_eq!(nobody.problems[0].help.as_deref(), Some("did you mean `a00000`?"));
    assert_eq!(nobody.problems[900].code, "unknown_audience");
}

#[test]
fn a_file_over_the_bound_is_refused_unread() {
    let compiled = compiled(&" ".repeat(10 * MEBIBYTE + 1));
    assert_eq!(compiled.problems[0].code, "too_large");
}
