//! The service: every night by itself.
//!
//! ```text
//! heartbeat ─► planner ─ nights ─► ledger ◄─ claims ─ pool ─► extract
//!                 └── wakes ─────────────────────────►┘
//! ```
//!
//! The heartbeat only wakes the planner; what is due follows from the ledger and the time alone, so that a beat
//! that is lost, late or doubled changes nothing, and a start after a bad night catches up by itself. The planner
//! only writes what is due; workers find it in the ledger, whoever planned it.
//!
//! Not for what an attempt is (`extract`), nor for what is due (`plan`). Invariants: a claim that was begun is
//! carried to its end or given back; stopping takes the grace period at most, and the second signal stops at once.

mod alarm;
mod health;
mod heartbeat;
mod messenger;
mod notify;
mod planner;
mod pool;
mod service;
mod share;
mod upkeep;
mod watch;

pub use alarm::{Kind, News, news};
pub use health::{Health, router};
pub use messenger::{Messenger, Untold};
pub use planner::{Look, Planner};
pub use service::{Report, Service};
pub use share::{Share, Taken};
pub use upkeep::Upkeep;
