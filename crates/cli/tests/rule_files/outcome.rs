//! What `tzeva audience test` says of tests that pass, fail or can't be read: for people, programs and build servers.

use super::{SALE, Shop, story};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

/// Stdout without how long it took.
fn without_time(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" in ") else { return text.to_owned() };
    let (_, after) = rest.split_once(" ms").unwrap();
    format!("{before} in some ms{after}")
}

/// The document, if it is well-formed XML.
fn xml(text: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn what_passes_is_one_line_and_exit_0() {
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &story(7))]);
    let (code, told, said) = shop.run(&["audience", "test", "my"]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(without_time(&told), "my: 1 case of 1 audience in some ms, passed\n");
}

#[test]
fn a_filter_that_no_case_meets_is_told_with_what_there_is_and_exit_1() {
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &story(7))]);
    let one = ["audience", "test", "my", "--filter", "two looks"];
    assert_eq!(shop.run(&one).0, 0);
    let nosuch = ["audience", "test", "my", "--filter", "sale-wating"];
    let (code, _, said) = shop.run(&nosuch);
    assert_eq!(code, 1, "{said}");
    let want = "error: none of 1 case holds `sale-wating`: did you mean `sale-waiting`?\n";
    assert_eq!(said, want);
    let (code, told, _) = shop.run(&[&nosuch[..], &["--output", "json"]].concat());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["ok"], &told["cases"]), (1, &json!(false), &json!([])));
    let (code, _, said) = shop.run(&["audience", "test", "my", "--filter", "cart"]);
    let such = "such as `sale-waiting: two looks make a member, for a week`\n";
    assert!(code == 1 && said.ends_with(such), "{said}");
    // Where there are no tests yet, none is missed.
    fs::remove_file(shop.path("my/sale.tests.yaml")).unwrap();
    assert_eq!(shop.run(&nosuch).0, 0);
}

#[test]
fn what_fails_is_a_timeline_with_the_rule_at_the_first_difference_and_exit_1() {
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &story(8))]);
    let (code, told, said) = shop.run(&["audience", "test", "my"]);
    assert_eq!((code, said.as_str()), (1, ""));
    let want = "\
FAILED sale-waiting: two looks make a member, for a week
  my/sale.tests.yaml:3
    0s  product_viewed product=shoe-1 category=Sale/Shoes price=40 EUR
    1d  product_viewed product=hat-1  category=Sale/Hats  price=15 EUR
    1d  entered, as expected
  ! 7d  exited, not expected: product_viewed (category Sale) no longer 2 times within 7d (enter.all[0].event)
  ! 8d  exited was expected, and did not come
    at 7d the visitor is out, and the rule says
      no   enter: all of
      no     product_viewed (category Sale) >= 2 times within 7d  [from 7d]
      yes    not
      no       order_completed at least once within 7d

my: 1 case of 1 audience in some ms, 1 failed
";
    assert_eq!(without_time(&told), want);
}

#[test]
fn programs_get_the_same_as_json() {
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &story(8))]);
    let (code, told, said) = shop.run(&["audience", "test", "my", "--output", "json"]);
    assert_eq!((code, said.as_str()), (1, ""));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["ok"], &told["failed"], &told["problems"]),
        (&json!(false), &json!(1), &json!([]))
    );
    let case = &told["cases"][0];
    assert_eq!((&case["audience"], &case["passed"]), (&json!("sale-waiting"), &json!(false)));
    let change = |after: &str, change: &str| json!({ "after": after, "change": change });
    assert_eq!(case["expected"], json!([change("1d", "entered"), change("8d", "exited")]));
    assert_eq!(
        (&case["got"][1]["after"], &case["got"][1]["leaf"]),
        (&json!("7d"), &json!("enter.all[0].event"))
    );
    assert_eq!(
        (&case["difference"]["after"], &case["difference"]["stance"]),
        (&json!("7d"), &json!("out"))
    );
    let tree = case["difference"]["tree"].as_array().unwrap();
    let holds: Vec<bool> = tree.iter().map(|branch| branch["holds"].as_bool().unwrap()).collect();
    assert_eq!(holds, [false, false, true, false]);

    shop.write("sale.tests.yaml", &story(7));
    let (code, told, _) = shop.run(&["audience", "test", "my", "--output", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (code, &told["ok"], &told["cases"][0]["difference"]),
        (0, &json!(true), &Value::Null)
    );

    shop.write("sale.tests.yaml", "tests: sale-waiting\ncases: 1\n");
    let (code, told, _) = shop.run(&["audience", "test", "my", "--output", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (code, &told["ok"], &told["problems"][0]["code"]),
        (1, &json!(false), &json!("wrong_shape"))
    );
}

#[test]
fn build_servers_get_junit_whatever_comes() {
    let odd = "  - name: 'odd <names> & \"signs\" \u{1f6d2} \u{7}'\n    events: [0s x]\n    expect: [1h entered]\n";
    let odd = odd.replace('\u{7}', "\\a");
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &(story(7) + &odd))]);
    let run = || {
        let (code, _, said) = shop.run(&["audience", "test", "my", "--junit", "results.xml"]);
        (code, said, fs::read_to_string(shop.path("results.xml")).unwrap())
    };
    let (code, _, text) = run();
    let document = xml(&text);
    let root = document.root_element();
    assert_eq!((code, root.tag_name().name()), (1, "testsuites"));
    assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some("2"), Some("1")));
    let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases[0].attribute("name"), Some("two looks make a member, for a week"));
    assert!(!cases[0].has_children());
    assert_eq!(cases[1].attribute("classname"), Some("sale-waiting"));
    assert_eq!(cases[1].attribute("name"), Some("odd <names> & \"signs\" \u{1f6d2} \\a"));
    let failure = cases[1].children().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("1h  entered was expected, and did not come"));
    assert!(failure.text().unwrap().contains("my/sale.tests.yaml:10"), "{text}");

    // A refused rule leaves no results of the run before behind.
    shop.write("sale.yaml", &SALE.replace("count", "cuont"));
    let (code, said, text) = run();
    assert!(code == 1 && said.contains("did you mean `count`?"), "{said}");
    let document = xml(&text);
    let error = document.descendants().find(|node| node.has_tag_name("error")).unwrap();
    assert_eq!(error.attribute("message"), Some("`cuont` is no key of an `event` condition"));
    assert_eq!(error.parent().unwrap().attribute("name"), Some("my/sale.yaml:5:65"));
}

#[test]
fn a_folder_with_bad_tests_runs_none_and_tells_all_that_is_wrong() {
    let bad =
        "tests: sale-wating\ncases:\n  - name: a\n    events: [0s x y]\n    expect: [1h in]\n";
    let shop = Shop::new(&[
        ("sale.yaml", SALE),
        ("sale.tests.yaml", &story(8)),
        ("bad.tests.yaml", bad),
        ("worse.tests.yaml", "tests: sale-waiting\ncases: [\n"),
    ]);
    let (code, told, said) = shop.run(&["audience", "test", "my"]);
    assert_eq!((code, told.as_str()), (1, "my: no test was run, 4 problems refused\n"));
    for place in [
        "error[unknown_audience]: no audience is named `sale-wating`\n --> my/bad.tests.yaml:1:8",
        " --> my/bad.tests.yaml:4:",
        " --> my/bad.tests.yaml:5:",
        "error[yaml_syntax]",
    ] {
        assert!(said.contains(place), "{place} is not in\n{said}");
    }
}

#[test]
fn a_filter_runs_only_what_it_names() {
    let more = "  - name: one look is not enough\n    events: [0s product_viewed category=Sale]\n    expect: []\n";
    let shop = Shop::new(&[("sale.yaml", SALE), ("sale.tests.yaml", &(story(8) + more))]);
    let (code, told, _) = shop.run(&["audience", "test", "my", "--filter", "waiting: one look"]);
    assert_eq!(
        (code, without_time(&told).as_str()),
        (0, "my: 1 case of 1 audience in some ms, passed\n")
    );
    let (code, told, _) = shop.run(&["audience", "test", "my", "--filter", "nothing of that name"]);
    assert_eq!(
        (code, without_time(&told).as_str()),
        (1, "my: 0 cases of 0 audiences in some ms, there is no test to run\n")
    );
}

/// `audiences` of the library's kind, each with `cases` stories of a cart.
fn many(audiences: usize, cases: usize, exits: &str) -> String {
    let mut text = String::new();
    for number in 0..audiences {
        writeln!(
            text,
            "---\naudience: cart-{number}\nenter:\n  all:\n    \
             - event: {{ name: product_added, where: {{ category: Shoes/{number} }}, within: 3d }}\n    \
             - last: {{ event: product_added, is: \">= 1h ago\" }}\n    \
             - not: {{ event: {{ name: order_completed, after: last product_added }} }}\n\
             stay: {{ at_most: 7d }}\n---\ntests: cart-{number}\ncases:"
        )
        .unwrap();
        for case in 0..cases {
            writeln!(
                text,
                "  - name: case {case}\n    events:\n      \
                 - 0s product_viewed product=p{case} category=Shoes/{number} price=80 EUR\n      \
                 - 5m product_added product=p{case} category=Shoes/{number} price=80 EUR\n      \
                 - 2h order_completed product=p{case} category=Shoes/{number} revenue=80 EUR\n    \
                 expect: [1h5m entered, {exits} exited]\n    until: 10d"
            )
            .unwrap();
        }
    }
    text
}

/// In a release build a thousand take a fraction of a second. The bounds here are for a debug build on a busy machine:
/// what takes a compilation of the rules a case would need minutes.
#[test]
fn a_thousand_cases_are_soon_run_whether_they_pass_or_fail() {
    for (exits, code) in [("2h", 0), ("3h", 1)] {
        let shop = Shop::new(&[("many.yaml", &many(100, 10, exits))]);
        let begun = Instant::now();
        let (ended, told, said) = shop.run(&["audience", "test", "my"]);
        let took = begun.elapsed();
        assert_eq!((ended, said.as_str()), (code, ""));
        assert!(told.contains("my: 1000 cases of 100 audiences in "), "{told}");
        assert!(took < Duration::from_secs(60), "took {took:?}");
    }
}
