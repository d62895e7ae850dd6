//! The laws of time and membership, a small scenario each; the name is the claim.
#![expect(clippy::unwrap_used, reason = "a test stops where its own scenario is wrong")]

mod given;
mod limits;
mod policies;
mod rules;
mod windows;
