//! Metrics registry, logging, health, build information, and the HTTP pages that show them. Knows no business word: who
//! has something to count registers it here.

mod build;
mod health;
mod http;
mod log;
mod registry;

pub use build::BuildInfo;
pub use health::Health;
pub use http::{HttpError, Pages, serve};
pub use log::{LogFormat, init_logging};
pub use registry::{Described, MetricKind, Registry, Spec};

pub use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
