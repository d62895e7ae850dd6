//! The metrics registry: prometheus inside, and beside each metric what a reader of the reference needs to know.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, TextEncoder,
};
use std::sync::{Arc, Mutex, PoisonError};

/// All metrics of a process. Made once, handed around; there is no global one.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    metrics: prometheus::Registry,
    described: Arc<Mutex<Vec<Described>>>,
}

/// What a metric is called and means, by whoever emits it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// `tzeva_<area>_<what>_<unit>[_total]`.
    pub name: &'static str,
    /// What it says, one sentence.
    pub help: &'static str,
    /// Its unit: `1`, `seconds`, `bytes`.
    pub unit: &'static str,
    /// The alert that watches it, or why none does.
    pub alert: &'static str,
}

/// A metric as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The name.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// What it says.
    pub help: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its labels; each a bounded set.
    pub labels: Vec<&'static str>,
    /// The alert.
    pub alert: &'static str,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

// === impl Registry ===

impl Registry {
    /// Registers a counter.
    ///
    /// # Panics
    /// If the name is taken or malformed: a mistake in the source, seen at every start.
    pub fn counter(&self, spec: Spec) -> IntCounter {
        let metric = made(IntCounter::new(spec.name, spec.help));
        self.add(spec, MetricKind::Counter, &[], metric)
    }

    /// Registers counters told apart by labels.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn counters(&self, spec: Spec, labels: &[&'static str]) -> IntCounterVec {
        let metric = made(IntCounterVec::new(Opts::new(spec.name, spec.help), labels));
        self.add(spec, MetricKind::Counter, labels, metric)
    }

    /// Registers a gauge.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn gauge(&self, spec: Spec) -> IntGauge {
        let metric = made(IntGauge::new(spec.name, spec.help));
        self.add(spec, MetricKind::Gauge, &[], metric)
    }

    /// Registers gauges told apart by labels.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn gauges(&self, spec: Spec, labels: &[&'static str]) -> IntGaugeVec {
        let metric = made(IntGaugeVec::new(Opts::new(spec.name, spec.help), labels));
        self.add(spec, MetricKind::Gauge, labels, metric)
    }

    /// Registers a histogram of seconds, from half a millisecond to a minute.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn seconds(&self, spec: Spec) -> Histogram {
        let buckets = vec![
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            30.0, 60.0,
        ];
        let metric =
            made(Histogram::with_opts(HistogramOpts::new(spec.name, spec.help).buckets(buckets)));
        self.add(spec, MetricKind::Histogram, &[], metric)
    }

    /// All metrics in the text form that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.metrics.gather()).unwrap_or_default()
    }

    /// All metrics as the reference shows them, sorted by name.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        let mut all = self.described.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_by_key(|metric| metric.name);
        all
    }

    fn add<M>(&self, spec: Spec, kind: MetricKind, labels: &[&'static str], metric: M) -> M
    where
        M: prometheus::core::Collector + Clone + 'static,
    {
        made(self.metrics.register(Box::new(metric.clone())));
        self.described.lock().unwrap_or_else(PoisonError::into_inner).push(Described {
            name: spec.name,
            kind,
            help: spec.help,
            unit: spec.unit,
            labels: labels.to_vec(),
            alert: spec.alert,
        });
        metric
    }
}

// === impl MetricKind ===

impl MetricKind {
    /// The word of the reference.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "names are literals: a wrong one fails every start and every test"
)]
fn made<T>(metric: prometheus::Result<T>) -> T {
    metric.expect("a metric's name is well formed and given once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_is_shown_and_described() {
        let registry = Registry::default();
        let spec =
            Spec { name: "tzeva_test_total", help: "Tests.", unit: "1", alert: "none: a test" };
        registry.counters(spec, &["code"]).with_label_values(&["bad_value"]).inc();
        assert!(registry.text().contains("tzeva_test_total{code=\"bad_value\"} 1"));
        assert_eq!(registry.described()[0].labels, ["code"]);
    }
}
