//! FROM: tables, views, subqueries, table functions, joins.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    ObjectNamePart, Query, TableAlias, TableFactor, TableWithJoins,
};

use super::Translator;
use super::convert::implicit;
use super::query::{Nesting, named_columns};
use super::scope::{Constant, Place, Scope, Source, Typed, Visible, same};
use crate::schema::{Body, quoted};
use crate::{SqlError, SqlType};

/// A translated FROM clause.
pub(super) struct From {
    /// ` FROM …`, or nothing.
    pub(super) sql: String,
    pub(super) sources: Rc<Vec<Source>>,
    /// What a CROSS APPLY demands of a row, for the WHERE clause.
    pub(super) conditions: Vec<String>,
}

/// Part of a FROM clause: SQLite text and what it brings into sight.
#[derive(Default)]
pub(super) struct Piece {
    /// Empty for a piece that is computed from the rows beside it.
    pub(super) sql: String,
    pub(super) sources: Vec<Source>,
    pub(super) conditions: Vec<String>,
}

impl Translator<'_> {
    pub(super) fn from(
        &mut self,
        tables: &[TableWithJoins],
        parent: Option<&Scope<'_>>,
    ) -> Result<From, SqlError> {
        let mut all = Piece::default();
        for table in tables {
            let piece = self.joined(table, parent)?;
            let comma = if all.sql.is_empty() { "" } else { ", " };
            all.sql.push_str(&format!("{comma}{}", piece.sql));
            all.sources.extend(piece.sources);
            all.conditions.extend(piece.conditions);
        }
        check_names(&all.sources)?;
        let sql = if all.sql.is_empty() {
            String::new()
        } else {
            format!(" FROM {}", all.sql)
        };
        Ok(From {
            sql,
            sources: Rc::new(all.sources),
            conditions: all.conditions,
        })
    }

    fn joined(
        &mut self,
        table: &TableWithJoins,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        let mut left = self.factor(&table.relation, parent)?;
        for join in &table.joins {
            left = self.join(left, join, parent)?;
        }
        Ok(left)
    }

    fn join(
        &mut self,
        mut left: Piece,
        join: &Join,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        let (keyword, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                ("JOIN", constraint)
            }
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                ("LEFT JOIN", constraint)
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", constraint)
            }
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", constraint),
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", constraint),
            JoinOperator::CrossApply => return self.apply(left, &join.relation, false, parent),
            JoinOperator::OuterApply => return self.apply(left, &join.relation, true, parent),
            _ => return Err(SqlError::unsupported("JOIN")),
        };
        let mut right = self.factor(&join.relation, parent)?;
        if matches!(keyword, "LEFT JOIN" | "FULL JOIN") {
            right.sources.iter_mut().for_each(may_be_missing);
        }
        if matches!(keyword, "RIGHT JOIN" | "FULL JOIN") {
            left.sources.iter_mut().for_each(may_be_missing);
        }
        left.sources.extend(right.sources);
        left.conditions.extend(right.conditions);
        let on = match constraint {
            JoinConstraint::On(condition) => {
                let scope = Scope::new(Rc::new(left.sources.clone()), parent, Place::Row);
                format!(" ON {}", self.predicate(condition, &scope)?)
            }
            JoinConstraint::None if keyword == "CROSS JOIN" => String::new(),
            _ => return Err(SqlError::syntax(keyword)),
        };
        left.sql = format!("{} {keyword} {}{on}", left.sql, right.sql);
        Ok(left)
    }

    /// One table, view, subquery or function.
    pub(super) fn factor(
        &mut self,
        factor: &TableFactor,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                version: None,
                sample: None,
                ..
            } => self.named(name, alias.as_ref()),
            TableFactor::Table {
                name,
                alias,
                args: Some(arguments),
                ..
            } => {
                if arguments.args.iter().all(is_hint) {
                    return self.named(name, alias.as_ref());
                }
                self.table_function(name, &arguments.args, alias.as_ref(), parent)
            }
            TableFactor::Function {
                name, args, alias, ..
            } => self.table_function(name, args, alias.as_ref(), parent),
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias: Some(alias),
                sample: None,
            } => self.derived(subquery, alias, None),
            TableFactor::Derived { .. } => Err(SqlError::syntax(")")),
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                let mut piece = self.joined(table_with_joins, parent)?;
                piece.sql = format!("({})", piece.sql);
                Ok(piece)
            }
            TableFactor::Pivot { .. } => Err(SqlError::unsupported("PIVOT")),
            TableFactor::Unpivot { .. } => Err(SqlError::unsupported("UNPIVOT")),
            other => Err(SqlError::unsupported(
                other
                    .to_string()
                    .split([' ', '('])
                    .next()
                    .unwrap_or_default(),
            )),
        }
    }

    /// A subquery with an alias; `parent` only where APPLY lets it look outside.
    pub(super) fn derived(
        &mut self,
        subquery: &Query,
        alias: &TableAlias,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        let bound = self.query(subquery, parent, Nesting::Subquery)?;
        let columns = named_columns(&bound, &alias.name.value, &renamed(alias))?;
        Ok(self.of_positions(
            &format!("({})", bound.sql),
            &alias.name.value,
            None,
            columns,
        ))
    }

    /// A source whose columns are called `c1`, `c2`, ….
    fn of_positions(
        &mut self,
        sql: &str,
        name: &str,
        catalogue: Option<String>,
        columns: Vec<(String, SqlType, bool)>,
    ) -> Piece {
        let alias = self.alias();
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(at, (name, sql_type, nullable))| Visible {
                name,
                value: Typed::new(format!("{alias}.c{}", at + 1), sql_type, nullable),
            })
            .collect();
        Piece {
            sql: format!("{sql} AS {alias}"),
            sources: vec![Source {
                name: name.to_owned(),
                catalogue,
                columns,
            }],
            conditions: Vec::new(),
        }
    }

    fn named(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Result<Piece, SqlError> {
        let parts = name_parts(name)?;
        let visible = alias.map_or_else(
            || parts.last().cloned().unwrap_or_default(),
            |alias| alias.name.value.clone(),
        );
        if let [single] = &parts[..]
            && let Some(table) = self
                .tables
                .iter()
                .rev()
                .find(|table| same(&table.name, single))
                .cloned()
        {
            return Ok(self.of_positions(&table.alias, &visible, None, table.columns));
        }
        let (catalogue, schema, table) = self.locate(&parts, name)?;
        if let Some((sql, columns)) =
            self.catalogue_view(&catalogue, &schema.to_lowercase(), &table.to_lowercase())
        {
            return Ok(self.of_known(&sql, &visible, &columns));
        }
        if !schema.is_empty() && !same(&schema, "dbo") {
            return Err(SqlError::invalid_object(&name.to_string()));
        }
        self.stored(&catalogue, &table, name, &visible, alias.is_some())
    }

    /// Catalogue, schema and table of a name of up to three parts.
    fn locate(
        &self,
        parts: &[String],
        name: &ObjectName,
    ) -> Result<(String, String, String), SqlError> {
        let here = || self.catalogue.clone();
        match parts {
            [table] => Ok((here(), String::new(), table.clone())),
            [schema, table] => Ok((here(), schema.clone(), table.clone())),
            [catalogue, schema, table] => {
                // An unknown database is an unknown object to a query.
                let known = self
                    .schema
                    .catalogue(catalogue)
                    .map_err(|_| SqlError::invalid_object(&name.to_string()))?;
                Ok((known.to_owned(), schema.clone(), table.clone()))
            }
            _ => Err(SqlError::new(
                7202,
                format!(
                    "Could not find server '{}' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers.",
                    parts.first().map_or("", String::as_str)
                ),
            )),
        }
    }

    fn stored(
        &mut self,
        catalogue: &str,
        table: &str,
        name: &ObjectName,
        visible: &str,
        has_alias: bool,
    ) -> Result<Piece, SqlError> {
        let object = self
            .schema
            .find(catalogue, table)
            .ok_or_else(|| {
                SqlError::invalid_object(&name.to_string().replace(['[', ']', '"'], ""))
            })?
            .clone();
        if self.in_view == 0 && self.schema.is_denied(&object) {
            return Err(SqlError::new(
                229,
                format!(
                    "The SELECT permission was denied on the object '{}', database '{}', schema 'dbo'.",
                    object.name, object.catalogue
                ),
            ));
        }
        let catalogue = (!has_alias).then(|| object.catalogue.clone());
        match &object.body {
            Body::Table => {
                let alias = self.alias();
                let columns = object
                    .columns
                    .iter()
                    .map(|column| Visible {
                        name: column.name.clone(),
                        value: Typed::new(
                            format!("{alias}.{}", quoted(&column.name)),
                            column.sql_type,
                            column.nullable,
                        ),
                    })
                    .collect();
                Ok(Piece {
                    sql: format!("{} AS {alias}", object.storage()),
                    sources: vec![Source {
                        name: visible.to_owned(),
                        catalogue,
                        columns,
                    }],
                    conditions: Vec::new(),
                })
            }
            Body::View(query) => {
                let bound = self.in_its_own_catalogue(&object.catalogue, query)?;
                let columns = named_columns(&bound, &object.name, &[])?;
                Ok(self.of_positions(&format!("({})", bound.sql), visible, catalogue, columns))
            }
        }
    }

    /// A view's query, read in the view's database and without the caller's WITH tables.
    fn in_its_own_catalogue(
        &mut self,
        catalogue: &str,
        query: &Query,
    ) -> Result<super::query::Bound, SqlError> {
        let outside = std::mem::replace(&mut self.catalogue, catalogue.to_owned());
        let tables = std::mem::take(&mut self.tables);
        self.in_view += 1;
        let bound = self.query(query, None, Nesting::Subquery);
        self.in_view -= 1;
        self.tables = tables;
        self.catalogue = outside;
        bound
    }

    fn of_known(&mut self, sql: &str, name: &str, columns: &[super::system::Known]) -> Piece {
        let alias = self.alias();
        let columns = columns
            .iter()
            .map(|(name, stored, sql_type, nullable)| Visible {
                name: (*name).to_owned(),
                value: Typed::new(format!("{alias}.{stored}"), *sql_type, *nullable),
            })
            .collect();
        Piece {
            sql: format!("{sql} AS {alias}"),
            sources: vec![Source {
                name: name.to_owned(),
                catalogue: None,
                columns,
            }],
            conditions: Vec::new(),
        }
    }

    /// GENERATE_SERIES and STRING_SPLIT. Their arguments may name tables to the left under APPLY.
    pub(super) fn table_function(
        &mut self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
        parent: Option<&Scope<'_>>,
    ) -> Result<Piece, SqlError> {
        let empty = Scope::empty();
        let scope = parent.unwrap_or(&empty);
        if name
            .to_string()
            .eq_ignore_ascii_case("sys.dm_exec_describe_first_result_set")
        {
            return self.described(arguments, alias);
        }
        let mut values = Vec::new();
        for argument in arguments {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = argument else {
                return Err(SqlError::syntax(argument));
            };
            values.push(self.value(expression, scope)?);
        }
        let function = name.to_string().to_lowercase();
        let own = self.alias();
        let (sql, read, sql_type) = match (function.as_str(), values.len()) {
            ("generate_series", 2 | 3) => series(values, &own)?,
            ("string_split", 2) => {
                let mut values = values.into_iter();
                let (text, separator) = (
                    values.next().expect("counted"),
                    values.next().expect("counted"),
                );
                let (sql, sql_type) = super::text_call::split_call(text, separator)?;
                (sql, format!("{own}.value"), sql_type)
            }
            _ => return Err(SqlError::invalid_object(&name.to_string())),
        };
        let visible = alias.map_or(function, |alias| alias.name.value.clone());
        let column_name = alias
            .and_then(|alias| renamed(alias).into_iter().next())
            .unwrap_or("value".into());
        let value = Typed::new(read, sql_type, false);
        Ok(Piece {
            sql: format!("{sql} AS {own}"),
            sources: vec![Source {
                name: visible,
                catalogue: None,
                columns: vec![Visible {
                    name: column_name,
                    value,
                }],
            }],
            conditions: Vec::new(),
        })
    }
}

impl Translator<'_> {
    /// `sys.dm_exec_describe_first_result_set(text, declarations, options)`.
    fn described(
        &mut self,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
    ) -> Result<Piece, SqlError> {
        let mut texts = Vec::new();
        for argument in arguments {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = argument else {
                return Err(SqlError::syntax(argument));
            };
            let value = self.value(expression, &Scope::empty())?;
            texts.push(if value.sql_type.is_text() {
                super::text_call::constant_text(&value)?
            } else {
                String::new()
            });
        }
        let text = texts.first().ok_or_else(|| SqlError::syntax(")"))?;
        let declared = texts.get(1).map_or("", String::as_str);
        let query = super::describing_function_query(
            self.schema,
            &self.catalogue,
            self.now,
            text,
            declared,
        )?;
        let bound = self.query(&query, None, Nesting::Subquery)?;
        let name = alias
            .map_or("dm_exec_describe_first_result_set", |alias| {
                &alias.name.value
            })
            .to_owned();
        let columns = named_columns(&bound, &name, &[])?;
        Ok(self.of_positions(&format!("({})", bound.sql), &name, None, columns))
    }
}

/// `GENERATE_SERIES(start, stop[, step])` over integers: SQLite text, how to read a value, and its type.
///
/// SQLite's function of that name counts down differently, so only what goes up by a constant is left to it;
/// everything else counts steps from zero. Without a step, T-SQL counts towards the stop.
fn series(values: Vec<Typed>, alias: &str) -> Result<(String, String, SqlType), SqlError> {
    let sql_type = super::convert::common_type(&values);
    if !sql_type.is_integer() || sql_type == SqlType::Bit {
        return Err(SqlError::unsupported("GENERATE_SERIES of decimals"));
    }
    let constants: Vec<Option<i64>> = values
        .iter()
        .map(|value| match value.constant {
            Constant::Integer(number) => Some(number),
            _ => None,
        })
        .collect();
    let mut parts = Vec::new();
    for value in values {
        parts.push(implicit(value, sql_type)?.sql);
    }
    let (start, stop) = (&parts[0], &parts[1]);
    let upwards = match constants[..] {
        [Some(start), Some(stop)] => start <= stop,
        [_, _, Some(step)] => step > 0,
        _ => false,
    };
    if upwards {
        return Ok((
            format!("generate_series({})", parts.join(", ")),
            format!("{alias}.value"),
            sql_type,
        ));
    }
    if constants.get(2) == Some(&Some(0)) {
        return Err(SqlError::new(
            4199,
            "Argument value 0 is invalid for argument 3 of generate_series function.",
        ));
    }
    let step = parts
        .get(2)
        .cloned()
        .unwrap_or_else(|| format!("(CASE WHEN {start} <= {stop} THEN 1 ELSE -1 END)"));
    let steps = format!("t_div({stop} - {start}, {step})");
    let last = format!("(CASE WHEN ({stop} - {start}) * {step} >= 0 THEN {steps} ELSE -1 END)");
    Ok((
        format!("generate_series(0, {last})"),
        format!("({start} + {alias}.value * {step})"),
        sql_type,
    ))
}

/// The old spelling of hints: `FROM T (NOLOCK)`.
fn is_hint(argument: &FunctionArg) -> bool {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(Ident { value, .. }))) => {
            matches!(
                value.to_lowercase().as_str(),
                "nolock" | "readuncommitted" | "readpast" | "holdlock" | "rowlock"
            )
        }
        _ => false,
    }
}

pub(super) fn name_parts(name: &ObjectName) -> Result<Vec<String>, SqlError> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Ok(ident.value.clone()),
            ObjectNamePart::Function(_) => Err(SqlError::syntax(name)),
        })
        .collect()
}

pub(super) fn renamed(alias: &TableAlias) -> Vec<String> {
    alias
        .columns
        .iter()
        .map(|column| column.name.value.clone())
        .collect()
}

/// The outer side of a join can be absent, so its columns can be NULL.
pub(super) fn may_be_missing(source: &mut Source) {
    for column in &mut source.columns {
        column.value.nullable = true;
    }
}

fn check_names(sources: &[Source]) -> Result<(), SqlError> {
    for (at, source) in sources.iter().enumerate() {
        let twin = |other: &&Source| {
            same(&other.name, &source.name) && other.catalogue == source.catalogue
        };
        if sources[at + 1..].iter().any(|other| twin(&other)) {
            return Err(SqlError::new(
                1011,
                format!(
                    "The correlation name '{}' is specified multiple times in a FROM clause.",
                    source.name
                ),
            ));
        }
    }
    Ok(())
}
