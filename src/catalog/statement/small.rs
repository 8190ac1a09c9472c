//! A small statement that stands in the header itself and is asked beside the main one.

use sqlparser::tokenizer::TokenWithSpan;

use super::super::header::Located;
use super::super::problem::Report;
use super::super::source::Place;
use super::select_list::{branches, item_name, leftmost};
use super::words::Binds;
use super::{foreign, syntax, words};

/// Name of the one column that `withheld` returns.
const WITHHELD: &str = "withheld";

/// Checks `withheld`: one SELECT of one count, over the same window as the main statement.
pub(in crate::catalog) fn check_withheld(
    sql: &Located<String>,
    binds: Option<Binds>,
    report: &mut Report<'_>,
) {
    let mut within = report.within();
    let names = select_names(&sql.value, binds, sql.at, &mut within);
    if names.is_some_and(|names| names != [Some(WITHHELD.to_owned())]) {
        within.at(
            sql.at,
            "it does not return one column `withheld`",
            "write `SELECT COUNT(*) AS withheld FROM ...`",
        );
    }
    report.adopt(within, "withheld", sql.at);
}

/// The names that one SELECT gives its columns; `None` if it is not one that only reads.
fn select_names(
    sql: &str,
    binds: Option<Binds>,
    at: usize,
    report: &mut Report<'_>,
) -> Option<Vec<Option<String>>> {
    let tokens = syntax::tokens(sql)
        .map_err(|error| report.at_place(error.at, error.what, error.instead))
        .ok()?;
    if let Some(binds) = binds {
        words::parameters(binds, &tokens, at, report);
    }
    let refused = words::refused(&tokens, report);
    if foreign::batch_separators(&tokens, report) || refused {
        return None;
    }
    one_select(tokens, report)
}

fn one_select(tokens: Vec<TokenWithSpan>, report: &mut Report<'_>) -> Option<Vec<Option<String>>> {
    let query = syntax::parse(tokens)
        .map_err(|error| report.at_place(error.at, error.what, error.instead))
        .ok()?;
    match (leftmost(&query.body), branches(&query.body).len()) {
        (Some(select), 1) => {
            let names = select.projection.iter();
            Some(
                names
                    .map(|item| item_name(item).map(str::to_owned))
                    .collect(),
            )
        }
        _ => {
            report.at_place(
                Place { line: 1, column: 1 },
                "it is not one SELECT",
                "write one SELECT, with WITH for what it builds on",
            );
            None
        }
    }
}
