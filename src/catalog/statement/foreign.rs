//! What people write and the parser takes, but SQL Server does not.

use std::ops::ControlFlow;

use sqlparser::ast::{LimitClause, Query, Visit as _, Visitor};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::super::problem::Report;
use super::super::source::Place;
use super::syntax::place;

/// Reports `GO` at the beginning of a line; tells whether there was one.
///
/// The parser would take it for an alias, and so would the server.
pub(super) fn batch_separators(tokens: &[TokenWithSpan], report: &mut Report<'_>) -> bool {
    let is_go = |token: &TokenWithSpan| {
        matches!(&token.token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("GO"))
    };
    let mut found = false;
    for pair in tokens.windows(2) {
        if is_go(&pair[1]) && pair[1].span.start.line > pair[0].span.end.line {
            found = true;
            report.at_place(
                place(pair[1].span.start),
                "`GO` is a command of Management Studio and unknown to the server",
                "remove it",
            );
        }
    }
    found
}

/// Reports `LIMIT`, at any depth.
pub(super) fn limits(query: &Query, start: Place, report: &mut Report<'_>) {
    if query.visit(&mut Limits).is_break() {
        report.at_place(
            start,
            "SQL Server has no `LIMIT`",
            "write `TOP (n)`, or `OFFSET 0 ROWS FETCH NEXT n ROWS ONLY`",
        );
    }
}

struct Limits;

impl Visitor for Limits {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        match query.limit_clause {
            Some(LimitClause::LimitOffset { limit: None, .. }) | None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(()),
        }
    }
}
