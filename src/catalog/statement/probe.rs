//! A statement that asks for no row, to learn whether a server would let it run.

use sqlparser::ast::{Distinct, Select};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::limit::byte_of;
use super::select_list::branches;
use super::syntax;

/// The statement with `TOP (0)` in each of its SELECTs: the server looks up every table, column and right as for
/// the statement itself, and reads no row. `None` if it is not one query.
#[must_use]
pub fn probe(sql: &str) -> Option<String> {
    let tokens = syntax::tokens(sql).ok()?;
    let query = syntax::parse(tokens.clone()).ok()?;
    let mut places: Vec<usize> = branches(&query.body)
        .into_iter()
        .filter(|select| select.top.is_none())
        .map(|select| after_select(sql, &tokens, select))
        .collect::<Option<_>>()?;
    places.sort_unstable();
    let mut text = String::with_capacity(sql.len() + places.len() * 8);
    let mut done = 0;
    for place in places {
        text.push_str(&sql[done..place]);
        text.push_str(" TOP (0)");
        done = place;
    }
    text.push_str(&sql[done..]);
    Some(text)
}

/// Byte after `SELECT`, or after its `DISTINCT`.
fn after_select(sql: &str, tokens: &[TokenWithSpan], select: &Select) -> Option<usize> {
    let start = select.select_token.0.span.start;
    let at = tokens.iter().position(|token| token.span.start == start)?;
    let is_distinct = |token: &TokenWithSpan| matches!(&token.token, Token::Word(word) if matches!(word.keyword, Keyword::DISTINCT | Keyword::ALL));
    let distinct = matches!(select.distinct, Some(Distinct::Distinct | Distinct::All));
    let next = tokens
        .get(at + 1)
        .filter(|token| distinct && is_distinct(token));
    Some(byte_of(sql, next.unwrap_or(&tokens[at]).span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_select_of_the_result_is_cut_to_nothing_and_none_within() {
        for (sql, probed) in [
            (
                "SELECT a FROM t ORDER BY a",
                "SELECT TOP (0) a FROM t ORDER BY a",
            ),
            (
                "select distinct é.a FROM t AS é",
                "select distinct TOP (0) é.a FROM t AS é",
            ),
            (
                "WITH c AS (SELECT a FROM t) SELECT a FROM c WHERE a IN (SELECT a FROM u) OPTION (RECOMPILE)",
                "WITH c AS (SELECT a FROM t) SELECT TOP (0) a FROM c WHERE a IN (SELECT a FROM u) OPTION (RECOMPILE)",
            ),
            (
                "SELECT a FROM t\nUNION ALL\nSELECT a FROM u ORDER BY a",
                "SELECT TOP (0) a FROM t\nUNION ALL\nSELECT TOP (0) a FROM u ORDER BY a",
            ),
        ] {
            assert_eq!(probe(sql).as_deref(), Some(probed));
        }
        assert_eq!(probe("DELETE FROM t"), None);
    }
}
