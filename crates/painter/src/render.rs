//! Changes as others read them: CloudEvents 1.0, a JSON body, and headers. Text is made here, once, from the compact
//! change of the log, so that a repeat of a projection gives the same bytes.

use crate::settings::Settings;
use serde::Serialize;
use tzeva_audience::{Audience, RuleSet};
use tzeva_commit::port::Outgoing;
use tzeva_commit::{DeadLetter, NewName};
use tzeva_model::{
    Change, ChangeNumber, Incarnation, Millis, NameId, Partition, Place, RulesVersion, UnixMillis,
};
use tzeva_phrase::{idle_sentence, sentence};
use xxhash_rust::xxh3::xxh3_128;

/// What a change's text is made with.
pub struct Renderer<'a> {
    /// The rules it was decided under.
    pub rules: &'a RuleSet,
    /// `profile.idle`: how long somebody was away who is forgotten.
    pub idle: Millis,
    /// What ids stand for; unknown ones show as `#` and hex.
    pub name: &'a dyn Fn(NameId) -> Option<String>,
    /// Which life of the log.
    pub incarnation: Incarnation,
    /// The partition.
    pub partition: Partition,
}

/// The published form of a change.
#[derive(Debug, Serialize)]
pub struct ChangeV1 {
    id: String,
    partition: u16,
    n: u64,
    audience: String,
    audience_version: String,
    visitor: String,
    change: &'static str,
    effective_at: String,
    decided_at: String,
    origin: &'static str,
    reason: ReasonV1,
}

#[derive(Debug, Serialize)]
struct ReasonV1 {
    kind: &'static str,
    leaf: String,
    text: String,
    exact: bool,
    evidence: Vec<EvidenceV1>,
    cause: Option<CauseV1>,
}

#[derive(Debug, Serialize)]
struct EvidenceV1 {
    event: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
}

#[derive(Debug, Serialize)]
struct CauseV1 {
    id: String,
    name: String,
    time: String,
}

// === impl Renderer ===

impl Renderer<'_> {
    /// The published form of `change`, the `n`-th of its partition, decided at `decided_at`.
    #[must_use]
    pub fn change(&self, change: &Change, n: ChangeNumber, decided_at: UnixMillis) -> ChangeV1 {
        let audience = self.audience(change.audience);
        let reason = &change.reason;
        ChangeV1 {
            id: change_id(self.incarnation, self.partition, n),
            partition: self.partition.get(),
            n: n.get(),
            audience: audience.map_or_else(|| self.text(change.audience), |a| a.name.text().into()),
            audience_version: format!("{:08x}", change.audience_version),
            visitor: change.visitor.as_str().into(),
            change: change.direction.word(),
            effective_at: change.effective_at.to_string(),
            decided_at: decided_at.to_string(),
            origin: change.origin.word(),
            reason: ReasonV1 {
                kind: reason.kind.word(),
                leaf: audience.map_or_else(String::new, |a| a.path(reason.place)),
                text: match reason.place {
                    Place::Idle => idle_sentence(self.idle),
                    _ => sentence(self.rules, change, self.name),
                },
                exact: reason.exact,
                evidence: reason
                    .evidence
                    .iter()
                    .map(|e| EvidenceV1 {
                        event: self.text(e.event),
                        at: e.at.to_string(),
                        product: e.product.map(|id| self.text(id)),
                    })
                    .collect(),
                cause: reason.cause.as_ref().map(|cause| CauseV1 {
                    id: cause.id.as_str().into(),
                    name: self.text(cause.name),
                    time: cause.time.to_string(),
                }),
            },
        }
    }

    /// The Kafka message of a change: CloudEvents in binary mode.
    #[must_use]
    pub fn message(&self, change: &Change, n: ChangeNumber, decided_at: UnixMillis) -> Outgoing {
        let body = self.change(change, n, decided_at);
        let mut headers = vec![
            header("ce_specversion", "1.0"),
            header("ce_id", &body.id),
            header("ce_source", &format!("/tzeva/partitions/{}", self.partition)),
            header("ce_type", &format!("tzeva.audience.{}.v1", body.change)),
            header("ce_time", &body.effective_at),
            header("content-type", "application/json"),
            header("tzeva_partition", &self.partition.to_string()),
            header("tzeva_n", &n.to_string()),
        ];
        let cause = change.reason.cause.as_ref();
        if let Some(trace) = cause.and_then(|cause| cause.traceparent.as_deref()) {
            headers.push(header("traceparent", trace));
        }
        Outgoing::Change {
            n,
            key: change.visitor.as_str().into(),
            headers,
            value: body.to_json().into_bytes(),
        }
    }

    fn audience(&self, id: NameId) -> Option<&Audience> {
        self.rules.audiences.iter().find(|audience| audience.name.id() == id)
    }

    fn text(&self, id: NameId) -> String {
        (self.name)(id).unwrap_or_else(|| id.to_string())
    }
}

// === impl ChangeV1 ===

impl ChangeV1 {
    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and numbers only: there is nothing that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The line from behind its number on, for whoever numbers changes later: see [`numbered`].
    #[must_use]
    pub fn unnumbered(&self) -> String {
        let mut line = self.to_json();
        // Before it stand an id in hex and two numbers, none of which could hold this.
        let head = line.find("\"audience\":").unwrap_or_default();
        line.drain(..head);
        line
    }

    /// The sentence that tells why.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.reason.text
    }
}

/// The id of a change: a function of its place in the log, so that a repeat has the same one.
#[must_use]
pub fn change_id(incarnation: Incarnation, partition: Partition, n: ChangeNumber) -> String {
    let place = format!("{}\0{partition}\0{n}", incarnation.get());
    format!("{:032x}", xxh3_128(place.as_bytes()))
}

/// The line of JSON of the `n`-th change of a partition, given all of it behind the number.
#[must_use]
pub fn numbered(place: (Incarnation, Partition), n: ChangeNumber, unnumbered: &str) -> String {
    let (incarnation, partition) = place;
    let id = change_id(incarnation, partition, n);
    format!("{{\"id\":\"{id}\",\"partition\":{partition},\"n\":{n},{unnumbered}")
}

/// The messages of a partition's dead letters.
pub(crate) fn dead_letters<'a>(
    letters: &'a [DeadLetter],
    settings: &'a Settings,
    (partition, rules): (Partition, RulesVersion),
) -> impl Iterator<Item = Outgoing> + use<'a> {
    letters.iter().map(move |letter| {
        let topic = &settings.topics[usize::from(letter.topic.get())].name;
        dead_letter(letter, topic, partition, rules.get())
    })
}

/// The message of a dead letter; the port adds the original.
#[must_use]
pub fn dead_letter(letter: &DeadLetter, topic: &str, partition: Partition, rules: u64) -> Outgoing {
    Outgoing::DeadLetter {
        topic: letter.topic,
        offset: letter.offset,
        headers: vec![
            header("dlq.topic", topic),
            header("dlq.partition", &partition.to_string()),
            header("dlq.offset", &letter.offset.to_string()),
            header("dlq.stage", "decide"),
            header("dlq.code", letter.code.word()),
            header("dlq.error", &letter.error),
            header("dlq.attempts", "1"),
            header("dlq.app_version", env!("CARGO_PKG_VERSION")),
            header("dlq.rules_version", &format!("{rules:016x}")),
        ],
        head: letter.head.to_vec(),
    }
}

/// The message of a name.
#[must_use]
pub fn name(name: &NewName) -> Outgoing {
    let key = format!("{}/{:016x}", name.kind.word(), name.id.get());
    Outgoing::Name { key, text: name.text.to_string() }
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.into(), value.into())
}
