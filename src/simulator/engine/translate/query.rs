//! Queries: SELECT, set operations, WITH, ORDER BY, TOP and OFFSET.

use std::ops::ControlFlow;
use std::rc::Rc;

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, OrderBySort, Query,
    Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    TopQuantity, Value, Values, With,
};

use super::convert::{common_type, implicit, sort_key};
use super::from::From;
use super::scope::{Place, Scope, Typed, same};
use super::{CommonTable, Translator};
use crate::{ResultColumn, SqlError, SqlType};

/// Where a query stands, which decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Its rows are the answer.
    Outermost,
    /// Its rows feed another query; columns are read as `c1`, `c2`, …
    Subquery,
    /// Only whether there are rows counts.
    Exists,
}

/// One output column.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// Name for the outside; empty when the expression has none.
    pub(crate) name: String,
    pub(crate) value: Typed,
}

/// A translated query: its columns are called `c1`, `c2`, … in the SQLite text.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) columns: Vec<Output>,
    pub(crate) sql: String,
    pub(crate) at_most_one_row: bool,
    shape: Shape,
}

/// How the text can be used as an arm of a set operation.
#[derive(Debug, Clone)]
enum Shape {
    /// A SELECT without ORDER BY or LIMIT: what stands before and behind its select list.
    Plain { head: &'static str, tail: String },
    /// Anything else stands in brackets.
    Whole,
}

impl Bound {
    pub(crate) fn result_columns(&self) -> Vec<ResultColumn> {
        self.columns
            .iter()
            .map(|column| ResultColumn {
                name: column.name.clone(),
                sql_type: column.value.sql_type,
                nullable: column.value.nullable,
            })
            .collect()
    }

    /// The same rows with the given types, as a bare SELECT; text gets its collation.
    fn coerced(&self, types: &[SqlType]) -> Result<String, SqlError> {
        let (head, tail) = match &self.shape {
            Shape::Plain { head, tail } => (*head, tail.clone()),
            Shape::Whole => ("SELECT", format!(" FROM ({}) q", self.sql)),
        };
        let mut values = Vec::with_capacity(types.len());
        for (at, (column, sql_type)) in self.columns.iter().zip(types).enumerate() {
            let value = match &self.shape {
                Shape::Plain { .. } => column.value.clone(),
                Shape::Whole => Typed {
                    sql: format!("q.c{}", at + 1),
                    ..column.value.clone()
                },
            };
            values.push(implicit(value, *sql_type)?);
        }
        Ok(format!("{head} {}{tail}", select_list(&values, true)?))
    }
}

/// `value AS c1, value AS c2, …`
fn select_list(values: &[Typed], collated: bool) -> Result<String, SqlError> {
    let mut items = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let sql = if collated {
            sort_key(value)?
        } else {
            value.sql.clone()
        };
        items.push(format!("{sql} AS c{}", at + 1));
    }
    Ok(items.join(", "))
}

/// The clauses that stand behind a query's body.
struct Tail<'q> {
    order: &'q [OrderByExpr],
    limit: Option<Expr>,
    offset: Option<Expr>,
    is_top: bool,
    /// TOP … WITH TIES: rows equal to the last one come too.
    ties: bool,
}

impl Translator<'_> {
    /// Translates a query; `parent` is what a correlated one can see.
    pub(crate) fn query(
        &mut self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        nesting: Nesting,
    ) -> Result<Bound, SqlError> {
        if query.for_clause.is_some() {
            return Err(SqlError::unsupported("FOR"));
        }
        let outer = self.tables.len();
        let with = match &query.with {
            Some(with) => self.with(with, parent)?,
            None => String::new(),
        };
        let tail = tail_of(query)?;
        let bound = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, tail, parent, nesting),
            body => self.compound(body, tail, parent, nesting),
        };
        self.tables.truncate(outer);
        let mut bound = bound?;
        if !with.is_empty() {
            bound.sql = format!("{with}{}", bound.sql);
            bound.shape = Shape::Whole;
        }
        Ok(bound)
    }

    fn with(&mut self, with: &With, parent: Option<&Scope<'_>>) -> Result<String, SqlError> {
        let mut parts = Vec::new();
        for table in &with.cte_tables {
            parts.push(self.common_table(table, parent)?);
        }
        Ok(format!("WITH RECURSIVE {} ", parts.join(", ")))
    }

    fn common_table(
        &mut self,
        table: &Cte,
        parent: Option<&Scope<'_>>,
    ) -> Result<String, SqlError> {
        let name = table.alias.name.value.clone();
        let alias = format!("w{}", self.alias());
        let renamed: Vec<String> = table
            .alias
            .columns
            .iter()
            .map(|column| column.name.value.clone())
            .collect();
        let (columns, sql) = match recursive_arms(table) {
            Some((anchor, step)) => {
                self.recursive(&name, &alias, &renamed, anchor, step, parent)?
            }
            None => {
                let bound = self.query(&table.query, parent, Nesting::Subquery)?;
                (named_columns(&bound, &name, &renamed)?, bound.sql)
            }
        };
        let list: Vec<String> = (1..=columns.len()).map(|at| format!("c{at}")).collect();
        self.tables.retain(|known| known.alias != alias);
        self.tables.push(CommonTable {
            name,
            alias: alias.clone(),
            columns,
        });
        Ok(format!("{alias}({}) AS ({sql})", list.join(", ")))
    }

    fn recursive(
        &mut self,
        name: &str,
        alias: &str,
        renamed: &[String],
        anchor: &SetExpr,
        step: &SetExpr,
        parent: Option<&Scope<'_>>,
    ) -> Result<(Vec<Column>, String), SqlError> {
        let anchor = self.arm(anchor, parent)?;
        let mut columns = named_columns(&anchor, name, renamed)?;
        for column in &mut columns {
            column.2 = true;
        }
        self.tables.push(CommonTable {
            name: name.to_owned(),
            alias: alias.to_owned(),
            columns: columns.clone(),
        });
        let step = self.arm(step, parent)?;
        if step.columns.len() != columns.len() {
            return Err(unequal_arms());
        }
        for (column, output) in columns.iter().zip(&step.columns) {
            if !output.value.is_null() && column.1 != output.value.sql_type {
                return Err(SqlError::new(
                    240,
                    format!(
                        "Types don't match between the anchor and the recursive part in column \"{}\" of recursive query \"{name}\".",
                        column.0
                    ),
                ));
            }
        }
        let types: Vec<SqlType> = columns.iter().map(|column| column.1).collect();
        let sql = format!(
            "{} UNION ALL {}",
            anchor.coerced(&types)?,
            step.coerced(&types)?
        );
        Ok((columns, sql))
    }

    /// One arm of a set operation.
    fn arm(&mut self, body: &SetExpr, parent: Option<&Scope<'_>>) -> Result<Bound, SqlError> {
        let none = Tail {
            order: &[],
            limit: None,
            offset: None,
            is_top: false,
            ties: false,
        };
        match body {
            SetExpr::Select(select) => self.select(select, none, parent, Nesting::Subquery),
            SetExpr::Query(query) => self.query(query, parent, Nesting::Subquery),
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                let left = self.arm(left, parent)?;
                let right = self.arm(right, parent)?;
                combine(*op, *set_quantifier, &left, &right)
            }
            SetExpr::Values(values) => self.rows_of_values(values, parent),
            other => Err(SqlError::unsupported(
                other.to_string().split(' ').next().unwrap_or_default(),
            )),
        }
    }

    fn compound(
        &mut self,
        body: &SetExpr,
        tail: Tail<'_>,
        parent: Option<&Scope<'_>>,
        nesting: Nesting,
    ) -> Result<Bound, SqlError> {
        check_order(&tail, nesting)?;
        let mut bound = self.arm(body, parent)?;
        let mut keys = Vec::new();
        for item in tail.order {
            let position = output_position(&item.expr, &bound.columns)?.ok_or_else(|| {
                SqlError::new(104, "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.")
            })?;
            keys.push(format!("{position}{}", direction(item)?));
        }
        let end = self.end(&keys, &tail)?;
        if !end.is_empty() {
            // The order belongs to the whole, and brackets keep it from its last arm.
            let list: Vec<Typed> = (1..=bound.columns.len())
                .map(|at| Typed {
                    sql: format!("q.c{at}"),
                    ..bound.columns[at - 1].value.clone()
                })
                .collect();
            bound.sql = format!(
                "SELECT {} FROM ({}) q{end}",
                select_list(&list, true)?,
                bound.sql
            );
            bound.shape = Shape::Whole;
        }
        Ok(bound)
    }

    /// `VALUES (…), (…)` as a table.
    fn rows_of_values(
        &mut self,
        values: &Values,
        parent: Option<&Scope<'_>>,
    ) -> Result<Bound, SqlError> {
        let scope = Scope::new(Rc::new(Vec::new()), parent, Place::Row);
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut bound = Vec::new();
            for expression in &row.content {
                bound.push(self.value(expression, &scope)?);
            }
            rows.push(bound);
        }
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(SqlError::new(
                10709,
                "The number of columns for each row in a table value constructor must be the same.",
            ));
        }
        let mut columns = Vec::with_capacity(width);
        for at in 0..width {
            let column: Vec<Typed> = rows.iter().map(|row| row[at].clone()).collect();
            let nullable = column.iter().any(|value| value.nullable);
            columns.push(Output {
                name: String::new(),
                value: Typed::new("", common_type(&column), nullable),
            });
        }
        let mut arms = Vec::with_capacity(rows.len());
        for row in rows {
            let mut converted = Vec::with_capacity(width);
            for (value, column) in row.into_iter().zip(&columns) {
                converted.push(implicit(value, column.value.sql_type)?);
            }
            arms.push(format!("SELECT {}", select_list(&converted, true)?));
        }
        Ok(Bound {
            columns,
            sql: arms.join(" UNION ALL "),
            at_most_one_row: arms.len() == 1,
            shape: Shape::Whole,
        })
    }

    fn select(
        &mut self,
        select: &Select,
        mut tail: Tail<'_>,
        parent: Option<&Scope<'_>>,
        nesting: Nesting,
    ) -> Result<Bound, SqlError> {
        refuse_clauses(select)?;
        self.top(select, &mut tail)?;
        check_order(&tail, nesting)?;
        let from = self.from(&select.from, parent)?;
        let row = Scope::new(Rc::clone(&from.sources), parent, Place::Row);
        let conditions = self.conditions(select, &from, &row)?;
        let groups = self.groups(&select.group_by, &row)?;
        let distinct = match select.distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => return Err(SqlError::syntax("ON")),
        };

        let plain = row.at(Place::List);
        let mut lists = self.lists(select, &tail, &plain, distinct)?;
        let aggregated = !groups.is_empty() || select.having.is_some() || plain.saw_aggregate.get();
        let mut having = String::new();
        if aggregated {
            let groups = Rc::new(groups.clone());
            lists = self.lists(
                select,
                &tail,
                &row.grouped(Rc::clone(&groups), Place::List),
                distinct,
            )?;
            if let Some(condition) = &select.having {
                let scope = row.grouped(groups, Place::Having);
                having = format!(" HAVING {}", self.predicate(condition, &scope)?);
            }
        }
        let (columns, keys) = lists;

        let mut behind = from.sql.clone();
        if !conditions.is_empty() {
            behind.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        if !groups.is_empty() {
            let keys: Vec<String> = groups.iter().map(sort_key).collect::<Result<_, _>>()?;
            behind.push_str(&format!(" GROUP BY {}", keys.join(", ")));
        } else if !having.is_empty() && !plain.saw_aggregate.get() {
            // HAVING alone makes one group of all rows.
            behind.push_str(" GROUP BY NULL");
        }
        behind.push_str(&having);
        if tail.ties {
            return self.with_ties(columns, &keys, &tail, &behind, distinct);
        }
        let end = self.end(&keys, &tail)?;
        let head = if distinct {
            "SELECT DISTINCT"
        } else {
            "SELECT"
        };
        let values: Vec<Typed> = columns.iter().map(|column| column.value.clone()).collect();
        let sql = format!("{head} {}{behind}{end}", select_list(&values, distinct)?);
        let single_group = aggregated && groups.is_empty();
        let first_only = tail
            .limit
            .as_ref()
            .is_some_and(|limit| limit.to_string() == "1");
        let at_most_one_row = single_group || first_only || select.from.is_empty();
        let shape = if end.is_empty() {
            Shape::Plain { head, tail: behind }
        } else {
            Shape::Whole
        };
        Ok(Bound {
            columns,
            sql,
            at_most_one_row,
            shape,
        })
    }

    /// Ranks the rows by the order asked for, and keeps the ranks up to the count.
    fn with_ties(
        &mut self,
        columns: Vec<Output>,
        keys: &[String],
        tail: &Tail<'_>,
        behind: &str,
        distinct: bool,
    ) -> Result<Bound, SqlError> {
        if distinct {
            return Err(SqlError::unsupported("DISTINCT TOP … WITH TIES"));
        }
        let limit = tail
            .limit
            .as_ref()
            .ok_or_else(|| SqlError::syntax("WITH"))?;
        let limit = self.count(limit)?;
        let values: Vec<Typed> = columns.iter().map(|column| column.value.clone()).collect();
        let list: Vec<String> = (1..=values.len())
            .map(|at| format!("q.c{at} AS c{at}"))
            .collect();
        let sql = format!(
            "SELECT {} FROM (SELECT {}, rank() OVER (ORDER BY {}) AS place{behind}) q WHERE q.place <= {limit} ORDER BY q.place",
            list.join(", "),
            select_list(&values, false)?,
            keys.join(", "),
        );
        Ok(Bound {
            columns,
            sql,
            at_most_one_row: false,
            shape: Shape::Whole,
        })
    }

    fn conditions(
        &mut self,
        select: &Select,
        from: &From,
        scope: &Scope<'_>,
    ) -> Result<Vec<String>, SqlError> {
        let mut conditions = from.conditions.clone();
        if let Some(condition) = &select.selection {
            conditions.push(self.predicate(condition, scope)?);
        }
        Ok(conditions)
    }

    fn groups(
        &mut self,
        group_by: &GroupByExpr,
        scope: &Scope<'_>,
    ) -> Result<Vec<Typed>, SqlError> {
        let GroupByExpr::Expressions(expressions, modifiers) = group_by else {
            return Err(SqlError::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(SqlError::unsupported("GROUP BY … WITH"));
        }
        let mut groups = Vec::new();
        for expression in expressions {
            if matches!(expression, Expr::Value(_)) {
                return Err(SqlError::new(
                    164,
                    "Each GROUP BY expression must contain at least one column that is not an outer reference.",
                ));
            }
            groups.push(self.value(expression, scope)?);
        }
        Ok(groups)
    }

    /// The select list and the ORDER BY keys of a SELECT.
    fn lists(
        &mut self,
        select: &Select,
        tail: &Tail<'_>,
        scope: &Scope<'_>,
        distinct: bool,
    ) -> Result<(Vec<Output>, Vec<String>), SqlError> {
        let mut columns = Vec::new();
        for item in &select.projection {
            self.project(item, scope, &mut columns)?;
        }
        let mut keys = Vec::new();
        for item in tail.order {
            keys.push(self.order_key(item, scope, &columns, distinct)?);
        }
        Ok((columns, keys))
    }

    fn project(
        &mut self,
        item: &SelectItem,
        scope: &Scope<'_>,
        columns: &mut Vec<Output>,
    ) -> Result<(), SqlError> {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                columns.push(Output {
                    name: own_name(expression),
                    value: self.value(expression, scope)?,
                });
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                columns.push(Output {
                    name: alias.value.clone(),
                    value: self.value(expr, scope)?,
                });
            }
            SelectItem::Wildcard(_) => {
                if scope.sources.is_empty() {
                    return Err(SqlError::new(263, "Must specify table to select from."));
                }
                self.expand(None, scope, columns)?;
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = name.0.last().map(ToString::to_string).unwrap_or_default();
                self.expand(Some(name.trim_matches(['[', ']', '"'])), scope, columns)?;
            }
            other => return Err(SqlError::syntax(other)),
        }
        Ok(())
    }

    fn expand(
        &mut self,
        only: Option<&str>,
        scope: &Scope<'_>,
        columns: &mut Vec<Output>,
    ) -> Result<(), SqlError> {
        let before = columns.len();
        for source in scope
            .sources
            .iter()
            .filter(|source| only.is_none_or(|name| same(&source.name, name)))
        {
            for visible in &source.columns {
                // Through the scope, so that groups are respected.
                let value = if scope.groups.is_some() {
                    scope.column(&[&source.name, &visible.name])?
                } else {
                    visible.value.clone()
                };
                columns.push(Output {
                    name: visible.name.clone(),
                    value,
                });
            }
        }
        match only {
            Some(name) if columns.len() == before => Err(SqlError::new(
                107,
                format!(
                    "The column prefix '{name}' does not match with a table name or alias name used in the query."
                ),
            )),
            _ => Ok(()),
        }
    }

    fn order_key(
        &mut self,
        item: &OrderByExpr,
        scope: &Scope<'_>,
        columns: &[Output],
        distinct: bool,
    ) -> Result<String, SqlError> {
        let direction = direction(item)?;
        if let Some(position) = output_position(&item.expr, columns)? {
            return Ok(format!(
                "{}{direction}",
                sort_key(&columns[position - 1].value)?
            ));
        }
        let value = self.value(&item.expr, scope)?;
        if distinct && !columns.iter().any(|column| column.value.sql == value.sql) {
            return Err(SqlError::new(
                145,
                "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.",
            ));
        }
        Ok(format!("{}{direction}", sort_key(&value)?))
    }

    fn top(&mut self, select: &Select, tail: &mut Tail<'_>) -> Result<(), SqlError> {
        let Some(top) = &select.top else {
            return Ok(());
        };
        let limit = match &top.quantity {
            Some(TopQuantity::Constant(count)) => {
                Some(Expr::Value(Value::Number(count.to_string(), false).into()))
            }
            Some(TopQuantity::Expr(expression)) => Some(unwrapped(expression).clone()),
            None => None,
        };
        if top.percent
            && limit
                .as_ref()
                .is_some_and(|limit| limit.to_string() == "100")
        {
            // The old way to order a view: all rows.
            tail.is_top = true;
            return Ok(());
        }
        if top.percent {
            return Err(SqlError::unsupported("TOP … PERCENT"));
        }
        tail.ties = top.with_ties;
        if tail.ties && tail.order.is_empty() {
            return Err(SqlError::new(
                1062,
                "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.",
            ));
        }
        if tail.offset.is_some() {
            return Err(SqlError::new(
                10741,
                "A TOP can not be used in the same query or sub-query as a OFFSET.",
            ));
        }
        tail.is_top = true;
        tail.limit = limit;
        Ok(())
    }

    /// ` ORDER BY … LIMIT … OFFSET …`, as far as there is any.
    fn end(&mut self, keys: &[String], tail: &Tail<'_>) -> Result<String, SqlError> {
        let mut sql = String::new();
        if !keys.is_empty() {
            sql.push_str(&format!(" ORDER BY {}", keys.join(", ")));
        }
        if tail.limit.is_some() || tail.offset.is_some() {
            let limit = match &tail.limit {
                Some(limit) => self.count(limit)?,
                None => "-1".to_owned(),
            };
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        if let Some(offset) = &tail.offset {
            sql.push_str(&format!(" OFFSET {}", self.count(offset)?));
        }
        Ok(sql)
    }

    /// A row count; SQLite takes a negative one for "all", T-SQL for an error.
    fn count(&mut self, expression: &Expr) -> Result<String, SqlError> {
        let value = implicit(self.value(expression, &Scope::empty())?, SqlType::BigInt)?;
        if let super::scope::Constant::Integer(number) = value.constant {
            if number < 0 {
                return Err(SqlError::new(
                    1060,
                    "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.",
                ));
            }
            return Ok(number.to_string());
        }
        Ok(format!("max({}, 0)", value.sql))
    }
}

type Column = (String, SqlType, bool);

fn unequal_arms() -> SqlError {
    SqlError::new(
        205,
        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
    )
}

fn combine(
    operator: SetOperator,
    quantifier: SetQuantifier,
    left: &Bound,
    right: &Bound,
) -> Result<Bound, SqlError> {
    if left.columns.len() != right.columns.len() {
        return Err(unequal_arms());
    }
    let keyword = match (operator, quantifier) {
        (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
        (SetOperator::Union, SetQuantifier::None) => "UNION",
        (SetOperator::Except, SetQuantifier::None) => "EXCEPT",
        (SetOperator::Intersect, SetQuantifier::None) => "INTERSECT",
        _ => return Err(SqlError::syntax(operator)),
    };
    let mut columns = Vec::with_capacity(left.columns.len());
    for (a, b) in left.columns.iter().zip(&right.columns) {
        let sql_type = common_type(&[a.value.clone(), b.value.clone()]);
        let nullable = a.value.nullable || b.value.nullable;
        columns.push(Output {
            name: a.name.clone(),
            value: Typed::new("", sql_type, nullable),
        });
    }
    let types: Vec<SqlType> = columns.iter().map(|column| column.value.sql_type).collect();
    let sql = format!(
        "{} {keyword} {}",
        left.coerced(&types)?,
        right.coerced(&types)?
    );
    Ok(Bound {
        columns,
        sql,
        at_most_one_row: false,
        shape: Shape::Whole,
    })
}

/// Columns of a derived table or WITH table, which all need a name of their own.
pub(super) fn named_columns(
    bound: &Bound,
    table: &str,
    renamed: &[String],
) -> Result<Vec<Column>, SqlError> {
    if !renamed.is_empty() && renamed.len() != bound.columns.len() {
        let (number, more) = if renamed.len() > bound.columns.len() {
            (8159, "fewer")
        } else {
            (8158, "more")
        };
        return Err(SqlError::new(
            number,
            format!("'{table}' has {more} columns than were specified in the column list."),
        ));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(bound.columns.len());
    for (at, output) in bound.columns.iter().enumerate() {
        let name = renamed.get(at).unwrap_or(&output.name).clone();
        if name.is_empty() {
            return Err(SqlError::new(
                8155,
                format!(
                    "No column name was specified for column {} of '{table}'.",
                    at + 1
                ),
            ));
        }
        if columns.iter().any(|known| same(&known.0, &name)) {
            return Err(SqlError::new(
                8156,
                format!("The column '{name}' was specified multiple times for '{table}'."),
            ));
        }
        columns.push((name, output.value.sql_type, output.value.nullable));
    }
    Ok(columns)
}

/// The anchor and the recursive arm, when a WITH table reads itself.
fn recursive_arms(table: &Cte) -> Option<(&SetExpr, &SetExpr)> {
    let SetExpr::SetOperation {
        left,
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        right,
    } = table.query.body.as_ref()
    else {
        return None;
    };
    let name = &table.alias.name.value;
    let reads_itself = sqlparser::ast::visit_relations(right.as_ref(), |relation| {
        let is_it = matches!(&relation.0[..], [part] if same(part.to_string().trim_matches(['[', ']', '"']), name));
        if is_it {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    reads_itself
        .is_break()
        .then_some((left.as_ref(), right.as_ref()))
}

fn tail_of(query: &Query) -> Result<Tail<'_>, SqlError> {
    let order = match query.order_by.as_ref().map(|order| &order.kind) {
        None => &[][..],
        Some(OrderByKind::Expressions(items)) => items,
        Some(OrderByKind::All(_)) => return Err(SqlError::syntax("ALL")),
    };
    let offset = match &query.limit_clause {
        None => None,
        Some(LimitClause::LimitOffset {
            limit: None,
            offset,
            limit_by,
        }) if limit_by.is_empty() => offset.as_ref().map(|offset| offset.value.clone()),
        Some(_) => return Err(SqlError::syntax("LIMIT")),
    };
    let limit = match &query.fetch {
        None => None,
        Some(fetch) if fetch.with_ties || fetch.percent || offset.is_none() => {
            return Err(SqlError::syntax("FETCH"));
        }
        Some(fetch) => fetch.quantity.clone(),
    };
    if offset.is_some() && order.is_empty() {
        return Err(SqlError::syntax("OFFSET"));
    }
    Ok(Tail {
        order,
        limit,
        offset,
        is_top: false,
        ties: false,
    })
}

fn check_order(tail: &Tail<'_>, nesting: Nesting) -> Result<(), SqlError> {
    if nesting != Nesting::Outermost
        && !tail.order.is_empty()
        && !tail.is_top
        && tail.offset.is_none()
    {
        return Err(SqlError::new(
            1033,
            "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.",
        ));
    }
    Ok(())
}

fn refuse_clauses(select: &Select) -> Result<(), SqlError> {
    let stranger = [
        (select.into.is_some(), "SELECT INTO"),
        (!select.lateral_views.is_empty(), "LATERAL"),
        (select.prewhere.is_some(), "PREWHERE"),
        (!select.connect_by.is_empty(), "CONNECT BY"),
        (!select.cluster_by.is_empty(), "CLUSTER"),
        (!select.distribute_by.is_empty(), "DISTRIBUTE"),
        (!select.sort_by.is_empty(), "SORT"),
        (!select.named_window.is_empty(), "WINDOW"),
        (select.qualify.is_some(), "QUALIFY"),
        (select.value_table_mode.is_some(), "AS"),
        (select.exclude.is_some(), "EXCLUDE"),
    ];
    match stranger.iter().find(|(present, _)| *present) {
        Some((_, name)) => Err(SqlError::unsupported(name)),
        None => Ok(()),
    }
}

/// The name that an expression without alias gives its column: a column's name as the query spells it.
fn own_name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) if !name.value.starts_with('@') => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map(|part| part.value.clone())
            .unwrap_or_default(),
        Expr::Nested(inner) => own_name(inner),
        _ => String::new(),
    }
}

/// The output column that an ORDER BY item means by number or name, counted from one.
fn output_position(expression: &Expr, columns: &[Output]) -> Result<Option<usize>, SqlError> {
    match expression {
        Expr::Value(value) => {
            let Value::Number(digits, _) = &value.value else {
                return Ok(None);
            };
            let position = digits
                .parse()
                .ok()
                .filter(|position| (1..=columns.len()).contains(position));
            position.map(Some).ok_or_else(|| {
                SqlError::new(108, format!("The ORDER BY position number {digits} is out of range of the number of items in the select list."))
            })
        }
        Expr::Identifier(name) => {
            let mut found = columns
                .iter()
                .enumerate()
                .filter(|(_, column)| same(&column.name, &name.value));
            let first = found.next();
            match (first, found.next()) {
                (Some((_, a)), Some((_, b))) if a.value.sql != b.value.sql => Err(SqlError::new(
                    209,
                    format!("Ambiguous column name '{}'.", name.value),
                )),
                (first, _) => Ok(first.map(|(at, _)| at + 1)),
            }
        }
        _ => Ok(None),
    }
}

/// ` DESC` or nothing; NULLs come first in both systems.
pub(super) fn direction(item: &OrderByExpr) -> Result<&'static str, SqlError> {
    if item.options.nulls_first.is_some() || item.with_fill.is_some() {
        return Err(SqlError::syntax("NULLS"));
    }
    Ok(if item.options.sort == Some(OrderBySort::Desc) {
        " DESC"
    } else {
        ""
    })
}

fn unwrapped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => unwrapped(inner),
        other => other,
    }
}
