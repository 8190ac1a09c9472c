//! CROSS APPLY and OUTER APPLY. SQLite has no lateral joins, so each form that queries use has its own way;
//! a form that has none is refused.
//!
//! - a table function: SQLite lets its arguments see the tables to the left
//! - `VALUES`, or a UNION ALL of SELECTs without FROM: a join with row numbers, and a CASE per column
//! - at most one row (`TOP (1)`, an aggregate): a scalar subquery per column
//! - a plain SELECT, under CROSS APPLY: an ordinary join

use std::rc::Rc;

use sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableFactor,
};

use super::convert::common_type;
use super::from::{Piece, may_be_missing, renamed};
use super::query::{Nesting, Output, named_columns};
use super::scope::{Place, Scope, Source, Typed, Visible};
use super::{Translator, implicit};
use crate::SqlError;

impl Translator<'_> {
    pub(super) fn apply(
        &mut self,
        left: Piece,
        right: &TableFactor,
        outer: bool,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        let scope = Scope::new(Rc::new(left.sources.clone()), parent, Place::Row);
        match right {
            TableFactor::Derived {
                subquery,
                alias: Some(alias),
                ..
            } => self.apply_query(left, subquery, alias, outer, &scope),
            TableFactor::Table {
                name,
                args: Some(arguments),
                alias,
                ..
            } => {
                let right =
                    self.table_function(name, &arguments.args, alias.as_ref(), Some(&scope))?;
                Ok(beside(left, right, outer))
            }
            TableFactor::Function {
                name, args, alias, ..
            } => {
                let right = self.table_function(name, args, alias.as_ref(), Some(&scope))?;
                Ok(beside(left, right, outer))
            }
            _ => Err(SqlError::unsupported("APPLY")),
        }
    }

    fn apply_query(
        &mut self,
        left: Piece,
        subquery: &Query,
        alias: &TableAlias,
        outer: bool,
        scope: &Scope<'_>,
    ) -> Result<Piece, SqlError> {
        let plain_tail = subquery.with.is_none()
            && subquery.order_by.is_none()
            && subquery.limit_clause.is_none();
        if plain_tail && let Some(rows) = self.constant_rows(&subquery.body, scope)? {
            return self.apply_rows(left, rows, alias);
        }
        let bound = self.query(subquery, Some(scope), Nesting::Subquery)?;
        if bound.at_most_one_row {
            return apply_one(left, &bound, alias, outer);
        }
        match subquery.body.as_ref() {
            SetExpr::Select(select) if plain_tail && !outer && is_joinable(select) => {
                self.apply_join(left, select, alias, scope)
            }
            _ => Err(SqlError::unsupported("APPLY")),
        }
    }

    /// The rows of `VALUES` or of a UNION ALL of SELECTs without FROM, with their names if they have any.
    fn constant_rows(
        &mut self,
        body: &SetExpr,
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<Vec<Output>>>, SqlError> {
        match body {
            SetExpr::Values(values) => {
                let mut rows = Vec::new();
                for row in &values.rows {
                    let mut outputs = Vec::new();
                    for expression in &row.content {
                        outputs.push(Output {
                            name: String::new(),
                            value: self.value(expression, scope)?,
                        });
                    }
                    rows.push(outputs);
                }
                Ok(Some(rows))
            }
            SetExpr::Select(select)
                if select.from.is_empty() && is_joinable(select) && select.selection.is_none() =>
            {
                let mut outputs = Vec::new();
                for item in &select.projection {
                    outputs.push(self.named_value(item, scope)?);
                }
                Ok(Some(vec![outputs]))
            }
            SetExpr::SetOperation {
                left,
                op: SetOperator::Union,
                set_quantifier: SetQuantifier::All,
                right,
            } => {
                let (Some(mut rows), Some(more)) = (
                    self.constant_rows(left, scope)?,
                    self.constant_rows(right, scope)?,
                ) else {
                    return Ok(None);
                };
                rows.extend(more);
                Ok(Some(rows))
            }
            _ => Ok(None),
        }
    }

    fn named_value(&mut self, item: &SelectItem, scope: &Scope<'_>) -> Result<Output, SqlError> {
        match item {
            SelectItem::ExprWithAlias { expr, alias } => Ok(Output {
                name: alias.value.clone(),
                value: self.value(expr, scope)?,
            }),
            SelectItem::UnnamedExpr(expression) => {
                let name = match expression {
                    Expr::Identifier(name) => name.value.clone(),
                    Expr::CompoundIdentifier(parts) => parts
                        .last()
                        .map(|part| part.value.clone())
                        .unwrap_or_default(),
                    _ => String::new(),
                };
                Ok(Output {
                    name,
                    value: self.value(expression, scope)?,
                })
            }
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn apply_rows(
        &mut self,
        mut left: Piece,
        rows: Vec<Vec<Output>>,
        alias: &TableAlias,
    ) -> Result<Piece, SqlError> {
        let names = renamed(alias);
        let number = self.alias();
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(SqlError::new(
                10709,
                "The number of columns for each row in a table value constructor must be the same.",
            ));
        }
        let mut columns = Vec::with_capacity(width);
        for at in 0..width {
            let values: Vec<Typed> = rows.iter().map(|row| row[at].value.clone()).collect();
            let name = names.get(at).unwrap_or(&rows[0][at].name).clone();
            let sql_type = common_type(&values);
            let nullable = values.iter().any(|value| value.nullable);
            let mut sql = format!("(CASE {number}.value");
            for (row, value) in values.into_iter().enumerate() {
                sql.push_str(&format!(
                    " WHEN {} THEN {}",
                    row + 1,
                    implicit(value, sql_type)?.sql
                ));
            }
            columns.push(Visible {
                name,
                value: Typed::new(format!("{sql} END)"), sql_type, nullable),
            });
        }
        left.sql = format!(
            "{} JOIN generate_series(1, {}) AS {number}",
            left.sql,
            rows.len()
        );
        left.sources.push(Source {
            name: alias.name.value.clone(),
            catalogue: None,
            columns,
        });
        Ok(left)
    }

    fn apply_join(
        &mut self,
        left: Piece,
        select: &Select,
        alias: &TableAlias,
        scope: &Scope<'_>,
    ) -> Result<Piece, SqlError> {
        let inner = self.from(&select.from, Some(scope))?;
        let inside = Scope::new(Rc::clone(&inner.sources), Some(scope), Place::List);
        let mut outputs = Vec::new();
        for item in &select.projection {
            outputs.push(self.named_value(item, &inside)?);
        }
        let mut conditions = inner.conditions.clone();
        if let Some(condition) = &select.selection {
            conditions.push(self.predicate(condition, &inside.at(Place::Row))?);
        }
        let names = renamed(alias);
        let columns = outputs
            .into_iter()
            .enumerate()
            .map(|(at, output)| Visible {
                name: names.get(at).cloned().unwrap_or(output.name),
                value: output.value,
            })
            .collect();
        let from = inner.sql.trim_start_matches(" FROM ");
        let mut joined = left;
        // SQLite forgets the alias of a single table in brackets.
        let from = if inner.sources.len() > 1 {
            format!("({from})")
        } else {
            from.to_owned()
        };
        joined.sql = format!("{} JOIN {from}", joined.sql);
        joined.sources.push(Source {
            name: alias.name.value.clone(),
            catalogue: None,
            columns,
        });
        joined.conditions.extend(conditions);
        Ok(joined)
    }
}

/// A SELECT that is nothing but tables, conditions and values.
fn is_joinable(select: &Select) -> bool {
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    ungrouped && select.distinct.is_none() && select.top.is_none() && select.having.is_none()
}

fn beside(mut left: Piece, mut right: Piece, outer: bool) -> Piece {
    if outer {
        right.sources.iter_mut().for_each(may_be_missing);
    }
    let keyword = if outer { "LEFT JOIN" } else { "JOIN" };
    left.sql = format!("{} {keyword} {} ON 1", left.sql, right.sql);
    left.sources.extend(right.sources);
    left
}

/// At most one row beside each row: every column becomes a scalar subquery.
fn apply_one(
    mut left: Piece,
    bound: &super::query::Bound,
    alias: &TableAlias,
    outer: bool,
) -> Result<Piece, SqlError> {
    let names = named_columns(bound, &alias.name.value, &renamed(alias))?;
    let columns = names
        .into_iter()
        .enumerate()
        .map(|(at, (name, sql_type, nullable))| Visible {
            name,
            value: Typed::new(
                format!("(SELECT q.c{} FROM ({}) q)", at + 1, bound.sql),
                sql_type,
                nullable || outer,
            ),
        })
        .collect();
    left.sources.push(Source {
        name: alias.name.value.clone(),
        catalogue: None,
        columns,
    });
    if !outer {
        left.conditions.push(format!("EXISTS ({})", bound.sql));
    }
    Ok(left)
}
