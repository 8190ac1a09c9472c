//! Carrying out extractions: one attempt end to end, and the workers that make attempts.
//!
//! An attempt asks the practice, converts the pages, proves the object complete and publishes it:
//!
//! ```text
//! claim ─► journal ─► submit ─► wait ─► pages ─► convert ─► privacy ─► encode ─► proof ─► publish ─► record
//!             └── an interrupted attempt goes on here with the remote query it had ──┘
//! ```
//!
//! Not for deciding what is due (`plan`) nor when (`schedule`). Invariants: nothing is published before the
//! four row counts agree; the practice is not asked a second time while the first answer can still be had, and a page that was
//! fetched before an interruption is not fetched again.

mod attempt;
mod confirm;
mod conversion;
mod cut;
mod engine;
mod error;
#[cfg(test)]
mod fuzz_tests;
mod hand;
mod identity;
mod kept_pages;
mod pipeline;
mod presence;
mod progress;
mod provenance;
mod records;
mod setback;
mod spool;
mod statement;
mod variant;
mod withheld;
mod workers;

pub use conversion::{Conversion, Converted, Verdict};
pub use engine::{Clock, Engine};
pub use error::AttemptError;
pub use hand::{Hand, LEASE};
pub use presence::{Presence, PresenceError};
pub use progress::{Ended, Finished, Observer, Progress, Published};
pub use spool::Spool;
pub use statement::{parameters, statement};
pub use workers::work;
