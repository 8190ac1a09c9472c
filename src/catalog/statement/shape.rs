//! A checked statement in two parts: what each column is computed from, and all the rest.

use sqlparser::ast::SetExpr;

use super::select_list::{item_expr, item_name};
use super::syntax;

/// A statement, so that two versions can be compared part by part. Blanks, comments and the case of
/// keywords are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Shape {
    /// Name and expression of each column.
    pub(in crate::catalog) columns: Vec<(String, String)>,
    /// WITH, FROM, WHERE and what else there is.
    pub(in crate::catalog) rest: String,
}

/// The shape of a statement; `None` for a UNION, whose columns have more than one expression each.
pub(in crate::catalog) fn shape(sql: &str) -> Option<Shape> {
    let mut query = syntax::parse(syntax::tokens(sql).ok()?).ok()?;
    let SetExpr::Select(select) = &mut *query.body else {
        return None;
    };
    let columns = std::mem::take(&mut select.projection)
        .iter()
        .map(|item| Some((item_name(item)?.to_owned(), item_expr(item)?.to_string())))
        .collect::<Option<_>>()?;
    Some(Shape {
        columns,
        rest: query.to_string(),
    })
}
