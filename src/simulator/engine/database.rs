//! One practice's databases.

use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};
use sqlparser::ast::Statement;

use super::runtime::convert::Conversion;
use super::runtime::{self, COLLATION, from_sqlite};
use super::schema::{Body, Object, Schema, quoted};
use super::script::{self, Script, no_procedure};
use super::translate::{self, Translator, Variable, Variables, metadata};
use super::{
    ColumnDefinition, Command, Direction, Now, Outcome, OutputParameter, Parameter, ResultColumn,
    RowSink, SqlError, SqlType, TableDefinition, Value,
};

/// The catalogues of one practice, in memory. One per site; a command has it to itself.
pub struct Database {
    connection: Connection,
    schema: Schema,
}

/// A row that does not fit its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Which row, counted from one; zero when it was not a row's fault.
    pub row: u64,
    /// Which column, when it was one value's fault.
    pub column: Option<String>,
    /// Why, as the server says it. The text may quote the value.
    pub error: SqlError,
}

impl From<Misfit> for SqlError {
    fn from(misfit: Misfit) -> Self {
        misfit.error
    }
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
    pub fn in_memory(default_catalogue: &str) -> Result<Self, SqlError> {
        let open = || {
            let connection = Connection::open_in_memory()?;
            runtime::install(&connection)?;
            connection.execute_batch(metadata::TABLES)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| from_sqlite(&error))?;
        Ok(Self {
            connection,
            schema: Schema::new(default_catalogue),
        })
    }

    /// Adds a table, and its catalogue if new.
    ///
    /// # Errors
    /// 2714 when the name is taken.
    pub fn create_table(&mut self, definition: &TableDefinition) -> Result<(), SqlError> {
        let object = self.schema.add(
            &definition.catalogue,
            &definition.name,
            definition.columns.clone(),
            Body::Table,
        )?;
        let columns: Vec<String> = object.columns.iter().map(column_clause).collect();
        let sql = format!("CREATE TABLE {} ({})", object.storage(), columns.join(", "));
        self.connection
            .execute_batch(&sql)
            .map_err(|error| from_sqlite(&error))?;
        metadata::record(&self.connection, object).map_err(|error| from_sqlite(&error))
    }

    /// Adds rows to a table in one transaction, values in column order; returns how many.
    ///
    /// # Errors
    /// 208 unknown table, 213 wrong number of values, 515 NULL where none is allowed, 8152 and the conversion
    /// errors for values that do not fit. Nothing is added then.
    pub fn insert(
        &mut self,
        catalogue: &str,
        table: &str,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<u64, SqlError> {
        self.load(catalogue, table, rows.into_iter().map(Ok::<_, SqlError>))
    }

    /// As `insert`, from rows that may fail to come, and saying which row and column did not fit.
    ///
    /// # Errors
    /// The source's own error, or a misfit. Nothing is added then.
    pub fn load<E: From<Misfit>>(
        &mut self,
        catalogue: &str,
        table: &str,
        rows: impl IntoIterator<Item = Result<Vec<Value>, E>>,
    ) -> Result<u64, E> {
        let whole = |error: SqlError| Misfit {
            row: 0,
            column: None,
            error,
        };
        let object = self
            .schema
            .find(catalogue, table)
            .ok_or_else(|| whole(SqlError::invalid_object(table)))?;
        let transaction = self
            .connection
            .transaction()
            .map_err(|error| whole(from_sqlite(&error)))?;
        let mut count = 0;
        {
            let places = vec!["?"; object.columns.len()].join(", ");
            let sql = format!("INSERT INTO {} VALUES ({places})", object.storage());
            let mut insert = transaction
                .prepare(&sql)
                .map_err(|error| whole(from_sqlite(&error)))?;
            for row in rows {
                let stored = stored_row(object, count + 1, row?)?;
                insert
                    .execute(params_from_iter(stored))
                    .map_err(|error| whole(from_sqlite(&error)))?;
                count += 1;
            }
        }
        transaction
            .commit()
            .map_err(|error| whole(from_sqlite(&error)))?;
        Ok(count)
    }

    /// Adds an index over columns of a table, as a practice server has them.
    ///
    /// # Errors
    /// 208 for an unknown table, 1911 for an unknown column.
    pub fn create_index(
        &mut self,
        catalogue: &str,
        table: &str,
        columns: &[&str],
    ) -> Result<(), SqlError> {
        let object = self
            .schema
            .find(catalogue, table)
            .ok_or_else(|| SqlError::invalid_object(table))?;
        let mut names = Vec::new();
        for column in columns {
            let found = object
                .columns
                .iter()
                .find(|known| known.name.eq_ignore_ascii_case(column));
            let found = found.ok_or_else(|| {
                SqlError::new(
                    1911,
                    format!("Column name '{column}' does not exist in the target table or view."),
                )
            })?;
            names.push(quoted(&found.name));
        }
        let name = quoted(&format!(
            "{}.{}.{}",
            object.catalogue,
            object.name,
            columns.join(".")
        ));
        let sql = format!(
            "CREATE INDEX IF NOT EXISTS {name} ON {} ({})",
            object.storage(),
            names.join(", ")
        );
        self.connection
            .execute_batch(&sql)
            .map_err(|error| from_sqlite(&error))
    }

    /// Adds a view from its T-SQL query, read with `catalogue` as the current database.
    ///
    /// # Errors
    /// What the query itself would raise; 2714 when the name is taken.
    pub fn create_view(
        &mut self,
        catalogue: &str,
        name: &str,
        query: &str,
    ) -> Result<(), SqlError> {
        let statements = script::parse(query)?;
        let [Statement::Query(query)] = &statements[..] else {
            return Err(SqlError::syntax(name));
        };
        let variables = Variables::new();
        let described =
            Translator::new(&self.schema, catalogue, epoch(), &variables).rows(query)?;
        let columns = described
            .columns
            .into_iter()
            .map(|column| ColumnDefinition {
                name: column.name,
                sql_type: column.sql_type,
                nullable: column.nullable,
            });
        let object = self.schema.add(
            catalogue,
            name,
            columns.collect(),
            Body::View(query.clone()),
        )?;
        metadata::record(&self.connection, object).map_err(|error| from_sqlite(&error))
    }

    /// Makes a table or view unreadable, as a vendor does: reading it then fails with 229. Views over it still
    /// work, because they read with their owner's rights.
    pub fn deny(&mut self, catalogue: &str, table: &str) {
        self.schema.deny(catalogue, table);
    }

    /// Names of the catalogues, the default one first.
    #[must_use]
    pub fn catalogues(&self) -> Vec<String> {
        self.schema.names()
    }

    /// A table's or view's columns; `None` when there is no such name.
    #[must_use]
    pub fn columns(&self, catalogue: &str, table: &str) -> Option<&[ColumnDefinition]> {
        self.schema
            .find(catalogue, table)
            .map(|object| &object.columns[..])
    }

    /// Runs a command and hands its rows to the sink as they are found.
    ///
    /// # Errors
    /// The SQL Server error that the text or its execution raises. What a transaction of the command had done
    /// is undone; single statements before the error stand, as they do on the server.
    pub fn run(&mut self, command: &Command, sink: &mut dyn RowSink) -> Result<Outcome, SqlError> {
        if command.stored_procedure {
            if command.parameters.iter().any(is_too_long_for_procedures) {
                return Err(not_bytes());
            }
            return Err(no_procedure(&command.text));
        }
        let outcome = self.run_text(command, sink);
        if !self.connection.is_autocommit() {
            // A connection that goes back to its pool takes an open transaction with it.
            self.connection
                .execute_batch("ROLLBACK")
                .map_err(|error| from_sqlite(&error))?;
        }
        outcome
    }

    fn run_text(&self, command: &Command, sink: &mut dyn RowSink) -> Result<Outcome, SqlError> {
        let catalogue = self.catalogue(command.catalogue.as_deref())?;
        let statements = script::parse(&command.text)?;
        let mut script = Script {
            connection: &self.connection,
            schema: &self.schema,
            catalogue,
            now: command.now,
            variables: variables(&command.parameters)?,
            mode: command.mode,
            sink,
            rows: 0,
            rows_affected: None,
            columns: None,
            return_value: None,
        };
        script.run(&statements)?;
        let output = outputs(command, &script.variables, script.return_value)?;
        let columns = script.columns.take().unwrap_or_default();
        Ok(Outcome {
            rows: script.rows,
            rows_affected: script.rows_affected,
            columns,
            output,
        })
    }

    fn catalogue(&self, named: Option<&str>) -> Result<String, SqlError> {
        match named {
            Some(name) => self.schema.catalogue(name).map(str::to_owned),
            None => Ok(self.schema.default_catalogue().to_owned()),
        }
    }

    /// Describes the first result set of a text without running it.
    ///
    /// # Errors
    /// As `run`, for what can be known without running.
    pub fn describe(
        &self,
        text: &str,
        catalogue: Option<&str>,
        parameters: &[Parameter],
    ) -> Result<Vec<ResultColumn>, SqlError> {
        let catalogue = self.catalogue(catalogue)?;
        let variables = variables(parameters)?;
        translate::describe(&self.schema, &catalogue, epoch(), text, variables)
    }

    /// A handle that stops the running command from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.connection.get_interrupt_handle())
    }
}

/// A clock for describing, which runs nothing.
fn epoch() -> Now {
    Now {
        local: chrono::NaiveDateTime::default(),
        offset_minutes: 0,
    }
}

fn column_clause(column: &ColumnDefinition) -> String {
    let collation = if column.sql_type.is_text() {
        format!(" COLLATE {COLLATION}")
    } else {
        String::new()
    };
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{}{collation}{null}", quoted(&column.name))
}

fn stored_row(object: &Object, at: u64, row: Vec<Value>) -> Result<Vec<Stored>, Misfit> {
    if row.len() != object.columns.len() {
        let error = SqlError::new(
            213,
            "Column name or number of supplied values does not match table definition.",
        );
        return Err(Misfit {
            row: at,
            column: None,
            error,
        });
    }
    let mut stored = Vec::with_capacity(row.len());
    for (value, column) in row.into_iter().zip(&object.columns) {
        let misfit = |error| Misfit {
            row: at,
            column: Some(column.name.clone()),
            error,
        };
        if value == Value::Null && !column.nullable {
            return Err(misfit(SqlError::new(
                515,
                format!(
                    "Cannot insert the value NULL into column '{}', table '{}.dbo.{}'; column does not allow nulls. INSERT fails.",
                    column.name, object.catalogue, object.name
                ),
            )));
        }
        stored.push(value.stored(column.sql_type).map_err(misfit)?);
    }
    Ok(stored)
}

fn variable_name(name: &str) -> String {
    format!("@{}", name.trim_start_matches('@')).to_lowercase()
}

fn variables(parameters: &[Parameter]) -> Result<Variables, SqlError> {
    let mut variables = Variables::new();
    variables.insert(
        "@@rowcount".into(),
        Variable {
            sql_type: SqlType::Int,
            value: Stored::Integer(0),
        },
    );
    variables.insert(
        "@@trancount".into(),
        Variable {
            sql_type: SqlType::Int,
            value: Stored::Integer(0),
        },
    );
    for parameter in parameters
        .iter()
        .filter(|parameter| parameter.direction != Direction::ReturnValue)
    {
        let sql_type = parameter_type(parameter)?;
        if sql_type.is_binary() && parameter.value.is_some() {
            return Err(not_bytes());
        }
        let value = match &parameter.value {
            Some(text) => Conversion::new(SqlType::NVarChar(None), sql_type)
                .apply(rusqlite::types::ValueRef::Text(text.as_bytes()))
                .map_err(|_| bad_parameter(parameter))?,
            None => Stored::Null,
        };
        variables.insert(variable_name(&parameter.name), Variable { sql_type, value });
    }
    Ok(variables)
}

/// What the agent's SQL client says of text where it wants bytes: a documented fault of the service, which has no
/// number of the server's.
fn not_bytes() -> SqlError {
    SqlError::new(
        0,
        "Failed to convert parameter value from a String to a Byte[].",
    )
}

/// Parameters of procedures are documented to fail beyond 8,000 bytes of VarBinary and 4,000 characters of NVarChar.
fn is_too_long_for_procedures(parameter: &Parameter) -> bool {
    let text = parameter.value.as_deref().unwrap_or_default();
    match parameter.sql_type.to_ascii_lowercase().as_str() {
        "varbinary" => text.len() > 8_000,
        "nvarchar" => text.chars().count() > 4_000,
        _ => false,
    }
}

/// A parameter's text that is no value of its type; the text itself is not repeated.
fn bad_parameter(parameter: &Parameter) -> SqlError {
    SqlError::new(
        8114,
        format!(
            "Error converting data type nvarchar to {}.",
            parameter.sql_type.to_lowercase()
        ),
    )
}

/// The type of a parameter; lengths come from `size` or from the value, as a .NET client derives them.
fn parameter_type(parameter: &Parameter) -> Result<SqlType, SqlError> {
    let text = parameter.value.as_deref().unwrap_or_default();
    let given = parameter
        .size
        .and_then(|size| u16::try_from(size).ok())
        .filter(|size| *size > 0);
    let length = |limit: u16| {
        let own = u16::try_from(text.chars().count().max(1)).ok();
        given.max(own).filter(|length| *length <= limit)
    };
    Ok(match parameter.sql_type.to_ascii_lowercase().as_str() {
        "string" | "nvarchar" | "" => {
            SqlType::NVarChar(if text.len() > 4000 { None } else { Some(4000) })
        }
        "varchar" => SqlType::VarChar(if text.len() > 8000 { None } else { Some(8000) }),
        "char" => SqlType::Char(length(8000).unwrap_or(8000)),
        "nchar" => SqlType::NChar(length(4000).unwrap_or(4000)),
        "binary" | "varbinary" => SqlType::VarBinary(None),
        "decimal" => {
            let digits = text.trim_start_matches(['-', '+']);
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let scale = u8::try_from(fraction.len().min(38)).expect("at most 38");
            let precision = u8::try_from(whole.len().min(38))
                .expect("at most 38")
                .saturating_add(scale);
            SqlType::Decimal(precision.clamp(1, 38), scale)
        }
        "variant" => SqlType::NVarChar(Some(4000)),
        "structured" | "udt" => return Err(SqlError::unsupported(&parameter.sql_type)),
        other => other.parse().map_err(|_| {
            SqlError::new(
                243,
                format!("Type {} is not a defined system type.", parameter.sql_type),
            )
        })?,
    })
}

fn outputs(
    command: &Command,
    variables: &Variables,
    returned: Option<i64>,
) -> Result<Vec<OutputParameter>, SqlError> {
    let mut outputs = Vec::new();
    for parameter in &command.parameters {
        let value = match parameter.direction {
            Direction::Input => continue,
            Direction::ReturnValue => Some(returned.unwrap_or(0).to_string()),
            Direction::Output | Direction::InputOutput => variables
                .get(&variable_name(&parameter.name))
                .map(output_text)
                .transpose()?
                .flatten(),
        };
        outputs.push(OutputParameter {
            name: parameter.name.clone(),
            value,
        });
    }
    Ok(outputs)
}

/// Plain text, except base64 for bytes.
fn output_text(variable: &Variable) -> Result<Option<String>, SqlError> {
    if let Stored::Blob(bytes) = &variable.value
        && variable.sql_type.is_binary()
    {
        return Ok(Some(base64_simd::STANDARD.encode_to_string(bytes)));
    }
    let conversion = Conversion {
        style: Some(style_of(variable.sql_type)),
        ..Conversion::new(variable.sql_type, SqlType::NVarChar(None))
    };
    let conversion = if variable.sql_type.is_temporal() {
        conversion
    } else {
        Conversion {
            style: None,
            ..conversion
        }
    };
    match conversion.apply((&variable.value).into())? {
        Stored::Text(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

fn style_of(sql_type: SqlType) -> i64 {
    if matches!(sql_type, SqlType::Time(_)) {
        108
    } else {
        126
    }
}
