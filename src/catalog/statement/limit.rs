//! A statement cut to its first rows by the server itself.

use sqlparser::ast::{Query, SetExpr};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::syntax;

/// The statement so that at most `rows` rows come, in the order that it asks for; `None` if it already
/// limits its rows, or is not one query.
#[must_use]
pub fn limited(sql: &str, rows: u32) -> Option<String> {
    let query = syntax::parse(syntax::tokens(sql).ok()?).ok()?;
    if limits_itself(&query) {
        return None;
    }
    let (body, option) = sql.split_at(end_of_query(sql)?);
    // OFFSET needs an order. A plain SELECT may say that it has none; what removes doubles may not.
    let order = match (&query.order_by, query.body.as_ref()) {
        (Some(_), _) => "",
        (None, SetExpr::Select(select)) if select.distinct.is_none() => "ORDER BY (SELECT NULL)\n",
        (None, _) => "ORDER BY 1\n",
    };
    Some(format!(
        "{body}\n{order}OFFSET 0 ROWS FETCH NEXT {rows} ROWS ONLY\n{option}"
    ))
}

fn limits_itself(query: &Query) -> bool {
    let top = matches!(query.body.as_ref(), SetExpr::Select(select) if select.top.is_some());
    top || query.limit_clause.is_some() || query.fetch.is_some()
}

/// Byte after the query: where `OPTION (...)` begins, a semicolon stands, or the text ends.
fn end_of_query(sql: &str) -> Option<usize> {
    let mut tokens = Tokenizer::new(&MsSqlDialect {}, sql)
        .tokenize_with_location()
        .ok()?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let option = syntax::option_clause(&tokens).map(|range| range.start);
    let semicolon = tokens
        .iter()
        .position(|token| token.token == Token::SemiColon);
    let after = option.into_iter().chain(semicolon).min();
    Some(after.map_or(sql.len(), |at| byte_of(sql, tokens[at].span.start)))
}

pub(super) fn byte_of(sql: &str, location: Location) -> usize {
    let number = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
    let line_start: usize = sql
        .split_inclusive('\n')
        .take(number(location.line) - 1)
        .map(str::len)
        .sum();
    let within = sql[line_start..].chars().take(number(location.column) - 1);
    line_start + within.map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(sql: &str) -> Option<String> {
        let text = limited(sql, 5)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn an_ordered_query_keeps_its_order_and_its_hints() {
        assert_eq!(
            joined("SELECT é.a FROM t AS é\nORDER BY é.a -- by é\nOPTION (RECOMPILE)").as_deref(),
            Some(
                "SELECT é.a FROM t AS é ORDER BY é.a -- by é OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY OPTION (RECOMPILE)"
            )
        );
        assert!(
            limited("SELECT a FROM t ORDER BY a; -- end", 5)
                .is_some_and(|text| text.starts_with("SELECT a FROM t ORDER BY a\nOFFSET 0"))
        );
    }

    #[test]
    fn a_query_without_order_gets_the_one_that_its_shape_allows() {
        for (sql, order) in [
            ("SELECT a FROM t", "ORDER BY (SELECT NULL)"),
            ("SELECT DISTINCT a FROM t", "ORDER BY 1"),
            ("SELECT a FROM t UNION SELECT a FROM u", "ORDER BY 1"),
        ] {
            let expected = format!("{sql} {order} OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY");
            assert_eq!(joined(sql), Some(expected));
        }
    }

    #[test]
    fn a_query_that_limits_itself_is_not_limited_again() {
        assert_eq!(limited("SELECT TOP 3 a FROM t ORDER BY a", 5), None);
        let fetch = "SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY";
        assert_eq!(limited(fetch, 5), None);
    }
}
