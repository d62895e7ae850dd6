//! The same run by the oracle: it reads all lines, sorts them, and never hears of an engine.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use tzeva_audience::{CheckSettings, SourceFile, compile};
use tzeva_decode::{Decoded, Decoder, Raw};
use tzeva_model::{ChangeNumber, Event, Incarnation, Millis, Name, NameId, Partition, UnixMillis};
use tzeva_oracle::{Input, Settings, run};
use tzeva_painter::render::Renderer;

/// What was gzipped.
pub(crate) fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// A change without its number and what follows from that.
pub(crate) fn without_number(line: &str) -> String {
    let mut change: serde_json::Value = serde_json::from_str(line).unwrap();
    for key in ["n", "id"] {
        change.as_object_mut().unwrap().remove(key);
    }
    change.to_string()
}

/// A number that follows from a line's visitor.
pub(crate) fn visitor(line: &str) -> usize {
    let call: serde_json::Value = serde_json::from_str(line).unwrap();
    call["anonymousId"].as_str().unwrap().bytes().map(usize::from).sum()
}

/// The changes of `lines`, as published; `until` as the command takes it, empty for the last event's time.
pub(crate) fn changes(audiences: &Path, lines: &str, until: &str) -> Vec<String> {
    let files: Vec<SourceFile> = std::fs::read_dir(audiences)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| SourceFile {
            text: std::fs::read_to_string(&path).unwrap(),
            path: path.display().to_string(),
        })
        .collect();
    let check = CheckSettings { keep_what_rules_name: true, ..CheckSettings::default() };
    let compiled = compile(&files, &check);
    let rules = compiled.rules.unwrap();
    let keep = compiled.fields_to_keep;
    let decode = tzeva_decode::Settings { keep, ..tzeva_decode::Settings::default() };
    let mut decoder = Decoder::new(&decode).unwrap();
    let mut events: Vec<Event> = lines.lines().map(|line| event(&mut decoder, line)).collect();
    events.sort_by_key(|event| event.occurred_at);
    let last = events.last().unwrap().occurred_at;
    let until = match until {
        "" => last,
        "max" => UnixMillis::MAX,
        text => {
            let instant: jiff::Timestamp = text.parse().unwrap();
            UnixMillis::new(instant.as_millisecond())
        }
    };
    events.retain(|event| event.occurred_at <= until);
    let mut names: HashMap<NameId, String> = HashMap::new();
    events.iter().for_each(|event| learn(event, &mut names));
    let inputs = events.into_iter().map(|event| Input { record_time: event.occurred_at, event });
    let inputs: Vec<Input> = inputs.collect();
    let settings = Settings { backtest: true, ..Settings::default() };
    let found = run(&rules, &settings, &inputs, until);
    let name = |id| names.get(&id).cloned();
    let renderer = Renderer {
        rules: &rules,
        idle: Millis::DAY.times(400),
        name: &name,
        incarnation: Incarnation::new(0),
        partition: Partition::new(0),
    };
    let numbered = found.iter().zip(1..);
    numbered
        .map(|(change, n)| {
            renderer.change(change, ChangeNumber::new(n), change.effective_at).to_json()
        })
        .collect()
}

fn event(decoder: &mut Decoder, line: &str) -> Event {
    let value = line.as_bytes();
    let raw = Raw { partition: Partition::new(0), key: None, value, headers: &[] };
    match decoder.decode(&raw) {
        Decoded::Event(event) => event,
        other => panic!("{other:?}: {line}"),
    }
}

fn learn(event: &Event, names: &mut HashMap<NameId, String>) {
    let mut learn = |name: &Name| {
        names.insert(name.id(), name.text().to_owned());
    };
    learn(&event.name);
    for item in &event.items {
        item.product.iter().chain(&item.brand).for_each(&mut learn);
        item.category.iter().flat_map(|category| category.depths()).for_each(&mut learn);
    }
}
