//! Durable truth: which sites there are, what was planned, what was tried, which objects stand.
//!
//! Not for rows, pages or secrets, and not a scheduler: it never looks at the clock, each call is told
//! the time. The calls are synchronous and short; an async caller makes them on a blocking thread, or has an owing view
//! of the ledger and waits for the disk afterwards.
//!
//! Invariants: an extraction is in the ledger once; an attempt is journalled before its query is posted
//! and its remote id as soon as it is known, so that a crash never asks the practice twice; a worker that
//! lost its lease can no longer write; an object that stands is forgotten only when a new one replaces it; nobody
//! removes an object while another publishes it.
//!
//! The store is one SQLite file in WAL mode. Nothing outside this folder sees SQL.

mod alert;
mod anchor;
mod attempt;
mod audit;
mod backfill;
mod chain;
mod column;
mod compact;
mod confirmation;
mod disk;
mod drift;
mod error;
mod forgetting;
mod health;
mod lease;
mod merge;
mod night;
mod nightly;
mod object;
mod posted;
mod pseudonym_key;
mod query_version;
mod reach;
mod read;
mod recover;
mod resume;
mod rollout;
mod schema;
mod setback;
mod site;
mod standing;
mod store;
mod transfer;
mod turn;
mod variant;
mod work;

pub use attempt::{AttemptCost, Fenced, Submission};
pub use audit::{AuditAnchor, AuditEntry, AuditVerdict, Change};
pub use backfill::{
    BackfillCounts, BackfillRow, CostSample, Cut, NewBackfill, Steered, UnitRow, WindowStanding,
};
pub use chain::{AuditFault, AuditHead, AuditRow, broken_export};
pub use compact::ended_before;
pub use confirmation::Confirmation;
pub use drift::{ContractBreak, Drift};
pub use error::{LedgerError, LedgerErrorKind};
pub use forgetting::{Begun, Forgetting, ForgottenObject};
pub use health::Health;
pub use lease::{Claim, ClaimRequest, Resume};
pub use merge::{NewMerge, OpenMerge};
pub use night::NightOutcome;
pub use nightly::AttemptAt;
pub use object::{LeavingObject, ObjectFilter, StandingObject};
pub use pseudonym_key::{KeyStanding, KeyedObjects, RecordedKey};
pub use query_version::{Freeze, FrozenVersion};
pub use read::{AttemptOutcome, AttemptRow, ExtractionFilter, ExtractionRow, Summary, SummaryRow};
pub use recover::RecoveredObject;
pub use rollout::Rollout;
pub use setback::Setback;
pub use site::{SiteIdentity, SitePut};
pub use standing::Unfinished;
pub use store::Ledger;
pub use transfer::Imported;
pub use turn::Turn;
pub use variant::VariantChoice;
pub use work::{Cancelled, PlanOutcome, Requested};

#[cfg(test)]
mod tests;
