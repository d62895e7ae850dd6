//! The painter's metrics, and the watch that feeds them from what owners observed.

use crate::driver::Watch;
use crate::observe::Observations;
use crate::owner::Standings;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tzeva_model::{Millis, Partition, UnixMillis};
use tzeva_telemetry::{Health, Histogram, IntCounter, IntCounterVec, IntGaugeVec, Registry, Spec};

/// Everything that a painter counts.
#[derive(Clone, Debug)]
pub struct PainterMetrics {
    records: IntCounterVec,
    rejected: IntCounterVec,
    changes: IntCounterVec,
    commits: IntCounter,
    log_bytes: IntCounter,
    profiles_written: IntCounter,
    claims: IntCounter,
    fenced: IntCounter,
    unknown: IntCounter,
    store_moved: IntCounter,
    refused: IntCounter,
    panics: IntCounter,
    names_capped: IntCounter,
    clamped: IntCounter,
    behind: IntCounter,
    late: IntCounter,
    window_missed: IntCounter,
    without_rate: IntCounter,
    without_history: IntCounter,
    deadlines: IntCounter,
    forgotten: IntCounter,
    activations: IntCounter,
    swept: IntCounter,
    rules_refused: IntCounter,
    append: Histogram,
    apply: Histogram,
    freshness: Histogram,
    lateness: Histogram,
    lag_records: IntGaugeVec,
    engine_time: IntGaugeVec,
    owning: IntGaugeVec,
    profiles: IntGaugeVec,
    unapplied: IntGaugeVec,
    sweep_left: IntGaugeVec,
}

/// How a partition stands, for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionView {
    /// The state's word.
    pub state: &'static str,
    /// How it stands as an owner.
    pub standings: Option<Standings>,
    /// Why it has to be claimed again, until it is owned.
    pub trouble: Option<String>,
    /// Why it was refused.
    pub refused: Option<String>,
}

/// The watch: metrics, health, and a view of each partition.
#[derive(Clone)]
pub struct Watcher {
    metrics: PainterMetrics,
    health: Health,
    views: Arc<Mutex<BTreeMap<Partition, PartitionView>>>,
    fallen: Arc<OnceLock<String>>,
}

const NONE: &str = "none: read beside others";

// === impl PainterMetrics ===

impl PainterMetrics {
    /// Registers all of them.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a flat list, a metric a step")]
    pub fn register(registry: &Registry) -> Self {
        let spec = |name, help, unit, alert| Spec { name, help, unit, alert };
        let count = |name, help, alert| registry.counter(spec(name, help, "1", alert));
        let gauge = |name, help, unit, alert| {
            registry.gauges(spec(name, help, unit, alert), &["partition"])
        };
        let seconds = |name, help, alert| registry.seconds(spec(name, help, "seconds", alert));
        Self {
            records: registry.counters(
                spec(
                    "tzeva_records_total",
                    "Source records decided, by outcome.",
                    "1",
                    "TzevaNoTraffic",
                ),
                &["outcome"],
            ),
            rejected: registry.counters(
                spec(
                    "tzeva_rejected_total",
                    "Records that became dead letters, by code.",
                    "1",
                    "TzevaDeadLetters",
                ),
                &["code"],
            ),
            changes: registry.counters(
                spec("tzeva_changes_total", "Audience changes committed, by direction.", "1", NONE),
                &["change"],
            ),
            commits: count("tzeva_commits_total", "Commits that count.", NONE),
            log_bytes: registry.counter(spec(
                "tzeva_log_bytes_total",
                "Bytes appended to the log.",
                "bytes",
                NONE,
            )),
            profiles_written: count(
                "tzeva_profiles_written_total",
                "Profiles written to the store.",
                NONE,
            ),
            claims: count("tzeva_claims_total", "Claims written.", "TzevaOwnersDuel"),
            fenced: count(
                "tzeva_fenced_total",
                "Reigns ended by another owner's claim.",
                "TzevaOwnersDuel",
            ),
            unknown: count(
                "tzeva_unknown_outcomes_total",
                "Appends whose fate was unknown.",
                "TzevaUnknownOutcomes",
            ),
            store_moved: count(
                "tzeva_store_moved_total",
                "Reigns ended because the store went back.",
                "TzevaStoreMoved",
            ),
            refused: count(
                "tzeva_partitions_refused_total",
                "Partitions that wait for a person.",
                "TzevaRefused",
            ),
            panics: count(
                "tzeva_panics_total",
                "Bugs caught: while deciding, or by the thread that owned partitions.",
                "TzevaPanics",
            ),
            names_capped: count(
                "tzeva_names_capped_total",
                "New names kept out of the log by the cap.",
                "TzevaNameFlood",
            ),
            clamped: count("tzeva_clamped_total", "Events dated after their record time.", NONE),
            behind: count(
                "tzeva_behind_engine_time_total",
                "Records behind engine time.",
                "TzevaBehindEngineTime",
            ),
            late: count("tzeva_late_events_total", "Events more than late_after behind.", NONE),
            window_missed: count(
                "tzeva_duplicate_window_missed_total",
                "Events older than all kept strokes: a repeat would count again.",
                NONE,
            ),
            without_rate: count(
                "tzeva_amounts_without_rate_total",
                "Events whose amounts were left out: their currency has no rate in the settings.",
                NONE,
            ),
            without_history: count(
                "tzeva_purchases_without_history_total",
                "Orders of visitors never seen before: do purchases carry the visits' ids?",
                "TzevaPurchasesWithoutHistory",
            ),
            deadlines: count(
                "tzeva_deadlines_fired_total",
                "Evaluations caused by time alone.",
                NONE,
            ),
            forgotten: count(
                "tzeva_profiles_forgotten_total",
                "Profiles ended after profile.idle.",
                NONE,
            ),
            activations: count(
                "tzeva_rules_activations_total",
                "Partitions switched to newly published rules.",
                NONE,
            ),
            swept: count(
                "tzeva_sweep_profiles_total",
                "Profiles met by sweeps under new rules.",
                NONE,
            ),
            rules_refused: count(
                "tzeva_rules_refused_total",
                "Published rules that this process can't run.",
                "TzevaRulesRefused",
            ),
            append: seconds(
                "tzeva_append_seconds",
                "From an append to its ack.",
                "TzevaAppendSlow",
            ),
            apply: seconds("tzeva_apply_seconds", "From an apply to its answer.", "TzevaApplySlow"),
            freshness: seconds(
                "tzeva_freshness_seconds",
                "From a record's time to the publishing of the change it caused.",
                "TzevaStale",
            ),
            lateness: seconds(
                "tzeva_deadline_lateness_seconds",
                "From a deadline to the ack of the commit that fired it.",
                "TzevaDeadlinesLate",
            ),
            lag_records: gauge(
                "tzeva_lag_records",
                "Records in the source topics that no commit has decided, as of the last fetch.",
                "1",
                "TzevaLag",
            ),
            engine_time: gauge(
                "tzeva_engine_lag_seconds",
                "How far engine time lies behind the local clock.",
                "seconds",
                "TzevaLag",
            ),
            owning: gauge(
                "tzeva_owning",
                "1 while this process owns the partition.",
                "1",
                "TzevaUnowned",
            ),
            profiles: gauge("tzeva_cached_profiles", "Profiles in memory.", "1", NONE),
            unapplied: gauge(
                "tzeva_unapplied_profiles",
                "Profiles not yet in the store.",
                "1",
                "TzevaApplySlow",
            ),
            sweep_left: gauge(
                "tzeva_sweep_shards_left",
                "Shards whose profiles a sweep under new rules has not met yet.",
                "1",
                "TzevaSweepStuck",
            ),
        }
    }

    fn add(&self, seen: &Observations) {
        self.records.with_label_values(&["painted"]).inc_by(seen.painted);
        self.records.with_label_values(&["duplicate"]).inc_by(seen.duplicates);
        for (code, &count) in &seen.rejected {
            self.records.with_label_values(&["rejected"]).inc_by(count);
            self.rejected.with_label_values(&[code.word()]).inc_by(count);
        }
        self.changes.with_label_values(&["entered"]).inc_by(seen.entered);
        self.changes.with_label_values(&["exited"]).inc_by(seen.exited);
        let engine = &seen.engine;
        if engine.without_rate > 0 && self.without_rate.get() == 0 {
            tracing::warn!(
                "amounts of an event were left out: its currency has no rate in the settings; said once, \
                 tzeva_amounts_without_rate_total counts them"
            );
        }
        for (counter, count) in [
            (&self.commits, seen.commits),
            (&self.log_bytes, seen.log_bytes),
            (&self.profiles_written, seen.profiles_written),
            (&self.claims, seen.claims),
            (&self.fenced, seen.fenced),
            (&self.unknown, seen.unknown_outcomes),
            (&self.store_moved, seen.store_moved),
            (&self.refused, seen.refused),
            (&self.panics, seen.panics),
            (&self.names_capped, seen.names_capped),
            (&self.clamped, engine.clamped),
            (&self.behind, engine.behind_engine_time),
            (&self.late, engine.late),
            (&self.window_missed, engine.duplicate_window_missed),
            (&self.without_rate, engine.without_rate),
            (&self.without_history, engine.purchases_without_history),
            (&self.deadlines, engine.deadlines_fired),
            (&self.forgotten, engine.forgotten),
            (&self.activations, seen.activations),
            (&self.swept, seen.swept),
        ] {
            counter.inc_by(count);
        }
        for (histogram, spans) in [
            (&self.append, &seen.append),
            (&self.apply, &seen.apply),
            (&self.freshness, &seen.freshness),
            (&self.lateness, &seen.lateness),
        ] {
            spans.iter().for_each(|span| histogram.observe(seconds(*span)));
        }
    }

    fn stand(&self, partition: Partition, standings: Option<&Standings>, wall: UnixMillis) {
        let label = partition.to_string();
        let set = |gauge: &IntGaugeVec, value: i64| gauge.with_label_values(&[&label]).set(value);
        set(&self.owning, i64::from(standings.is_some()));
        let Some(standings) = standings else {
            // A partition that was let go is somebody else's to report.
            for gauge in [
                &self.lag_records,
                &self.profiles,
                &self.unapplied,
                &self.engine_time,
                &self.sweep_left,
            ] {
                set(gauge, 0);
            }
            return;
        };
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        set(&self.lag_records, standings.lag);
        set(&self.profiles, size(standings.profiles));
        set(&self.unapplied, size(standings.unapplied));
        set(&self.sweep_left, size(standings.sweep.as_ref().map_or(0, |sweep| sweep.shards_left)));
        // At the end of its sources a partition is current, though engine time moves only when something is due.
        let lag = if standings.drained { Millis::ZERO } else { wall - standings.engine_time };
        set(&self.engine_time, lag.get() / 1_000);
    }
}

// === impl Watcher ===

impl Watcher {
    /// A watch over nothing yet.
    #[must_use]
    pub fn new(metrics: PainterMetrics, health: Health) -> Self {
        Self { metrics, health, views: Arc::default(), fallen: Arc::default() }
    }

    /// How each partition stands.
    #[must_use]
    pub fn views(&self) -> BTreeMap<Partition, PartitionView> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the first lane fell, if one did.
    #[must_use]
    pub fn fallen(&self) -> Option<&str> {
        self.fallen.get().map(String::as_str)
    }

    /// Counts published rules that this process can't run.
    pub fn rules_refused(&self) {
        self.metrics.rules_refused.inc();
    }

    fn look(&self) {
        let views = self.views();
        let reasons =
            views.iter().filter_map(|(partition, view)| match (&view.refused, view.state) {
                (Some(why), _) => Some(format!("partition {partition} is refused: {why}")),
                (None, "owning" | "idle") => None,
                (None, state) => Some(match &view.trouble {
                    Some(why) => format!("partition {partition} is {state}: {why}"),
                    None => format!("partition {partition} is {state}"),
                }),
            });
        self.health.set_reasons(reasons.collect());
    }
}

impl Watch for Watcher {
    fn partition(
        &self,
        partition: Partition,
        (state, trouble): (&'static str, Option<&str>),
        standings: Option<Standings>,
        (seen, wall): (Observations, UnixMillis),
    ) {
        self.metrics.add(&seen);
        self.metrics.stand(partition, standings.as_ref(), wall);
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = views.get(&partition).and_then(|view| view.refused.clone());
        let trouble = trouble.map(str::to_owned);
        views.insert(partition, PartitionView { state, standings, trouble, refused });
        drop(views);
        self.look();
    }

    fn refused(&self, partition: Partition, why: &str) {
        let refused = Some(why.to_owned());
        let view = PartitionView { state: "refused", standings: None, trouble: None, refused };
        self.views.lock().unwrap_or_else(PoisonError::into_inner).insert(partition, view);
        self.look();
    }

    fn fell(&self, partitions: &[Partition], why: &str) {
        self.metrics.panics.inc();
        for &partition in partitions {
            self.metrics.stand(partition, None, UnixMillis::new(0));
            self.refused(partition, why);
        }
        let _ = self.fallen.set(why.to_owned());
    }
}

#[expect(clippy::cast_precision_loss, reason = "spans of millions of years lose a millisecond")]
fn seconds(span: Millis) -> f64 {
    span.get() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_a_reason_not_to_be_ready() {
        let health = Health::default();
        health.started();
        let metrics = PainterMetrics::register(&Registry::default());
        let watcher = Watcher::new(metrics, health.clone());
        let told = |state, trouble| {
            let seen = (Observations::default(), UnixMillis::new(0));
            watcher.partition(Partition::new(7), (state, trouble), None, seen);
            health.reasons()
        };
        let waits = "partition 7 is waiting: its rules are not heard of";
        assert_eq!(told("waiting", Some("its rules are not heard of")), [waits]);
        assert_eq!(told("claiming", None), ["partition 7 is claiming"]);
        assert_eq!(told("owning", None), [""; 0]);
    }
}
