//! The small shop of `tzeva demo`: who shops there, what they do, and how it is told.
//!
//! The painter is real and is none of this crate's business: events go out to a data folder, and changes come in.

mod open;
mod order;
mod people;
mod shop;
mod stage;
mod story;
mod time;
mod watch;

pub use open::{Open, OpenError};
pub use people::People;
pub use stage::Stage;
pub use story::Story;
pub use time::ShopTime;
pub use watch::port as watched;

/// The partitions of the folder.
pub const PARTITIONS: u16 = 4;
