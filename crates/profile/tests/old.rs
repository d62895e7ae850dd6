//! Bytes written once must be read for ever: each file in `old/` holds a profile in hex under a line that says when it
//! was written, and decodes to the sample of its name. A new format adds files; none is changed or removed.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod samples;

use samples::samples;
use tzeva_profile::stored;

/// Every file, by the name of its sample.
const OLD: &[(&str, &str)] = &[
    ("nothing", include_str!("old/1-nothing.hex")),
    ("one-view", include_str!("old/1-one-view.hex")),
    ("order-of-three", include_str!("old/1-order-of-three.hex")),
    ("merged-items", include_str!("old/1-merged-items.hex")),
    ("standings", include_str!("old/1-standings.hex")),
    ("cells-and-traits", include_str!("old/1-cells-and-traits.hex")),
    ("more-than-half-a-byte-counts", include_str!("old/1-more-than-half-a-byte-counts.hex")),
    ("instants-at-the-ends", include_str!("old/1-instants-at-the-ends.hex")),
    ("tags-painted-by-no-last-stroke", include_str!("old/1-tags-painted-by-no-last-stroke.hex")),
];

fn bytes(file: &str) -> Vec<u8> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let digits: String = lines.flat_map(str::split_whitespace).collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn old_bytes_are_read_for_ever() {
    let samples = samples();
    for (name, file) in OLD {
        let (_, sample) = samples.iter().find(|(sample, _)| sample == name).unwrap();
        assert_eq!(stored::decode(&bytes(file)).as_ref(), Ok(sample), "{name}");
    }
}

/// Equal profiles have equal bytes, in every build: format 1 is written as it was written first.
#[test]
fn format_1_is_still_written_byte_by_byte() {
    for (name, sample) in samples() {
        let written = stored::encode(&sample);
        let old = OLD.iter().find(|(old, _)| *old == name).map(|(_, file)| bytes(file));
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(written), old, "{name}: {hex}");
    }
}

/// The page's worked example, byte by byte, is the file that it names.
#[test]
fn the_worked_example_of_the_page_is_true() {
    let page = include_str!("../../../docs/profile-form.md");
    let (_, example) = page.split_once("## A worked example").unwrap();
    let (example, _) = example.split_once("## Size").unwrap();
    let rows = example.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let shown: String = cells.flat_map(str::chars).filter(char::is_ascii_hexdigit).collect();
    assert_eq!(bytes(&shown), bytes(OLD[1].1));
}
