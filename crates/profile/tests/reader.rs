//! The reader in Python reads what the encoder writes: every sample, value by value.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this test starts python3, and where there is none says so or fails by the environment"
)]

mod samples;

use serde_json::{Value as Json, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use tzeva_model::{Amount, Level, NameId, TagKey, UnixMillis, Value};
use tzeva_profile::{Cell, Profile, Standing, State, Stroke, StrokeItem, stored};

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/profile_reader.py");

/// Hands `input` to the reader; nothing if there is no python3, which in CI is a failure.
fn read(input: &str) -> Option<Output> {
    let spawned = Command::new("python3")
        .args([READER, "--hex", "-"])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            println!("python3 is missing ({error}): the Python reader is not tested");
            assert!(std::env::var("CI").is_err(), "python3 is missing, which fails in CI");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id(id: NameId) -> Json {
    json!(format!("{:016x}", id.get()))
}

fn amount(amount: Option<Amount>) -> Json {
    json!(amount.map(Amount::get))
}

fn instant(at: Option<UnixMillis>) -> Json {
    json!(at.map(UnixMillis::get))
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!({ "number": number.get() }),
        Value::Bool(value) => json!(value),
    }
}

fn key(key: TagKey) -> Json {
    let (level, depth) = match key.level {
        Level::Shop => ("shop", None),
        Level::Brand => ("brand", None),
        Level::Category(depth) => ("category", Some(depth)),
        Level::Product => ("product", None),
    };
    let mut out = json!({ "level": level, "id": id(key.id) });
    if let Some(depth) = depth {
        out["depth"] = json!(depth);
    }
    out
}

fn item(item: &StrokeItem) -> Json {
    json!({
        "product": item.product.map(id),
        "brand": item.brand.map(id),
        "category": item.category.iter().copied().map(id).collect::<Vec<_>>(),
        "price": amount(item.price),
        "quantity": item.quantity,
        "merged": amount(item.merged),
    })
}

fn stroke(stroke: &Stroke) -> Json {
    let extra = stroke.extra.clone().unwrap_or_default();
    let properties = extra.properties.iter().map(|(name, v)| (name.to_string(), value(v)));
    json!({
        "at": stroke.at.get(),
        "event": id(stroke.event),
        "id_bits": stroke.id_bits,
        "items": stroke.items.iter().map(item).collect::<Vec<_>>(),
        "revenue": amount(stroke.revenue),
        "currency": stroke.currency.map(|currency| currency.to_string()),
        "channel": extra.channel,
        "country": extra.country,
        "coupon": extra.coupon,
        "page_path": extra.page_path,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
    })
}

fn cell(cell: &Cell) -> Json {
    json!({
        "event": id(cell.event),
        "tag": key(cell.tag),
        "day": cell.day,
        "count": cell.count,
        "sum": cell.sum.get(),
        "first": cell.first.get(),
        "last": cell.last.get(),
    })
}

fn standing(standing: &Standing) -> Json {
    let audience = id(standing.audience);
    match standing.state {
        State::In { since } => json!({ "audience": audience, "in": true, "since": since.get() }),
        State::Out { last_exit, disarmed, pending } => json!({
            "audience": audience,
            "in": false,
            "last_exit": instant(last_exit),
            "disarmed": disarmed,
            "pending": instant(pending),
        }),
    }
}

fn profile(profile: &Profile) -> Json {
    let tags = profile.tags.iter().map(|tag| {
        let mut out = key(tag.key);
        out["score_bits"] = json!(format!("{:08x}", tag.score.to_bits()));
        out["at"] = json!(tag.at.get());
        out
    });
    let traits = profile
        .traits
        .iter()
        .map(|(name, said, at)| json!({ "name": name, "value": value(said), "at": at.get() }));
    json!({
        "format": stored::FORMAT,
        "min_reader": stored::MIN_READER,
        "seq": profile.seq.get(),
        "stamp": format!("{:016x}", profile.stamp.get()),
        "seen": profile.seen.get(),
        "deadline": instant(profile.deadline),
        "exact_since": instant(profile.exact_since),
        "strokes": profile.strokes.iter().map(stroke).collect::<Vec<_>>(),
        "cells": profile.cells.iter().map(cell).collect::<Vec<_>>(),
        "tags": tags.collect::<Vec<_>>(),
        "traits": traits.collect::<Vec<_>>(),
        "standings": profile.standings.iter().map(standing).collect::<Vec<_>>(),
    })
}

#[test]
fn the_python_reader_reads_every_sample() {
    let samples = samples::samples();
    let lines: Vec<String> = samples.iter().map(|(_, p)| hex(&stored::encode(p))).collect();
    let Some(output) = read(&lines.join("\n")) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), samples.len());
    for (line, (name, sample)) in printed.lines().zip(&samples) {
        let mut read: Json = serde_json::from_str(line).unwrap();
        // The score as a number is for people; its bits are compared.
        for (tag, own) in read["tags"].as_array_mut().unwrap().iter_mut().zip(&sample.tags) {
            let shown = tag.as_object_mut().unwrap().remove("score").unwrap();
            let off = shown.as_f64().unwrap() / f64::from(own.score) - 1.0;
            assert!(off.abs() < 1e-12, "{name}: {shown}");
        }
        assert_eq!(read, profile(sample), "{name}");
    }
}

#[test]
fn the_python_reader_refuses_what_is_newer_or_cut_short() {
    let bytes = hex(&stored::encode(&samples::samples()[1].1));
    for (input, said) in [
        ("0302aabb", "format 3, which needs a reader of format 2"),
        (&bytes[..bytes.len() - 2], "the bytes end in the middle of something"),
    ] {
        let Some(output) = read(input) else { return };
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
