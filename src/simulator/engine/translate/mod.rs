//! From T-SQL to SQLite: every expression gets its SQL Server type on the way, and T-SQL's meaning with it.
//!
//! The translator resolves names against the schema, infers types, inserts conversions, and writes SQLite text
//! that calls the functions of `runtime`. It never touches rows. What it cannot translate faithfully is an
//! error; nothing is passed through unread.

mod aggregate_call;
mod apply;
mod convert;
mod date_call;
mod describe;
mod expression;
mod from;
mod function;
pub(crate) mod metadata;
mod number_call;
mod predicate;
mod query;
mod scope;
mod system;
mod text_call;
mod write;

use std::collections::BTreeMap;

use rusqlite::types::Value as Stored;

use super::schema::Schema;
use super::{Now, ResultColumn, SqlError, SqlType};
pub(crate) use convert::{explicit, implicit};
pub(crate) use describe::{describe, describing_function_query, describing_query};
pub(crate) use expression::named_type;
pub(crate) use query::Nesting;
use scope::{Scope, Typed};

/// A typed variable or parameter.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) sql_type: SqlType,
    pub(crate) value: Stored,
}

/// Variables by lower-case name with their `@`.
pub(crate) type Variables = BTreeMap<String, Variable>;

/// SQLite text with what it needs to run.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Stored>,
    pub(crate) columns: Vec<ResultColumn>,
}

/// Translates one statement.
pub(crate) struct Translator<'a> {
    schema: &'a Schema,
    /// The database that unqualified names mean.
    catalogue: String,
    now: Now,
    variables: &'a Variables,
    /// Names of the variables used, in the order of their SQLite numbers.
    used: Vec<String>,
    next_alias: usize,
    /// Common table expressions in sight, innermost last.
    tables: Vec<CommonTable>,
    /// Inside a view: its owner may read what the caller may not.
    in_view: usize,
}

/// A WITH table: its T-SQL name, its SQLite name, and its columns.
#[derive(Debug, Clone)]
struct CommonTable {
    name: String,
    alias: String,
    columns: Vec<(String, SqlType, bool)>,
}

impl<'a> Translator<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        catalogue: &str,
        now: Now,
        variables: &'a Variables,
    ) -> Self {
        Self {
            schema,
            catalogue: catalogue.to_owned(),
            now,
            variables,
            used: Vec::new(),
            next_alias: 0,
            tables: Vec::new(),
            in_view: 0,
        }
    }

    /// A complete query, for its rows.
    ///
    /// # Errors
    /// The SQL Server error that compiling it raises.
    pub(crate) fn rows(mut self, query: &sqlparser::ast::Query) -> Result<Statement, SqlError> {
        let bound = self.query(query, None, Nesting::Outermost)?;
        let columns = bound.result_columns();
        Ok(self.statement(bound.sql, columns))
    }

    /// One value, for SET and DECLARE; columns are not in sight.
    ///
    /// # Errors
    /// As for any expression, and 206 when it cannot become `to`.
    pub(crate) fn single(
        mut self,
        expression: &sqlparser::ast::Expr,
        to: SqlType,
    ) -> Result<Statement, SqlError> {
        let value = self.value(expression, &Scope::empty())?;
        let value = implicit(value, to)?;
        Ok(self.statement(format!("SELECT {}", value.sql), Vec::new()))
    }

    /// Whether a condition holds, for IF: one row with 1, or with 0 or NULL.
    ///
    /// # Errors
    /// As for any predicate.
    pub(crate) fn condition(
        mut self,
        expression: &sqlparser::ast::Expr,
    ) -> Result<Statement, SqlError> {
        let predicate = self.predicate(expression, &Scope::empty())?;
        Ok(self.statement(format!("SELECT {predicate}"), Vec::new()))
    }

    fn statement(self, sql: String, columns: Vec<ResultColumn>) -> Statement {
        let parameters = self
            .used
            .iter()
            .map(|name| self.variables[name].value.clone())
            .collect();
        Statement {
            sql,
            parameters,
            columns,
        }
    }

    fn alias(&mut self) -> String {
        self.next_alias += 1;
        format!("t{}", self.next_alias)
    }

    /// A variable by name; used twice, it is bound once.
    fn variable(&mut self, name: &str) -> Result<Typed, SqlError> {
        let key = name.to_lowercase();
        let Some(variable) = self.variables.get(&key) else {
            return Err(SqlError::new(
                137,
                format!("Must declare the scalar variable \"{name}\"."),
            ));
        };
        let at = self
            .used
            .iter()
            .position(|used| *used == key)
            .unwrap_or_else(|| {
                self.used.push(key);
                self.used.len() - 1
            });
        Ok(Typed::new(format!("?{}", at + 1), variable.sql_type, true))
    }
}
