//! Files that go wrong, by accident or on purpose: a clear message, in bounded time.

use super::Shop;
use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

const MEBIBYTE: usize = 1024 * 1024;

/// What `audience check` says of one file; its exit code is that of a refusal.
fn refused(text: &str) -> String {
    let shop = Shop::new(&[("a.yaml", text)]);
    let (code, _, said) = shop.run(&["audience", "check", "my"]);
    assert_eq!(code, 1, "{said}");
    said
}

/// A file, and what is said of it: code, message, place, help.
const MISTAKES: [(&str, &str); 13] = [
    (
        "audience: a\nenter:\n  all:\n    - event: { name: x, within: 3d\n    - event: { name: y }\n",
        "error[yaml_syntax]: this `{` is not closed\n --> my/a.yaml:4:14\n  |\n4 |     - event: { name: x, within: 3d\n  |              ^\n = help: put a `}` where it ends\n",
    ),
    (
        "audience: a\nenter: { event: { name: x }\n",
        "error[yaml_syntax]: this bracket is not closed\n --> my/a.yaml:2:8\n",
    ),
    (
        "audience: a\nenter: { event: { name: x, where: { product: [a, b } } }\n",
        "error[yaml_syntax]: this is no YAML: mismatched bracket '[' closed by '}'\n --> my/a.yaml:2:46\n",
    ),
    (
        "audience: a\nenter: { event: { name: x count: 3 } }\n",
        "error[yaml_syntax]: here is neither a comma nor the `}` that closes\n --> my/a.yaml:2:32\n",
    ),
    (
        "audience: a\nenter:\n\tevent: { name: x }\n",
        "error[tab]: a tab where blanks are wanted\n --> my/a.yaml:3:2\n",
    ),
    (
        "audience: a\ndescribe: Cart: abandoned\nenter: { event: { name: x } }\n",
        "error[yaml_syntax]: a second colon in one line\n --> my/a.yaml:2:15\n",
    ),
    (
        "audience: a\nenter:\n  event: { name: \"x }\nstay: { at_most: 7d }\n",
        "error[yaml_syntax]: a quotation mark is not closed\n --> my/a.yaml:3:18\n",
    ),
    (
        "audience: Cart \u{1f6d2}\nenter: { event: { name: x } }\n",
        "error[bad_name]: `Cart \u{1f6d2}` can't name an audience: it holds `C`\n --> my/a.yaml:1:11\n  |\n1 | audience: Cart \u{1f6d2}\n  |           ^^^^^^\n = help: such as `cart`: use 1-100",
    ),
    (
        "audience: a\nenter: { in: b }\n---\naudience: b\nenter: { in: a }\n",
        "error[cyclic_in]: audiences that are `in` each other: a -> b -> a\n --> my/a.yaml:2:14\n",
    ),
    (
        "audience: a\nenter: { event: 5 }\n",
        "error[wrong_shape]: expected an `event` condition (a mapping), found `5`\n --> my/a.yaml:2:17\n",
    ),
    (
        "audience: a\nenter: { event: { name: x, after: 5 } }\n",
        "error[bad_after]: `after` takes `last NAME`, not `5`\n",
    ),
    (
        "audience: a\nenter: { event: { name: x, within: 1 w } }\n",
        "error[bad_duration]: `1 w` is no duration: a number must be followed at once by its unit, one of ms s m h d w\n --> my/a.yaml:2:36\n  |\n2 | enter: { event: { name: x, within: 1 w } }\n  |                                    ^^^\n = help: write `1w`\n",
    ),
    (
        "audience: a\nenter: { event: { name: x, within: 60 } }\n",
        "= help: write it as `30s`, `1h30m`, `14d` or `2w`\n",
    ),
];

#[test]
fn mistakes_are_told_with_their_place_and_their_cure() {
    for (text, want) in MISTAKES {
        let said = refused(text);
        assert!(said.contains(want), "{text}\nwanted\n{want}\ngot\n{said}");
        assert!(said.contains("more on this: tzeva audience problem "), "{said}");
    }
}

#[test]
fn a_number_where_a_text_is_due_is_that_text() {
    let text = "audience: 5\ndescribe: 7\nenter:\n  event: { name: order_completed, where: { product: 0042, country: 5 } }\n";
    let shop = Shop::new(&[("a.yaml", text)]);
    let (code, told, said) = shop.run(&["audience", "check", "my"]);
    assert!(code == 0 && said.is_empty() && told.contains("\n5 "), "{told}{said}");
}

#[test]
fn a_code_is_explained_offline() {
    let shop = Shop::new(&[]);
    let (code, told, _) = shop.run(&["audience", "problem", "bad_duration"]);
    assert!(
        code == 0 && told.contains("help: write `1w`") && told.contains("**To mend it**"),
        "{told}"
    );
    let (code, told, _) = shop.run(&["audience", "problem"]);
    assert!(code == 0 && told.lines().count() > 50, "{told}");
    let (code, _, said) = shop.run(&["audience", "problem", "bad_duratoin"]);
    assert!(code == 2 && said.contains("bad_duration"), "{said}");
}

/// What takes a glance a byte ends at once; what takes one for every pair of bytes would need a day.
#[test]
fn files_of_ten_megabytes_end_with_one_message() {
    let leaf = "    - event: { name: product_added, where: { category: Shoes }, within: 3d }\n";
    let one =
        format!("audience: a\nenter:\n  any:\n{}", leaf.repeat(10 * MEBIBYTE / leaf.len() - 1));
    let open = "foo { bar: [\n".repeat(10 * MEBIBYTE / 13);
    let over = "# c\n".repeat(3 * MEBIBYTE);
    for (text, want) in [
        (one, "error[too_large]: a document of more than 100000 values"),
        (open, "error[too_large]: nested too deep"),
        (over, "error[too_large]: a file of more than 10 MiB"),
    ] {
        let said = refused(&text);
        assert!(said.contains(want), "{said}");
        assert!(said.len() < 2_000, "{said}");
    }
}

fn events(count: usize, properties: &str) -> String {
    let mut lines = String::new();
    for number in 0..count {
        let at = format!("2026-01-10T10:{:02}:{:02}.000Z", number / 60, number % 60);
        writeln!(
            lines,
            r#"{{"messageId":"e-{number}","type":"track","event":"Product Added","anonymousId":"v-{}","timestamp":"{at}",{properties}}}"#,
            number % 10
        )
        .unwrap();
    }
    lines
}

#[test]
fn fifty_thousand_audiences_start() {
    let mut text = String::new();
    for number in 0..50_000 {
        writeln!(text, "---\naudience: a{number}\nenter: {{ event: {{ name: product_added, where: {{ category: C/{} }}, within: 3d }} }}", number % 5_000).unwrap();
    }
    let shop = Shop::new(&[("a.yaml", &text)]);
    fs::write(shop.path("e.ndjson"), events(100, r#""properties":{"category":"C/7"}"#)).unwrap();
    let begun = Instant::now();
    let given = ["backtest", "--audiences", "my", "--events", "e.ndjson", "--changes", "c.ndjson"];
    let (code, _, said) = shop.run(&given);
    assert_eq!(code, 0, "{said}");
    assert!(begun.elapsed() < Duration::from_secs(120), "took {:?}", begun.elapsed());
    // Ten visitors enter ten audiences each.
    assert_eq!(fs::read_to_string(shop.path("c.ndjson")).unwrap().lines().count(), 100);
}

/// Matching that tries again from every star on would need more steps than there are atoms.
#[test]
fn a_glob_made_to_be_slow_is_not() {
    let glob = format!("/{}*b", "*a".repeat(400));
    let text = format!(
        "audience: a\nenter: {{ event: {{ name: product_added, where: {{ page.path: \"{glob}\" }} }} }}\n"
    );
    let shop = Shop::new(&[("a.yaml", &text)]);
    let page = format!(r#""context":{{"page":{{"path":"/{}"}}}}"#, "a".repeat(8_000));
    fs::write(shop.path("e.ndjson"), events(200, &page)).unwrap();
    let begun = Instant::now();
    let given = ["backtest", "--audiences", "my", "--events", "e.ndjson", "--changes", "c.ndjson"];
    let (code, _, said) = shop.run(&given);
    assert_eq!(code, 0, "{said}");
    assert!(begun.elapsed() < Duration::from_secs(60), "took {:?}", begun.elapsed());
    assert_eq!(fs::read_to_string(shop.path("c.ndjson")).unwrap(), "");
}

#[test]
fn a_misspelt_folder_and_an_empty_one_say_so() {
    let shop = Shop::new(&[]);
    let (code, _, said) = shop.run(&["audience", "check", "mine"]);
    assert!(code == 64 && said.contains("mine") && said.contains("No such file"), "{said}");
    fs::create_dir(shop.path("empty")).unwrap();
    let (code, _, said) = shop.run(&["audience", "test", "empty"]);
    assert!(code == 64 && said.contains("holds no audience files"), "{said}");
    let (code, _, said) = shop.run(&["audience", "check", "my"]);
    assert!(code == 0 && said.contains("warning[no_audiences]"), "{said}");
}

#[test]
fn a_file_that_is_no_utf_8_is_told_with_its_place_and_hides_nothing() {
    let shop = Shop::new(&[("b.yaml", "audience: b\nentr: 1\n")]);
    let latin = b"audience: a\ndescribe: Caf\xe9\nenter: { event: { name: x } }\n";
    fs::write(shop.path("my/a.yaml"), latin).unwrap();
    let wide: Vec<u8> = "\u{feff}audience: c\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(shop.path("my/c.yaml"), wide).unwrap();
    let (code, _, said) = shop.run(&["audience", "check", "my"]);
    assert_eq!(code, 1, "{said}");
    let first = "error[not_utf8]: byte 25 of the file is no UTF-8\n --> my/a.yaml:2:14\n";
    assert!(said.contains(first) && said.contains("save the file as UTF-8"), "{said}");
    assert!(said.contains("my/b.yaml:2:1") && said.contains("did you mean `enter`"), "{said}");
    assert!(said.contains("byte 0 of the file is no UTF-8\n --> my/c.yaml:1:1\n"), "{said}");
    assert_eq!(said.matches("[not_utf8]").count(), 2, "{said}");
}
