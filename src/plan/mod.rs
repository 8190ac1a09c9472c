//! What is due, and why: pure functions over values, the current time among them.
//!
//! Not for I/O: whoever calls hands in what the ledger knows and records what comes back. Planning is
//! therefore free to repeat, and a plan can be shown before anything happens.
//!
//! Invariant: a window that is planned covers finished days of the site's own calendar only, so that what
//! is recorded as covered stays covered.

pub mod windows;

mod on_demand;

#[cfg(test)]
mod samples;

pub use on_demand::{Asked, OnDemand, Skipped, SkippedWhy, on_demand};
