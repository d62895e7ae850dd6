//! Laws of the book: whatever happens to records on their way, all readers come to one chain, and nothing panics.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use tzeva_model::{RulesVersion, UnixMillis};
use tzeva_rulebook::{
    Book, Draft, Fed, Flaw, MAX_PART, Part, Publication, SourceFile, Standing, TooMuch,
};

fn file(path: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.into() }
}

/// A publication of some size: more than one part from `size` 300,000 on.
fn publication(parent: Option<&Publication>, by: &str, content: u64, size: usize) -> Publication {
    let files =
        vec![file("paint.yaml", "paint"), file("b/large.yaml", "ä\n\u{1}x".repeat(size / 5))];
    let at = UnixMillis::new(1_795_341_600_000);
    let content = RulesVersion::new(content);
    let (by, note) = (by.to_owned(), String::from("why \"so\""));
    Publication::new(parent, Draft { content, at, by, note, files }).unwrap()
}

fn feed(book: &mut Book, parts: &[Part]) -> Option<Fed> {
    parts.iter().map(|part| book.feed(part.key.as_bytes(), Some(&part.value))).last()
}

fn read(parts: &[Part]) -> Book {
    let mut book = Book::default();
    feed(&mut book, parts);
    book
}

/// The versions that count.
fn chain(book: &Book) -> Vec<RulesVersion> {
    book.chain().iter().map(|counts| counts.version).collect()
}

/// What a compacted topic keeps: of each key the last record, where it stands.
fn compacted(parts: &[Part]) -> Vec<Part> {
    let last: HashMap<&str, usize> =
        parts.iter().enumerate().map(|(place, part)| (part.key.as_str(), place)).collect();
    let kept = parts.iter().enumerate().filter(|(place, part)| last[part.key.as_str()] == *place);
    kept.map(|(_, part)| part.clone()).collect()
}

/// Two lists as one, each in its own order; `turns` says whose turn it is.
fn interleaved(a: &[Part], b: &[Part], turns: &[bool]) -> Vec<Part> {
    let (mut a, mut b) = (a.iter(), b.iter());
    let mut all = Vec::new();
    for turn in turns {
        all.extend(if *turn { a.next() } else { b.next() }.cloned());
    }
    all.extend(a.cloned());
    all.extend(b.cloned());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_published_is_read_back_whole(
        texts in vec("\\PC{0,60}|[\\x00-\\x1f\"\\\\]{0,400}", 1..5),
        sizes in vec(prop_oneof![Just(1_usize), 1..4_000_usize], 4),
        note in "\\PC{0,200}",
    ) {
        let files = texts.iter().zip(sizes.iter().cycle()).enumerate();
        let files: Vec<_> =
            files.map(|(n, (text, times))| file(&format!("{n}.yaml"), text.repeat(*times))).collect();
        let (content, at) = (RulesVersion::new(9), UnixMillis::new(-5));
        let made = Publication::new(None, Draft { content, at, by: "me".into(), note, files });
        let made = made.unwrap();
        let parts = made.parts();
        prop_assert!(parts.iter().all(|part| part.value.len() <= MAX_PART));
        for parts in [parts, vec![made.whole()]] {
            let book = read(&parts);
            prop_assert_eq!(book.head().map(|head| &**head), Some(&made));
            prop_assert_eq!(book.incomplete(), Vec::new());
        }
    }

    #[test]
    fn of_two_racing_publishers_exactly_one_counts_for_every_reader(
        turns in vec(any::<bool>(), 0..12),
        sizes in (prop_oneof![Just(5_usize), Just(600_000)], prop_oneof![Just(5_usize), Just(300_000)]),
        same in any::<bool>(),
    ) {
        let first = publication(None, "start", 1, 5);
        let a = publication(Some(&first), "a", 2, sizes.0);
        let b = publication(Some(&first), "b", if same { 2 } else { 3 }, sizes.1);
        let mut parts = first.parts();
        parts.extend(interleaved(&a.parts(), &b.parts(), &turns));
        let book = read(&parts);
        let winner = book.head().unwrap().version;
        let (lost, won) = if winner == a.version { (&b, &a) } else { (&a, &b) };
        prop_assert_eq!(chain(&book), vec![first.version, won.version]);
        prop_assert_eq!(book.standing(won.version), Some(Standing::Counts));
        prop_assert_eq!(book.standing(lost.version), Some(Standing::Stale(won.clone().into())));
        prop_assert_eq!(chain(&read(&compacted(&parts))), chain(&book));
        // Who builds on what lost builds on nothing.
        let late = publication(Some(lost), "c", 4, 5);
        parts.extend(late.parts());
        let book = read(&parts);
        prop_assert_eq!(book.head().unwrap().version, winner);
        prop_assert_eq!(book.standing(late.version), Some(Standing::Apart));
    }

    #[test]
    fn repeats_and_compaction_change_nothing(
        repeats in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let first = publication(None, "start", 1, 300_000);
        let second = publication(Some(&first), "a", 2, 5);
        let third = publication(Some(&second), "b", 1, 300_000);
        let mut parts: Vec<Part> =
            [&first, &second, &third].iter().flat_map(|one| one.parts()).collect();
        let whole = chain(&read(&parts));
        prop_assert_eq!(&whole, &vec![first.version, second.version, third.version]);
        // A zombie repeats records at any later place.
        for (which, place) in repeats {
            let which = which.index(parts.len());
            let place = which + 1 + place.index(parts.len() - which);
            parts.insert(place, parts[which].clone());
        }
        prop_assert_eq!(chain(&read(&parts)), whole.clone());
        prop_assert_eq!(chain(&read(&compacted(&parts))), whole.clone());
        // Compaction works on the older part of a topic only.
        let cut = cut.index(parts.len() + 1);
        let mut half = compacted(&parts[..cut]);
        half.extend_from_slice(&parts[cut..]);
        prop_assert_eq!(chain(&read(&half)), whole);
    }

    #[test]
    fn without_one_part_it_counts_for_nothing(which in any::<prop::sample::Index>()) {
        let first = publication(None, "start", 1, 5);
        let second = publication(Some(&first), "a", 2, 900_000);
        let mut missing = second.parts();
        prop_assert!(missing.len() > 3);
        let part = missing.remove(which.index(missing.len()));
        let mut book = read(&first.parts());
        feed(&mut book, &missing);
        prop_assert_eq!(chain(&book), vec![first.version]);
        prop_assert_eq!(book.incomplete(), vec![second.version]);
        prop_assert_eq!(book.standing(second.version), None);
        // It counts as soon as the part is there, unless somebody else was sooner.
        let mut late = book.clone();
        feed(&mut late, std::slice::from_ref(&part));
        prop_assert_eq!(late.head().unwrap().version, second.version);
        let sooner = publication(Some(&first), "b", 3, 5);
        feed(&mut book, &sooner.parts());
        feed(&mut book, &[part]);
        prop_assert_eq!(chain(&book), vec![first.version, sooner.version]);
    }

    #[test]
    fn a_changed_byte_is_found_out(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let made = publication(None, "start", 1, 400);
        let mut part = made.whole();
        let place = place.index(part.value.len());
        prop_assume!(part.value[place] != byte);
        part.value[place] = byte;
        let mut book = Book::default();
        let fed = book.feed(part.key.as_bytes(), Some(&part.value));
        // Another byte may be another way to write the same.
        let same = matches!(&fed, Fed::Complete(read, _) if **read == made);
        prop_assert!(same || matches!(fed, Fed::Flawed(_)), "{:?}", fed);
    }

    #[test]
    fn random_records_never_panic_and_never_count(
        records in vec((vec(any::<u8>(), 0..40), proptest::option::of(vec(any::<u8>(), 0..200))), 0..20),
        json in "[\\[\\]{}\":,a-z0-9]{0,80}",
    ) {
        let mut book = Book::default();
        for (key, value) in &records {
            book.feed(key, value.as_deref());
        }
        book.feed(b"0000000000000001/0", Some(json.as_bytes()));
        prop_assert!(book.head().is_none());
        prop_assert_eq!(book.flaws().count(), records.len() + 1);
    }
}

#[test]
fn the_same_content_thrice_is_three_versions_and_the_first_is_its_content() {
    let first = publication(None, "a", 7, 5);
    let second = publication(Some(&first), "a", 7, 5);
    let third = publication(Some(&second), "a", 7, 5);
    assert_eq!(first.version, RulesVersion::new(7));
    assert!(second.version != first.version && third.version != second.version);
    let book = read(&[first.parts(), second.parts(), third.parts()].concat());
    let after: Vec<_> = book.after(first.version).unwrap().iter().map(|one| one.ordinal).collect();
    assert_eq!(after, [2, 3]);
    assert!(book.after(RulesVersion::new(1)).is_none());
}

#[test]
fn several_painters_publish_one_first_publication() {
    let (a, b) = (publication(None, "a", 7, 300_000), publication(None, "b", 7, 300_000));
    assert_eq!(a.version, b.version);
    let (a, b) = (a.parts(), b.parts());
    assert_eq!(a.len(), 2);
    let mixed = [a[0].clone(), b[0].clone(), b[1].clone(), a[1].clone()];
    assert_eq!(chain(&read(&mixed)), [RulesVersion::new(7)]);
    assert_eq!(chain(&read(&compacted(&mixed))), [RulesVersion::new(7)]);
}

#[test]
fn a_child_before_its_parent_waits_for_it() {
    let first = publication(None, "a", 7, 5);
    let second = publication(Some(&first), "a", 8, 5);
    let mut book = read(&second.parts());
    assert_eq!(book.standing(second.version), Some(Standing::Apart));
    assert!(book.head().is_none());
    feed(&mut book, &first.parts());
    assert_eq!(chain(&book), [first.version, second.version]);
}

#[test]
fn a_value_under_another_key_or_of_another_form_is_told_apart() {
    let part = publication(None, "a", 7, 5).whole();
    let mut book = Book::default();
    let key = "0000000000000008/0";
    assert_eq!(
        book.feed(key.as_bytes(), Some(&part.value)),
        Fed::Flawed(Flaw::Damaged { key: key.into() })
    );
    let newer = br#"{"form":2,"anything":true}"#;
    assert_eq!(
        book.feed(key.as_bytes(), Some(newer)),
        Fed::Flawed(Flaw::Form { key: key.into(), form: 2 })
    );
    let deleted = Flaw::Deleted { key: key.into() };
    assert_eq!(book.feed(key.as_bytes(), None), Fed::Flawed(deleted));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_published() {
    let draft = |files| Draft {
        content: RulesVersion::new(1),
        at: UnixMillis::new(0),
        by: "ü".repeat(200),
        note: String::new(),
        files,
    };
    let refused = |files| Publication::new(None, draft(files)).unwrap_err();
    assert_eq!(refused(vec![]), TooMuch::Empty);
    let large = "x".repeat(10 * 1024 * 1024);
    let one = file("a.yaml", large.clone() + "x");
    assert!(matches!(refused(vec![one]), TooMuch::File { bytes: 10_485_761, .. }));
    let seven = (0..7).map(|n| file(&format!("{n}.yaml"), large.clone())).collect();
    assert!(matches!(refused(seven), TooMuch::Total { .. }));
    for path in ["", "/a", "a//b", "../a", "a/..", "a\\b", "c:a", "a\n", &"p".repeat(1_025)] {
        assert!(matches!(refused(vec![file(path, "")]), TooMuch::Path { .. }), "{path}");
    }
    let twice = vec![file("a", ""), file("a", "")];
    assert!(matches!(refused(twice), TooMuch::Path { .. }));
    let by = Publication::new(None, draft(vec![file("a", "")])).unwrap().by;
    assert_eq!(by.len(), 256);
}

#[test]
fn the_largest_publication_of_the_worst_text_is_read_back() {
    let text = "\u{1}".repeat(10 * 1024 * 1024);
    let files: Vec<_> = (0..6).map(|n| file(&format!("{n}.yaml"), text.clone())).collect();
    let (content, at) = (RulesVersion::new(1), UnixMillis::new(0));
    let draft = Draft { content, at, by: String::new(), note: "\u{1}".repeat(4_096), files };
    let made = Publication::new(None, draft).unwrap();
    let parts = made.parts();
    assert!(parts.len() < 2_048, "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.value.len() <= MAX_PART));
    assert_eq!(read(&parts).head().map(|head| &**head), Some(&made));
}
