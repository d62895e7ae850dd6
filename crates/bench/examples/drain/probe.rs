//! What processes have used, as the kernel counts it, and what the painter says of itself.

use anyhow::{Context, Result};
use std::time::Instant;

/// What processes have used up to now.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// When.
    pub(crate) at: Instant,
    /// Processor time in seconds, user and system.
    pub(crate) spent: [f64; 3],
    /// Resident memory in bytes.
    pub(crate) resident: [f64; 3],
}

/// A page of metrics: (name with labels, value).
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(Vec<(String, f64)>);

/// The kernel counts in hundredths of a second, whatever its own tick.
const TICKS: f64 = 100.0;
const PAGE: f64 = 4_096.0;

// === impl Usage ===

impl Usage {
    /// Reads `/proc`.
    pub(crate) fn of(pids: [u32; 3]) -> Result<Self> {
        let mut usage = Self { at: Instant::now(), spent: [0.0; 3], resident: [0.0; 3] };
        for (place, pid) in pids.into_iter().enumerate() {
            let path = format!("/proc/{pid}/stat");
            let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
            // The name stands in brackets and may hold anything; fields are counted from behind it.
            let rest = text.rsplit(')').next().unwrap_or_default();
            let fields: Vec<f64> = rest.split_whitespace().skip(1).flat_map(str::parse).collect();
            let field = |number: usize| fields.get(number - 4).copied().unwrap_or(0.0);
            usage.spent[place] = (field(14) + field(15)) / TICKS;
            usage.resident[place] = field(24) * PAGE;
        }
        Ok(usage)
    }
}

// === impl Metrics ===

impl Metrics {
    /// The metrics on a page of Prometheus text.
    pub(crate) fn read(page: &str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.rsplit_once(' '));
        let numbers = pairs.filter_map(|(name, value)| Some((name.into(), value.parse().ok()?)));
        Self(numbers.collect())
    }

    /// The sum over all labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let named = |text: &str| {
            text.strip_prefix(name).is_some_and(|r| r.is_empty() || r.starts_with('{'))
        };
        self.0.iter().filter(|(text, _)| named(text)).map(|(_, value)| value).sum()
    }
}
