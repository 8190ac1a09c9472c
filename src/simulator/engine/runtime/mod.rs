//! The functions that translated statements call: what SQLite lacks, with T-SQL's meaning.
//!
//! Each is a plain function over stored values; the translator knows the types and chooses. A function that
//! gets a NULL answers NULL, unless it is listed among those that look at NULL themselves.

mod aggregate;
pub(crate) mod calendar;
pub(crate) mod collation;
pub(crate) mod convert;
mod date_functions;
pub(crate) mod decimal;
pub(crate) mod digits;
mod format;
pub(crate) mod moment;
mod number_functions;
pub(crate) mod offset;
mod pattern;
mod text;
mod text_functions;

#[cfg(test)]
mod tests;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Stored, ValueRef};

use self::calendar::Part;
use super::{SqlError, SqlType};

/// Name of the collation that text compares by.
pub(crate) const COLLATION: &str = "tsql";

type Answer = Result<Stored, SqlError>;
type Function = fn(&Arguments<'_, '_>) -> Answer;

/// Teaches a connection the functions, aggregates and the collation.
pub(crate) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation(COLLATION, collation::compare)?;
    rusqlite::vtab::series::load_module(connection)?;
    for (name, arity, function) in number_functions::LIST
        .iter()
        .chain(date_functions::LIST)
        .chain(text_functions::LIST)
    {
        register(connection, name, *arity, *function, true)?;
    }
    for (name, arity, function) in text_functions::LOOKING_AT_NULL {
        register(connection, name, *arity, *function, false)?;
    }
    aggregate::install(connection)
}

fn register(
    connection: &Connection,
    name: &str,
    arity: i32,
    function: Function,
    strict: bool,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(name, arity, flags, move |context| {
        let arguments = Arguments::read(context);
        if strict && arguments.any_null {
            return Ok(Stored::Null);
        }
        function(&arguments).map_err(|error| to_sqlite(&error))
    })
}

/// The arguments of a call, read as what the translator promised them to be.
struct Arguments<'a, 'c> {
    context: &'a Context<'c>,
    /// The first of them. Each look at an argument is two or three calls into SQLite, so it is taken once.
    first: [ValueRef<'a>; READ_ONCE],
    any_null: bool,
}

/// As many as any function has, but for those that take any number.
const READ_ONCE: usize = 8;

impl<'a, 'c> Arguments<'a, 'c> {
    fn read(context: &'a Context<'c>) -> Self {
        let mut arguments = Self {
            context,
            first: [ValueRef::Null; READ_ONCE],
            any_null: false,
        };
        for at in 0..context.len() {
            let value = context.get_raw(at);
            arguments.any_null |= matches!(value, ValueRef::Null);
            if let Some(place) = arguments.first.get_mut(at) {
                *place = value;
            }
        }
        arguments
    }
}

impl Arguments<'_, '_> {
    #[inline]
    fn raw(&self, at: usize) -> ValueRef<'_> {
        match self.first.get(at) {
            Some(value) => *value,
            None => self.context.get_raw(at),
        }
    }

    fn len(&self) -> usize {
        self.context.len()
    }

    fn sql_type(&self, at: usize) -> Result<SqlType, SqlError> {
        SqlType::from_code(self.integer(at)?).ok_or_else(|| unexpected(at))
    }

    fn part(&self, at: usize) -> Result<Part, SqlError> {
        Part::from_code(self.integer(at)?).ok_or_else(|| unexpected(at))
    }

    fn text(&self, at: usize) -> Result<&str, SqlError> {
        self.raw(at).as_str().map_err(|_| unexpected(at))
    }

    fn integer(&self, at: usize) -> Result<i64, SqlError> {
        self.raw(at).as_i64().map_err(|_| unexpected(at))
    }

    fn small<T: TryFrom<i64>>(&self, at: usize) -> Result<T, SqlError> {
        T::try_from(self.integer(at)?).map_err(|_| unexpected(at))
    }

    fn float(&self, at: usize) -> Result<f64, SqlError> {
        self.raw(at).as_f64().map_err(|_| unexpected(at))
    }

    fn bytes(&self, at: usize) -> Result<&[u8], SqlError> {
        self.raw(at).as_blob().map_err(|_| unexpected(at))
    }

    /// A stored decimal, or a whole number where the scale is zero.
    fn decimal(&self, at: usize) -> Result<i128, SqlError> {
        match self.raw(at) {
            ValueRef::Integer(number) => Ok(i128::from(number)),
            ValueRef::Blob(bytes) => decimal::decode(bytes).ok_or_else(|| unexpected(at)),
            _ => Err(unexpected(at)),
        }
    }
}

fn unexpected(at: usize) -> SqlError {
    SqlError::new(
        8116,
        format!(
            "Argument data type is invalid for argument {} of a function.",
            at + 1
        ),
    )
}

fn decimal_value(number: i128) -> Stored {
    Stored::Blob(decimal::encode(number).to_vec())
}

const MARK: char = '\u{1}';

/// Wraps an error so that its number survives the way through SQLite, which keeps only text.
fn to_sqlite(error: &SqlError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(
        format!("{MARK}{}{MARK}{}", error.number, error.message).into(),
    )
}

/// The error that a function raised, or what SQLite itself had to say.
pub(crate) fn from_sqlite(error: &rusqlite::Error) -> SqlError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) {
        return SqlError::interrupted();
    }
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    if let Some((number, message)) = text
        .strip_prefix(MARK)
        .and_then(|rest| rest.split_once(MARK))
        && let Ok(number) = number.parse()
    {
        return SqlError::new(number, message);
    }
    if text == "integer overflow" {
        return SqlError::overflow("bigint");
    }
    SqlError::new(
        8624,
        format!(
            "Internal Query Processor Error: The query processor could not produce a query plan. ({text})"
        ),
    )
}
