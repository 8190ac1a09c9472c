//! Conditions: comparisons, LIKE, IN, EXISTS and their three-valued logic, which SQLite shares.

use sqlparser::ast::{BinaryOperator, Expr, Query, UnaryOperator, Value};

use super::convert::{clash, common_type, comparable, comparison_key, is_large_object};
use super::expression::{comparison_operator, first_word};
use super::query::Nesting;
use super::scope::{Scope, Typed, literal};
use super::{Translator, implicit};
use crate::{SqlError, SqlType};

impl Translator<'_> {
    /// Translates a condition.
    pub(super) fn predicate(
        &mut self,
        expression: &Expr,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        match expression {
            Expr::Nested(inner) => Ok(format!("({})", self.predicate(inner, scope)?)),
            Expr::BinaryOp {
                left,
                op: op @ (BinaryOperator::And | BinaryOperator::Or),
                right,
            } => {
                let left = self.predicate(left, scope)?;
                let right = self.predicate(right, scope)?;
                Ok(format!("({left} {op} {right})"))
            }
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => Ok(format!("(NOT {})", self.predicate(expr, scope)?)),
            Expr::BinaryOp { left, op, right } if comparison_operator(op).is_some() => {
                self.comparison(left, op, right, scope)
            }
            Expr::IsNull(inner) => Ok(format!("({} IS NULL)", self.value(inner, scope)?.sql)),
            Expr::IsNotNull(inner) => {
                Ok(format!("({} IS NOT NULL)", self.value(inner, scope)?.sql))
            }
            Expr::IsDistinctFrom(left, right) => self.distinct(left, right, "IS NOT", scope),
            Expr::IsNotDistinctFrom(left, right) => self.distinct(left, right, "IS", scope),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let above = self.comparison(expr, &BinaryOperator::GtEq, low, scope)?;
                let below = self.comparison(expr, &BinaryOperator::LtEq, high, scope)?;
                Ok(format!("({}({above} AND {below}))", not(*negated)))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => self.in_list(expr, list, *negated, scope),
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => self.in_subquery(expr, subquery, *negated, scope),
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => self.like(expr, pattern, escape_char.as_deref(), *negated, scope),
            Expr::Exists { subquery, negated } => {
                let bound = self.query(subquery, Some(scope), Nesting::Exists)?;
                Ok(format!("({}EXISTS ({}))", not(*negated), bound.sql))
            }
            Expr::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, right, true, scope),
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.quantified(left, compare_op, right, false, scope),
            other => {
                // A value stands where a condition should; report the value's own errors first.
                self.value(other, scope)?;
                Err(SqlError::new(
                    4145,
                    format!(
                        "An expression of non-boolean type specified in a context where a condition is expected, near '{}'.",
                        first_word(other)
                    ),
                ))
            }
        }
    }

    pub(super) fn comparison(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let (symbol, name) = comparison_operator(operator).expect("only called for comparisons");
        let left = self.value(left, scope)?;
        let right = self.value(right, scope)?;
        let (left, right) = comparable(left, right, name)?;
        Ok(format!("({left} {symbol} {right})"))
    }

    fn distinct(
        &mut self,
        left: &Expr,
        right: &Expr,
        operator: &str,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let left = self.value(left, scope)?;
        let right = self.value(right, scope)?;
        let (left, right) = comparable(left, right, "is distinct from")?;
        Ok(format!("({left} {operator} {right})"))
    }

    fn in_list(
        &mut self,
        value: &Expr,
        list: &[Expr],
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let mut values = vec![self.value(value, scope)?];
        for item in list {
            values.push(self.value(item, scope)?);
        }
        refuse_large_objects(&values)?;
        let common = common_type(&values);
        let mut keys = Vec::with_capacity(values.len());
        for value in values {
            keys.push(comparison_key(value, common)?);
        }
        let (first, rest) = keys.split_first().expect("the value itself");
        Ok(format!(
            "({first} {}IN ({}))",
            not(negated),
            rest.join(", ")
        ))
    }

    fn in_subquery(
        &mut self,
        value: &Expr,
        subquery: &Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let value = self.value(value, scope)?;
        let (column, inner) = self.single_column(subquery, scope)?;
        refuse_large_objects(&[value.clone(), column.clone()])?;
        let common = common_type(&[value.clone(), column.clone()]);
        let left = comparison_key(value, common)?;
        let right = comparison_key(column, common)?;
        Ok(format!(
            "({left} {}IN (SELECT {right} FROM ({inner}) q))",
            not(negated)
        ))
    }

    /// A subquery of one column, to be read as `q.c1`.
    fn single_column(
        &mut self,
        subquery: &Query,
        scope: &Scope<'_>,
    ) -> Result<(Typed, String), SqlError> {
        let bound = self.query(subquery, Some(scope), Nesting::Subquery)?;
        let [column] = &bound.columns[..] else {
            return Err(SqlError::new(
                116,
                "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            ));
        };
        Ok((
            Typed::new("q.c1", column.value.sql_type, column.value.nullable),
            bound.sql,
        ))
    }

    /// `x > ALL (…)` is "there is none that it is not greater than"; unknowns stay unknown by the NOT EXISTS
    /// pair only when there are no NULLs, so a NULL among them is counted in.
    fn quantified(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
        all: bool,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let (symbol, name) =
            comparison_operator(operator).ok_or_else(|| SqlError::syntax(operator))?;
        let Expr::Subquery(subquery) = right else {
            return Err(SqlError::syntax(first_word(right)));
        };
        let left = self.value(left, scope)?;
        let (column, inner) = self.single_column(subquery, scope)?;
        let (left, right) = comparable(left, column, name)?;
        let test = format!("({left} {symbol} {right})");
        // min and max over the outcomes 0, 1 and "unknown" give SQL's ALL and ANY.
        let (aggregate, empty) = if all { ("min", 1) } else { ("max", 0) };
        let decisive = if all { 0 } else { 1 };
        Ok(format!(
            "(SELECT CASE WHEN count(*) = 0 THEN {empty} WHEN {aggregate}({test}) = {decisive} THEN {decisive} WHEN count(*) > count({test}) THEN NULL ELSE {empty} END FROM ({inner}) q)"
        ))
    }

    fn like(
        &mut self,
        text: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let text = self.value(text, scope)?;
        let pattern = self.value(pattern, scope)?;
        let blanks = !text.sql_type.is_national() && !pattern.sql_type.is_national();
        let text = as_text(text)?;
        let pattern = as_text(pattern)?;
        let escape = match escape {
            None => String::new(),
            Some(Expr::Value(value)) => match &value.value {
                Value::SingleQuotedString(text) | Value::NationalStringLiteral(text)
                    if text.chars().count() == 1 =>
                {
                    format!(", {}", literal(text))
                }
                _ => {
                    return Err(SqlError::new(
                        506,
                        "The invalid escape character was specified in a LIKE predicate.",
                    ));
                }
            },
            Some(other) => return Err(SqlError::unsupported(first_word(other))),
        };
        Ok(format!(
            "({}t_like({}, {}, {}{escape}))",
            not(negated),
            text.sql,
            pattern.sql,
            u8::from(blanks)
        ))
    }
}

/// A value as text, for functions that read text.
pub(super) fn as_text(value: Typed) -> Result<Typed, SqlError> {
    if value.sql_type.is_text() {
        return Ok(value);
    }
    if value.sql_type.is_binary() {
        return Err(clash(value.sql_type, SqlType::VarChar(None)));
    }
    implicit(value, SqlType::VarChar(Some(8000)))
}

fn refuse_large_objects(values: &[Typed]) -> Result<(), SqlError> {
    match values
        .iter()
        .find(|value| is_large_object(value.sql_type) && !value.is_null())
    {
        Some(value) => Err(SqlError::new(
            402,
            format!(
                "The data types {} and {} are incompatible in the equal to operator.",
                value.sql_type.name(),
                values
                    .last()
                    .map_or("varchar", |other| other.sql_type.name())
            ),
        )),
        None => Ok(()),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}
