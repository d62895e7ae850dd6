//! What membership means, claim by claim: each test is one statement of `docs/semantics.md`.
#![cfg(test)]

mod given;
mod history;
mod interest;
mod leaves;
mod order;
mod policies;
mod reasons;
mod windows;
