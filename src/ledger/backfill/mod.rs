//! Backfills: their plans, their progress, and who steers them.
//!
//! A unit is an extraction of the backfill lane that carries the backfill's number; it is claimed only while the
//! backfill runs. Whoever carries units out need not know of backfills: the same transaction that records the end
//! of a unit finishes or stops its backfill.

mod cut;
mod due;
mod follow;
mod history;
mod read;
mod save;
mod steer;

pub use cut::Cut;
pub(super) use cut::forget_disproved;
pub(super) use due::due_unit;
#[cfg(test)]
pub(super) use follow::SETTLE_COVERED;
pub(super) use follow::{UnitEnd, settle_covered, unit_ended};
#[cfg(test)]
pub(super) use history::samples_sql;
pub use history::{CostSample, WindowStanding};
pub use read::{BackfillCounts, BackfillRow, UnitRow};
pub use save::NewBackfill;
pub use steer::Steered;
