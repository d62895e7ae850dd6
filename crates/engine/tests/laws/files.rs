//! Rules as files: what the compiler makes of a generated audience is that audience, and in which order files and
//! documents come changes nothing.

use crate::run::case;
use tzeva_audience::{CheckSettings, Leaf, Node, RuleSet, Severity, SourceFile, Where, compile};
use tzeva_cases::{Random, publish};

/// So many rule sets.
const CASES: u64 = 400;

fn settings() -> CheckSettings {
    let keep = vec!["page.path".to_owned(), "properties.k".to_owned()];
    CheckSettings { keep, ..CheckSettings::default() }
}

/// The audiences of a case as texts, without those that the compiler refuses, and those that are `in` them.
fn accepted(rules: &RuleSet) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = rules
        .audiences
        .iter()
        .map(|audience| (audience.name.text().to_owned(), publish::audience(audience)))
        .collect();
    loop {
        let compiled = compile(&sources(&files, rules), &settings());
        let refused = compiled.problems.iter().filter(|p| p.severity == Severity::Error);
        let refused: Vec<String> = refused.map(|problem| problem.file.clone()).collect();
        if refused.is_empty() {
            return files;
        }
        let before = files.len();
        files.retain(|(name, _)| !refused.contains(&format!("{name}.yaml")));
        assert!(files.len() < before, "nothing to leave out: {:#?}", compiled.problems);
    }
}

/// A file each, and the paint.
fn sources(audiences: &[(String, String)], rules: &RuleSet) -> Vec<SourceFile> {
    let file = |(name, text): &(String, String)| SourceFile {
        path: format!("{name}.yaml"),
        text: text.clone(),
    };
    let paint = SourceFile { path: "paint.yaml".into(), text: publish::paint(&rules.paint) };
    audiences.iter().map(file).chain([paint]).collect()
}

fn compiled(files: &[SourceFile]) -> RuleSet {
    compile(files, &settings()).rules.expect("what was accepted alone is accepted in another order")
}

#[test]
fn the_order_of_audiences_in_files_changes_nothing() {
    let mut several = 0;
    for seed in 1..=CASES {
        println!("seed {seed}");
        let (case, random) = (case(seed, true), &mut Random::new(!seed));
        let audiences = accepted(&case.rules);
        let rules = compiled(&sources(&audiences, &case.rules));
        let mut left = audiences;
        let mut text = publish::paint(&case.rules.paint);
        let mut files = Vec::new();
        several += u32::from(left.len() > 1);
        while !left.is_empty() {
            let (_, document) = left.remove(random.below(left.len()));
            text = format!("{text}---\n{document}");
            if random.chance(30) {
                // A name that sorts anywhere.
                let path = format!("{}-{}.yaml", random.below(1_000), files.len());
                files.push(SourceFile { path, text: std::mem::take(&mut text) });
            }
        }
        files.push(SourceFile { path: "0.yaml".into(), text });
        assert_eq!(compiled(&files), rules);
    }
    assert!(several > 200, "{several} sets of several audiences");
}

fn sort(node: &mut Node) {
    let sorted = |filter: &mut Where| {
        filter.item.sort_by(|a, b| a.field.cmp(&b.field));
        filter.event.sort_by(|a, b| a.field.cmp(&b.field));
    };
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter_mut().for_each(sort),
        Node::Not(part) => sort(part),
        Node::Leaf(Leaf::Event(leaf)) => sorted(&mut leaf.filter),
        Node::Leaf(Leaf::Sum(leaf)) => sorted(&mut leaf.filter),
        Node::Leaf(Leaf::Last(leaf)) => sorted(&mut leaf.filter),
        Node::Leaf(Leaf::Sequence(leaf)) => {
            leaf.steps.iter_mut().for_each(|step| sorted(&mut step.filter));
        }
        Node::Leaf(_) => {}
    }
}

#[test]
fn what_is_compiled_is_what_was_written() {
    let (mut written, mut kept) = (0, 0);
    for seed in 1..=CASES {
        println!("seed {seed}");
        let case = case(seed, true);
        let rules = compiled(&sources(&accepted(&case.rules), &case.rules));
        written += case.rules.audiences.len();
        kept += rules.audiences.len();
        for mut found in rules.audiences {
            let name = found.name.clone();
            let mut meant = case.rules.audiences.iter().find(|a| a.name == name).unwrap().clone();
            // Texts name no version, and tests of several fields have an order of their own.
            meant.version = found.version;
            for audience in [&mut found, &mut meant] {
                sort(&mut audience.enter);
                audience.exit_when.iter_mut().for_each(sort);
            }
            assert_eq!(found, meant);
        }
    }
    println!("{kept} of {written} audiences are accepted");
    assert!(kept * 2 > written, "{kept} of {written}");
}
