//! The catalog: every query file of `queries/`, read, checked and named.
//!
//! A query file is `<name>/v<N>.sql`: T-SQL behind a header of TOML in its first comment. Reading a
//! folder either gives all queries, each checked so far that nobody downstream checks again, or all
//! problems of all files at once, each with file, line and what to write instead. It knows nothing
//! of sites, schedules or the ledger, and does no I/O but reading that folder.
//!
//! Invariant: a [`Query`](crate::domain::Query) that comes from here is one SELECT whose columns are
//! its contract's, by name and order, and no identifier among them is without a privacy rule.

mod contract_text;
pub mod describe;
pub mod dictionary;
pub mod diff;
mod draft;
mod files;
mod fingerprint;
mod header;
mod identifying;
mod lint;
mod nearest;
mod problem;
mod read;
mod sampled;
mod select;
mod source;
mod statement;
#[cfg(test)]
mod tests;
mod variant;

pub use problem::{CatalogError, Problem};
pub use read::Catalog;
pub use sampled::sampled;
pub use select::SelectError;
pub use statement::{limited, probe};
