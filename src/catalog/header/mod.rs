//! The header of a query file: TOML keys and values, checked one by one.
//!
//! Not for rules that join several columns or look at the statement: those are `lint` and
//! `statement`.

mod columns;
mod cron;
mod keys;
mod read;
mod variant;

pub(super) use columns::DraftColumn;
pub(super) use keys::Located;
pub(super) use read::{Header, read};
pub(super) use variant::{VariantHeader, read_variant};
