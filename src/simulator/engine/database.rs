//! One practice's databases.

use rusqlite::Connection;

use super::{Command, Outcome, Parameter, ResultColumn, RowSink, SqlError, TableDefinition, Value};

/// The catalogues of one practice, in memory. One per site; a command has it to itself.
pub struct Database {
    _connection: Connection,
}

/// Stops a running command from another thread.
pub struct Interrupt(rusqlite::InterruptHandle);

impl Interrupt {
    /// Ends the command at work, if any, with the server's timeout error (-2).
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl Database {
    /// An empty practice with one catalogue, the one that unqualified names mean.
    ///
    /// # Errors
    /// When SQLite cannot start.
    pub fn in_memory(_default_catalogue: &str) -> Result<Self, SqlError> {
        let connection =
            Connection::open_in_memory().map_err(|error| SqlError::new(0, error.to_string()))?;
        Ok(Self {
            _connection: connection,
        })
    }

    /// Adds a table, and its catalogue if new.
    ///
    /// # Errors
    /// 2714 when the name is taken.
    pub fn create_table(&mut self, _definition: &TableDefinition) -> Result<(), SqlError> {
        Err(SqlError::unsupported("CREATE TABLE"))
    }

    /// Adds rows to a table in one transaction, values in column order; returns how many.
    ///
    /// # Errors
    /// 208 unknown table, 213 wrong number of values, 515 NULL where none is allowed, 8114 and 2628 for values
    /// that do not fit.
    pub fn insert(
        &mut self,
        _catalogue: &str,
        _table: &str,
        _rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<u64, SqlError> {
        Err(SqlError::unsupported("INSERT"))
    }

    /// Adds a view from its T-SQL query, read with `catalogue` as the current database.
    ///
    /// # Errors
    /// What the query itself would raise; 2714 when the name is taken.
    pub fn create_view(
        &mut self,
        _catalogue: &str,
        _name: &str,
        _query: &str,
    ) -> Result<(), SqlError> {
        Err(SqlError::unsupported("CREATE VIEW"))
    }

    /// Makes a table or view unreadable, as a vendor does: reading it then fails with 229.
    pub fn deny(&mut self, _catalogue: &str, _table: &str) {}

    /// Names of the catalogues, the default one first.
    #[must_use]
    pub fn catalogues(&self) -> Vec<String> {
        Vec::new()
    }

    /// Runs a command and hands its rows to the sink as they are found.
    ///
    /// # Errors
    /// The SQL Server error that the text or its execution raises.
    pub fn run(
        &mut self,
        _command: &Command,
        _sink: &mut dyn RowSink,
    ) -> Result<Outcome, SqlError> {
        Err(SqlError::unsupported("SELECT"))
    }

    /// Describes the first result set of a text without running it.
    ///
    /// # Errors
    /// As `run`, for what can be known without running.
    pub fn describe(
        &self,
        _text: &str,
        _catalogue: Option<&str>,
        _parameters: &[Parameter],
    ) -> Result<Vec<ResultColumn>, SqlError> {
        Err(SqlError::unsupported("SELECT"))
    }

    /// A handle that stops the running command from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self._connection.get_interrupt_handle())
    }
}
