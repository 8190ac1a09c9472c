//! A practice's database: runs T-SQL over embedded tables and answers as SQL Server would.

/// A SQL Server error: its number, and its message as the server words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    /// SQL Server's number, for example 208 for an unknown object.
    pub number: i32,
    /// SQL Server's wording.
    pub message: String,
}
