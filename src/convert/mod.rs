//! One result page of JSON rows → typed columns, straight into Arrow.
//!
//! For: reading the decoded row array of a page, driven by the query's contract, into record batches of
//! practice data. Not for: fetching or unwrapping pages (`remote`), hiding identities (`privacy`), or
//! writing Parquet (`objects`).
//!
//! Invariant: a page is accepted whole or refused whole, and a page is accepted exactly when a strict
//! JSON parser accepts it and every value fits its declared type without losing anything. The quick
//! routes below only ever *recognise* the common spelling of a value; whatever they do not recognise
//! goes to the slow route, which decides. `tests/` holds both to an obvious reference implementation.
//!
//! ```text
//! page bytes ─ UTF-8 checked once ─► page (rows, keys) ─► column (null or value) ─► one file per type family
//!                                     │ tokens: the predicted key bytes        │ words: eight digits at a time
//!                                     └ json: the strict slow route            └ errors: what does not fit
//! ```
//!
//! Facts: the type table of the README; how the API writes values is inferred, so each type accepts both a
//! JSON number and its text.

mod binary;
mod bits;
mod calendar;
mod column;
mod converter;
mod decimals;
mod error;
mod findings;
mod fixed;
mod floats;
mod integers;
mod json;
mod moments;
mod offsets;
mod page;
mod schema;
mod text;
mod tokens;
mod uuids;
mod words;

#[cfg(test)]
mod tests;

pub use converter::{Converter, DEFAULT_BATCH_ROWS};
pub use error::{ContractError, ConvertError, MalformedPage, Reason, Violation};
pub use schema::{arrow_schema, offset_column};
