//! The fingerprint of a query: what it means, as one digest.
//!
//! Hashed are the words and marks of the statement, the contract with its privacy rules, and of the
//! header what changes the rows: system, database, mode, overlap and key. White space, line ends and
//! comments do not count, nor does what only people and the schedule read: purpose, owner, cost,
//! cron, measures, watermark, opt-out, descriptions, and the count of what is withheld. Variants are
//! part of the meaning: name, which rows, statement.
//!
//! The digest is kept in ledgers, so its text is our own and no parser's: a newer parser must not
//! unfreeze every version. Names keep their case, because literals must, and a renamed thing is a
//! changed file.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::domain::{self, Column, Contract, Fingerprint, Mode, PmsType, Variant};

/// What decides which rows a query brings, and what is left of them.
pub(super) struct Meaning<'a> {
    pub(super) pms: PmsType,
    pub(super) catalogue: Option<&'a str>,
    pub(super) mode: Mode,
    pub(super) key: &'a [String],
    pub(super) contract: &'a Contract,
    pub(super) statement: &'a str,
    pub(super) variants: &'a [Variant],
}

impl Meaning<'_> {
    /// Its digest.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut text = format!("halo-extract query 1\npms {}\n", self.pms);
        let mut line = |what: &str, value: &str| {
            writeln!(text, "{what} {value}").expect("a String takes any text");
        };
        line("catalogue", self.catalogue.unwrap_or("-"));
        line("mode", &mode_text(self.mode));
        line("key", &self.key.join(" "));
        for column in &self.contract.columns {
            line("column", &column_text(column));
        }
        // The length keeps a literal with a line end in it from looking like two tokens.
        for token in tokens(self.statement) {
            line(&token.len().to_string(), token);
        }
        for variant in self.variants {
            line("variant", &format!("{} {}", variant.name, variant.brings));
            for token in tokens(&variant.sql) {
                line(&token.len().to_string(), token);
            }
        }
        domain::Sha256(Sha256::digest(text).into())
            .to_string()
            .parse()
            .expect("a digest prints as a fingerprint")
    }
}

fn mode_text(mode: Mode) -> String {
    match mode {
        Mode::Incremental { overlap_days } => format!("incremental {overlap_days}"),
        Mode::Snapshot => "snapshot".to_owned(),
    }
}

fn column_text(column: &Column) -> String {
    let rule = column
        .rule
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    format!(
        "{} {} null={} class={} trim={} offset={} rule={rule}",
        column.name, column.sql_type, column.nullable, column.class, column.trim, column.offset,
    )
}

/// Words, literals and single marks of T-SQL, without white space and comments.
///
/// A mark of two characters is two tokens; SQL Server itself reads `> =` as `>=`.
pub(super) fn tokens(statement: &str) -> impl Iterator<Item = &str> {
    let mut rest = statement;
    std::iter::from_fn(move || {
        rest = skip_blank(rest);
        let length = token_length(rest)?;
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

fn skip_blank(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        rest = if rest.starts_with("--") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            after_comment(rest)
        } else {
            return rest;
        }
        .trim_start();
    }
}

/// What follows a block comment; they nest in T-SQL.
fn after_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let bytes = &text.as_bytes()[at..];
        if bytes.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += 1;
        }
    }
    ""
}

/// Length in bytes of the first token; `None` at the end.
fn token_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let length = match first {
        '\'' | '"' => quoted_length(text, first),
        '[' => quoted_length(text, ']'),
        c if is_word(c) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        c => c.len_utf8(),
    };
    Some(length)
}

/// Length of a quoted token, in which the closing quote twice stands for itself.
fn quoted_length(text: &str, close: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == close && chars.next_if(|(_, next)| *next == close).is_none() {
            return at + c.len_utf8();
        }
    }
    text.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$')
}
