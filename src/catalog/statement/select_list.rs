//! The select list of a statement against the contract: same names, same order, each once.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    Visit as _, Visitor,
};
use sqlparser::tokenizer::Span;

use super::super::header::DraftColumn;
use super::super::nearest::nearest;
use super::super::problem::Report;
use super::super::source::Place;
use super::carried;
use super::syntax::place;

/// Checks what a query returns.
pub(super) fn check(
    query: &Query,
    start: Place,
    contract: Option<&[DraftColumn]>,
    report: &mut Report<'_>,
) {
    let Some(select) = leftmost(&query.body) else {
        report.at_place(
            start,
            "the statement is not a SELECT",
            "write one SELECT, with WITH for what it builds on",
        );
        return;
    };
    if let Some(clause) = &query.for_clause {
        report.at_place(
            start,
            format!("`{clause}` makes one text of all rows"),
            "remove it: rows and columns are wanted",
        );
    }
    let mut stars = Stars(Vec::new());
    let _ = query.visit(&mut stars);
    for at in &stars.0 {
        report.at_place(
            *at,
            "`*` returns whatever the table has at each site",
            "name the columns; in EXISTS write `SELECT 1`",
        );
    }
    if let Some(contract) = contract.filter(|_| stars.0.is_empty()) {
        columns(select, contract, report);
        carried::check(query, contract, report);
    }
}

/// Places of `*` and `t.*` in the select lists, at any depth.
struct Stars(Vec<Place>);

impl Visitor for Stars {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if matches!(
                item,
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
            ) {
                self.0.push(item_place(item, select));
            }
        }
        ControlFlow::Continue(())
    }
}

/// Where an item stands, or its SELECT if the parser does not tell.
///
/// The parser's own span of an expression is found by recursion, which a long sum would overflow.
fn item_place(item: &SelectItem, select: &Select) -> Place {
    let span = match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.span),
        SelectItem::UnnamedExpr(expr) => expr_span(expr),
        SelectItem::Wildcard(options) => Some(options.wildcard_token.0.span),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            name_span(name)
        }
        _ => None,
    };
    let at = span.map(|span| span.start).filter(|at| at.line > 0);
    place(at.unwrap_or(select.select_token.0.span.start))
}

fn expr_span(expr: &Expr) -> Option<Span> {
    let mut leftmost = expr;
    while let Expr::BinaryOp { left, .. } = leftmost {
        leftmost = left;
    }
    match leftmost {
        Expr::Identifier(name) => Some(name.span),
        Expr::CompoundIdentifier(path) => path.first().map(|name| name.span),
        Expr::Function(function) => name_span(&function.name),
        Expr::Value(value) => Some(value.span),
        _ => None,
    }
}

fn name_span(name: &ObjectName) -> Option<Span> {
    let first = name.0.first()?.as_ident()?;
    Some(first.span)
}

/// All SELECTs whose rows are the result: the branches of a UNION.
pub(super) fn branches(body: &SetExpr) -> Vec<&Select> {
    let mut selects = Vec::new();
    let mut left = vec![body];
    while let Some(body) = left.pop() {
        match body {
            SetExpr::Select(select) => selects.push(&**select),
            SetExpr::Query(query) => left.push(&query.body),
            SetExpr::SetOperation {
                left: a, right: b, ..
            } => left.extend([&**b, &**a]),
            _ => {}
        }
    }
    selects
}

/// The SELECT that names the columns of a result: the first of a UNION.
pub(super) fn leftmost(body: &SetExpr) -> Option<&Select> {
    branches(body).first().copied()
}

/// The expression of an item of a select list.
pub(super) fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The name that an item has in the result.
pub(super) fn item_name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(&alias.value),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(&name.value),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => {
            path.last().map(|name| name.value.as_str())
        }
        _ => None,
    }
}

/// The select list has the contract's names, each once and in its order.
fn columns(select: &Select, contract: &[DraftColumn], report: &mut Report<'_>) {
    let wanted: Vec<&str> = contract.iter().map(|column| column.name.as_str()).collect();
    let Some(names) = names(select, &wanted, report) else {
        return;
    };
    let mut alike = known_once(select, &names, &wanted, report);
    for column in contract {
        if !names.contains(&column.name.as_str()) {
            alike = false;
            report.at(
                column.at,
                format!("column `{}` is not in the SELECT", column.name),
                format!(
                    "add `... AS {}` to it, or remove its line from `[columns]`",
                    column.name
                ),
            );
        }
    }
    if alike {
        order(select, &wanted, &names, report);
    }
}

/// The names of all items; `None` if one has no name.
fn names<'a>(select: &'a Select, wanted: &[&str], report: &mut Report<'_>) -> Option<Vec<&'a str>> {
    let names: Vec<Option<&str>> = select.projection.iter().map(item_name).collect();
    for (number, item) in select.projection.iter().enumerate() {
        if names[number].is_none() {
            let wanted = wanted.get(number).unwrap_or(&"name");
            report.at_place(
                item_place(item, select),
                format!("column {} of the SELECT has no name", number + 1),
                format!("write `AS {wanted}` after it"),
            );
        }
    }
    names.into_iter().collect()
}

/// Whether each name occurs once and in the contract.
fn known_once(select: &Select, names: &[&str], wanted: &[&str], report: &mut Report<'_>) -> bool {
    let mut good = true;
    for (number, name) in names.iter().enumerate() {
        let at = item_place(&select.projection[number], select);
        if names[..number].contains(name) {
            good = false;
            report.at_place(
                at,
                format!("two columns of the SELECT are named `{name}`"),
                "give each its own name with AS",
            );
        } else if !wanted.contains(name) {
            good = false;
            report.at_place(
                at,
                format!("column `{name}` of the SELECT is not in `[columns]`"),
                not_in_contract(name, wanted, names),
            );
        }
    }
    good
}

fn not_in_contract(name: &str, wanted: &[&str], taken: &[&str]) -> String {
    let free = wanted.iter().copied().filter(|name| !taken.contains(name));
    match nearest(name, free) {
        Some(meant) => format!("write `AS {meant}`"),
        None => format!("add a line `{name} = {{ ... }}` to `[columns]`, or remove it here"),
    }
}

fn order(select: &Select, wanted: &[&str], seen: &[&str], report: &mut Report<'_>) {
    let differs = seen
        .iter()
        .zip(wanted)
        .position(|(seen, wanted)| seen != wanted);
    if let Some(number) = differs {
        report.at_place(
            item_place(&select.projection[number], select),
            format!(
                "column {} is `{}` in the SELECT and `{}` in `[columns]`",
                number + 1,
                seen[number],
                wanted[number]
            ),
            "put both in the same order",
        );
    }
}
