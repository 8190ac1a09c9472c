//! INSERT, UPDATE and DELETE.

use std::rc::Rc;

use sqlparser::ast::{
    AssignmentTarget, Delete, FromTable, Insert, ObjectName, TableFactor, TableObject,
    TableWithJoins, Update,
};

use super::convert::implicit;
use super::from::name_parts;
use super::query::Nesting;
use super::scope::{Place, Scope, Source, Typed, Visible, same};
use super::{Statement, Translator};
use crate::runtime::convert::Conversion;
use crate::schema::{Body, Object, quoted};
use crate::{ColumnDefinition, SqlError};

impl Translator<'_> {
    /// # Errors
    /// As for the query within, and 208, 207, 213 for what does not fit the table.
    pub(crate) fn insert(mut self, insert: &Insert) -> Result<Statement, SqlError> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(SqlError::syntax("INSERT"));
        };
        if insert.output.is_some() {
            return Err(SqlError::unsupported("OUTPUT"));
        }
        let object = self.table(name)?;
        let mut targets = Vec::new();
        for column in &insert.columns {
            targets.push(column_of(&object, column)?);
        }
        if targets.is_empty() {
            targets = object.columns.clone();
        }
        let source = insert
            .source
            .as_ref()
            .ok_or_else(|| SqlError::unsupported("DEFAULT VALUES"))?;
        let bound = self.query(source, None, Nesting::Outermost)?;
        if bound.columns.len() != targets.len() {
            return Err(SqlError::new(
                213,
                "Column name or number of supplied values does not match table definition.",
            ));
        }
        let mut values = Vec::new();
        for (at, (output, target)) in bound.columns.iter().zip(&targets).enumerate() {
            let value = Typed {
                sql: format!("q.c{}", at + 1),
                ..output.value.clone()
            };
            values.push(assigned(value, target)?);
        }
        let names: Vec<String> = targets.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!(
            "INSERT INTO {} ({}) SELECT {} FROM ({}) q",
            object.storage(),
            names.join(", "),
            values.join(", "),
            bound.sql
        );
        Ok(self.statement(sql, Vec::new()))
    }

    /// # Errors
    /// As for any expression; 40517 for an UPDATE that joins.
    pub(crate) fn update(mut self, update: &Update) -> Result<Statement, SqlError> {
        if update.output.is_some() || update.from.is_some() || !update.table.joins.is_empty() {
            return Err(SqlError::unsupported("UPDATE … FROM"));
        }
        let (object, source, alias) = self.target(&update.table)?;
        let scope = Scope::new(Rc::new(vec![source]), None, Place::Row);
        let mut assignments = Vec::new();
        for assignment in &update.assignments {
            let AssignmentTarget::ColumnName(name) = &assignment.target else {
                return Err(SqlError::syntax("("));
            };
            let column = column_of(&object, name)?;
            let value = self.value(&assignment.value, &scope)?;
            assignments.push(format!(
                "{} = {}",
                quoted(&column.name),
                assigned(value, &column)?
            ));
        }
        let mut sql = format!(
            "UPDATE {} AS {alias} SET {}",
            object.storage(),
            assignments.join(", ")
        );
        if let Some(condition) = &update.selection {
            sql.push_str(&format!(" WHERE {}", self.predicate(condition, &scope)?));
        }
        Ok(self.statement(sql, Vec::new()))
    }

    /// # Errors
    /// As for any predicate; 40517 for a DELETE that joins.
    pub(crate) fn delete(mut self, delete: &Delete) -> Result<Statement, SqlError> {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let [table] = &tables[..] else {
            return Err(SqlError::unsupported("DELETE … FROM"));
        };
        if delete.using.is_some()
            || delete.output.is_some()
            || !delete.tables.is_empty()
            || !table.joins.is_empty()
        {
            return Err(SqlError::unsupported("DELETE … FROM"));
        }
        let (object, source, alias) = self.target(table)?;
        let scope = Scope::new(Rc::new(vec![source]), None, Place::Row);
        let mut sql = format!("DELETE FROM {} AS {alias}", object.storage());
        if let Some(condition) = &delete.selection {
            sql.push_str(&format!(" WHERE {}", self.predicate(condition, &scope)?));
        }
        Ok(self.statement(sql, Vec::new()))
    }

    fn target(&mut self, table: &TableWithJoins) -> Result<(Object, Source, String), SqlError> {
        let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = &table.relation
        else {
            return Err(SqlError::syntax(&table.relation));
        };
        let object = self.table(name)?;
        let own = self.alias();
        let columns = object
            .columns
            .iter()
            .map(|column| Visible {
                name: column.name.clone(),
                value: Typed::new(
                    format!("{own}.{}", quoted(&column.name)),
                    column.sql_type,
                    column.nullable,
                ),
            })
            .collect();
        let visible = alias
            .as_ref()
            .map_or_else(|| object.name.clone(), |alias| alias.name.value.clone());
        let source = Source {
            name: visible,
            catalogue: Some(object.catalogue.clone()),
            columns,
        };
        Ok((object, source, own))
    }

    fn table(&self, name: &ObjectName) -> Result<Object, SqlError> {
        let parts = name_parts(name)?;
        let found = match &parts[..] {
            [table] | [_, table] => self.schema.find(&self.catalogue, table),
            [catalogue, _, table] => self.schema.find(catalogue, table),
            _ => None,
        };
        let object = found.ok_or_else(|| SqlError::invalid_object(&parts.join(".")))?;
        match object.body {
            Body::Table => Ok(object.clone()),
            Body::View(_) => Err(SqlError::unsupported("writing through a view")),
        }
    }
}

fn column_of(object: &Object, name: &ObjectName) -> Result<ColumnDefinition, SqlError> {
    let parts = name_parts(name)?;
    let name = parts.last().cloned().unwrap_or_default();
    let found = object
        .columns
        .iter()
        .find(|column| same(&column.name, &name));
    found
        .cloned()
        .ok_or_else(|| SqlError::invalid_column(&name))
}

/// A value on its way into a column: text that is too long is refused there, not cut.
fn assigned(value: Typed, column: &ColumnDefinition) -> Result<String, SqlError> {
    let to = column.sql_type;
    let (from, text) = (value.sql_type, value.sql.clone());
    let converted = implicit(value, to)?.sql;
    let bounded = from.is_text() && to.is_text() && to.length().is_some();
    if !bounded
        || Conversion::new(from, to)
            .from
            .length()
            .is_some_and(|length| Some(length) <= to.length())
    {
        return Ok(converted);
    }
    let length = to.length().expect("just seen");
    Ok(format!(
        "(CASE WHEN t_len({text}) > {length} THEN t_raise(8152, 'String or binary data would be truncated.') ELSE {converted} END)"
    ))
}
