//! The audiences that ship compile, and those of the language's own example mean what they say.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the files that ship"
)]

use std::path::Path;
use tzeva_audience::{Audience, CheckSettings, Compiled, Leaf, Node, SourceFile, compile};
use tzeva_model::{Millis, Place};

fn retail() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../audiences/retail");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| SourceFile {
            text: std::fs::read_to_string(&path).unwrap(),
            path: path.file_name().unwrap().to_str().unwrap().to_owned(),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn compiled(files: &[SourceFile]) -> Compiled {
    compile(files, &CheckSettings::default())
}

#[test]
fn the_retail_audiences_compile_without_a_word() {
    let compiled = compiled(&retail());
    let said: String = compiled.problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, "");
    let rules = compiled.rules.unwrap();
    assert!(rules.audiences.len() >= 8, "{}", rules.audiences.len());
    let asks = |audience: &&Audience| {
        audience.leaves().iter().any(|(_, leaf)| matches!(leaf, Leaf::In(_)))
    };
    let free = rules.audiences.iter().filter(|audience| !asks(audience));
    assert!(free.is_sorted_by(|a, b| a.name.text() < b.name.text()));
    assert_eq!(rules.version, rules.computed_version());
}

#[test]
fn the_abandoned_cart_means_what_it_says() {
    let rules = compiled(&retail()).rules.unwrap();
    let cart = rules.audiences.iter().find(|a| a.name.text() == "abandoned-cart").unwrap();
    let Node::All(nodes) = &cart.enter else { panic!("{:?}", cart.enter) };
    assert_eq!(nodes.len(), 3);
    assert_eq!(cart.stay.at_most, Some(Millis::DAY.times(7)));
    assert_eq!(cart.reenter_after, Millis::DAY);
    assert_eq!(cart.owner.as_deref(), Some("crm@shop.example"));
    let paths: Vec<_> = (0..4).map(|leaf| cart.path(Place::Leaf(leaf))).collect();
    let want =
        ["enter.all[0].event", "enter.all[1].last", "enter.all[2].not.event", "exit_when.event"];
    assert_eq!(paths, want);
    assert_eq!(cart.leaves().into_iter().map(|(path, _)| path).collect::<Vec<_>>(), want);
    assert_eq!(cart.path(Place::Leaf(4)), "leaf[4]");
    assert_eq!(cart.path(Place::AtMost), "stay.at_most");
}

#[test]
fn the_order_of_files_changes_nothing() {
    let mut files = retail();
    let forwards = compiled(&files).rules.unwrap();
    files.reverse();
    assert_eq!(compiled(&files).rules.unwrap(), forwards);
}
