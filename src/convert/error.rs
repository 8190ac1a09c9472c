//! Why a page was refused: where, what and what next, and never the value.

use std::fmt;

use crate::domain::{PageNumber, QueryId};

/// A page that was refused; nothing of it is in a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The page is sound JSON, but not what the query's contract promises.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The page is not an array of JSON rows.
    #[error(transparent)]
    Malformed(#[from] MalformedPage),
}

/// The result does not fit the query's contract: all that is wrong with one page, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractError {
    /// The query whose contract it is.
    pub query: QueryId,
    /// The page, from 1.
    pub page: PageNumber,
    /// One for each column and reason, in the order they were met; at least one.
    pub violations: Vec<Violation>,
    /// How many further combinations of column and reason were met and not listed.
    pub unlisted: u64,
}

/// One column that is not what the contract says, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Name of the column, as the contract or, for an extra column, the result has it.
    pub column: String,
    /// What the contract says: type and nullability, for example `decimal(10,2) not null`; empty for an
    /// extra column.
    pub declared: String,
    /// What is wrong.
    pub reason: Reason,
    /// The first such row, counted from 1 within the page.
    pub row_in_page: u64,
    /// The first such row, counted from 1 within the result.
    pub row: u64,
    /// How many rows of the page have it.
    pub rows: u64,
}

/// What can be wrong with a value, without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Null in a `not null` column.
    #[error("is null where the contract says not null")]
    Null,
    /// The row has no such key.
    #[error("is missing from the row")]
    Missing,
    /// The row has a key that the contract does not know.
    #[error("is not in the contract")]
    Extra,
    /// The row has the key twice.
    #[error("occurs twice in one row")]
    Repeated,
    /// Another kind of value, or text that does not spell one of the type.
    #[error("does not read as its declared type")]
    Unreadable,
    /// Too small or too large, or more digits before the point than the type has.
    #[error("is outside the range of its declared type")]
    OutOfRange,
    /// Digits after the point that the type cannot keep.
    #[error("has more digits after the point than its declared type keeps")]
    Fraction,
    /// A fraction of a microsecond.
    #[error(
        "is finer than a microsecond, which is all that is kept: cast it to datetime2(6) or time(6)"
    )]
    TooFine,
    /// A zone or offset in a type that has none.
    #[error("carries a time zone, and its declared type has none")]
    Zone,
    /// A `datetimeoffset` without its offset.
    #[error("carries no offset")]
    NoZone,
    /// A `date` with a time of day.
    #[error("has a time of day other than midnight")]
    NotMidnight,
    /// More characters or bytes than declared.
    #[error("is longer than declared")]
    TooLong,
    /// Text with half a surrogate pair.
    #[error("holds half a surrogate pair, which is no character")]
    BrokenText,
}

/// The page is not an array of JSON rows: cut, garbled or of another shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "page {page} of {query} is not JSON rows: {expected} expected at byte {offset} of {length}; fetch the \
     page again, and if it stays so, report it to the API's owner"
)]
pub struct MalformedPage {
    /// The query whose result it is.
    pub query: QueryId,
    /// The page, from 1.
    pub page: PageNumber,
    /// What should have come.
    pub expected: &'static str,
    /// Where, in bytes from 0.
    pub offset: u64,
    /// Length of the page, in bytes.
    pub length: u64,
}

impl std::error::Error for ContractError {}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "page {} of {} breaks the contract:",
            self.page, self.query
        )?;
        for (i, violation) in self.violations.iter().enumerate() {
            write!(f, "{} {violation}", if i == 0 { "" } else { ";" })?;
        }
        if self.unlisted > 0 {
            write!(f, "; and {} more", self.unlisted)?;
        }
        f.write_str("; mend the SQL or the [columns] of the query in a new version")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}`", self.column)?;
        if !self.declared.is_empty() {
            write!(f, " ({})", self.declared)?;
        }
        write!(
            f,
            " {} in row {} of the page, {} of the result",
            self.reason, self.row_in_page, self.row
        )?;
        match self.rows {
            0 | 1 => Ok(()),
            rows => write!(f, " (and {} more rows)", rows - 1),
        }
    }
}
