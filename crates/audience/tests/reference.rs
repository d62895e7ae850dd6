//! The reference tells of all that can be said, and its examples compile.

use std::collections::BTreeSet;
use tzeva_audience::{Chapter, CheckSettings, Compiled, SourceFile, Topic, compile, reference};

fn compiled(text: &str) -> Compiled {
    let keep = ["page.path", "properties.color"].map(str::to_owned).to_vec();
    let settings = CheckSettings { require_paint: false, keep, ..CheckSettings::default() };
    compile(&[SourceFile { path: "x.yaml".into(), text: text.to_owned() }], &settings)
}

/// The words of a chapter.
fn words(chapter: Chapter) -> BTreeSet<&'static str> {
    reference()
        .into_iter()
        .filter(|topic| topic.chapter == chapter)
        .map(|topic| topic.word)
        .collect()
}

#[test]
fn every_example_compiles_without_a_word() {
    for Topic { word, example, .. } in reference() {
        let compiled = compiled(&example);
        let said: String = compiled.problems.iter().map(ToString::to_string).collect();
        assert_eq!(said, "", "{word}");
        assert!(!compiled.rules.unwrap().audiences.is_empty(), "{word}");
    }
}

#[test]
fn an_example_shows_every_key_of_its_topic() {
    for Topic { word, keys, example, .. } in reference() {
        for key in keys {
            assert!(example.contains(&format!("{}:", key.key)), "{word} doesn't show {}", key.key);
        }
    }
}

/// What the checker knows, it says when it is asked for something that it doesn't know.
#[test]
fn everything_that_the_checker_knows_is_told() {
    let known = |text: &str| -> BTreeSet<String> {
        let problem = compiled(text).problems.remove(0);
        let help = problem.help.unwrap();
        let list = help.rsplit_once("known here: ").map_or(help.as_str(), |(_, list)| list);
        list.split(", ").map(str::to_owned).collect()
    };
    let told = |chapter| words(chapter).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(known("audience: a\nenter: { zzzzzzzzz: 1 }\n"), told(Chapter::Conditions));
    let of_audience = known("audience: a\nzzzzzzzzzzzz: 1\nenter: { event: { name: x } }\n");
    let policies = told(Chapter::Policies);
    let for_people = ["audience", "describe", "labels", "owner", "stay"].map(str::to_owned);
    let with_stay = policies.iter().map(|word| word.split('.').next().unwrap().to_owned());
    assert_eq!(of_audience, with_stay.chain(for_people).collect());
    let field = "audience: a\nenter: { event: { name: x, where: { zzzzzzzzzzzz: 1 } } }\n";
    let help = compiled(field).problems[0].help.clone().unwrap();
    for word in words(Chapter::Fields) {
        assert!(help.contains(word), "{help} lacks {word}");
    }
}

#[test]
fn a_field_takes_the_operators_that_it_is_told_to_take_and_no_others() {
    let operators = ["=", "!=", "in", "not in", ">=", ">", "<=", "<", "between", "starts_with"];
    for Topic { word, meaning, .. } in reference().iter().filter(|t| t.chapter == Chapter::Fields) {
        let field = word.replace("NAME", "color");
        let value = if *word == "page.path" { "/7" } else { "7" };
        for operator in operators {
            let operand = match operator {
                "in" | "not in" => format!("[{value}]"),
                "between" => format!("{value} and 8"),
                _ => value.to_owned(),
            };
            let test = format!("{{ {field}: \"{operator} {operand}\" }}");
            let text = format!("audience: a\nenter: {{ event: {{ name: x, where: {test} }} }}\n");
            let taken = compiled(&text).rules.is_some();
            assert_eq!(taken, meaning.contains(&format!("`{operator}`")), "{test}");
        }
    }
}
