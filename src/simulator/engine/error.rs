//! What SQL Server answers when it cannot do what was asked.
//!
//! Numbers and wording are SQL Server's own (`sys.messages`, English), because clients read them. Like the
//! server's, a conversion error quotes the offending value: whoever passes such a message on must know that.

/// A SQL Server error: its number, and its message as the server words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    /// SQL Server's number, for example 208 for an unknown object.
    pub number: i32,
    /// SQL Server's wording.
    pub message: String,
}

impl SqlError {
    pub(crate) fn new(number: i32, message: impl Into<String>) -> Self {
        Self {
            number,
            message: message.into(),
        }
    }

    pub(crate) fn syntax(near: impl std::fmt::Display) -> Self {
        Self::new(102, format!("Incorrect syntax near '{near}'."))
    }

    /// For T-SQL that SQL Server understands and this engine does not: refused, never approximated.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(
            40517,
            format!(
                "Keyword or statement option '{what}' is not supported in this version of SQL Server."
            ),
        )
    }

    pub(crate) fn invalid_column(name: &str) -> Self {
        Self::new(207, format!("Invalid column name '{name}'."))
    }

    pub(crate) fn invalid_object(name: &str) -> Self {
        Self::new(208, format!("Invalid object name '{name}'."))
    }

    pub(crate) fn overflow(sql_type: impl std::fmt::Display) -> Self {
        Self::new(
            8115,
            format!("Arithmetic overflow error converting expression to data type {sql_type}."),
        )
    }

    pub(crate) fn divide_by_zero() -> Self {
        Self::new(8134, "Divide by zero error encountered.")
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(
            -2,
            "Execution Timeout Expired.  The timeout period elapsed prior to completion of the operation or the server is not responding.",
        )
    }

    pub(crate) fn stopped() -> Self {
        Self::new(
            0,
            "A severe error occurred on the current command.  The results, if any, should be discarded. Operation cancelled by user.",
        )
    }
}
