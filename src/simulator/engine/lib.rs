//! A practice's database: runs T-SQL over embedded tables and answers as SQL Server would.
//!
//! Not a SQL Server: what it does not understand it refuses with an error, and never approximates. The facts
//! come from the public T-SQL documentation, the wire form of values from the Halo Cloud documentation.
//!
//! A command's text is parsed (`script`), each statement is resolved and typed against the `schema` and
//! written anew for SQLite (`translate`), which runs it with functions that keep T-SQL's meaning (`runtime`).

mod command;
mod database;
mod definitions;
mod error;
mod json;
mod runtime;
mod schema;
mod script;
mod translate;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use command::{
    Command, Direction, Mode, Now, Outcome, OutputParameter, Parameter, ResultColumn, RowSink, Stop,
};
pub use database::{Database, Interrupt, Misfit};
pub use definitions::table_definitions;
pub use error::SqlError;
pub use types::{ColumnDefinition, SqlType, TableDefinition, UnknownType};
pub use value::Value;
