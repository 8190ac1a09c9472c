//! What a text's first result set would look like, without running it.

use rusqlite::types::Value as Stored;
use sqlparser::ast::{Declare, Query, Statement};

use super::expression::named_type;
use super::scope::literal;
use super::system::{precision_and_scale, stored_bytes, type_id};
use super::{Translator, Variable, Variables};
use crate::schema::Schema;
use crate::{Now, ResultColumn, SqlError, script};

/// The columns of the first query in a text; none when it has no query.
///
/// # Errors
/// What compiling the text would raise.
pub(crate) fn describe(
    schema: &Schema,
    catalogue: &str,
    now: Now,
    text: &str,
    mut variables: Variables,
) -> Result<Vec<ResultColumn>, SqlError> {
    for statement in script::parse(text)? {
        match statement {
            Statement::Query(query) => {
                let translated =
                    Translator::new(schema, catalogue, now, &variables).rows(&query)?;
                return Ok(translated.columns);
            }
            Statement::Declare { stmts } => declare_types(&stmts, &mut variables)?,
            _ => {}
        }
    }
    Ok(Vec::new())
}

/// Enters the types of declarations, without their values: enough for describing.
fn declare_types(declarations: &[Declare], variables: &mut Variables) -> Result<(), SqlError> {
    for declaration in declarations {
        let Some(data_type) = &declaration.data_type else {
            continue;
        };
        let sql_type = named_type(data_type)?;
        for name in &declaration.names {
            variables.insert(
                name.value.to_lowercase(),
                Variable {
                    sql_type,
                    value: Stored::Null,
                },
            );
        }
    }
    Ok(())
}

/// The answer of `sp_describe_first_result_set` as a query over constants: its most used columns.
///
/// # Errors
/// What compiling the described text would raise.
pub(crate) fn describing_query(
    schema: &Schema,
    catalogue: &str,
    now: Now,
    text: &str,
    declared: &str,
) -> Result<Query, SqlError> {
    describing(schema, catalogue, now, text, declared, "")
}

/// The same for `sys.dm_exec_describe_first_result_set`, which raises nothing: what is wrong with the described text
/// stands in a row of its own.
///
/// # Errors
/// None that the text is to blame for.
pub(crate) fn describing_function_query(
    schema: &Schema,
    catalogue: &str,
    now: Now,
    text: &str,
    declared: &str,
) -> Result<Query, SqlError> {
    let none = ", CAST(NULL AS int) AS error_number, CAST(NULL AS nvarchar(4000)) AS error_message";
    describing(schema, catalogue, now, text, declared, none).or_else(|error| {
        one_query(&format!(
            "SELECT CAST(0 AS bit) AS is_hidden, 0 AS column_ordinal, CAST(NULL AS nvarchar(128)) AS name,
             CAST(NULL AS bit) AS is_nullable, 0 AS system_type_id, CAST(NULL AS nvarchar(256)) AS system_type_name,
             CAST(0 AS smallint) AS max_length, CAST(0 AS tinyint) AS precision, CAST(0 AS tinyint) AS scale,
             {} AS error_number, CAST(N{} AS nvarchar(4000)) AS error_message",
            error.number,
            literal(&error.message)
        ))
    })
}

fn describing(
    schema: &Schema,
    catalogue: &str,
    now: Now,
    text: &str,
    declared: &str,
    more: &str,
) -> Result<Query, SqlError> {
    let mut variables = Variables::new();
    if !declared.trim().is_empty() {
        for statement in script::parse(&format!("DECLARE {declared}"))? {
            if let Statement::Declare { stmts } = statement {
                declare_types(&stmts, &mut variables)?;
            }
        }
    }
    let columns = describe(schema, catalogue, now, text, variables)?;
    let rows: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| row_of(at, column))
        .collect();
    // A result without columns is described by no rows; VALUES needs one to have types.
    let (rows, only) = if rows.is_empty() {
        ("(1, N'', 1, 0, N'', 0, 0, 0)".to_owned(), " WHERE 1 = 0")
    } else {
        (rows.join(", "), "")
    };
    let sql = format!(
        "SELECT CAST(0 AS bit) AS is_hidden, d.o AS column_ordinal, CAST(d.n AS nvarchar(128)) AS name,
         CAST(d.u AS bit) AS is_nullable, d.i AS system_type_id, CAST(d.t AS nvarchar(256)) AS system_type_name,
         CAST(d.l AS smallint) AS max_length, CAST(d.p AS tinyint) AS precision, CAST(d.s AS tinyint) AS scale{more}
         FROM (VALUES {rows}) d(o, n, u, i, t, l, p, s){only}"
    );
    one_query(&sql)
}

fn one_query(sql: &str) -> Result<Query, SqlError> {
    match script::parse(sql)?.into_iter().next() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(SqlError::syntax("VALUES")),
    }
}

fn row_of(at: usize, column: &ResultColumn) -> String {
    let t = column.sql_type;
    let (precision, scale) = precision_and_scale(t);
    format!(
        "({}, N{}, {}, {}, N'{t}', {}, {precision}, {scale})",
        at + 1,
        literal(&column.name),
        u8::from(column.nullable),
        type_id(t),
        stored_bytes(t),
    )
}
