//! What a column's privacy rule says, done to Arrow batches before anything of them is written.
//!
//! For: dropping, pseudonymising and coarsening columns by the rules of a query's contract. Not for:
//! deciding which columns need a rule (`catalog` lints that) or which patients are left out (the SQL does).
//!
//! Invariant: a rule either does what it says to every value of its column or is refused before the first
//! row; no error or debug output holds a value or the key. Null stays null;
//! an age before birth and the pseudonym of blank text are null too, so those columns are nullable.
//!
//! | Rule | Column types | Written as |
//! |---|---|---|
//! | `drop` | all | not at all |
//! | `pseudonym` | whole numbers, text, uniqueidentifier | Utf8, 32 hex digits |
//! | `day`, `month` | date, datetimes, datetimeoffset with its offset | Date32; a month as its first day |
//! | `year` | the same | Int16 |
//! | `age` | the same | Int16, whole years at the window's end; 90 for 90 and older |
//! | `postcode3` | text | Utf8, the first three characters |
//! | `keep`, none | all | as it is |

mod calendar;
mod deidentify;
mod error;
mod key;
mod pseudonym;

#[cfg(test)]
mod tests;

pub use deidentify::Deidentifier;
pub use error::PrivacyError;
pub use key::PseudonymKey;
