//! Which columns of the practice's tables an expression carries into the result.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query,
};

use super::super::header::DraftColumn;
use super::super::identifying::{PointsAt, points_at};
use super::super::problem::Report;
use super::select_list::{branches, item_expr, leftmost};
use crate::domain::{Class, Column};

/// Functions that tell something about a value without the value coming through.
const HARMLESS: &str = "COUNT COUNT_BIG LEN DATALENGTH ISNUMERIC ISDATE SIGN DATEDIFF DATEDIFF_BIG \
    DATEPART YEAR";

/// A column that carries what points at a person is classed as such and has a rule.
///
/// A guard against accident: a name that a CTE or derived table has changed is not followed.
pub(super) fn check(query: &Query, contract: &[DraftColumn], report: &mut Report<'_>) {
    let branches = branches(&query.body);
    for (number, draft) in contract.iter().enumerate() {
        let Some(column) = &draft.column else {
            continue;
        };
        let items = branches
            .iter()
            .filter_map(|select| select.projection.get(number));
        let pointing = items
            .filter_map(item_expr)
            .flat_map(carried)
            .filter_map(|name| Some((name, points_at(name)?)))
            .find(|(_, points_at)| !is_said(column, *points_at));
        if let Some((name, points_at)) = pointing {
            tell(column, name, points_at, draft.at, report);
        }
    }
}

/// Whether the contract says what the column is. That an identifier has a rule is checked elsewhere.
fn is_said(column: &Column, points_at: PointsAt) -> bool {
    match points_at {
        PointsAt::Patient | PointsAt::Provider | PointsAt::Person => {
            column.class == Class::Identifier
        }
        PointsAt::Birth => column.class == Class::Identifier || column.rule.is_some(),
    }
}

fn tell(column: &Column, name: &str, points_at: PointsAt, at: usize, report: &mut Report<'_>) {
    let instead = match points_at {
        PointsAt::Patient => {
            "write `class = \"identifier\", privacy = \"pseudonym\", of = \"patient\"`"
        }
        PointsAt::Provider => {
            "write `class = \"identifier\", privacy = \"pseudonym\", of = \"provider\"`"
        }
        PointsAt::Person => "leave it out, or write `class = \"identifier\", privacy = \"drop\"`",
        PointsAt::Birth => "add `privacy = \"year\"` or `privacy = \"age\"`",
    };
    let what = format!(
        "`{}` is `{}` but carries `{name}`, which points at a person",
        column.name, column.class
    );
    report.at(at, what, instead);
}

/// Names of the columns whose values come through `expr`, in whole or in part.
///
/// Values that are only compared do not come through, nor does what a function of [`HARMLESS`] reads.
fn carried(expr: &Expr) -> Vec<&str> {
    let mut names = Vec::new();
    // A list of what is left to look at, not recursion: a long sum is as deep as it is long.
    let mut left = vec![expr];
    while let Some(expr) = left.pop() {
        match expr {
            Expr::Identifier(name) => names.push(name.value.as_str()),
            Expr::CompoundIdentifier(path) => {
                names.extend(path.last().map(|name| name.value.as_str()));
            }
            _ => left.extend(parts(expr)),
        }
    }
    names
}

/// The parts of an expression whose values come through it.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::Convert { expr: inner, .. }
        | Expr::Trim { expr: inner, .. }
        | Expr::Substring { expr: inner, .. }
        | Expr::Collate { expr: inner, .. }
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::AtTimeZone {
            timestamp: inner, ..
        } => vec![inner],
        Expr::BinaryOp { left, op, right } if !is_comparison(op) => vec![left, right],
        Expr::Case {
            conditions,
            else_result,
            ..
        } => case_results(conditions, else_result.as_deref()),
        Expr::Function(function) if !is_harmless(&function.name.to_string()) => {
            arguments(&function.args)
        }
        Expr::Subquery(query) => leftmost(&query.body)
            .and_then(|select| select.projection.first())
            .and_then(item_expr)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn is_comparison(operator: &BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::And
            | BinaryOperator::Or
    )
}

fn case_results<'a>(conditions: &'a [CaseWhen], otherwise: Option<&'a Expr>) -> Vec<&'a Expr> {
    let results = conditions.iter().map(|when| &when.result);
    results.chain(otherwise).collect()
}

fn is_harmless(function: &str) -> bool {
    HARMLESS
        .split_ascii_whitespace()
        .any(|name| name.eq_ignore_ascii_case(function))
}

fn arguments(arguments: &FunctionArguments) -> Vec<&Expr> {
    let FunctionArguments::List(list) = arguments else {
        return Vec::new();
    };
    let expr = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().filter_map(expr).collect()
}
