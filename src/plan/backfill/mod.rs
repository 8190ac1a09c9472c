//! Planning a backfill: exact units with reasons, what they will cost, and whether the world is still as it was.
//!
//! All of it is arithmetic over what the ledger knows. The same question over the same ledger gives the same units
//! in the same order, and so the same digest.

mod changes;
mod digest;
mod estimate;
mod units;

#[cfg(test)]
mod tests;

pub use changes::{Difference, differences};
pub use digest::digest;
pub use estimate::{Basis, Estimate, Pace, Past, QueryCost, Range, estimate};
pub use units::{BackfillAsked, Left, LeftWhy, Standing, Unit, UnitsOf, in_order, units_of};
