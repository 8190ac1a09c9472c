//! The syntax of a statement: text to tokens to one parsed query.

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::super::source::Place;

/// More than a query ever has; the depth of the parsed tree grows with it.
const MOST_TOKENS: usize = 20_000;
const ONE_SELECT: &str = "write one SELECT, with WITH for what it builds on";

/// Why a text is not one query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: Place,
    pub(super) what: String,
    pub(super) instead: &'static str,
}

/// The tokens of a statement without blanks, comments and a trailing `OPTION (...)`, which the parser
/// does not know; at least one.
pub(super) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    let mut tokens = Tokenizer::new(&MsSqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| SyntaxError {
            at: place(error.location),
            what: format!("the statement cannot be read: {}", error.message),
            instead: "close the quote or comment",
        })?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if let Some(option) = option_clause(&tokens) {
        tokens.drain(option);
    }
    let what = match tokens.len() {
        0 => "there is no statement after the header".to_owned(),
        1..=MOST_TOKENS => return Ok(tokens),
        count => format!("the statement has {count} words and marks, more than {MOST_TOKENS}"),
    };
    Err(SyntaxError {
        at: Place { line: 1, column: 1 },
        what,
        instead: ONE_SELECT,
    })
}

/// Where `OPTION (...)` stands.
pub(super) fn option_clause(tokens: &[TokenWithSpan]) -> Option<std::ops::Range<usize>> {
    let is_option = |token: &Token| {
        matches!(token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("OPTION"))
    };
    let start = tokens
        .windows(2)
        .position(|pair| is_option(&pair[0].token) && pair[1].token == Token::LParen)?;
    let mut depth = 0_usize;
    for (length, token) in tokens[start..].iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return Some(start..start + length + 1),
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The one query that the tokens are.
pub(super) fn parse(tokens: Vec<TokenWithSpan>) -> Result<Query, SyntaxError> {
    let start = first_place(&tokens);
    let semicolon = tokens
        .iter()
        .position(|token| token.token == Token::SemiColon);
    let second = semicolon.map_or(start, |at| first_place(&tokens[at + 1..]));
    let mut statements = Parser::new(&MsSqlDialect {})
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| located(&error.to_string(), start))?;
    let count = statements.len();
    if let (1, Some(Statement::Query(query))) = (count, statements.pop()) {
        return Ok(*query);
    }
    Err(SyntaxError {
        at: if count > 1 { second } else { start },
        what: "the file holds more or other than one SELECT".to_owned(),
        instead: ONE_SELECT,
    })
}

/// Where the first token stands.
pub(super) fn first_place(tokens: &[TokenWithSpan]) -> Place {
    tokens
        .first()
        .map_or(Place { line: 1, column: 1 }, |token| {
            place(token.span.start)
        })
}

pub(super) fn place(location: Location) -> Place {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
    Place {
        line: number(location.line),
        column: number(location.column),
    }
}

/// The parser tells the place only at the end of its message, and none at the end of the text.
fn located(error: &str, start: Place) -> SyntaxError {
    let message = error.trim_start_matches("sql parser error: ");
    let split = || {
        let (message, at) = message.rsplit_once(" at Line: ")?;
        let (line, column) = at.split_once(", Column: ")?;
        let (line, column) = (line.parse().ok()?, column.parse().ok()?);
        Some((message, (line > 0).then_some(Place { line, column })))
    };
    let (message, at) = split().unwrap_or((message, None));
    SyntaxError {
        at: at.unwrap_or(start),
        what: format!("the statement does not parse: {message}"),
        instead: "correct the T-SQL here",
    }
}
