//! A practice's database: runs T-SQL over embedded tables and answers as SQL Server would.
//!
//! Not a SQL Server: what it does not understand it refuses with an error, and never approximates. The facts
//! come from the public T-SQL documentation, the wire form of values from the Halo Cloud documentation.

mod command;
mod database;
mod error;
mod types;
mod value;

pub use command::{
    Command, Direction, Mode, Now, Outcome, OutputParameter, Parameter, ResultColumn, RowSink, Stop,
};
pub use database::{Database, Interrupt};
pub use error::SqlError;
pub use types::{ColumnDefinition, SqlType, TableDefinition, UnknownType};
pub use value::Value;
