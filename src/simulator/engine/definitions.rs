//! CREATE TABLE texts as table definitions.

use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, ObjectNamePart, Statement, TableConstraint,
};

use super::script;
use super::translate::named_type;
use super::{ColumnDefinition, SqlError, TableDefinition};

/// Reads a text of CREATE TABLE statements, in order.
///
/// Keys and defaults are read over; a column is nullable unless it says NOT NULL or is part of the primary key.
///
/// # Errors
/// 102 where it is no T-SQL, 243 for an unknown type, 40517 for any other statement.
pub fn table_definitions(
    text: &str,
    default_catalogue: &str,
) -> Result<Vec<TableDefinition>, SqlError> {
    let mut definitions = Vec::new();
    for statement in script::parse(text)? {
        match statement {
            Statement::CreateTable(create) => {
                definitions.push(definition(&create, default_catalogue)?)
            }
            other => {
                let text = other.to_string();
                return Err(SqlError::unsupported(
                    text.split(' ').next().unwrap_or_default(),
                ));
            }
        }
    }
    Ok(definitions)
}

fn definition(create: &CreateTable, default_catalogue: &str) -> Result<TableDefinition, SqlError> {
    let parts: Vec<&str> = create
        .name
        .0
        .iter()
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(name) => Some(name.value.as_str()),
            ObjectNamePart::Function(_) => None,
        })
        .collect();
    let (catalogue, name) = match parts[..] {
        [name] | [_, name] => (default_catalogue, name),
        [catalogue, _, name] => (catalogue, name),
        _ => return Err(SqlError::syntax(&create.name)),
    };
    let key = primary_key(create);
    let columns = create
        .columns
        .iter()
        .map(|column| column_definition(column, &key));
    Ok(TableDefinition {
        catalogue: catalogue.to_owned(),
        name: name.to_owned(),
        columns: columns.collect::<Result<_, _>>()?,
    })
}

fn column_definition(column: &ColumnDef, key: &[String]) -> Result<ColumnDefinition, SqlError> {
    let required = column.options.iter().any(|option| {
        matches!(
            option.option,
            ColumnOption::NotNull | ColumnOption::PrimaryKey(_)
        )
    });
    let name = column.name.value.clone();
    let in_key = key.iter().any(|part| part.eq_ignore_ascii_case(&name));
    Ok(ColumnDefinition {
        sql_type: named_type(&column.data_type)?,
        nullable: !required && !in_key,
        name,
    })
}

fn primary_key(create: &CreateTable) -> Vec<String> {
    create
        .constraints
        .iter()
        .filter_map(|constraint| match constraint {
            TableConstraint::PrimaryKey(key) => Some(key.columns.iter().map(|column| {
                column
                    .column
                    .expr
                    .to_string()
                    .trim_matches(['[', ']', '"'])
                    .to_owned()
            })),
            _ => None,
        })
        .flatten()
        .collect()
}
