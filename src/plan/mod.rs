//! What is due, and why: pure functions over values, the current time among them.
//!
//! Not for I/O: whoever calls hands in what the ledger knows and records what comes back. Planning is
//! therefore free to repeat, and a plan can be shown before anything happens.
//!
//! Days are those of the site's own calendar. A window counts as covered by an object only if its last day was
//! over when the object was extracted.

pub mod backfill;
pub mod hours;
pub mod windows;

mod freshness;
mod nightly;
mod on_demand;
mod spread;
mod timetable;

#[cfg(test)]
mod samples;

pub use freshness::{Breach, FleetRow, fleet};
pub use nightly::{Coming, Rules, coming, is_wanted, nightly};
pub use on_demand::{Asked, OnDemand, Skipped, SkippedWhy, on_demand};
pub use timetable::{Occurrence, Timetable, TimetableError};
