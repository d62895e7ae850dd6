//! `retarget-1`, the one workload that everything is measured with, and audiences to measure it against.
//!
//! A made-up shop of any size: visitors by Zipf 0.8, visits of geometric length, products in four levels by Zipf 0.9,
//! views, carts, orders and a few refunds, a little of it late, a little of it repeated. All of it follows from the
//! [`Plan`], seed included: the same plan, the same bytes. No real shop's data is in it.
//!
//! Not done here: sending it anywhere, and reading any clock.
#![deny(missing_docs)]

mod audiences;
mod call;
mod catalogue;
mod random;
mod traffic;
mod zipf;

pub use audiences::{Template, audiences, paint};
pub use call::{Call, Line, Order};
pub use catalogue::{PRODUCTS, Product, SHELF, TOPS};
pub use random::Random;
pub use traffic::{Plan, Sent, Topic, Traffic, visitor_id};
pub use zipf::Zipf;
