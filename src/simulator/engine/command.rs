//! What a caller asks of a database, and what it gets back besides rows.

use chrono::NaiveDateTime;

use super::SqlType;

/// How a command's result is wanted; Halo Cloud calls it execution mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Rows of the first result set.
    #[default]
    Reader,
    /// No rows, only how many were affected.
    NonQuery,
    /// One row with the first column of the first row.
    Scalar,
}

/// The practice server's clock at the time of the command: what GETDATE() and its kin answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Local time of the practice.
    pub local: NaiveDateTime,
    /// Its offset from UTC in minutes, positive east.
    pub offset_minutes: i32,
}

/// Direction of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the API's own four words")]
pub enum Direction {
    #[default]
    Input,
    Output,
    InputOutput,
    ReturnValue,
}

/// A typed parameter of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name, with or without its leading `@`.
    pub name: String,
    /// Direction.
    pub direction: Direction,
    /// Type as the API spells it, for example `DateTime`.
    pub sql_type: String,
    /// The value as text, or NULL.
    pub value: Option<String>,
    /// Length in bytes where the type has one.
    pub size: Option<u32>,
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// T-SQL text, or a procedure's name.
    pub text: String,
    /// Database for unqualified names; the default one if `None`.
    pub catalogue: Option<String>,
    /// How the result is wanted.
    pub mode: Mode,
    /// Whether `text` names a stored procedure.
    pub stored_procedure: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The practice's clock.
    pub now: Now,
}

/// One column of a result, as SQL Server would describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Name in its original case; empty for an expression without alias.
    pub name: String,
    /// Inferred type.
    pub sql_type: SqlType,
    /// Whether NULL can occur, as far as it can be known.
    pub nullable: bool,
}

/// An output parameter after the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputParameter {
    /// Name as given.
    pub name: String,
    /// The value as text, or NULL.
    pub value: Option<String>,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Rows handed to the sink.
    pub rows: u64,
    /// Rows that INSERT, UPDATE and DELETE touched; `None` when there was no such statement.
    pub rows_affected: Option<u64>,
    /// Columns of the result; empty when there was none.
    pub columns: Vec<ResultColumn>,
    /// Output parameters in the order given.
    pub output: Vec<OutputParameter>,
}

/// The receiver wants no more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Receives rows as they are found.
pub trait RowSink {
    /// Takes one row: a complete JSON object in UTF-8, without separator. The buffer is reused.
    ///
    /// # Errors
    /// `Stop` ends the command with error number 0.
    fn row(&mut self, json: &[u8]) -> Result<(), Stop>;
}

impl RowSink for Vec<Vec<u8>> {
    fn row(&mut self, json: &[u8]) -> Result<(), Stop> {
        self.push(json.to_vec());
        Ok(())
    }
}
