//! Builders, simulated ports that break on purpose, and real servers for tests.

pub mod conformance;
pub mod proxy;
pub mod readback;
pub mod servers;
pub mod sim;
