//! What every topic must look like, and what is wrong with one that doesn't: pure, so that each refusal has a test.

use super::{Checked, Found};
use crate::settings::{Settings, Topics};
use std::collections::BTreeMap;
use std::fmt;

/// Partitions never outnumber the 1,024 slices of visitors.
const MOST_PARTITIONS: usize = 1_024;
const DEAD_LETTER_BYTES: i64 = 2 << 20;
/// A commit record and a part of rules are at most 512 KiB before compression; this leaves room for what Kafka adds.
const LOG_RECORD_BYTES: i64 = 600 << 10;
/// Kafka's own default, so that a cluster with a smaller one takes parts of rules.
const MESSAGE_BYTES: i64 = 1_048_588;

/// How topics are to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of sources, log, changes and dead letters: a power of two up to 1,024, for ever.
    pub partitions: u16,
    /// Replicas of each.
    pub replication: u16,
}

/// What is wrong with a topic, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFault {
    /// Which.
    pub topic: String,
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub fix: String,
}

/// A topic as it should be.
pub(super) struct Shape {
    pub topic: String,
    pub partitions: u16,
    pub config: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Source { create_time: bool },
    Log,
    Changes,
    DeadLetters,
    Names,
    Rules,
}

// === impl Plan ===

impl Default for Plan {
    fn default() -> Self {
        Self { partitions: 64, replication: 3 }
    }
}

// === impl TopicFault ===

impl fmt::Display for TopicFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic {}: {}; {}", self.topic, self.fault, self.fix)
    }
}

// === impl Role ===

impl Role {
    /// True if it has as many partitions as the sources.
    const fn is_aligned(self) -> bool {
        !matches!(self, Self::Names | Self::Rules)
    }

    /// Settings with exactly one right value.
    fn exact(self) -> Vec<(&'static str, &'static str)> {
        let cleanup = match self {
            Self::Names | Self::Rules => ("cleanup.policy", "compact"),
            _ => ("cleanup.policy", "delete"),
        };
        let append_time = ("message.timestamp.type", "LogAppendTime");
        let mut exact = vec![cleanup, ("unclean.leader.election.enable", "false")];
        match self {
            Self::Source { create_time: false } => exact.push(append_time),
            // The log is the truth and can only be rebuilt from its beginning until snapshots can stand in for it.
            Self::Log => {
                exact.extend([append_time, ("retention.ms", "-1"), ("retention.bytes", "-1")]);
            }
            _ => {}
        }
        exact
    }

    /// Settings with a least value.
    fn least(self) -> Vec<(&'static str, i64)> {
        match self {
            Self::DeadLetters => vec![("max.message.bytes", DEAD_LETTER_BYTES)],
            Self::Log | Self::Rules => vec![("max.message.bytes", LOG_RECORD_BYTES)],
            _ => Vec::new(),
        }
    }

    /// What a new topic gets beyond what is checked.
    const fn extra(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Kafka counts retention by the records' own times: history would be deleted as soon as it is written.
            Self::Source { create_time: true } => &[("retention.ms", "-1")],
            Self::Log => &[("segment.ms", "600000")],
            Self::Changes => &[("retention.ms", "604800000")],
            Self::DeadLetters => &[("retention.ms", "2592000000")],
            _ => &[],
        }
    }
}

/// Every topic as it should be.
pub(super) fn wanted(topics: &Topics, plan: &Plan) -> Vec<Shape> {
    roles(topics)
        .into_iter()
        .map(|(topic, role)| {
            let mut config = vec![("min.insync.replicas", plan.replication.min(2).to_string())];
            config.extend(role.exact().into_iter().map(|(key, value)| (key, value.to_owned())));
            config.extend(role.extra().iter().map(|(key, value)| (*key, (*value).to_owned())));
            let largest = match role {
                Role::DeadLetters => Some(DEAD_LETTER_BYTES),
                Role::Rules => Some(MESSAGE_BYTES),
                _ => None,
            };
            config.extend(largest.map(|bytes| ("max.message.bytes", bytes.to_string())));
            let partitions = match role {
                Role::Rules => 1,
                Role::Names => plan.partitions.min(8),
                _ => plan.partitions,
            };
            Shape { topic: topic.to_owned(), partitions, config }
        })
        .collect()
}

/// Compares what was found with what must be.
pub(super) fn judge(
    settings: &Settings,
    found: &BTreeMap<String, Found>,
    low_replication: bool,
) -> Checked {
    let roles = roles(&settings.topics);
    let aligned: Vec<(&str, usize)> = roles
        .iter()
        .filter(|(_, role)| role.is_aligned())
        .filter_map(|(topic, _)| Some((*topic, found.get(*topic)?.partitions)))
        .collect();
    // The first source decides: what the shop's producers write to is hardest to change.
    let count = aligned.first().map_or(0, |(_, partitions)| *partitions);
    let mut faults = Vec::new();
    for (topic, role) in &roles {
        match found.get(*topic) {
            None => faults.push(fault(topic, "it isn't there", "make it: tzeva topics create")),
            Some(found) => {
                faults.extend(judge_partitions(topic, *role, found.partitions, count));
                faults.extend(judge_replicas(topic, found, low_replication));
                faults.extend(judge_config(settings, topic, *role, found));
            }
        }
    }
    let agree = aligned.iter().all(|(_, partitions)| *partitions == count);
    let partitions = u16::try_from(count).ok().filter(|count| agree && count.is_power_of_two());
    Checked { partitions, faults }
}

fn judge_partitions(topic: &str, role: Role, has: usize, count: usize) -> Option<TopicFault> {
    if role == Role::Rules && has != 1 {
        return Some(fault(
            topic,
            format!("it has {has} partitions, rules need one order"),
            "make it anew with 1 partition",
        ));
    }
    if !role.is_aligned() {
        return None;
    }
    if has != count {
        return Some(fault(
            topic,
            format!("it has {has} partitions, the first source topic has {count}"),
            format!("make it anew with {count}: a partition of every topic has one owner"),
        ));
    }
    (!has.is_power_of_two() || has > MOST_PARTITIONS).then(|| {
        fault(
            topic,
            format!("{has} partitions are not a power of two up to {MOST_PARTITIONS}"),
            "make it anew with such a number; partitions can't be added, that would move keys",
        )
    })
}

fn judge_replicas(topic: &str, found: &Found, low_replication: bool) -> Vec<TopicFault> {
    let mut faults = Vec::new();
    let least = if low_replication { 1 } else { 3 };
    if found.replication < least {
        faults.push(fault(
            topic,
            format!(
                "it has {} replicas, {least} are needed to survive a broker",
                found.replication
            ),
            "raise it with kafka-reassign-partitions, or accept it with --allow-low-replication",
        ));
    }
    let insync = number(found, "min.insync.replicas").unwrap_or(1);
    if found.replication >= 2 && insync < 2 {
        faults.push(fault(
            topic,
            format!(
                "min.insync.replicas is {insync}: an acknowledged record may be on one broker only"
            ),
            alter(topic, "min.insync.replicas", "2"),
        ));
    }
    faults
}

fn judge_config(settings: &Settings, topic: &str, role: Role, found: &Found) -> Vec<TopicFault> {
    let mut faults = Vec::new();
    for (key, right) in role.exact() {
        let is = found.config.get(key).map_or("", String::as_str);
        if is != right {
            let mut fix = alter(topic, key, right);
            if key == "message.timestamp.type" && matches!(role, Role::Source { .. }) {
                fix.push_str(", or declare it `create_time: true` in the settings");
            }
            faults.push(fault(topic, format!("{key} is {is}, not {right}{}", why(role, key)), fix));
        }
    }
    for (key, least) in role.least() {
        let is = number(found, key).unwrap_or(0);
        if is < least {
            let fault_text = format!("{key} is {is}, less than {least}");
            faults.push(fault(topic, fault_text, alter(topic, key, &least.to_string())));
        }
    }
    if role == Role::Log && settings.topics.sources.iter().any(|source| source.name == topic) {
        faults.push(fault(topic, "it is also a source", "give the log a topic of its own"));
    }
    faults
}

fn why(role: Role, key: &str) -> &'static str {
    match (role, key) {
        (Role::Log, "cleanup.policy") => " (compaction would punch holes into the truth)",
        (Role::Rules, "cleanup.policy") => " (rules would be forgotten while they hold)",
        (Role::Log, "message.timestamp.type") => " (the broker's clock is the engine's)",
        (Role::Log, "retention.ms" | "retention.bytes") => {
            " (there are no snapshots yet, so the log must reach back to its anchor)"
        }
        _ => "",
    }
}

fn roles(topics: &Topics) -> Vec<(&str, Role)> {
    let mut roles: Vec<(&str, Role)> = topics
        .sources
        .iter()
        .map(|topic| (topic.name.as_str(), Role::Source { create_time: topic.create_time }))
        .collect();
    roles.extend([
        (topics.log.as_str(), Role::Log),
        (topics.changes.as_str(), Role::Changes),
        (topics.dead_letters.as_str(), Role::DeadLetters),
        (topics.names.as_str(), Role::Names),
        (topics.rules.as_str(), Role::Rules),
    ]);
    roles
}

fn number(found: &Found, key: &str) -> Option<i64> {
    found.config.get(key)?.parse().ok()
}

fn alter(topic: &str, key: &str, value: &str) -> String {
    format!(
        "set it: kafka-configs --alter --entity-type topics --entity-name {topic} --add-config {key}={value}"
    )
}

fn fault(topic: &str, fault: impl Into<String>, fix: impl Into<String>) -> TopicFault {
    TopicFault { topic: topic.to_owned(), fault: fault.into(), fix: fix.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a cluster would say after `create`.
    fn made(partitions: u16, replication: u16) -> BTreeMap<String, Found> {
        let plan = Plan { partitions, replication };
        wanted(&Topics::default(), &plan)
            .into_iter()
            .map(|shape| {
                let mut config: BTreeMap<String, String> =
                    shape.config.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
                config.entry("max.message.bytes".into()).or_insert("1048588".into());
                let (partitions, replication) = (shape.partitions.into(), replication.into());
                (shape.topic, Found { partitions, replication, config })
            })
            .collect()
    }

    fn faults(found: &BTreeMap<String, Found>) -> Vec<String> {
        let judged = judge(&Settings::new("b:1"), found, false);
        judged.faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_create_makes_passes_the_check() {
        let checked = judge(&Settings::new("b:1"), &made(64, 3), false);
        assert_eq!(checked, Checked { partitions: Some(64), faults: vec![] });
        assert_eq!(judge(&Settings::new("b:1"), &made(4, 1), true).faults, []);
        assert_eq!(judge(&Settings::new("b:1"), &made(4, 1), false).faults.len(), 7);
    }

    #[test]
    fn a_new_topic_that_keeps_its_producers_times_keeps_history() {
        let source = |create_time| crate::SourceTopic { name: "visits".into(), create_time };
        let kept = |create_time| {
            let topics = Topics { sources: vec![source(create_time)], ..Topics::default() };
            let shapes = wanted(&topics, &Plan { partitions: 4, replication: 1 });
            shapes[0].config.iter().any(|(key, value)| *key == "retention.ms" && value == "-1")
        };
        assert_eq!((kept(true), kept(false)), (true, false));
    }

    #[test]
    fn every_wrong_set_up_is_named_with_its_fix() {
        for (topic, key, value, expected) in [
            ("tzeva.log", "cleanup.policy", "compact", "cleanup.policy is compact"),
            ("tzeva.log", "message.timestamp.type", "CreateTime", "message.timestamp.type is"),
            ("tzeva.log", "retention.ms", "21600000", "no snapshots yet"),
            ("tzeva.purchases", "message.timestamp.type", "CreateTime", "create_time: true"),
            ("tzeva.names", "cleanup.policy", "delete", "cleanup.policy=compact"),
            ("tzeva.rules", "cleanup.policy", "delete", "rules would be forgotten"),
            ("tzeva.rules", "max.message.bytes", "500000", "less than 614400"),
            ("tzeva.dead-letters", "max.message.bytes", "1048588", "less than 2097152"),
            ("tzeva.changes", "min.insync.replicas", "1", "min.insync.replicas=2"),
        ] {
            let mut found = made(8, 3);
            found.get_mut(topic).unwrap().config.insert(key.into(), value.into());
            let faults = faults(&found);
            assert_eq!(faults.len(), 1, "{topic} {key}: {faults:?}");
            assert!(faults[0].contains(topic) && faults[0].contains(expected), "{faults:?}");
        }
    }

    #[test]
    fn partition_counts_must_be_equal_and_a_power_of_two() {
        let mut found = made(8, 3);
        found.get_mut("tzeva.purchases").unwrap().partitions = 4;
        assert_eq!(faults(&found).len(), 1);
        assert_eq!(judge(&Settings::new("b:1"), &found, false).partitions, None);
        let six = made(6, 3);
        assert_eq!(faults(&six).len(), 5);
        found.remove("tzeva.log");
        assert!(faults(&found)[1].contains("topics create"));
    }
}
