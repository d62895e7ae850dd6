//! What files may hold, how they may be packed, and what becomes of records that are no events.

use super::{changes, sample, text, twin, tzeva};
use apache_avro::{Codec, DeflateSettings, Schema, Writer, types::Value as Avro};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sample as an Avro container of site visits, its lines from `from` on.
fn container(folder: &Path, name: &str, codec: Codec, lines: &[&str]) -> PathBuf {
    let schema = sample("../../schemas/site-visit/site-visit.avsc");
    let schema = Schema::parse_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let mut writer = Writer::with_codec(&schema, Vec::new(), codec).unwrap();
    for line in lines {
        let call: Value = serde_json::from_str(line).unwrap();
        let at: jiff::Timestamp = call["timestamp"].as_str().unwrap().parse().unwrap();
        let fields = json!({
            "message_id": call["messageId"], "type": "track", "event": call["event"],
            "timestamp": at.as_millisecond(), "anonymous_id": call["anonymousId"],
            "channel": call["context"]["channel"], "properties": call["properties"],
        });
        let value = Avro::try_from(fields).unwrap().resolve(&schema).unwrap();
        writer.append_value(value).unwrap();
    }
    let path = folder.join(name);
    fs::write(&path, writer.into_inner().unwrap()).unwrap();
    path
}

#[test]
fn avro_containers_change_as_the_lines_that_they_were_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let (audiences, whole) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let rules = ["--audiences", text(&audiences), "--events"];
    let want = changes(folder.path(), &[&rules[..], &[text(&whole)]].concat());
    let lines = twin::unpacked(&fs::read(&whole).unwrap());
    let lines: Vec<&str> = lines.lines().collect();
    let (one, two) = lines.split_at(lines.len() / 2);
    let plain = container(folder.path(), "one.avro", Codec::Null, one);
    let packed = Codec::Deflate(DeflateSettings::default());
    let packed = container(folder.path(), "two.avro", packed, two);
    let found = changes(folder.path(), &[&rules[..], &[text(&plain), text(&packed)]].concat());
    assert!(found == want, "the form of files changed what was decided");

    // A file that lost its end is told from one that has ended.
    let bytes = fs::read(&packed).unwrap();
    fs::write(&packed, &bytes[..bytes.len() - 100]).unwrap();
    let ended = tzeva(&[&["backtest"], &rules[..], &[text(&packed)]].concat());
    assert_eq!(ended.status.code(), Some(64));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(errors.contains("two.avro") && errors.contains("damaged"), "{errors}");
}

#[test]
fn little_memory_goes_by_the_disk_changes_nothing_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let spill = tempfile::tempdir().unwrap();
    let (audiences, events) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let rules = ["--audiences", text(&audiences), "--until", "max", "--events", text(&events)];
    let want = changes(folder.path(), &rules);
    let (found, summary) = (folder.path().join("found"), folder.path().join("summary"));
    let ended = Command::new(env!("CARGO_BIN_EXE_tzeva"))
        .args(["backtest", "--memory", "64KiB", "--changes", text(&found)])
        .args(["--summary", text(&summary)])
        .args(rules)
        .env("TMPDIR", spill.path())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(fs::read_to_string(&found).unwrap() == want, "the disk changed what was decided");
    let summary: Value = serde_json::from_str(&fs::read_to_string(&summary).unwrap()).unwrap();
    let spilled = summary["spilled_bytes"].as_u64().unwrap();
    assert!(spilled > 1_000_000, "{spilled} bytes");
    assert_eq!(fs::read_dir(spill.path()).unwrap().count(), 0);
}

#[test]
fn no_room_for_the_temporary_file_is_told_with_what_to_do() {
    let (audiences, events) = (sample("audiences"), sample("ecom.ndjson.gz"));
    let ended = Command::new(env!("CARGO_BIN_EXE_tzeva"))
        .args(["backtest", "--memory", "64KiB", "--audiences", text(&audiences)])
        .args(["--events", text(&events)])
        .env("TMPDIR", "/nowhere")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(75), "{errors}");
    assert!(errors.contains("/nowhere") && errors.contains("TMPDIR"), "{errors}");
}

#[test]
fn a_strict_run_stops_at_the_first_record_that_is_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.ndjson");
    let good =
        r#"{"type":"track","event":"home","anonymousId":"v-1","timestamp":"2026-01-01T00:00:00Z"}"#;
    fs::write(&events, format!("{good}\n{good}\n[]\n")).unwrap();
    let audiences = sample("audiences");
    let given =
        ["backtest", "--strict", "--audiences", text(&audiences), "--events", text(&events)];
    let ended = tzeva(&given);
    assert_eq!(ended.status.code(), Some(64));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(errors.contains("events.ndjson:3: malformed"), "{errors}");
}

#[test]
fn what_is_no_event_is_counted_by_code_and_shown_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.ndjson");
    let mut file = fs::File::create(&events).unwrap();
    let good =
        r#"{"type":"track","event":"home","anonymousId":"v-1","timestamp":"2026-01-01T00:00:00Z"}"#;
    writeln!(
        file,
        "{good}\n\n{{\"type\":\"track\"\n{good}\n{{\"type\":\"track\",\"event\":\"home\"}}"
    )
    .unwrap();
    drop(file);
    let audiences = sample("audiences");
    let given = ["backtest", "--audiences", text(&audiences), "--output", "json", "--events"];
    let ended = tzeva(&[&given[..], &[text(&events)]].concat());
    assert!(ended.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(summary["records"], 4);
    assert_eq!((&summary["events"], &summary["duplicates"]), (&1.into(), &1.into()));
    assert_eq!(summary["refused_by_code"]["malformed"], 1);
    assert_eq!(summary["refused_by_code"]["missing_field"], 1);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(errors.contains("events.ndjson:3: malformed"), "{errors}");
}

#[test]
fn an_event_that_never_came_is_warned_of_with_the_name_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, events) = (folder.path().join("rules.yaml"), folder.path().join("events.ndjson"));
    let looked = |name: &str| {
        format!(
            r#"{{"type":"track","event":"{name}","anonymousId":"v-1","timestamp":"2026-01-01T00:00:00Z"}}"#
        )
    };
    fs::write(&events, looked("Product Viewed")).unwrap();
    fs::write(
        &rules,
        "audience: a\nenter:\n  any:\n    - event: { name: prodct_viewed, within: 7d }\n    - event: { name: product_viewed, after: last prodct_viewed }\n    \
         - sequence: { steps: [product_viewed, wished_for] }\n---\naudience: b\nenter: { event: { name: product_viewed } }\n---\n\
         paint:\n  half_life: { shop: 1d, brand: 1d, category: 1d, product: 1d }\n  events: { product_viewed: { shop: 1 } }\n",
    )
    .unwrap();
    let given = ["backtest", "--json", "--audiences", text(&rules), "--events", text(&events)];
    let ended = tzeva(&given);
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{errors}");
    let misspelt = "no `prodct_viewed` came: did you mean `product_viewed`? Asked for by a";
    assert!(errors.contains(misspelt), "{errors}");
    assert!(errors.contains("none of these came: `wished_for`"), "{errors}");
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let unseen = json!([
        { "event": "prodct_viewed", "audiences": ["a"], "did_you_mean": "product_viewed" },
        { "event": "wished_for", "audiences": ["a"], "did_you_mean": null },
    ]);
    assert_eq!(summary["unseen_events"], unseen);
}

#[test]
fn wrong_input_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let audiences = sample("audiences");
    for (head, word) in [(&b"Obj\x01"[..], "Avro"), (b"PAR1", "Parquet"), (b"", "empty")] {
        let events = folder.path().join("events");
        fs::write(&events, head).unwrap();
        let ended =
            tzeva(&["backtest", "--audiences", text(&audiences), "--events", text(&events)]);
        assert_eq!(ended.status.code(), Some(64));
        assert!(String::from_utf8_lossy(&ended.stderr).contains(word));
    }
    let ended = tzeva(&["backtest", "--audiences", text(&audiences), "--events", "nowhere"]);
    assert_eq!(ended.status.code(), Some(64));
}

#[test]
fn an_end_before_the_first_event_is_refused_with_both_instants() {
    let audiences = sample("audiences");
    let events = sample("ecom.ndjson.gz");
    let given = ["backtest", "--audiences", text(&audiences), "--events", text(&events)];
    let ended = tzeva(&[&given[..], &["--until", "2024-01-04T11:45:37.999Z"]].concat());
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(64), "{errors}");
    let both =
        "--until 2024-01-04T11:45:37.999Z is before the first event, 2024-01-04T11:45:38.000Z";
    assert!(errors.contains(both), "{errors}");
    let ended = tzeva(&[&given[..], &["--until", "2024-01-04T11:45:38Z"]].concat());
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn a_file_that_is_no_lines_is_told_with_what_it_is_and_how_to_unpack_it() {
    let folder = tempfile::tempdir().unwrap();
    let audiences = sample("audiences");
    let events = folder.path().join("events");
    let good =
        r#"{"type":"track","event":"home","anonymousId":"v-1","timestamp":"2026-01-01T00:00:00Z"}"#;
    let given = ["backtest", "--audiences", text(&audiences), "--events", text(&events)];
    let array = format!("[{good}]");
    let spread = format!("[\n{good},\n{good}\n]\n");
    for (bytes, cure, code) in [
        (array.as_bytes(), "jq -c '.[]' FILE", 64),
        (spread.as_bytes(), "jq -c '.[]' FILE", 0),
        (b"BZh91AY&SY\x08", "bzip2 -dc FILE", 64),
        (b"PK\x03\x04\x14\0", "unzip -p FILE", 64),
        (b"\xfd7zXZ\0\0", "xz -dc FILE", 64),
    ] {
        fs::write(&events, bytes).unwrap();
        for (more, code) in [(&[][..], code), (&["--strict"], 64)] {
            let ended = tzeva(&[&given[..], more].concat());
            let errors = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(code), "{errors}");
            assert!(errors.contains(cure) && errors.contains("malformed"), "{errors}");
        }
    }
    fs::write(&events, format!("{good}\n[]\n")).unwrap();
    let ended = tzeva(&given);
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("jq"), "a line is no file");
}
