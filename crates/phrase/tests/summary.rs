//! The summary of a rule set.

use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_phrase::{Cost, summary};

#[test]
fn the_summary_tells_cost_deadlines_and_what_is_shared() {
    let text = "audience: a\nenter:\n  all:\n    - event: { name: product_viewed, within: 1d }\n\
                \x20   - interest: { tag: brand/Acme, is: \">= 2\" }\nreenter_after: 1d\n\
                ---\naudience: b\nenter: { interest: { tag: brand/ Acme , is: \">= 2.0\" } }\n\
                ---\naudience: c\nenter: { event: { name: order_completed } }\n";
    let file = SourceFile { path: "x.yaml".into(), text: text.into() };
    let settings = CheckSettings { require_paint: false, ..CheckSettings::default() };
    let rules = compile(&[file], &settings).rules.unwrap();
    let summary = summary(&rules);
    assert_eq!((summary.leaves, summary.clauses), (4, 3));
    let [a, b, c] = summary.audiences.as_slice() else { panic!("{summary:?}") };
    assert_eq!((a.cost, b.cost, c.cost), (Cost::Wide, Cost::Medium, Cost::Cheap));
    assert_eq!(a.deadlines, ["enter.all[0].event", "enter.all[1].interest", "reenter_after"]);
    assert_eq!(a.policies, ["enters again after 1d"]);
    assert!(c.deadlines.is_empty(), "{c:?}");
    assert_eq!(b.leaves[0].shared_with, ["a"]);
    assert_eq!(b.leaves[0].words, "interest in brand/Acme >= 2");
    assert_eq!(a.version, format!("{:08x}", rules.audiences[0].version));
}
