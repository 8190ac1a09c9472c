//! halo-extract: nightly extracts of general-practice data through Halo Cloud to Parquet.
//!
//! ```text
//! queries/*.sql   config   operator · cron
//!      │ catalog    │ config      │
//!      └────────► plan ◄──────────┘        what is due, and why: pure functions
//!                   │ extractions = site × query version × window
//!                   ▼
//!                ledger                    durable truth: SQLite
//!                   │ lease
//!                   ▼
//! Halo Cloud ◄─► remote ─ page ─► convert ─ batch ─► privacy ─► objects ─► object storage
//!                   └──────────────── extract ────────────────────┘
//! ```
//!
//! A step may use any step to its right, neighbours on one step do not know each other, and the
//! simulator uses nothing of any of them, so that one misreading of the API cannot hide in both:
//!
//! ```text
//! main → cli → schedule → extract, lake → remote, convert, privacy, objects, ledger, plan → catalog, config → telemetry, fail_point → domain
//!        cli → simulator
//! ```
//!
//! `tests/it/layers.rs` holds the `use crate::` lines to this picture.

pub mod catalog;
pub mod cli;
pub mod config;
pub mod convert;
pub mod domain;
pub mod extract;
mod fail_point;
pub mod lake;
pub mod ledger;
pub mod objects;
pub mod plan;
pub mod privacy;
pub mod remote;
pub mod schedule;
pub mod simulator;
pub mod telemetry;
