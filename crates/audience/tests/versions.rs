//! Versions follow the meaning: not the layout, not the order of keys or files.

use tzeva_audience::{CheckSettings, RuleSet, SourceFile, compile};

fn rules(files: &[(&str, &str)]) -> RuleSet {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() })
        .collect();
    let keep = vec!["page.path".to_owned()];
    let settings = CheckSettings { require_paint: false, keep, ..CheckSettings::default() };
    let compiled = compile(&files, &settings);
    compiled.rules.unwrap_or_else(|| panic!("{:?}", compiled.problems))
}

fn one(text: &str) -> RuleSet {
    rules(&[("a.yaml", text)])
}

const PLAIN: &str = "
audience: a
describe: Buyers.
labels: { team: crm, tier: gold }
enter:
  all:
    - event: { name: order_completed, where: { brand: [B, A], country: GB }, within: 1d }
    - last: { event: order_completed, is: \">= 1h ago\" }
stay: { at_least: 1h }
";

#[test]
fn layout_key_order_and_spelling_change_no_version() {
    for same in [
        "
labels: { tier: gold, team: crm }
# a comment
stay: { at_least: 60m }
describe: \"Buyers.\"
audience: a
enter:
    all:
    - event:
        within: 24h   # the same
        where:
          country: = GB
          brand: in [A, B]
        count: \">=1\"
        name: Order Completed
    - last: { is: \">= 3600s ago\", event: OrderCompleted }
",
        "{ audience: a, labels: {team: 'crm', tier: gold}, describe: Buyers., enter: { all: [ {event: {name: order_completed, where: {brand: [A, A, B], country: 'in [GB]'}, within: 1d}}, {last: {event: order_completed, is: '>= 1h ago'}} ] }, stay: {at_least: 1h} }",
    ] {
        // The first key tells the kind, so the first sample is turned round to begin with it.
        let same = match same.split_once("audience: a\n") {
            Some((before, after)) => format!("audience: a\n{before}{after}"),
            None => same.to_owned(),
        };
        assert_eq!(one(&same), one(PLAIN), "{same}");
    }
}

#[test]
fn every_change_of_meaning_changes_both_versions() {
    let plain = one(PLAIN);
    for (from, to) in [
        ("order_completed, where", "order_refunded, where"),
        ("brand: [B, A]", "brand: [B, C]"),
        ("brand: [B, A]", "brand: \"not in [B, A]\""),
        ("country: GB", "country: gb"),
        ("country: GB", "channel: GB"),
        ("country: GB", "country: starts_with GB"),
        ("country: GB", "country: { exists: true }"),
        ("country: GB", "page.path: /GB"),
        ("country: GB", "price: 1"),
        ("within: 1d", "within: 2d"),
        (", within: 1d", ""),
        ("within: 1d", "within: 1d, after: last x"),
        ("within: 1d", "within: 1d, count: 1"),
        (">= 1h ago", "< 1h ago"),
        (">= 1h ago", "> 1h ago"),
        ("name: order_completed, where", "name: trait, where"),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "interest: { tag: shop, rank: 1 }"),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "interest: { tag: shop, rank: 2 }"),
        (
            "last: { event: order_completed, is: \">= 1h ago\" }",
            "interest: { tag: shop, share: \">= 1\" }",
        ),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "sequence: { steps: [x, y] }"),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "trait: { name: x, is: y }"),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "sum: { of: revenue, is: 1 }"),
        ("last: { event: order_completed, is: \">= 1h ago\" }", "sum: { of: quantity, is: 1 }"),
        ("  all:", "  any:"),
        ("at_least: 1h", "at_least: 2h"),
        ("at_least: 1h", "at_most: 1h"),
        ("stay: { at_least: 1h }", "enter_after: 1h"),
        ("stay: { at_least: 1h }", "reenter_after: 1h"),
        ("stay: { at_least: 1h }", "exit_when: { last: { event: x, is: \">= 1d ago\" } }"),
        ("audience: a", "audience: b"),
    ] {
        assert!(PLAIN.contains(from), "{from}");
        let other = one(&PLAIN.replace(from, to));
        assert_ne!(other.audiences[0].version, plain.audiences[0].version, "{from} -> {to}");
        assert_ne!(other.version, plain.version, "{from} -> {to}");
    }
}

#[test]
fn words_for_people_change_the_set_but_not_the_audience() {
    let plain = one(PLAIN);
    for (from, to) in
        [("Buyers.", "Customers."), ("team: crm", "team: ads"), ("labels:", "owner: x\nlabels:")]
    {
        let other = one(&PLAIN.replace(from, to));
        assert_eq!(other.audiences[0].version, plain.audiences[0].version, "{from} -> {to}");
        assert_ne!(other.version, plain.version, "{from} -> {to}");
    }
}

#[test]
fn paint_is_part_of_the_set_and_not_of_the_audience() {
    let paint = "paint:\n  half_life: { shop: 30d, brand: 30d, category: 14d, product: 7d }\n  \
                 events:\n    b: { shop: 1, product: clear }\n    a: { brand: 2 }\n";
    let with = |paint: &str| rules(&[("a.yaml", PLAIN), ("paint.yaml", paint)]);
    let plain = with(paint);
    assert_eq!(plain.audiences, one(PLAIN).audiences);
    let turned = "    a: { brand: 2 }\n    B: { product: clear, shop: 1.0 }\n";
    let turned = format!("{}{turned}", &paint[..paint.find("    b:").unwrap_or_default()]);
    assert_eq!(with(&turned), plain);
    for (from, to) in [
        ("30d, brand", "31d, brand"),
        ("14d", "13d"),
        ("shop: 1,", "shop: 2,"),
        ("clear", "1"),
        ("  events", "  forget_below: 0\n  events"),
        ("  events", "  falloff: { category: 0.5 }\n  events"),
        ("    a: { brand: 2 }\n", ""),
    ] {
        assert!(paint.contains(from), "{from}");
        assert_ne!(with(&paint.replace(from, to)).version, plain.version, "{from} -> {to}");
    }
}

#[test]
fn neither_the_order_of_files_nor_where_documents_stand_matters() {
    let (a, b) = (
        "audience: a\nenter: { event: { name: x } }\n",
        "audience: b\nenter: { event: { name: x } }\n",
    );
    let both = format!("{b}---\n{a}");
    let apart = rules(&[("1.yaml", a), ("2.yaml", b)]);
    assert_eq!(rules(&[("2.yaml", b), ("1.yaml", a)]), apart);
    assert_eq!(rules(&[("1.yaml", b), ("2.yaml", a)]), apart);
    assert_eq!(rules(&[("x.yaml", &both)]), apart);
}

/// Versions are written into commits and changes, so they may change only knowingly.
#[test]
fn versions_are_golden() {
    let rules = one(PLAIN);
    assert_eq!(format!("{:08x}", rules.audiences[0].version), "7ca3a46f");
    assert_eq!(format!("{:016x}", rules.version.get()), "5cc3757baba9494d");
}
