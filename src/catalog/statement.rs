//! The statement of a query file: one SELECT that reads, with our parameters and the contract's columns.
//!
//! Two looks at it. The words are checked first, because they give exact places and cannot be hidden
//! from by syntax that the parser does not know; then the parsed SELECT gives the columns. The server
//! is the last to judge: it gets every statement in reader mode.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    Statement, Visit as _, Visitor,
};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Word};

use super::columns::DraftColumn;
use super::header::Header;
use super::nearest::nearest;
use super::problem::Report;
use super::source::{Place, Source};
use crate::domain::Mode;

const WINDOW: [&str; 2] = ["@window_start", "@window_end"];
const DATE: [&str; 1] = ["@snapshot_date"];

/// Reserved words of T-SQL that a SELECT which only reads has no use for. As reserved words they
/// cannot be names unless quoted, and quoted words are not looked at.
const REFUSED: [&str; 42] = [
    "ALTER",
    "BACKUP",
    "BEGIN",
    "BULK",
    "COMMIT",
    "CREATE",
    "DBCC",
    "DECLARE",
    "DELETE",
    "DENY",
    "DROP",
    "EXEC",
    "EXECUTE",
    "GOTO",
    "GRANT",
    "IF",
    "INSERT",
    "INTO",
    "KILL",
    "MERGE",
    "OPENDATASOURCE",
    "OPENQUERY",
    "OPENROWSET",
    "OPENXML",
    "PRINT",
    "RAISERROR",
    "READTEXT",
    "RECONFIGURE",
    "RESTORE",
    "RETURN",
    "REVOKE",
    "ROLLBACK",
    "SAVE",
    "SET",
    "SHUTDOWN",
    "TRUNCATE",
    "UPDATE",
    "UPDATETEXT",
    "USE",
    "WAITFOR",
    "WHILE",
    "WRITETEXT",
];

/// Tables and columns by which a statement reaches patients, in upper case.
const PATIENT_WORDS: [&str; 3] = ["PATIENTS", "BPS_PATIENTS", "INTERNALID"];

/// More than a query ever has; the parser's depth grows with it.
const MOST_TOKENS: usize = 20_000;

/// What the privacy rules need to know of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// Whether it names a table or column of patients.
    pub(super) reads_patients: bool,
}

/// Checks the statement against the header, as far as that could be read.
pub(super) fn check(
    source: &Source<'_>,
    header: Option<&Header>,
    report: &mut Report<'_>,
) -> Facts {
    let Some(tokens) = tokens(source, report) else {
        return Facts::default();
    };
    let facts = Facts {
        reads_patients: words(&tokens).any(|(word, _)| is_one_of(&PATIENT_WORDS, word)),
    };
    if let Some(mode) = header.and_then(|header| header.mode) {
        parameters(mode, &tokens, header.map_or(0, |header| header.at), report);
    }
    // What is refused anyway need not parse as well.
    let start = place(first_place(&tokens));
    if !refused_words(&tokens, report)
        && let Some(query) = parse(tokens, report)
    {
        select(&query, start, header, report);
    }
    facts
}

fn tokens(source: &Source<'_>, report: &mut Report<'_>) -> Option<Vec<TokenWithSpan>> {
    let text = source.statement_in_place();
    let tokens = match Tokenizer::new(&MsSqlDialect {}, &text).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            let what = format!("the statement cannot be read: {}", error.message);
            report.at_place(place(error.location), what, "close the quote or comment");
            return None;
        }
    };
    let meaning = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_));
    let count = tokens.iter().filter(meaning).count();
    if count == 0 || count > MOST_TOKENS {
        let what = match count {
            0 => "there is no statement after the header".to_owned(),
            _ => format!("the statement has {count} words and marks, more than {MOST_TOKENS}"),
        };
        report.at(
            source.header_start(),
            what,
            "write one SELECT after the header",
        );
        return None;
    }
    Some(without_option(tokens))
}

fn place(location: Location) -> Place {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
    Place {
        line: number(location.line),
        column: number(location.column),
    }
}

fn words(tokens: &[TokenWithSpan]) -> impl Iterator<Item = (&Word, Place)> {
    tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some((word, place(token.span.start))),
        _ => None,
    })
}

fn is_one_of(names: &[&str], word: &Word) -> bool {
    names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(&word.value))
}

/// Reports every word that writes or runs something; tells whether there was one.
fn refused_words(tokens: &[TokenWithSpan], report: &mut Report<'_>) -> bool {
    let mut refused = false;
    let mut words = words(tokens).peekable();
    while let Some((word, at)) = words.next() {
        let next = words.peek().map(|(next, _)| *next);
        let sequence =
            is_one_of(&["NEXT"], word) && next.is_some_and(|next| is_one_of(&["VALUE"], next));
        if word.quote_style.is_none() && (is_one_of(&REFUSED, word) || sequence) {
            refused = true;
            report.at_place(
                at,
                format!(
                    "`{}` has no place in a statement that only reads",
                    word.value
                ),
                "write one SELECT, with WITH for what it builds on",
            );
        }
    }
    refused
}

/// Only the mode's parameters, and both ends of a window.
fn parameters(mode: Mode, tokens: &[TokenWithSpan], at: usize, report: &mut Report<'_>) {
    let (of, known, instead): (_, &[&str], _) = match mode {
        Mode::Incremental { .. } => (
            "an incremental query",
            &WINDOW,
            "use `@window_start` and `@window_end`",
        ),
        Mode::Snapshot => ("a snapshot", &DATE, "use `@snapshot_date`"),
    };
    let used: Vec<(&str, Place)> = words(tokens)
        .filter(|(word, _)| word.quote_style.is_none() && word.value.starts_with('@'))
        .map(|(word, at)| (word.value.as_str(), at))
        .collect();
    for (name, at) in used.iter().filter(|(name, _)| !known.contains(name)) {
        report.at_place(*at, format!("`{name}` is not a parameter of {of}"), instead);
    }
    let unused = |name: &&str| !used.iter().any(|(word, _)| word == name);
    for name in WINDOW
        .iter()
        .filter(|_| mode != Mode::Snapshot)
        .filter(|name| unused(name))
    {
        report.at(
            at,
            format!("the query is incremental but its statement does not use `{name}`"),
            "compare the watermark: `>= @window_start AND ... < @window_end`",
        );
    }
}

/// The one query that the tokens are.
fn parse(tokens: Vec<TokenWithSpan>, report: &mut Report<'_>) -> Option<ast::Query> {
    let start = first_place(&tokens);
    let semicolon = tokens
        .iter()
        .position(|token| token.token == Token::SemiColon);
    let second = semicolon.map_or(start, |at| first_place(&tokens[at + 1..]));
    let statements = Parser::new(&MsSqlDialect {})
        .with_tokens_with_locations(tokens)
        .parse_statements();
    let mut statements = match statements {
        Ok(statements) => statements,
        Err(error) => {
            let (message, at) = split_location(&error.to_string(), start);
            report.at_place(
                place(at),
                format!("the statement does not parse: {message}"),
                "correct the T-SQL here",
            );
            return None;
        }
    };
    let count = statements.len();
    if let (1, Some(Statement::Query(query))) = (count, statements.pop()) {
        return Some(*query);
    }
    report.at_place(
        place(if count > 1 { second } else { start }),
        "the file holds more or other than one SELECT",
        "write one SELECT, with WITH for what it builds on",
    );
    None
}

/// Where the first token stands that is not blank.
fn first_place(tokens: &[TokenWithSpan]) -> Location {
    tokens
        .iter()
        .find(|token| !matches!(token.token, Token::Whitespace(_)))
        .map_or(Location::new(1, 1), |token| token.span.start)
}

/// Cuts a trailing `OPTION (...)`, which the parser does not know.
fn without_option(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let meaning: Vec<usize> = (0..tokens.len())
        .filter(|at| !matches!(tokens[*at].token, Token::Whitespace(_)))
        .collect();
    let is_option = |pair: &[usize]| {
        matches!(&tokens[pair[0]].token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("OPTION"))
            && tokens[pair[1]].token == Token::LParen
    };
    let Some(start) = meaning
        .windows(2)
        .find(|pair| is_option(pair))
        .map(|pair| pair[0])
    else {
        return tokens;
    };
    let mut depth = 0_usize;
    let end = (start..tokens.len()).find(|at| {
        match tokens[*at].token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                return depth == 0;
            }
            _ => {}
        }
        false
    });
    let Some(end) = end else {
        return tokens;
    };
    let mut kept = tokens;
    kept.drain(start..=end);
    kept
}

/// The parser tells the place only at the end of its message.
fn split_location(error: &str, otherwise: Location) -> (String, Location) {
    let message = error.trim_start_matches("sql parser error: ");
    let split = || {
        let (message, place) = message.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let at = Location::new(line.parse().ok()?, column.parse().ok()?);
        // Line 0 is the parser's word for the end of the text.
        Some((
            message.to_owned(),
            if at.line == 0 { otherwise } else { at },
        ))
    };
    split().unwrap_or_else(|| (message.to_owned(), otherwise))
}

/// Checks the SELECT's columns.
fn select(query: &ast::Query, start: Place, header: Option<&Header>, report: &mut Report<'_>) {
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
    if let Some(header) = header.filter(|_| stars.0.is_empty()) {
        columns(select, &header.columns, report);
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

/// The SELECT that names the columns of a result: the first of a UNION.
fn leftmost(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => leftmost(&query.body),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}

/// The name that an item has in the result.
fn item_name(item: &SelectItem) -> Option<&str> {
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
    let mut seen: Vec<&str> = Vec::new();
    let mut alike = true;
    for (number, item) in select.projection.iter().enumerate() {
        let at = item_place(item, select);
        let Some(name) = item_name(item) else {
            alike = false;
            let name = wanted.get(number).unwrap_or(&"name");
            report.at_place(
                at,
                format!("column {} of the SELECT has no name", number + 1),
                format!("write `AS {name}` after it"),
            );
            continue;
        };
        if seen.contains(&name) {
            alike = false;
            report.at_place(
                at,
                format!("two columns of the SELECT are named `{name}`"),
                "give each its own name with AS",
            );
        } else if !wanted.contains(&name) {
            alike = false;
            report.at_place(
                at,
                format!("column `{name}` of the SELECT is not in `[columns]`"),
                not_in_contract(name, &wanted, &seen),
            );
        }
        seen.push(name);
    }
    for column in contract {
        if !seen.contains(&column.name.as_str()) && seen.len() == select.projection.len() {
            alike = false;
            report.at(
                column.at,
                format!("column `{}` is not in the SELECT", column.name),
                format!("add `... AS {}` to it, or remove this line", column.name),
            );
        }
    }
    if alike {
        order(select, &wanted, &seen, report);
    }
}

fn not_in_contract(name: &str, wanted: &[&str], seen: &[&str]) -> String {
    let free = wanted.iter().copied().filter(|name| !seen.contains(name));
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
